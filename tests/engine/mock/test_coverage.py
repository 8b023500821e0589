"""Coverage of a survey's truth: bookkeeping against Gaussians whose coverage is known."""

import numpy as np
import pytest
from scipy.special import erf

from engine.mock.coverage import ALL, OLD, YOUNG, coverage_of

QUANTITIES = ("log_age_wr", "log_Z_wr", "log_mu_star")


def a_survey(n: int, error_over_noise: float, offset: float = 0.0) -> dict:
    """Regions with Gaussian noise of 0.1 dex and errors that claim some multiple of it; half of them old."""
    rng = np.random.default_rng(31)
    truth = {
        "log_age_wr": np.where(np.arange(n) % 2, 9.9, 9.0), "log_Z_wr": np.zeros(n),
        "log_mu_star": rng.uniform(0.0, 5.0, n),  # beyond all bins
    }  # fmt: skip
    regions = {f"true_{name}": values for name, values in truth.items()}
    for name, values in truth.items():
        regions[name] = values + offset + 0.1 * rng.standard_normal(n)
        regions[f"{name}_err"] = np.full(n, 0.1 * error_over_noise)
    regions["snr_per_angstrom"] = rng.uniform(8, 40, n)
    regions["smoothing_level"] = 1 + np.arange(n) % 5
    return regions


@pytest.mark.parametrize("error_over_noise", [0.5, 1.0, 2.0])
def test_errors_of_a_gaussian_cover_what_the_error_function_says(error_over_noise):
    expected = erf(error_over_noise / np.sqrt(2))
    for line in coverage_of(a_survey(60_000, error_over_noise)):
        assert line.coverage == pytest.approx(expected, abs=5 * np.sqrt(0.25 / line.n))
        assert line.as_expected == (abs(line.coverage - 0.68) <= 0.03)


def test_an_offset_is_seen_with_its_sign():
    lines = coverage_of(a_survey(20_000, 1.0, offset=0.2))
    assert all(line.offset == pytest.approx(0.2, abs=0.02) for line in lines)
    assert all(line.coverage < 0.3 for line in lines)


def test_bins_of_each_kind_hold_all_regions_and_sequences_add_up():
    n = 40_000
    lines = [line for line in coverage_of(a_survey(n, 1.0), fewest=1) if line.quantity == "log_Z_wr"]
    for by in ("all regions", "snr_per_angstrom", "smoothing_level"):
        number = {s: sum(line.n for line in lines if (line.by, line.sequence) == (by, s)) for s in (ALL, OLD, YOUNG)}
        assert number[ALL] == n
        assert number[OLD] + number[YOUNG] == number[ALL]


def test_bins_of_few_regions_are_left_out_and_regions_without_value_do_not_count():
    regions = a_survey(30_000, 1.0)
    assert all(line.n >= 5000 for line in coverage_of(regions, fewest=5000))
    regions["log_age_wr"][:1000] = np.nan
    whole = next(line for line in coverage_of(regions) if line.quantity == "log_age_wr")
    assert whole.n == 29_000
