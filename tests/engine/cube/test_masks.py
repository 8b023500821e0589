"""Masks find planted stars, neighbours, dead fibres and cosmic rays, and keep the galaxy."""

import numpy as np
import pytest

from engine.cube.foreground import foreground_light, foreground_spaxels
from engine.cube.images import OnGrid
from engine.cube.masks import MaskSettings, bad_spaxels, dead_spaxels, mask_spaxels, usable_spaxels
from engine.cube.noise import without_cosmic_rays
from engine.cube.registration import register
from engine.cube.shift import Shift
from engine.cube.types import Image
from engine.flags import SpaxelFlag
from tests.engine.cube.scenes import (
    BLUR,
    FILTERS,
    FINE,
    HALF,
    SHAPE,
    photograph,
    places,
    seen_at,
    sky_with,
    spectra_of,
    tangent_wcs,
)

STARS = ((15.0, 10.0, 30.0), (-20.0, -12.0, 10.0), (6.0, -14.0, 60.0))
EAST, NORTH = places(tangent_wcs(SHAPE, 1.0), SHAPE)


def distance(x, y):
    """Of each spaxel from a place east and north of the centre [arcsec]."""
    return np.hypot(EAST - x, NORTH - y)


def found(sky, **changes):
    return foreground_spaxels(photograph(sky), spectra_of(sky, noise=0.1), **changes)


@pytest.fixture(scope="module")
def starry():
    return sky_with(STARS)


@pytest.fixture(scope="module")
def starry_mask(starry):
    return found(starry)


def test_spaxels_with_a_tenth_of_their_light_from_planted_stars_are_masked(starry, starry_mask):
    """Fainter spaxels than 22.5 mag/arcsec2, a nanomaggy, count as that bright: they are not measured anyway."""
    mask = starry_mask
    for x, y, _ in STARS:
        assert mask[distance(x, y) < 1.0].all()
    star, total = (seen_at(sky, BLUR, EAST, NORTH) for sky in (starry - sky_with(), starry))
    share = star / np.maximum(total, 1.0)
    assert mask[share > 0.12].all()
    assert not mask[share < 0.06].any()


def test_the_galaxy_with_its_clumps_is_kept(starry_mask):
    away = np.all([distance(x, y) > 8 for x, y, _ in STARS], axis=0)
    assert not starry_mask[away].any()
    assert not found(sky_with(clumps=0.4)).any()


@pytest.mark.parametrize("axis_ratio", [0.12, 0.3, 1.0])
def test_galaxies_of_any_inclination_are_kept(axis_ratio):
    assert found(sky_with(axis_ratio=axis_ratio, clumps=0.0)).mean() < 0.005


def test_a_star_whose_light_runs_into_the_nucleus_is_masked_and_the_nucleus_kept():
    mask = found(sky_with(((3.0, 3.5, 60.0),)))
    assert mask[distance(3.0, 3.5) < 1.0].all()
    assert not mask[distance(-1.0, -1.2) < 2.0].any()


def test_a_star_that_saturates_is_masked_by_its_height_though_it_is_wide():
    """A flat top of 3.3 arcsec, in a point spread of 1.3; it is not told apart as another galaxy here."""
    step = np.arange(-HALF, HALF + FINE / 2, FINE)
    x, y = np.meshgrid(step - 20.0, step - 15.0)
    sigma = 3.3 / 2.3548
    star = 60.0 * np.exp(-0.5 * (x**2 + y**2) / sigma**2) / (2 * np.pi * sigma**2)
    mask = found(sky_with(clumps=0.0) + star, settings=MaskSettings(neighbour_share=1.0))
    assert mask[distance(20.0, 15.0) < 1.5].all()
    assert not mask[distance(0.0, 0.0) < 10.0].any()


def test_a_brighter_star_takes_more_spaxels():
    taken = [found(sky_with(((14.0, -10.0, flux),))).sum() for flux in (5.0, 100.0)]
    assert 0 < taken[0] < taken[1]


def test_the_mask_goes_with_the_cube_where_its_coordinates_are_mended():
    sky = sky_with(((14.0, -10.0, 30.0),))
    cube = spectra_of(sky, wrong=(4.0, 3.0), noise=0.1)
    mask = foreground_spaxels(photograph(sky), cube, Shift(4.0, 3.0))
    assert np.array_equal(mask, found(sky))


def test_another_galaxy_beside_is_foreground(starry):
    neighbour = 0.5 * np.roll(sky_with(scale=3.0), (96, -96), axis=(0, 1))  # 24 arcsec north, 24 west
    mask = found(sky_with() + neighbour)
    assert mask[distance(-24.0, 24.0) < 3].all()
    assert not mask[distance(0.0, 0.0) < 15].any()


def test_holes_of_an_image_are_artefacts():
    image = photograph(sky_with())
    image.data[150:156, 100:140] = -5.0
    light = foreground_light(image, (170.0, 165.0))
    assert (light[150:156, 100:140] > 0).all()


def test_an_image_of_nothing_has_no_foreground():
    flat = Image("r", np.zeros((60, 60)), np.ones((60, 60)), tangent_wcs((60, 60), 1.0), 1.0)
    assert not foreground_light(flat, (30.0, 30.0)).any()


def grid_of(brightness):
    flux = 10 ** (-0.4 * (np.asarray(brightness, float) - 22.5))
    return OnGrid(("r",), flux[None], np.full_like(flux, 0.01)[None])


def test_spaxels_fainter_than_22_5_are_cut():
    cube = spectra_of(sky_with())
    brightness = np.full(SHAPE, 22.4)
    brightness[0], brightness[1, :2] = 22.6, np.nan
    flags = mask_spaxels(cube, grid_of(brightness), np.zeros(SHAPE, bool))
    assert np.all(flags[0] == SpaxelFlag.BELOW_BRIGHTNESS_CUT)
    assert np.all(flags[1, :2] == SpaxelFlag.BELOW_BRIGHTNESS_CUT | SpaxelFlag.BAD_PIXELS)
    assert np.all(flags[2:] == 0)


def test_foreground_and_bad_spaxels_are_not_used_and_faint_ones_are():
    flags = np.array([0, SpaxelFlag.FOREGROUND, SpaxelFlag.BAD_PIXELS, SpaxelFlag.BELOW_BRIGHTNESS_CUT])
    assert usable_spaxels(flags).tolist() == [True, False, False, True]


def test_spaxels_with_a_fifth_of_their_spectrum_bad_are_bad():
    cube = spectra_of(sky_with())
    used = np.flatnonzero(cube.wave <= 7140.0)
    cube.good[used[: int(0.19 * len(used))], 10, 10] = False
    cube.good[used[: int(0.22 * len(used))], 20, 20] = False
    cube.good[cube.wave > 7140.0] = False  # beyond what is used
    assert np.argwhere(bad_spaxels(cube)).tolist() == [[20, 20]]


def test_a_dead_fibre_is_much_fainter_in_the_cube_than_in_the_image():
    sky = sky_with()
    cube = spectra_of(sky, noise=0.05)
    cube.flux[:, 37:40, 38:41] *= 0.1
    grid, _ = register(cube, (photograph(sky),), FILTERS)
    dead = dead_spaxels(cube, grid, FILTERS)
    assert dead[37:40, 38:41].all()
    assert dead.sum() == 9
    assert not dead_spaxels(cube, grid, ()).any()


def spectra_with_line(width=2.55, noise=0.02):
    """Spectra on pixels of 2 Angstrom with an emission line of 6 Angstrom width at any phase, S/N 50."""
    wave = 6000.0 + 2.0 * np.arange(300)
    rng = np.random.default_rng(4)
    flux = np.ones((300, 4, 5)) + rng.normal(0, noise, (300, 4, 5))
    centre = 6300.0 + rng.uniform(-1, 1, (4, 5))
    flux += 5.0 * np.exp(-0.5 * ((wave[:, None, None] - centre) / width) ** 2)
    cube = spectra_of(sky_with())
    shape = flux.shape
    return cube._replace(
        wave=wave, flux=flux.astype(np.float32), error=np.full(shape, noise, np.float32), good=np.ones(shape, bool)
    )


def test_cosmic_rays_are_marked_and_emission_lines_are_not():
    clean = spectra_with_line()
    assert without_cosmic_rays(clean).good.all()
    clean.flux[50, 1, 1] += 1.0
    clean.flux[200:202, 2, 3] += 2.0
    good = without_cosmic_rays(clean).good
    assert not good[50, 1, 1]
    assert not good[200:202, 2, 3].any()
    assert (~good).sum() <= 8


def test_a_pixel_beside_a_bad_one_is_not_taken_for_a_cosmic_ray():
    cube = spectra_with_line()
    cube.good[149], cube.flux[149] = False, 0.0
    assert np.array_equal(without_cosmic_rays(cube).good, cube.good)


def test_real_spectra_hold_no_line_that_is_taken_for_a_cosmic_ray(shared):
    """NGC2691's first spectrum shows Halpha, [NII], [OIII], [SII] at S/N 70 to 150 per pixel."""
    from precompute.io.cubes import read_row_stack

    cube = read_row_stack(shared / "ngc2691_comb" / "NGC2691.COMB.RSS.fits", "1e-16 erg/s/cm^2/A")
    assert np.array_equal(without_cosmic_rays(cube).good, cube.good)


# Places [deg] of three galaxies of Hickson 88; the first two have a star 5 arcsec from their centres
GALAXIES = {"NGC6976": (313.10847, -5.77230), "NGC6977": (313.12378, -5.74610), "NGC6978": (313.14781, -5.71110)}


@pytest.fixture(scope="module")
def hickson_88(shared):
    from precompute.io.sdss_images import read_sdss_image

    return read_sdss_image(shared / "sdss_images" / "reprojected_sdss_r.fits.bz2", "r", counted_arcsec=0.396)


@pytest.mark.parametrize("name", GALAXIES)
def test_real_galaxies_are_kept_and_the_field_around_them_is_cleaned(hickson_88, name):
    image = hickson_88
    x, y = (float(value) for value in image.wcs.all_world2pix(*GALAXIES[name], 0))
    light = foreground_light(image, (x, y))
    lost = light > MaskSettings().light_share * np.maximum(image.data, 1e-9)
    rows, columns = np.indices(lost.shape)
    radius = np.hypot(columns - x, rows - y) * image.pixel_arcsec
    brightness = 22.5 - 2.5 * np.log10(np.maximum(image.data, 1e-9) / image.pixel_arcsec**2)
    assert lost[(radius < 20) & (brightness < 22.5)].mean() < 0.05
    assert not lost[radius < 3].any()
    near = (radius > 3) & (radius < 9)
    assert lost[near].any() == (name != "NGC6978")
    assert lost[near].mean() < 0.2  # no more than the star
    beyond = (radius > 70) & (brightness < 21.0)  # stars and other galaxies
    assert lost[beyond].mean() > 0.95
