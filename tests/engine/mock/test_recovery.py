"""Measured against true values: offsets, scatter and pulls by arithmetic."""

import numpy as np
import pytest

from engine.mock.recovery import recovered


def test_offset_scatter_and_pull_are_those_of_the_gaussians_that_were_added():
    """Off by 0.1 with a scatter of 0.2 under errors of 0.1: pulls have the width 2 about 1."""
    true = np.linspace(8.0, 10.0, 40_000)
    measured = true + 0.1 + 0.2 * np.random.default_rng(6).standard_normal(true.size)
    row = recovered("log_age_wr", measured, np.full(true.size, 0.1), true)
    assert (row.name, row.n, row.error) == ("log_age_wr", 40_000, 0.1)
    assert row.offset == pytest.approx(0.1, abs=0.005)
    assert row.scatter == pytest.approx(0.2 * 0.9945, rel=0.02)  # half of the 16-84 range of a Gaussian
    assert row.pull == pytest.approx(1.0, abs=0.05)
    assert row.pull_width == pytest.approx(2.0 * 0.9945, rel=0.02)


def test_values_without_a_number_or_an_error_do_not_count():
    nothing = np.nan
    measured, error = np.array([1.0, nothing, 3.0, 4.0]), np.array([0.1, 0.1, 0.0, nothing])
    assert recovered("v_star", measured, error, np.zeros(4)).n == 1
    assert np.isnan(recovered("v_star", measured[1:], error[1:], np.zeros(3)).pull_width)
