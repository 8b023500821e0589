"""What ties the steps of one galaxy together: masks, magnitudes and velocities as the region table has them."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.columns import BANDS
from engine.cube.images import OnGrid
from engine.cube.smoothing import Smoothed
from engine.cube.types import CUBE_UNIT
from engine.flags import SpaxelFlag
from engine.mock.infill import Motion, hii_region, observed_lines, observed_stars
from engine.pipeline import (
    NONE,
    VORONOI,
    PhotometrySettings,
    PipelineSettings,
    Target,
    bring_together,
    index_columns,
    measure_spectra,
    motions,
    observed_magnitudes,
)
from engine.spectrum.indices import measure_indices
from engine.spectrum.lines import HALPHA, LINE_NAMES
from engine.spectrum.photometry import Filter
from engine.spectrum.spectra import REST_GRID, RestSpectra
from engine.spectrum.templates import pick_ssps
from tests.engine.cube.scenes import DEC, FILTERS, RA, SHAPE, WAVE, photograph, sky_with, spectra_of
from tests.reference import model_spectra

REDSHIFT = 0.02
STRUCK = 5800.0  # Angstrom as observed, where the rotating galaxy's first spectrum has a cosmic ray
BOXES = tuple(
    Filter(band, np.linspace(low, low + 200.0, 400), np.ones(400))
    for band, low in zip(BANDS, (3500.0, 4800.0, 6600.0, 7600.0, 9000.0), strict=True)
)


def cube_with_a_window(sky):
    """The scene's coarse spectra, at wrong coordinates, with pixels enough in the window where S/N is measured."""
    cube = spectra_of(sky, wrong=(1.1, -0.6), noise=0.1)
    wave = np.union1d(WAVE, np.arange(5590.0, 5681.0, 5.0))
    near = np.abs(wave[:, None] - WAVE).argmin(axis=1)
    return cube._replace(wave=wave, flux=cube.flux[near], error=cube.error[near], good=cube.good[near])


@pytest.fixture(scope="module")
def scene():
    """A cube of which one spaxel has no error in that window, its r image, and a mask drawn by hand."""
    sky = 5.0 * sky_with(scale=11.0, axis_ratio=0.8, clumps=0.1)
    cube = cube_with_a_window(sky)
    cube.good[(cube.wave > 5500) & (cube.wave < 5700), 40, 30] = False
    drawn = np.zeros(SHAPE, bool)
    drawn[30:33, 44:47] = True
    return cube, (photograph(sky),), drawn


@pytest.fixture(scope="module")
def binned(scene):
    cube, images, drawn = scene
    return bring_together(cube, images, Target(0.0), FILTERS, drawn=drawn)


def test_spaxels_that_are_drawn_are_foreground_and_those_without_noise_bad(scene, binned):
    drawn = scene[2]
    assert ((binned.flags[drawn] & SpaxelFlag.FOREGROUND.value) > 0).all()
    assert not binned.kept[drawn].any()
    assert binned.flags[40, 30] & SpaxelFlag.BAD_PIXELS.value
    assert not binned.flags[40, 30] & SpaxelFlag.FOREGROUND.value
    assert not binned.kept[40, 30]
    assert binned.kept[40, 31]
    assert binned.kept[36, 39]


def test_the_centre_is_the_brightest_spaxel_where_the_catalogue_has_no_position(binned):
    assert binned.centre == pytest.approx(((SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2), abs=1.0)


@pytest.fixture(scope="module")
def free(scene):
    """The same with images of uncorrelated noise, and a catalogue that has the galaxy 1.5 arcsec west and 1 north."""
    cube, images, drawn = scene
    settings = PipelineSettings(photometry=PhotometrySettings(correlation_slope=0.0))
    place = Target(0.0, RA - 1.5 / 3600 / np.cos(np.deg2rad(DEC)), DEC + 1.0 / 3600)
    return bring_together(cube, images, place, FILTERS, settings, drawn=drawn)


def test_the_centre_is_where_the_catalogue_has_it_once_the_coordinates_are_corrected(free):
    middle = (SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2
    assert free.centre == pytest.approx((middle[0] + 1.5, middle[1] + 1.0), abs=0.2)


def test_smoothed_images_share_the_levels_of_the_cube_but_have_a_correlation_of_their_own(free, binned):
    """Garcia-Benito+15 eq. 1 for both by default; noise of n independent pixels is smaller by 1 + 1.07 log10 n."""
    assert np.array_equal(free.smoothing.level, binned.smoothing.level)
    second = binned.kept & (binned.smoothing.level == 2)
    second[28:35, 42:49] = False  # where the mask takes spaxels out of the kernels
    ratio = binned.light.error[0][second] / free.light.error[0][second]
    assert np.median(ratio) == pytest.approx(1 + 1.07 * np.log10(9), rel=1e-3)
    assert np.array_equal(free.cube.error, binned.cube.error)


NOISY = 2, 3  # row and column of a spaxel of the patch that is too noisy for any bin


@pytest.fixture(scope="module")
def patch(scene):
    """The middle of the cube, and an image that is fainter than it by a third."""
    cube, (image,), _ = scene
    here = slice(26, 46), slice(29, 49)
    flux, error, good = (part[:, *here].copy() for part in (cube.flux, cube.error, cube.good))
    error *= 1.6  # so that some spaxels miss the target
    error[:, *NOISY] *= 200.0
    dim = image._replace(data=0.7 * image.data)
    return cube._replace(flux=flux, error=error, good=good, wcs=cube.wcs[here]), (dim,)


@pytest.fixture(scope="module", params=[NONE, VORONOI])
def otherwise(request, patch):
    """The binning, the cube, and what came of them."""
    cube, images = patch
    settings = PipelineSettings(binning=request.param)
    return request.param, cube, bring_together(cube, images, Target(0.0), FILTERS, settings)


def test_a_spaxel_too_noisy_for_the_binning_is_lost_and_the_light_of_the_others_kept(otherwise):
    binning, cube, found = otherwise
    assert found.flags[NOISY] & SpaxelFlag.SNR_TOO_LOW.value
    assert not found.kept[NOISY]
    assert found.kept.mean() > 0.9
    assert (found.smoothing.level > 1).any() == (binning == VORONOI)
    before, after = (part.flux[:, found.kept] for part in (cube, found.cube))
    assert np.array_equal(before, after) == (binning == NONE)
    assert after.sum() == pytest.approx(before.sum(), rel=1e-3)


def test_spaxels_of_a_cube_whose_flux_disagrees_with_the_image_are_flagged_and_kept(otherwise, binned):
    *_, found = otherwise
    assert ((found.flags & SpaxelFlag.REGISTRATION_DOUBTFUL.value) > 0).all()
    assert not ((binned.flags & SpaxelFlag.REGISTRATION_DOUBTFUL.value) > 0).any()


def seen(flux, error, *, spaxel_arcsec=1.0, line_flux=0.0):
    """Magnitudes of one spaxel whose r image has a flux and an error [nanomaggies/arcsec2], and Halpha in emission."""
    planes = [np.full((1, 1, 1), value, np.float32) for value in (flux, error)]
    good = np.ones((1, 1, 1), bool)
    removed = np.array([[name == "Halpha" for name in LINE_NAMES]])
    binned = SimpleNamespace(
        kept=np.ones((1, 1), bool), cube=SimpleNamespace(spaxel_arcsec=spaxel_arcsec),
        grid=OnGrid(("r",), *planes), light=Smoothed(*planes, good),
    )  # fmt: skip
    gas = SimpleNamespace(removed=removed, flux=np.where(removed, line_flux, np.nan))
    materials = SimpleNamespace(filters=BOXES)
    return observed_magnitudes(binned, SimpleNamespace(gas=gas), Target(REDSHIFT), materials)


@pytest.mark.parametrize("side", [1.0, 0.5])
def test_a_spaxel_has_the_magnitude_of_its_area_and_the_error_of_its_flux(side):
    """22.5 mag is one nanomaggy; 5 % of flux are 0.054 mag, in quadrature with the calibration's 0.03."""
    found = seen(10.0, 0.5, spaxel_arcsec=side)
    assert found.values[0, 2] == pytest.approx(22.5 - 2.5 * np.log10(10.0 * side**2))
    assert found.errors[0, 2] == pytest.approx(np.hypot(2.5 / np.log(10) * 0.05, 0.03))
    others = [place for place, band in enumerate(BANDS) if band != "r"]
    assert np.isnan(found.values[0, others]).all()
    assert np.isnan(found.errors[0, others]).all()


def test_emission_lines_are_taken_out_of_the_band_they_are_redshifted_into():
    """Halpha at redshift 0.02 lies in the box from 6600 to 6800, at rest it would not; photons count."""
    at, flux = 6562.8 * (1 + REDSHIFT), 20.0
    norm = 3.631e-20 * 2.99792458e18 * np.log(6800.0 / 6600.0)  # erg/s/cm2: c 3631 Jy int dlambda / lambda
    share = flux * CUBE_UNIT * at / norm / 1e-9
    found = seen(10.0, 0.5, line_flux=flux)
    assert found.values[0, 2] == pytest.approx(22.5 - 2.5 * np.log10(10.0 - share), abs=1e-3)
    assert share > 1.0
    assert found.errors[0, 2] > seen(10.0, 0.5).errors[0, 2]


@pytest.fixture(scope="module")
def rotating(real_grid):
    """One stellar population with HII regions on both sides of a galaxy, at -150 and at 150 km/s, taken apart."""
    near = (real_grid.wave > 3300) & (real_grid.wave < 8000)
    wave, fluxes = real_grid.wave[near], real_grid.flux[..., near].astype(float)
    models = model_spectra.Models(wave, fluxes, real_grid.age, real_grid.metallicity)
    mixture = models.mixture([(1.0, 5e9, 1.0), (0.4, 1e9, 0.5)])
    data_wave, redshift = model_spectra.WAVE, model_spectra.REDSHIFT
    rows = []
    for velocity in np.repeat([-150.0, 150.0], 4):
        motion = Motion(float(velocity), 120.0, redshift)
        stars = observed_stars(data_wave, wave, mixture, motion)
        gas, _ = observed_lines(data_wave, hii_region(20.0), 0.2, motion._replace(sigma=40.0))
        rows.append(stars / np.median(stars) + gas)
    flux = np.array(rows)
    err = np.full(flux.shape, 1.0 / 60.0)
    flux += err * np.random.default_rng(5).standard_normal(flux.shape)
    flux[0, np.abs(data_wave - STRUCK) < 2.0] += 30.0
    planes = [part.T[:, None, :] for part in (flux, err, np.ones(flux.shape, bool))]
    cube = SimpleNamespace(**dict(zip(("flux", "error", "good"), planes, strict=True)), wave=data_wave)
    binned = SimpleNamespace(kept=np.ones((1, len(flux)), bool), cube=cube)
    materials = SimpleNamespace(wave=wave, templates=fluxes[pick_ssps(models.age, models.metallicity)])
    return measure_spectra(binned, Target(redshift), materials)


@pytest.mark.parametrize("part", ["flux of the stars", "fit of the stars"])
def test_both_sides_of_a_rotating_galaxy_show_the_same_spectrum_at_rest(rotating, part):
    wave = rotating.rest.wave
    rows = rotating.rest.flux if part == "flux of the stars" else rotating.stellar
    inside = (wave > 3800) & (wave < 7000)
    away, towards = rows[:4, inside].mean(axis=0), rows[4:, inside].mean(axis=0)
    assert np.std(away / towards) < 0.02  # two pixels of 2 Angstrom apart they would differ by 0.05


def test_lines_at_rest_stand_at_their_wavelengths_whatever_the_velocity(rotating):
    wave = rotating.rest.wave
    near = np.abs(wave - HALPHA) < 12
    for lines in rotating.lines[:, near]:
        assert wave[near] @ lines / lines.sum() == pytest.approx(HALPHA, abs=0.3)


def test_a_spectrum_at_rest_is_of_the_stars_alone_and_holds_the_fit_where_a_cosmic_ray_struck(rotating):
    """Halpha is three times as high as the stars, the cosmic ray 30 times."""
    wave, rest = rotating.rest.wave, rotating.rest
    left = rest.flux - rotating.stellar
    near_line = np.abs(wave - HALPHA) < 12
    assert np.abs(left[:, near_line].mean(axis=0)).max() < 0.1
    struck = np.abs(wave - STRUCK / (1 + model_spectra.REDSHIFT) / np.exp(-150.0 / 299_792.458)) < 1.0
    assert not rest.good[0, struck].any()
    assert rest.good[1:, struck].all()
    assert np.abs(left[0, struck]).max() < 0.1


def test_an_index_counts_the_fit_in_the_place_of_a_few_bad_pixels_and_is_missing_where_many_are_bad():
    flux, shape = 1.0 + 0.2 * np.sin(REST_GRID / 7.0), (3, REST_GRID.size)
    rest = RestSpectra(REST_GRID, np.tile(flux, (3, 1)), np.full(shape, 0.01), np.ones(shape, bool))
    rest.good[1, REST_GRID == 4860.0] = False  # one pixel of Hbeta
    rest.good[2, np.abs(REST_GRID - 4861.0) < 8.0] = False
    found = index_columns(SimpleNamespace(rest=rest))
    assert found["hbeta"][1] == found["hbeta"][0] == measure_indices(REST_GRID, flux).values[1]
    assert np.isnan(found["hbeta"][2])
    assert np.isnan(found["hbeta_err"][2])
    assert np.isfinite(found["d4000n"]).all()
    assert np.isfinite(found["d4000n_err"]).all()


def test_velocities_are_those_from_the_galaxy_s_own():
    stars = SimpleNamespace(v_star=np.array([80.0, 130.0]), sigma_star=np.array([90.0, 60.0]), v_systemic=100.0)
    found = motions(SimpleNamespace(stars=stars))
    assert found["v_star"].tolist() == [-20.0, 30.0]
    assert found["sigma_star"].tolist() == [90.0, 60.0]


def test_where_lines_outshine_the_band_there_is_no_magnitude():
    found = seen(10.0, 0.5, line_flux=1e4)
    assert np.isnan(found.values).all()
    assert np.isnan(found.errors).all()
