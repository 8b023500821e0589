"""SDSS images of NGC6976 through mask, cut and adaptive smoothing: real stars, real sky noise."""

import numpy as np
import pytest

from engine.cube.foreground import foreground_light
from engine.cube.smoothing import Smoothed, SmoothingSettings, choose_levels, level_fractions, smooth_planes
from precompute.io.sdss_images import read_sdss_image

CENTRE = 313.10847, -5.77230  # deg
SETTINGS = SmoothingSettings()


@pytest.fixture(scope="module")
def field(shared):
    """Planes g, r, i in nanomaggies/arcsec2, usable pixels, distance from the galaxy [arcsec]."""
    images = [
        read_sdss_image(shared / "sdss_images" / f"reprojected_sdss_{band}.fits.bz2", band, counted_arcsec=0.396)
        for band in "gri"
    ]
    first = images[1]
    x, y = (float(value) for value in first.wcs.all_world2pix(*CENTRE, 0))
    area = first.pixel_arcsec**2
    flux, error = (np.stack([getattr(image, name) / area for image in images]) for name in ("data", "error"))
    foreground = foreground_light(first, (x, y)) / area > 0.1 * np.maximum(flux[1], 0.04)
    rows, columns = np.indices(first.data.shape)
    distance = np.hypot(columns - x, rows - y) * first.pixel_arcsec
    return Smoothed(flux, error, np.isfinite(flux)), ~foreground, distance


@pytest.fixture(scope="module")
def level(field):
    """Level of smoothing of every pixel, chosen in g."""
    planes, usable, _ = field
    return choose_levels(planes.flux[0], planes.error[0], usable).level


def test_above_the_cut_few_pixels_need_smoothing_and_far_out_most_do(field, level):
    planes, usable, distance = field
    brightness = 22.5 - 2.5 * np.log10(np.maximum(planes.flux[1], 1e-9))
    inner, outer = (usable & (distance < 40) & (brightness < limit) for limit in (22.5, 24.5))
    assert 400 < inner.sum() < 700
    assert level_fractions(level, inner)[0] > 0.75
    assert level_fractions(level, outer)[4] > 0.5


def test_smoothing_keeps_the_flux_of_a_real_spiral_in_each_band(field, level):
    """Zibetti (2009) finds aperture fluxes kept to 0.001 mag; this small image with its own sky noise gives 0.002."""
    planes, usable, distance = field
    seen = smooth_planes(planes, level, usable)
    inside = usable & (distance < 40)
    for before, after in zip(planes.flux, seen.flux, strict=True):
        assert 2.5 * np.log10(after[inside].sum() / before[inside].sum()) == pytest.approx(0.0, abs=0.002)
    assert np.all(seen.flux[:, ~usable] == 0)


def test_real_sky_is_noisier_after_smoothing_than_independent_pixels_and_quieter_than_califa_s(field):
    planes, usable, distance = field
    near = distance < 170  # what lies farther off smooths nothing here
    rows, columns = (slice(places.min(), places.max() + 1) for places in np.nonzero(near))
    planes = Smoothed(*(part[:, rows, columns] for part in planes))
    usable, distance = usable[rows, columns], distance[rows, columns]
    sky = usable & (distance > 60) & (distance < 160)
    for level in (2, 3, 5):
        levels = np.full(sky.shape, level)
        shared_noise, independent = (
            smooth_planes(planes, levels, usable, SETTINGS._replace(correlation_slope=slope)) for slope in (1.07, 0.0)
        )
        there = sky & shared_noise.good[1]
        values = shared_noise.flux[1][there]
        scatter = 1.4826 * np.median(np.abs(values - np.median(values)))
        assert np.median(independent.error[1][there]) < scatter < np.median(shared_noise.error[1][there])
