"""Invented galaxies against published relations and the selection they must pass."""

import dataclasses

import numpy as np
import pytest

from engine.cosmology import comoving_distance, pc_per_arcsec
from engine.errors import SampleError
from engine.galaxy.sample import vmax
from engine.mock.galaxies import (
    draw_axis_ratios,
    draw_galaxies,
    draw_half_radii,
    draw_masses,
    draw_redshifts,
    draw_spheroids,
    flux_to_brightness,
    light_radii,
    mass_function,
    survey_volume,
)
from engine.mock.populations import R_BAND, LightPerMass, dust_depth, fit_light_per_mass
from engine.mock.profiles import MassProfile
from engine.mock.settings import MockSettings
from engine.spectrum.photometry import surface_flux


def test_the_number_of_galaxies_is_that_of_the_mass_function():
    settings = MockSettings()
    masses = draw_masses(1e6, settings, np.random.default_rng(1))
    heavy = (masses > 10.0) & (masses < 10.2)
    expected = mass_function(10.1, settings) * 0.2 * 1e6
    assert heavy.sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_redshifts_fill_the_volume_evenly():
    redshift = draw_redshifts(20_000, np.random.default_rng(2))
    near, far = comoving_distance(np.array([0.005, 0.03])) ** 3
    share = (comoving_distance(redshift) ** 3 - near) / (far - near)
    assert np.histogram(share, 10, (0, 1))[0] == pytest.approx(np.full(10, 2000), abs=200)


def test_a_disc_is_never_thinner_than_its_thickness():
    q = draw_axis_ratios(np.zeros(5000, bool), MockSettings(), np.random.default_rng(3))
    assert q.min() >= MockSettings().disc_thickness
    assert np.median(q) == pytest.approx(np.sqrt(0.04 + 0.96 * 0.25), abs=0.02)


@pytest.mark.parametrize(("log_mass", "kpc", "scatter"), [(8.5, 1.55, 0.40), (10.6, 3.62, 0.35), (11.9, 9.91, 0.30)])
def test_discs_have_the_sizes_of_the_local_relation_and_light_ones_scatter_more(log_mass, kpc, scatter):
    """Shen et al. (2003) eq. 18 with the numbers of their table 1: R = 0.10 M^0.14 (1 + M / 3.98e10)^0.25 kpc."""
    mass = np.full(20_000, log_mass)
    radius = draw_half_radii(mass, np.zeros(mass.size, bool), MockSettings(), np.random.default_rng(4))
    assert np.median(radius) == pytest.approx(kpc, rel=0.02)
    assert np.log(radius).std() == pytest.approx(scatter, abs=0.015)


def test_half_of_the_galaxies_are_spheroids_at_the_central_mass_and_ever_more_above():
    """A logistic curve: 1 / (1 + e^-2) = 0.88 two widths above its centre."""
    centre, width = MockSettings().spheroid_fraction
    rng = np.random.default_rng(7)
    for steps, share in ((-2.0, 0.119), (0.0, 0.5), (2.0, 0.881)):
        found = draw_spheroids(np.full(20_000, centre + steps * width), MockSettings(), rng)
        assert found.mean() == pytest.approx(share, abs=0.015)


def test_sizes_in_light_of_an_even_exponential_disc_are_arithmetic():
    """Light as mass: half of it inside 1.678 scale lengths; one magnitude is lost per 0.921 scale lengths."""
    settings, scale_length = MockSettings(), np.array([8.0])
    disc = MassProfile(np.zeros(1), np.ones(1), 1.67834699 * scale_length, np.full(1, 2.0), np.full(1, 0.6))
    light = LightPerMass(np.array([-2.0, 0, 0, 0, 0, 0, 0]))
    log_mass, redshift = np.array([10.5]), np.array([0.015])
    sizes = light_radii(log_mass, np.zeros(1, bool), redshift, disc, light, settings)
    area = 2 * np.pi * scale_length**2 * 0.6 * pc_per_arcsec(redshift) ** 2
    central = flux_to_brightness(10.0 ** (log_mass - 2.0) / area, redshift)
    assert sizes.half_light == pytest.approx(1.67834699 * scale_length, rel=1e-3)
    assert sizes.isophote == pytest.approx(scale_length * (settings.isophote - central) * 0.4 * np.log(10), rel=2e-3)


def test_light_per_mass_is_the_polynomial_that_was_fitted(truth):
    """Coefficients by hand; and those of a library leave residuals that are no longer correlated with any term."""
    light = LightPerMass(np.array([1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0]))
    age, Z, dust = -0.5, 0.2, 0.3
    terms = (1.0, 2 * age, 3 * Z, 5 * age**2, 7 * age * Z, 11 * Z**2, 13 * dust)
    assert light(9.5 + age, np.array([Z]), dust) == pytest.approx([sum(terms)])
    models = truth.library
    fitted = fit_light_per_mass(models)(
        models.log_age_wr.astype(float), models.log_Z_wr.astype(float), dust_depth(models)
    )
    residual = np.log10(models.flux[:, R_BAND].astype(float)) - fitted
    for term in (1.0, models.log_age_wr - 9.5, models.log_Z_wr, (models.log_age_wr - 9.5) ** 2, dust_depth(models)):
        assert np.mean(residual * term) == pytest.approx(0.0, abs=1e-6)


def test_the_diameters_of_the_drawn_galaxies_pass_the_selection_and_give_their_volumes(galaxies, settings):
    assert len(galaxies.galaxy_id) == settings.n_galaxies
    assert np.all((galaxies.iso_diameter >= 45.0) & (galaxies.iso_diameter <= 79.2))
    assert 1.0 / galaxies.inv_vmax == pytest.approx(vmax(galaxies.iso_diameter, galaxies.redshift))
    assert np.all(1.0 / galaxies.inv_vmax <= survey_volume())


@pytest.fixture
def heavy(settings) -> MockSettings:
    """Galaxies above 10^10.5 Msun only, of which the volume holds few."""
    return dataclasses.replace(settings, log_mass_range=(10.5, 12.0))


def test_the_same_seed_draws_the_same_galaxies_and_another_does_not(truth, heavy):
    light = fit_light_per_mass(truth.library)
    first, again, other = (draw_galaxies(light, heavy, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first.log_M_star, again.log_M_star)
    assert not np.array_equal(first.log_M_star, other.log_M_star)


def test_a_sample_larger_than_the_selection_is_refused(truth, heavy):
    many = dataclasses.replace(heavy, n_galaxies=10**6)
    with pytest.raises(SampleError, match="mock galaxies"):
        draw_galaxies(fit_light_per_mass(truth.library), many, np.random.default_rng(5))


def test_weighted_counts_recover_the_mass_function_they_were_drawn_from(truth):
    settings = dataclasses.replace(MockSettings(), n_galaxies=800, log_mass_range=(9.9, 12.0))
    galaxies = draw_galaxies(fit_light_per_mass(truth.library), settings, np.random.default_rng(8))
    middle = (galaxies.log_M_star > 10.0) & (galaxies.log_M_star < 11.0)
    grid = np.linspace(10.0, 11.0, 101)
    shape = np.histogram(galaxies.log_M_star[middle], [10.0, 10.5, 11.0], weights=galaxies.inv_vmax[middle])[0]
    truth_shape = [mass_function(grid[:51], settings).mean(), mass_function(grid[50:], settings).mean()]
    assert shape[1] / shape[0] == pytest.approx(truth_shape[1] / truth_shape[0], rel=0.25)
    listed = galaxies.log_M_star_measured - galaxies.log_M_star
    assert listed.std() == pytest.approx(0.1, rel=0.1)  # ZG22 sec. 2.2
    assert abs(listed.mean()) < 4 * 0.1 / np.sqrt(800)


def test_brightness_and_surface_flux_are_inverse():
    flux = np.geomspace(1e-3, 1e3, 7)
    assert surface_flux(flux_to_brightness(flux, 0.02), 0.02) == pytest.approx(flux, rel=1e-3)
