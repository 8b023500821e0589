"""The report says what is in the tables: a survey made after the paper's numbers gets them back."""

import numpy as np
import pytest

from engine import adopted
from engine.flags import SpaxelFlag
from engine.inference.validation import QUANTITIES
from engine.mock.compare import compare_with_paper


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(1)
    n, n_galaxies = 200_000, 400
    log_mu = rng.uniform(1.0, 4.0, n)
    valley = adopted.GREEN_VALLEY_SLOPE * log_mu + adopted.GREEN_VALLEY_INTERCEPT
    old = rng.uniform(size=n) < 0.5
    log_age = valley + np.where(old, 0.25, -0.25) + 0.06 * rng.standard_normal(n)
    regions = {
        "region_id": np.arange(n),
        "galaxy_id": np.arange(n) % n_galaxies,
        "log_mu_star": log_mu,
        "log_age_wr": log_age,
        "weight": np.ones(n),
        "flags": np.where(np.arange(n) % 4 == 0, SpaxelFlag.FEW_MODELS, 0),
        "smoothing_level": rng.choice([1, 2, 3, 4, 5], n, p=adopted.SMOOTHING_LEVEL_FRACTIONS),
        "log_age_wr_err": np.full(n, 0.2),
        "log_Z_wr_err": 0.3 - 0.05 * log_mu,
        "log_mu_star_err": np.full(n, 0.12),
    }
    mass = rng.uniform(9.0, 11.5, n_galaxies)
    galaxies = {
        "galaxy_id": np.arange(n_galaxies),
        "log_M_star": mass,
        "log_mu_e": 0.55 * mass - 3.1 + 0.34 * rng.standard_normal(n_galaxies),
        "n_regions": np.full(n_galaxies, 908),
        "n_spaxels_above_cut": np.full(n_galaxies, 1000),
    }
    regions |= {"log_Z_wr": np.zeros(n), "snr_per_angstrom": np.full(n, 20.0)}
    for name in QUANTITIES:
        off = np.where(old, 2.0, 1.0) * rng.standard_normal(n)  # errors of old regions are too small by half
        regions[f"true_{name}"] = regions[name] + regions[f"{name}_err"] * off
    return {line.quantity: line for line in compare_with_paper(regions, galaxies)}


@pytest.mark.parametrize(
    ("quantity", "tolerance"),
    [
        ("share of spaxels above the cut that is kept", 1e-9),
        ("share at smoothing level 1", 0.005),
        ("share at smoothing level 5", 0.005),
        ("slope of log <mu*>e against log M*", 0.04),
        ("scatter of log <mu*>e at fixed M* [dex]", 0.03),
        ("slope of the green valley", 0.01),
        ("intercept of the green valley", 0.03),
    ],
)
def test_a_survey_after_the_paper_reports_the_numbers_of_the_paper(report, quantity, tolerance):
    assert report[quantity].here == pytest.approx(report[quantity].paper, abs=tolerance)


def test_counts_are_plain_counts(report):
    assert report["galaxies"].here == 400
    assert report["regions"].here == 200_000


def test_median_errors_are_taken_at_their_density(report):
    assert report["median error of log_Z_wr at log mu* = 4 [dex]"].here == pytest.approx(0.1, abs=0.01)
    assert report["median error of log_Z_wr at log mu* = 1 [dex]"].here == pytest.approx(0.25, abs=0.01)


def test_half_of_the_weight_lies_above_the_green_valley(report):
    assert report["share of weight on the old ridge"].here == pytest.approx(0.5, abs=0.01)


def test_the_share_that_rests_on_few_models_is_that_of_the_flag(report):
    assert report["share of regions with fewer than ten models within their errors"].here == 0.25


@pytest.mark.parametrize("name", QUANTITIES)
def test_the_share_of_truths_within_the_errors_is_that_of_all_regions(report, name):
    """A Gaussian holds 0.683 within one sigma and 0.383 within half of one."""
    expected = 0.5 * (0.6827 + 0.3829)
    assert report[f"share of true {name} within the stated errors"].here == pytest.approx(expected, abs=0.005)


def test_no_number_that_was_in_view_while_tuning_is_said_to_follow(report):
    free = {name for name, line in report.items() if line.kind == "follows" and np.isfinite(line.paper)}
    assert free == {
        "slope of log mu* against log M*",
        "scatter of log mu* at fixed M* [dex]",
        "slope of log mu* against log <mu*>e",
        "scatter of log mu* at fixed <mu*>e [dex]",
    }
