"""The weighted quantile against numpy and against what it must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.stats import half_width_16_84, robust_sigma, weighted_quantile
from tests.strategies import tables


@given(tables(1), st.floats(0.01, 0.99))
def test_the_quantile_is_numpys_inverted_cdf(table, q):
    (values,), weights, _ = table
    good = np.isfinite(values) & (weights > 0)
    if not good.any():
        assert np.isnan(weighted_quantile(values, weights, q))
        return
    cumulative = np.cumsum(weights[good][np.argsort(values[good])]) / weights[good].sum()
    if np.abs(cumulative - q).min() > 1e-9:  # at a step the answer hangs on the last bit
        truth = np.quantile(values[good], q, weights=weights[good], method="inverted_cdf")
        assert weighted_quantile(values, weights, q) == truth


def test_equal_weights_give_the_middle_value():
    assert weighted_quantile([3.0, 1.0, 2.0], [1.0, 1.0, 1.0], 0.5) == 2.0


@pytest.mark.parametrize(("q", "value"), [(0.25, 1.0), (0.5, 2.0), (0.75, 3.0), (1.0, 4.0)])
def test_where_a_value_just_reaches_the_fraction_it_is_the_quantile(q, value):
    """Four equal weights: half lies at 2 and below, as numpy's inverted_cdf has it; the next value is one too far."""
    values = np.array([4.0, 2.0, 1.0, 3.0])
    assert weighted_quantile(values, np.full(4, 0.5), q) == value == np.quantile(values, q, method="inverted_cdf")


def test_a_heavy_member_draws_the_median_to_itself():
    assert weighted_quantile([1.0, 2.0, 3.0], [1.0, 1.0, 10.0], 0.5) == 3.0


@given(tables(1), st.sampled_from([0.5, 2.0, 1024.0]), st.randoms())
def test_neither_the_unit_of_the_weights_nor_the_order_of_rows_matters(table, factor, random):
    (values,), weights, _ = table
    order = np.array(random.sample(range(values.size), values.size), dtype=int)
    q = np.array([[0.0, 0.16], [0.5, 1.0]])
    once = weighted_quantile(values, weights, q)
    np.testing.assert_array_equal(weighted_quantile(values[order], weights[order] * factor, q), once)
    assert once.shape == q.shape


def test_the_half_width_of_a_gaussian_is_its_sigma():
    values = np.random.default_rng(1).normal(5.0, 0.3, 200_000)
    assert half_width_16_84(values, np.ones_like(values)) == pytest.approx(
        0.3 * 0.99446, rel=0.01
    )  # 16 % is 0.994 sigma


def test_columns_of_different_length_are_refused():
    with pytest.raises(ShapeError, match="one length"):
        weighted_quantile([1.0, 2.0], [1.0], 0.5)


def test_robust_sigma_is_that_of_a_gaussian_and_ignores_outliers():
    residuals = np.random.default_rng(4).normal(0.0, 3.0, 100_000)
    residuals[:1000] = 1e6
    assert robust_sigma(residuals) == pytest.approx(3.0, rel=0.02)
