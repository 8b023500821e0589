"""Regions of a mock of forty galaxies, made of real stellar models and measured with others of another seed.

Nothing here was in view while the mock's ingredients were tuned: whether errors hold the truth, whether what was put in
comes back, and what follows from the sizes of real galaxies.
"""

import dataclasses

import numpy as np
import pytest

from engine import adopted
from engine.cosmology import pc_per_arcsec
from engine.inference.posterior import infer
from engine.inference.region_table import observed_from, with_measurements
from engine.mock.galaxies import draw_galaxies
from engine.mock.populations import fit_light_per_mass, quiet_priors
from engine.mock.real import mock_after
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth, observe_survey
from precompute.stages.demo import Libraries, real_galaxies

pytestmark = [pytest.mark.paper, pytest.mark.slow]
SETTINGS = dataclasses.replace(MockSettings(), n_galaxies=40)
STEP = 16
QUANTITIES = ("log_mu_star", "log_age_wr", "log_Z_wr")


@pytest.fixture(scope="module")
def libraries(library_of):
    """Truths from few histories, as each lies in many regions anyway; measured with as many models as errors need."""
    return Libraries(library_of(12_000, 1), library_of(6_000, 3, quiet_priors(MockSettings())), library_of(30_000, 2))


@pytest.fixture(scope="module")
def light(libraries):
    return fit_light_per_mass(libraries.any_history)


@pytest.fixture(scope="module")
def measured(libraries, light):
    """Every sixteenth region with its estimates, and the mass of its galaxy."""
    for_galaxies, for_maps = np.random.default_rng(2022).spawn(2)
    galaxies = draw_galaxies(light, SETTINGS, for_galaxies)
    truth = Truth.from_libraries(libraries.any_history, libraries.quiet, SETTINGS)
    observation = observe_survey(galaxies, truth, SETTINGS, for_maps)
    rows = {name: values[::STEP] for name, values in observation.regions.items()}
    posterior = infer(observed_from(rows, observation.redshift[::STEP]), libraries.measures)
    mass = galaxies.log_M_star[np.searchsorted(galaxies.galaxy_id, rows["galaxy_id"])]
    return with_measurements(rows, posterior) | {"log_M_star": mass}


@pytest.mark.parametrize("name", QUANTITIES)
def test_errors_hold_the_truth_in_68_per_cent_of_the_regions(measured, name):
    pull = (measured[name] - measured[f"true_{name}"]) / measured[f"{name}_err"]
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.68, abs=0.05)


@pytest.mark.parametrize(("name", "lean"), [("log_mu_star", 0.25), ("log_age_wr", 0.15), ("log_Z_wr", 0.40)])
def test_medians_lean_towards_the_prior_by_less_than_half_an_error(measured, name, lean):
    pull = (measured[name] - measured[f"true_{name}"]) / measured[f"{name}_err"]
    assert abs(np.median(pull)) < lean


def test_metallicities_rise_with_density_as_those_put_in_do(measured):
    found, put_in = (
        [np.median(measured[name][np.abs(measured["true_log_mu_star"] - at) < 0.25]) for at in (1.5, 2.5, 3.5)]
        for name in ("log_Z_wr", "true_log_Z_wr")
    )
    assert found == sorted(found)
    assert found == pytest.approx(put_in, abs=0.2)


def test_light_galaxies_never_reach_a_thousand_suns_per_square_parsec(measured):
    """ZG22 sec. 3; in the mock it follows from the size-mass relations of Shen et al. (2003)."""
    assert np.mean(measured["log_mu_star"][measured["log_M_star"] < 10.0] > 3.0) < 0.02


def test_real_galaxies_keep_the_density_mass_relation_of_the_table(light, shared):
    real = real_galaxies(shared / "califa_dr3" / "objects.csv")
    mock = mock_after(real, light, SETTINGS, np.random.default_rng(1))
    assert mock.half_light_radius == pytest.approx(real.half_light_radius)
    size = mock.profile.half_mass_radius() * pc_per_arcsec(mock.redshift)
    log_mu_e = mock.log_M_star - np.log10(2.0 * np.pi * size**2 * mock.profile.axis_ratio)
    assert np.polyfit(mock.log_M_star, log_mu_e, 1)[0] == pytest.approx(adopted.MU_E_MASS_SLOPE, abs=0.2)
