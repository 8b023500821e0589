"""Peaks, minima and the line on mocks whose line is known."""

import numpy as np
import pytest
from scipy.stats import norm

from engine.relations.green_valley import (
    EQUATION_3,
    MIN_COUNT,
    ValleyLine,
    age_peaks,
    fit_green_valley,
    is_old_ridge,
    valley_minima,
)


def two_sequences(line: ValleyLine, half_gap=0.25, width=0.09, n=120_000, seed=6):
    """Two equally strong, equally wide sequences on both sides of a line: the minimum lies on the line."""
    rng = np.random.default_rng(seed)
    log_mu_star = rng.uniform(1.0, 4.0, n)
    side = rng.choice([-1.0, 1.0], n)
    log_age = line.slope * log_mu_star + line.intercept + side * half_gap + rng.normal(0, width, n)
    return log_mu_star, log_age, rng.uniform(0.5, 1.5, n)


@pytest.mark.parametrize(
    "line", [EQUATION_3, ValleyLine(0.0, 9.5), ValleyLine(-0.1, 9.9)], ids=["equation 3", "flat", "falling"]
)
def test_the_fit_recovers_the_line_a_mock_was_drawn_from(line):
    found = fit_green_valley(*two_sequences(line))
    assert found.slope == pytest.approx(line.slope, abs=0.015)
    assert found.slope * 2.5 + found.intercept == pytest.approx(line.slope * 2.5 + line.intercept, abs=0.01)


def test_the_minima_lie_in_bins_of_a_quarter_dex():
    centre, minimum = valley_minima(*two_sequences(EQUATION_3))
    np.testing.assert_allclose(np.diff(centre), 0.25)
    assert np.isfinite(minimum).sum() == 12


def test_peaks_follow_both_sequences():
    log_mu_star, log_age, weight = two_sequences(EQUATION_3)
    peaks = age_peaks(log_mu_star, log_age, weight, np.arange(1.0, 4.1, 0.5))
    valley = EQUATION_3.slope * peaks.centre + EQUATION_3.intercept
    np.testing.assert_allclose(peaks.old, valley + 0.25, atol=0.03)
    np.testing.assert_allclose(peaks.young, valley - 0.25, atol=0.03)


@pytest.mark.parametrize("age", [9.846, 9.850, 9.856, 9.859])
def test_a_peak_between_two_cells_is_found_to_a_tenth_of_a_cell(age):
    """Ages that follow a Gaussian without any chance; cells are 0.02 dex."""
    log_age = age + 0.1 * norm.ppf((np.arange(5000) + 0.5) / 5000)
    peaks = age_peaks(np.full(5000, 1.5), log_age, np.ones(5000), [1, 2])
    assert peaks.old[0] == pytest.approx(age, abs=0.002)


@pytest.mark.parametrize(("age", "present", "absent"), [(9.85, "old", "young"), (9.1, "young", "old")])
def test_a_single_sequence_has_one_peak_and_no_valley(age, present, absent):
    rng = np.random.default_rng(7)
    x, log_age = rng.uniform(1, 2, 5000), rng.normal(age, 0.1, 5000)
    peaks = age_peaks(x, log_age, np.ones(5000), [1, 2])
    assert getattr(peaks, present)[0] == pytest.approx(age, abs=0.02)
    assert np.isnan(getattr(peaks, absent)).all()
    assert np.isnan(fit_green_valley(x, log_age, np.ones(5000)).slope)


def test_chance_splits_one_sequence_in_two_in_hardly_any_bin():
    """The thinnest bins that count, and weights as uneven as those of a survey."""
    rng, n_bin = np.random.default_rng(9), 100
    x = np.repeat(np.arange(n_bin) + 0.5, MIN_COUNT)
    minimum = valley_minima(x, rng.normal(9.3, 0.2, x.size), rng.lognormal(0, 1, x.size), np.arange(n_bin + 1))[1]
    assert np.isfinite(minimum).sum() <= 3


def test_thin_bins_and_empty_selections_have_no_peak():
    x = np.linspace(1, 2, 50)
    for mask in (None, np.zeros(50, bool)):
        peaks = age_peaks(x, np.full(50, 9.5), np.ones(50), [1, 2], mask)
        assert np.isnan([peaks.old, peaks.young]).all()
    assert np.isnan(fit_green_valley(np.zeros(0), np.zeros(0), np.zeros(0))).all()


def test_a_region_without_age_is_not_on_the_old_ridge():
    split = is_old_ridge(np.array([2.0, 2.0, 2.0, np.nan]), np.array([9.7, 9.5, np.nan, 9.9]))
    np.testing.assert_array_equal(split, [True, False, False, False])


def test_regions_without_values_do_not_move_the_line():
    mu, age, weight = two_sequences(EQUATION_3, n=60_000)
    holes = [np.concatenate([c, np.full(500, v)]) for c, v in ((mu, 2.0), (age, np.nan), (weight, 1.0))]
    assert fit_green_valley(*holes) == fit_green_valley(mu, age, weight)
