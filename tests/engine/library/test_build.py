"""The library against arithmetic truths and against galaxies built the long way."""

import tarfile
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from scipy.stats import norm

from engine.adopted import CALIFA_FWHM_ANGSTROM, M_SUN_R_AB
from engine.columns import BANDS
from engine.constants import FWHM_PER_SIGMA, TEN_PARSEC_FLUX
from engine.errors import SettingsError
from engine.library import build
from engine.library.build import build_library, model_observables
from engine.library.dispersion import indices_at
from engine.library.draw import Histories, draw_histories, take
from engine.library.dust import CLOUD_LIFETIME
from engine.library.observables import SIGMA_GRID, make_templates, pixel_edges
from engine.library.parcels import lay_on_nodes, make_nodes
from engine.library.priors import GALLAZZI05_DUSTY, PRIOR_SETS, Priors
from engine.library.ssp import SSPGrid
from engine.spectrum.indices import band_edges, measure_indices
from engine.spectrum.photometry import ab_magnitudes
from engine.spectrum.templates import SSP_FWHM_ANGSTROM
from tests.reference.library_plain import broaden, galaxy_of

BURSTY = replace(GALLAZZI05_DUSTY, burst_free=0.0)  # exponential, a burst that lasts in every model
TYPICAL_INDEX_ERRORS = np.array([0.03, 0.2, 0.5, 0.012, 0.15])  # at S/N 15 per Angstrom; choice, to judge spacings


def one_burst(age: float, Z: float = 1.0, tau_v: float = 0.0, length: float = 0.0) -> Histories:
    """All but a ten-billionth of the mass in one burst."""
    one = {name: np.array([value]) for name, value in {
        "onset_age": 1e10, "tau": 1e9, "exponential": False, "Z_initial": 0.03, "Z_final": 1.0, "alpha": 1.0,
        "tau_v": tau_v, "ism_fraction": 0.3,
    }.items()}  # fmt: skip
    burst = {"burst_age": age, "burst_mass": 1e10, "burst_length": length, "burst_Z": Z}
    return Histories(**one, **{name: np.array([[value]]) for name, value in burst.items()})


def narrow(grid: SSPGrid) -> SSPGrid:
    """The grid without the wavelengths no filter sees."""
    seen = (grid.wave > 2900) & (grid.wave < 11500)
    return grid._replace(wave=grid.wave[seen], flux=grid.flux[..., seen])


@pytest.fixture(scope="module")
def small_templates(small_grid, filters):
    return make_templates(small_grid, filters, np.array([100.0, 250.0]))


@pytest.mark.parametrize("age", [3e5, 7.7e6, 2.3e8, 1.1e10])
def test_a_single_burst_has_the_age_and_metallicity_of_the_burst(small_grid, small_templates, age):
    model = model_observables(one_burst(age, Z=0.7, tau_v=1.5), small_grid, small_templates)
    assert model.log_age_wr[0] == pytest.approx(np.log10(age), abs=1e-6)
    assert model.log_Z_wr[0] == pytest.approx(np.log10(0.7), abs=1e-6)


def test_metallicity_beyond_the_grid_is_held_at_its_end_in_light_and_mean(small_grid, small_templates):
    beyond = model_observables(one_burst(1e9, Z=20.0), small_grid, small_templates)
    end = model_observables(one_burst(1e9, Z=2.5), small_grid, small_templates)
    assert beyond.log_Z_wr[0] == pytest.approx(np.log10(2.5))
    assert beyond.flux == pytest.approx(end.flux)


def test_the_mean_is_of_age_not_of_its_logarithm(small_grid, small_templates):
    """Two bursts: light tells the weights, the truth is arithmetic."""

    def r_flux_formed(age):
        model = model_observables(one_burst(age), small_grid, small_templates)
        return model.flux[0, 2] * model.parameters["living_fraction"][0]

    ages, mass = np.array([2e8, 8e9]), np.array([1e9, 1e10])
    both = one_burst(ages[0])._replace(burst_age=ages[None], burst_mass=mass[None], burst_Z=np.ones((1, 2)))
    both = both._replace(burst_length=np.zeros((1, 2)))
    light = mass * [r_flux_formed(age) for age in ages]
    truth = np.log10((light * ages).sum() / light.sum())
    log_mean = (light * np.log10(ages)).sum() / light.sum()
    model = model_observables(both, small_grid, small_templates)
    assert model.log_age_wr[0] == pytest.approx(truth, abs=1e-4)
    assert abs(truth - log_mean) > 0.05


def test_a_burst_that_lasts_has_the_mean_age_of_a_constant_rate(small_grid):
    """Light that does not fade: the mean is the middle of the burst."""
    nodes = make_nodes(small_grid.age, small_grid.metallicity, CLOUD_LIFETIME)
    even_light = nodes.rows(np.ones((3, nodes.age.size, 1)))
    clear = np.ones((1, 1))
    laid = lay_on_nodes(one_burst(5e8, length=3e8), nodes, even_light, clear, clear)
    assert laid.log_age_wr[0] == pytest.approx(np.log10(3.5e8), abs=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_stars_born_later_are_richer_as_the_leaking_box_says(small_grid, alpha):
    """At a constant rate since a time T: Z = Z_final - (Z_final - Z_initial) (age / T)^alpha.

    With light that grows as age, the mean of that power is 2 / (2 + alpha).
    """
    history = one_burst(1e9)._replace(
        tau=np.array([1e14]), exponential=np.array([True]), burst_mass=np.zeros((1, 1)), alpha=np.array([alpha])
    )
    nodes = make_nodes(small_grid.age, small_grid.metallicity, CLOUD_LIFETIME)
    light_as_age = nodes.rows(np.tile(nodes.age[:, None], (3, 1, 1)))
    clear = np.ones((1, 1))
    laid = lay_on_nodes(history, nodes, light_as_age, clear, clear)
    assert 10 ** laid.log_Z_wr[0] == pytest.approx(1.0 - 0.97 * 2 / (2 + alpha), rel=1e-3)


@pytest.mark.parametrize("priors", PRIOR_SETS.values(), ids=PRIOR_SETS)
def test_all_the_mass_is_laid_on_the_nodes(small_grid, priors):
    histories = draw_histories(500, priors, np.random.default_rng(4))
    nodes = make_nodes(small_grid.age, small_grid.metallicity, CLOUD_LIFETIME)
    ones = np.ones((500, 2))
    light = nodes.rows(np.ones((3, nodes.age.size, 2)))
    laid = lay_on_nodes(histories, nodes, light, ones, ones)
    assert laid.mass.sum(axis=1) == pytest.approx(1.0, rel=1e-5)


def test_averages_lie_between_the_youngest_and_the_oldest(small_grid, filters):
    histories = draw_histories(2000, Priors(), np.random.default_rng(6))
    model = model_observables(histories, small_grid, make_templates(small_grid, filters, np.array([100.0])))
    exists = histories.burst_mass > 0
    highest = np.maximum(histories.Z_final, np.where(exists, histories.burst_Z, 0).max(axis=1))
    lowest = np.minimum(histories.Z_initial, np.where(exists, histories.burst_Z, np.inf).min(axis=1))
    assert (10**model.log_age_wr <= histories.onset_age).all()
    assert (10**model.log_Z_wr <= highest * (1 + 1e-9)).all()
    assert (10**model.log_Z_wr >= lowest * (1 - 1e-9)).all()


def test_without_dust_a_burst_shines_as_its_population(real_grid, filters):
    k = int(np.abs(real_grid.age - 5e9).argmin())
    templates = make_templates(real_grid, filters, np.array([100.0]))
    model = model_observables(one_burst(real_grid.age[k]), real_grid, templates)
    spectrum = real_grid.flux[4, k] / real_grid.living_fraction[4, k]
    truth = ab_magnitudes(real_grid.wave, spectrum * TEN_PARSEC_FLUX, filters)
    assert -2.5 * np.log10(model.flux[0]) == pytest.approx(truth, abs=1e-4)


def test_dust_dims_old_stars_by_the_diffuse_part(small_grid, small_templates):
    clear = model_observables(one_burst(5e9), small_grid, small_templates).flux[0]
    dusty = model_observables(one_burst(5e9, tau_v=2.0), small_grid, small_templates).flux[0]
    effective = np.array([3560.0, 4720.0, 6170.0, 7490.0, 8950.0])
    assert -np.log(dusty / clear) == pytest.approx(0.6 * (effective / 5500) ** -0.7, rel=0.02)


def test_the_same_seed_gives_the_same_library_whatever_the_batch(small_grid, filters, monkeypatch):
    first = build_library(small_grid, filters, 300, 7, sigma_grid=(100.0,))
    monkeypatch.setattr(build, "BATCH", 77)
    second = build_library(small_grid, filters, 300, 7, sigma_grid=(100.0,))
    third = build_library(small_grid, filters, 300, 8, sigma_grid=(100.0,))
    assert np.array_equal(first.log_age_wr, second.log_age_wr)
    # matrix products sum in another order
    assert first.flux == pytest.approx(second.flux, rel=1e-5)
    assert first.indices == pytest.approx(second.indices, abs=1e-4)
    assert not np.array_equal(first.log_age_wr, third.log_age_wr)


def test_a_library_says_what_it_is(small_grid, filters):
    seen = []
    library = build_library(small_grid, filters, 50, 7, progress=lambda *step: seen.append(step))
    assert library.indices.shape == (50, len(SIGMA_GRID), 5)
    assert library.flux.shape == (50, 5)
    assert all(values.shape == (50,) for values in library.parameters.values())
    assert library.meta["imf"] == "Kroupa"
    assert library.meta["prior_set"] == "mattolini25"
    assert all(isinstance(value, str | int | float) for value in library.meta.values())
    assert seen[-1] == (50, 50)


def test_filters_in_another_order_are_refused(small_grid, filters):
    with pytest.raises(SettingsError, match="u, g, r, i, z"):
        build_library(small_grid, filters[::-1], 10, 1)


def test_pixels_end_where_bands_end():
    assert np.isin(band_edges(), pixel_edges()).all()


def test_pixels_hold_a_line_at_the_resolution_of_the_data_and_the_dispersion_of_the_stars(filters):
    """A Gaussian line of the models' width comes out with 6 Angstrom and 150 km/s added in quadrature."""
    at, sigma = 5175.0, 150.0
    wave = np.arange(2900.0, 11500.0)
    line = norm.pdf(wave, at, SSP_FWHM_ANGSTROM / FWHM_PER_SIGMA).astype(np.float32)
    grid = SSPGrid(wave, np.ones(1), np.ones(1), line[None, None], np.ones((1, 1)), "Kroupa", "made up", "none")
    made = make_templates(grid, filters, np.array([sigma]))
    light = np.diff(norm.cdf(made.edges, at, np.hypot(6.0 / 2.3548, at * sigma / 299_792.458)))
    assert made.pixels[0, 0, 0] * np.diff(made.edges) == pytest.approx(light, abs=1e-4)


@pytest.fixture(scope="module")
def fine(real_grid, filters):
    """The grid that filters see, and its templates at 150 km/s."""
    grid = narrow(real_grid)
    return grid, make_templates(grid, filters, np.array([150.0]))


@pytest.mark.slow
@pytest.mark.parametrize(("priors", "row"), [(Priors(), row) for row in range(4)] + [(BURSTY, 0), (BURSTY, 1)])
def test_models_agree_with_galaxies_built_the_long_way(fine, filters, priors, row):
    """Indices to a hundredth of typical errors or better, fluxes to 2 mmag, means to 0.003 dex."""
    grid, templates = fine
    drawn = draw_histories(4, priors, np.random.default_rng(11))
    histories = take(drawn, [row])
    model = model_observables(histories, grid, templates)
    truth = galaxy_of(grid, {name: part[0] for name, part in histories._asdict().items()}, filters[2])
    assert model.log_age_wr[0] == pytest.approx(truth["log_age_wr"], abs=3e-3)
    assert model.log_Z_wr[0] == pytest.approx(truth["log_Z_wr"], abs=3e-3)
    assert model.parameters["living_fraction"][0] == pytest.approx(truth["living_fraction"], rel=2e-3)
    magnitudes = ab_magnitudes(grid.wave, truth["spectrum"] * TEN_PARSEC_FLUX, filters)
    assert -2.5 * np.log10(model.flux[0]) == pytest.approx(magnitudes, abs=2e-3)
    wave = np.arange(3800.0, 5450.0, 0.25)
    instrument = np.sqrt(CALIFA_FWHM_ANGSTROM**2 - SSP_FWHM_ANGSTROM**2) / FWHM_PER_SIGMA
    near = (grid.wave > 3700) & (grid.wave < 5550)
    smooth = broaden(grid.wave[near], truth["spectrum"][near], wave, instrument, 150.0)
    difference = model.indices[0, 0] - measure_indices(wave, smooth).values
    assert np.abs(difference / TYPICAL_INDEX_ERRORS).max() < 0.1


def test_straight_lines_between_dispersions_are_near_enough(real_grid, filters):
    """A twentieth of a typical error; the nearest node would be off by up to six tenths, 0.05 A in [MgFe]'."""
    between = (np.array(SIGMA_GRID)[1:] + np.array(SIGMA_GRID)[:-1]) / 2
    coarse, exact = (make_templates(real_grid, filters, sigma) for sigma in (np.array(SIGMA_GRID), between))
    worst_of_nearest = 0.0
    for histories in (one_burst(1e10), one_burst(8e8)):
        library = model_observables(histories, real_grid, coarse)._replace(sigma_grid=np.array(SIGMA_GRID))
        truth = model_observables(histories, real_grid, exact).indices[0]
        found = indices_at(library, np.zeros(between.size, int), between)
        assert np.abs((found - truth) / TYPICAL_INDEX_ERRORS).max() < 0.05
        worst_of_nearest = max(worst_of_nearest, np.abs(library.indices[0, :-1, 4] - truth[:, 4]).max())
    assert worst_of_nearest > 0.03


def test_a_solar_population_of_ten_gyr_is_red_and_dim(real_grid, filters):
    """M/L_r of 2 to 3.5 in living stars for a Kroupa or Chabrier IMF and g-r of 0.76 (BC03 secs. 3.2, 3.3)."""
    model = model_observables(one_burst(1e10), real_grid, make_templates(real_grid, filters, np.array([100.0])))
    magnitude = dict(zip(BANDS, -2.5 * np.log10(model.flux[0]), strict=True))
    assert 1.8 < 10 ** (0.4 * (magnitude["r"] - M_SUN_R_AB)) < 3.5
    assert magnitude["g"] - magnitude["r"] == pytest.approx(0.76, abs=0.05)


@pytest.mark.paper
def test_solar_populations_have_about_the_indices_of_the_miles_models(real_grid, shared):
    """Same stars, other isochrones (Vazdekis et al. 2010, [M/H] = 0.06), 1 to 14 Gyr."""
    difference = []
    with tarfile.open(shared / "miles_indices" / "miles_ssp_subset.tar.gz") as tar:
        for member in (m for m in tar.getmembers() if "Zp0.06" in m.name and m.name.endswith(".fits")):
            age = 1e9 * float(member.name.split("T")[1][:7])
            spectrum = fits.getdata(tar.extractfile(member)).astype(float)
            theirs = measure_indices(3540.5 + 0.9 * np.arange(spectrum.size), spectrum).values
            ours = measure_indices(real_grid.wave, real_grid.flux[4, np.abs(real_grid.age - age).argmin()]).values
            difference += [ours - theirs] * (age >= 1e9)
    assert len(difference) > 20
    assert (np.abs(difference).max(axis=0) < [0.1, 0.6, 2.0, 0.02, 0.3]).all()
