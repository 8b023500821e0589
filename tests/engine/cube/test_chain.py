"""From a cube and its images to smoothed spectra and fluxes, step by step on one made-up sky."""

import numpy as np
import pytest

from engine.cube.foreground import foreground_spaxels
from engine.cube.masks import mask_spaxels, usable_spaxels
from engine.cube.registration import register
from engine.cube.smoothing import Smoothed, choose_levels, smooth_cube, smooth_planes, smoothing_flags
from engine.cube.snr import window_snr
from engine.cube.synthetic import synthetic_image
from engine.cube.types import Moffat
from engine.cube.voronoi import bin_cube, voronoi_bins
from engine.flags import SpaxelFlag
from tests.engine.cube.scenes import FILTERS, SHAPE, photograph, places, seen_at, sky_with, spectra_of, tangent_wcs

STAR = (16.0, 12.0, 60.0)
WRONG = (1.1, -0.6)


@pytest.fixture(scope="module")
def run():
    """The sky, the cube, what was found on the way, and the smoothed cube and images."""
    sky = 5.0 * sky_with((STAR,), scale=11.0, axis_ratio=0.8, clumps=0.1)
    cube = spectra_of(sky, wrong=WRONG, noise=0.1)
    images = tuple(photograph(sky, band, seed=i) for i, band in enumerate("gri"))
    grid, report = register(cube, images, FILTERS)
    foreground = foreground_spaxels(images[1], cube, report.shift)
    flags = mask_spaxels(cube, grid, foreground, FILTERS)
    usable = usable_spaxels(flags)
    signal, noise = window_snr(cube, 0.0, (5500.0, 5900.0))
    smoothing = choose_levels(signal, noise, usable)
    flags = flags | np.where(flags == 0, smoothing_flags(smoothing), 0)
    smooth = smooth_cube(cube, smoothing.level, usable)
    light = smooth_planes(Smoothed(grid.data, grid.error, np.isfinite(grid.data)), smoothing.level, usable)
    return {"sky": sky, "cube": cube, "grid": grid, "report": report, "flags": flags, "usable": usable,
            "smoothing": smoothing, "smooth": smooth, "light": light, "signal": signal, "noise": noise}  # fmt: skip


def kept(run):
    return (run["flags"] & ~(SpaxelFlag.SMOOTHED.value | SpaxelFlag.TARGET_MISSED.value)) == 0


def test_the_star_is_lost_and_the_galaxy_above_the_cut_is_kept(run):
    east, north = places(tangent_wcs(SHAPE, 1.0), SHAPE)
    star = np.hypot(east - STAR[0], north - STAR[1])
    assert np.all(run["flags"][star < 1.5] & SpaxelFlag.FOREGROUND.value)
    truth = seen_at(run["sky"], Moffat(), east, north)
    lost = run["flags"] & (
        SpaxelFlag.FOREGROUND.value | SpaxelFlag.BAD_PIXELS.value | SpaxelFlag.BELOW_BRIGHTNESS_CUT.value
    )
    assert np.all(lost[(truth > 1.2) & (star > 12)] == 0)
    assert not kept(run)[truth < 0.85].any()


def test_levels_grow_outwards_and_what_is_kept_reaches_the_minimum(run):
    level = run["smoothing"].level[kept(run)]
    assert set(np.unique(level)) == {1, 2, 3, 4, 5}
    assert run["smoothing"].snr[kept(run)].min() >= 7.5
    missed = (run["flags"] & SpaxelFlag.TARGET_MISSED.value) != 0
    assert np.all(run["smoothing"].level[missed & kept(run)] == 5)


def test_cube_and_images_smoothed_with_one_level_map_still_agree_in_flux(run):
    seen, _ = synthetic_image(run["smooth"], FILTERS[1])
    both = kept(run) & (run["smoothing"].level > 1)
    ratio = seen[both] / run["light"].flux[1][both]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.01)
    assert np.std(ratio) < 0.05


def test_smoothed_spectra_are_less_noisy_and_as_bright_as_the_sky_they_see(run):
    """At the widest kernel a disc of 11 arcsec scale loses 1.4 % to the curvature of its isophotes; noise-free too."""
    east, north = places(tangent_wcs(SHAPE, 1.0), SHAPE)
    truth = seen_at(run["sky"], Moffat(), east, north)
    seen, _ = synthetic_image(run["smooth"], FILTERS[1])
    widest = kept(run) & (run["smoothing"].level == 5)
    assert np.median(seen[widest] / truth[widest]) == pytest.approx(1.0, abs=0.03)
    assert np.median(run["smooth"].error[:, widest]) < 0.6 * np.median(run["cube"].error[:, widest])


def test_voronoi_bins_of_the_same_cube_keep_its_flux(run):
    bright = (run["flags"] & SpaxelFlag.BELOW_BRIGHTNESS_CUT.value) == 0
    bins = voronoi_bins(run["signal"], run["noise"], bright & run["usable"])
    binned = bin_cube(run["cube"], bins.bin)
    inside = bins.bin >= 0
    assert binned.flux[:, inside].sum() == pytest.approx(run["cube"].flux[:, inside].sum(), rel=1e-3)
    assert (bins.level[inside] > 1).any()
