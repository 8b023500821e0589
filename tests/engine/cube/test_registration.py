"""Images brought to cubes of a known sky: place, blur, flux, dust, and what is flagged."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from engine.cube.images import EXTINCTION_PER_EBV, OnGrid, deredden, psf_of
from engine.cube.psf import convolve, matching_kernel, moffat_image
from engine.cube.registration import RegistrationFlag, flux_ratio, register
from engine.cube.synthetic import synthetic_image
from engine.cube.types import Image, Moffat, Plane
from engine.errors import CubeError
from tests.engine.cube.scenes import (
    FILTERS,
    SHAPE,
    photograph,
    places,
    seen_at,
    sky_with,
    spectra_of,
    tangent_wcs,
)

STARS = ((15.0, 10.0, 30.0), (-20.0, -12.0, 10.0))


@pytest.fixture(scope="module")
def sky():
    return sky_with(STARS)


@pytest.fixture(scope="module")
def truth(sky):
    """What the cube's spaxels should see [nanomaggies/arcsec2]."""
    return seen_at(sky, Moffat(), *places(tangent_wcs(SHAPE, 1.0), SHAPE))


def test_a_moffat_profile_has_its_full_width_at_half_maximum_and_sum_one():
    image = moffat_image(Moffat(2.5, 1.7), 0.05, 20.0)
    row = image[image.shape[0] // 2]
    assert (row > 0.5 * row.max()).sum() * 0.05 == pytest.approx(2.5, abs=0.1)
    assert image.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("target", [Moffat(), Moffat(2.4, 2.5), Moffat(3.5, 1.6)])
def test_a_matching_kernel_turns_one_point_spread_into_the_other(target):
    source = Moffat(1.32, 3.0)
    blurred = fftconvolve(moffat_image(source, 0.396), matching_kernel(source, target, 0.396), mode="same")
    wanted = moffat_image(target, 0.396)
    assert np.abs(blurred - wanted).max() < 0.005 * wanted.max()
    assert blurred.sum() == pytest.approx(1.0, abs=0.01)


def test_a_broader_image_has_no_matching_kernel():
    assert matching_kernel(Moffat(2.6, 1.7), Moffat(2.5, 1.7), 0.4) is None


def test_missing_pixels_neither_spread_nor_dim_their_neighbours():
    values = np.full((80, 80), 2.0)
    values[30:34, 40] = np.nan
    seen = convolve(values, matching_kernel(Moffat(1.3, 3.0), Moffat(), 1.0))
    assert np.array_equal(np.isnan(seen), np.isnan(values))
    assert seen[~np.isnan(seen)] == pytest.approx(2.0)


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (1.3, -0.7), (-1.6, 1.9), (0.45, 0.2)])
@pytest.mark.parametrize("noise", [0.01, 0.5])
def test_a_known_shift_is_found_to_a_tenth_of_an_arcsec(sky, wrong, noise):
    _, report = register(spectra_of(sky, wrong=wrong, noise=noise), (photograph(sky),), FILTERS)
    assert (report.shift.x, report.shift.y) == pytest.approx(wrong, abs=0.1)
    assert np.hypot(report.shift.x_error, report.shift.y_error) < 0.1
    assert report.flags == RegistrationFlag.NONE


def test_a_shift_is_found_within_its_error_over_many_noises(sky):
    pulls = []
    for seed in range(6):
        image, cube = photograph(sky, seed=seed), spectra_of(sky, wrong=(0.6, -0.3), noise=0.3, seed=seed + 50)
        shift = register(cube, (image,), FILTERS)[1].shift
        pulls += [(shift.x - 0.6) / shift.x_error, (shift.y + 0.3) / shift.y_error]
    assert np.sqrt(np.mean(np.square(pulls))) < 2.5


def test_stars_seen_by_one_of_them_alone_do_not_move_the_galaxy(sky):
    other = sky_with((*STARS, (12.0, -8.0, 100.0)))
    _, report = register(spectra_of(sky, wrong=(0.8, 0.4)), (photograph(other),), FILTERS)
    assert (report.shift.x, report.shift.y) == pytest.approx((0.8, 0.4), abs=0.1)


def test_surface_brightness_and_flux_are_kept_on_the_grid_and_at_the_point_spread(sky, truth):
    grid, _ = register(spectra_of(sky), (photograph(sky, noise=1e-4),), FILTERS)
    assert grid.data[0].sum() == pytest.approx(truth.sum(), rel=1e-3)
    bright = truth > 0.3
    assert grid.data[0][bright] == pytest.approx(truth[bright], rel=0.02)
    assert grid.magnitudes("r")[bright] == pytest.approx(22.5 - 2.5 * np.log10(truth[bright]), abs=0.02)


def test_noise_of_images_on_the_grid_is_what_is_found(sky, truth):
    faint = truth < 0.2
    grid, _ = register(spectra_of(sky), (photograph(sky, seed=7),), FILTERS)
    assert grid.error[0][faint].mean() == pytest.approx((grid.data[0] - truth)[faint].std(), rel=0.15)


@pytest.mark.parametrize("scale", [0.92, 1.0, 1.06])
def test_a_known_flux_scale_is_found_to_one_percent_in_each_band(sky, scale):
    images = tuple(photograph(sky, band, seed=i, scale=1 / scale) for i, band in enumerate("gri"))
    _, report = register(spectra_of(sky, wrong=(0.4, 0.3)), images, FILTERS)
    assert set(report.flux_ratio) == {"g", "r"}  # i reaches beyond the spectra
    for ratio, error in report.flux_ratio.values():
        assert ratio == pytest.approx(scale, abs=0.01)
        assert error < 0.01


def test_a_cube_of_wrong_flux_or_place_is_flagged(sky):
    _, bright = register(spectra_of(sky), (photograph(sky, scale=0.7),), FILTERS)
    assert bright.flags == RegistrationFlag.FLUX_OFF
    _, far = register(spectra_of(sky, wrong=(3.5, -2.5)), (photograph(sky),), FILTERS)
    assert far.flags == RegistrationFlag.SHIFT_LARGE
    assert (far.shift.x, far.shift.y) == pytest.approx((3.5, -2.5), abs=0.1)


def test_the_error_of_a_flux_ratio_is_its_scatter_over_many_noises():
    rng = np.random.default_rng(9)
    shape = (40, 40)
    image = Plane(np.full(shape, 10.0), np.full(shape, 0.01))
    found = np.array([
        flux_ratio(Plane(11.0 + rng.standard_normal(shape), np.ones(shape)), image, 2.0) for _ in range(200)
    ])  # fmt: skip
    assert found[:, 0].mean() == pytest.approx(1.1, rel=1e-3)
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.15)


def test_another_patch_of_sky_is_flagged_and_not_shifted(sky):
    stranger = photograph(sky_with(((-15.0, 20.0, 60.0), (22.0, -3.0, 50.0))) * 0.0 + 0.01)
    _, report = register(spectra_of(sky), (stranger,), FILTERS)
    assert report.flags & RegistrationFlag.SHIFT_UNKNOWN
    assert (report.shift.x, report.shift.y) == (0.0, 0.0)


def test_an_image_that_misses_the_field_is_refused_and_one_that_covers_half_is_flagged(sky):
    image = photograph(sky)
    away = image._replace(wcs=tangent_wcs(image.data.shape, 0.396, offset=(3000.0, 0.0)))
    with pytest.raises(CubeError, match="the r image shows nothing of the field of mock"):
        register(spectra_of(sky), (away,), FILTERS)
    antipode = tangent_wcs(image.data.shape, 0.396)
    antipode.wcs.crval = [330.0, -20.0]
    with pytest.raises(CubeError, match="the r image shows nothing of the field of mock"):
        register(spectra_of(sky), (image._replace(wcs=antipode),), FILTERS)
    half = image._replace(data=np.where(np.indices(image.data.shape)[0] > 150, image.data, np.nan))
    grid, report = register(spectra_of(sky), (half,), FILTERS)
    assert report.flags & RegistrationFlag.NOT_COVERED
    assert 0.2 < np.isnan(grid.data).mean() < 0.8


def test_an_image_broader_than_the_cube_stays_as_it_is_and_is_flagged(sky):
    _, report = register(spectra_of(sky), (photograph(sky, psf=Moffat(3.0, 3.0)),), FILTERS)
    assert report.flags & RegistrationFlag.IMAGE_BROADER


def test_images_lose_the_extinction_that_the_cube_has_lost(sky):
    """Schlegel+98: A(r) = 2.751 E(B-V), with E(B-V) = A_V / 3.1."""
    a_v = 0.31
    dimmed = photograph(sky, scale=10 ** (-0.4 * 0.2751))
    _, report = register(spectra_of(sky, a_v=a_v), (dimmed,), FILTERS)
    assert report.flux_ratio["r"][0] == pytest.approx(1.0, abs=0.01)
    _, silent = register(spectra_of(sky, a_v=np.nan), (dimmed,), FILTERS)
    assert silent.flags == RegistrationFlag.NOT_DEREDDENED | RegistrationFlag.FLUX_OFF


def test_magnitudes_of_sdss_become_ab_magnitudes():
    image = Image("u", np.ones((2, 2)), np.ones((2, 2)), tangent_wcs((2, 2), 0.4), 0.4)
    magnitude = {
        band: -2.5 * np.log10(deredden(image._replace(band=band), 0.0).data[0, 0]) for band in EXTINCTION_PER_EBV
    }
    assert magnitude == pytest.approx({"u": -0.04, "g": 0.0, "r": 0.0, "i": 0.0, "z": 0.02}, abs=1e-12)


def test_an_unknown_seeing_is_that_of_the_survey():
    image = Image("u", np.ones((2, 2)), np.ones((2, 2)), tangent_wcs((2, 2), 0.4), 0.4)
    assert psf_of(image).fwhm == pytest.approx(1.53)
    assert psf_of(image._replace(psf_fwhm=1.1)).fwhm == pytest.approx(1.1)


def test_the_cube_seen_through_a_filter_has_the_brightness_of_its_sky_and_bad_pixels_do_not_change_it(sky, truth):
    cube = spectra_of(sky, noise=0.05)
    flux, error = synthetic_image(cube, FILTERS[1])
    pull = (flux - truth) / error
    assert pull.std() == pytest.approx(1.0, abs=0.05)
    assert abs(pull.mean()) < 5 / np.sqrt(pull.size)
    good = np.random.default_rng(1).uniform(size=cube.good.shape) > 0.05
    good[:, 5, 5] = False
    marred, _ = synthetic_image(
        cube._replace(good=good, flux=np.where(good, cube.flux, 0), error=cube.error * good), FILTERS[1]
    )
    assert np.argwhere(np.isnan(marred)).tolist() == [[5, 5]]
    marred[5, 5] = flux[5, 5]
    assert marred == pytest.approx(flux, rel=0.01, abs=5 * float(error.max()))


def test_the_same_spectra_of_spaxels_twice_as_wide_are_a_quarter_as_bright_per_area(sky):
    cube = spectra_of(sky, noise=0.05)
    narrow, wide = (synthetic_image(cube._replace(spaxel_arcsec=side), FILTERS[1]) for side in (1.0, 2.0))
    assert wide.values == pytest.approx(narrow.values / 4, rel=1e-5)
    assert wide.error == pytest.approx(narrow.error / 4, rel=1e-5)


def test_a_filter_beyond_the_spectra_gives_no_image(sky):
    assert synthetic_image(spectra_of(sky), FILTERS[2]) is None


def test_magnitudes_of_empty_spaxels_are_nan():
    grid = OnGrid(("r",), np.array([[[1.0, -1.0, np.nan]]]), np.ones((1, 1, 3)))
    assert grid.magnitudes("r")[0] == pytest.approx([22.5, np.nan, np.nan], nan_ok=True)


def test_a_missing_band_is_named():
    grid = OnGrid(("g", "i"), np.ones((2, 1, 1)), np.ones((2, 1, 1)))
    with pytest.raises(CubeError, match="there is no r image among g, i"):
        grid.magnitudes("r")
