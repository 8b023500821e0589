"""Running quantiles against the plain version, and what must hold whatever the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SettingsError, ShapeError
from engine.relations.running import presort, running_quantiles
from tests.reference import relations_plain
from tests.strategies import rising_edges, tables

Q = (0.16, 0.5, 0.84)


def run(x, y, weight, edges, mask=None, quantiles=Q, min_count=1):
    return running_quantiles(x, y, weight, edges, quantiles, presort(y), mask, min_count)


@given(tables(2), rising_edges())
def test_streaming_agrees_with_a_mask_per_bin(table, edges):
    (x, y), weight, mask = table
    values, count = relations_plain.running_quantiles(x, y, weight, edges, Q, mask)
    fast = run(x, y, weight, edges, mask)
    np.testing.assert_array_equal(fast.count, count)
    np.testing.assert_array_equal(fast.values, values)


def test_streaming_agrees_with_a_mask_per_bin_on_a_large_table():
    rng = np.random.default_rng(2)
    x, y, weight = rng.normal(size=50_000), rng.normal(size=50_000), rng.lognormal(size=50_000)
    edges = np.linspace(-2, 2, 31)
    np.testing.assert_array_equal(
        run(x, y, weight, edges).values, relations_plain.running_quantiles(x, y, weight, edges, Q)[0]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_read_only_columns_of_either_precision_are_taken_as_they_are(dtype):
    rng = np.random.default_rng(3)
    x, y, weight = rng.random(500).astype(dtype), rng.random(500).astype(dtype), rng.random(500)
    edges = np.linspace(0, 1, 4)
    writeable = run(x, y, weight, edges)
    for column in (x, y, weight):
        column.flags.writeable = False
    np.testing.assert_array_equal(run(x, y, weight, edges).values, writeable.values)
    assert np.isin(writeable.values.astype(dtype), y).all()


def test_read_only_and_writeable_tables_share_one_compiled_kernel():
    from engine.relations.binning import streamed_quantiles

    test_read_only_columns_of_either_precision_are_taken_as_they_are(np.float64)
    kernels = len(streamed_quantiles.signatures)
    rng = np.random.default_rng(3)
    run(rng.random(60), rng.random(60), rng.random(60), [0, 1])
    assert len(streamed_quantiles.signatures) == kernels


@given(tables(2), rising_edges(), st.sampled_from([0.5, 2.0]), st.randoms())
def test_neither_the_unit_of_the_weights_nor_the_order_of_rows_matters(table, edges, factor, random):
    (x, y), weight, _ = table
    order = np.array(random.sample(range(x.size), x.size), dtype=int)
    once = run(x, y, weight, edges)
    again = run(x[order], y[order], weight[order] * factor, edges)
    np.testing.assert_array_equal(again.values, once.values)
    np.testing.assert_array_equal(again.count, once.count)


@given(tables(2), rising_edges())
def test_percentiles_rise(table, edges):
    (x, y), weight, mask = table
    low, median, high = run(x, y, weight, edges, mask).values
    known = np.isfinite(median)
    assert np.all(low[known] <= median[known])
    assert np.all(median[known] <= high[known])


def test_the_line_of_a_straight_relation_is_recovered():
    x = np.repeat(np.arange(0.5, 5.0), 99)
    y = 2.0 * x + np.tile(np.linspace(-1, 1, 99), 5)
    line = run(x, y, np.ones_like(x), np.arange(6.0))
    np.testing.assert_allclose(line.centre, np.arange(0.5, 5.0))
    np.testing.assert_allclose(line.values[1], 2.0 * line.centre, atol=1e-12)


def test_an_empty_selection_gives_nan_and_zero_counts():
    x = np.linspace(0, 1, 100)
    empty = run(x, x, np.ones(100), [0, 0.5, 1], mask=np.zeros(100, bool))
    assert np.isnan(empty.values).all()
    assert not empty.count.any()


def test_thin_bins_have_a_count_but_no_value():
    x = np.array([0.1, 0.2, 0.3, 0.9])
    line = run(x, x, np.ones(4), [0, 0.5, 1], min_count=2)
    np.testing.assert_array_equal(line.count, [3, 1])
    np.testing.assert_array_equal(np.isnan(line.values[1]), [False, True])


def test_where_a_value_just_reaches_the_fraction_it_is_the_quantile():
    y = np.array([4.0, 2.0, 1.0, 3.0])
    found = run(np.zeros(4), y, np.full(4, 0.5), [-1.0, 1.0], quantiles=(0.25, 0.5, 0.75))
    assert found.values[:, 0].tolist() == [1.0, 2.0, 3.0]  # as numpy's inverted_cdf


def test_the_extreme_quantiles_are_the_extreme_values():
    rng = np.random.default_rng(4)
    y, weight = rng.normal(size=1000), rng.lognormal(size=1000)
    np.testing.assert_array_equal(
        run(np.zeros(1000), y, weight, [-1, 1], quantiles=(0, 1)).values[:, 0], [y.min(), y.max()]
    )


@pytest.mark.parametrize("quantiles", [(0.5, 0.16), (0.5, 1.2), (np.nan,)])
def test_quantiles_that_do_not_rise_from_0_to_1_are_refused(quantiles):
    with pytest.raises(SettingsError, match="rise between 0 and 1"):
        run(np.zeros(3), np.zeros(3), np.ones(3), [0, 1], quantiles=quantiles)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"y": np.zeros(4), "order": np.zeros(4, np.int32)}, "y has the shape"),
        ({"mask": np.ones(2, bool)}, "mask has the shape"),
        ({"mask": np.ones(3, int)}, "true or false"),
        ({"edges": [1.0, 0.0]}, "rising"),
        ({"order": np.zeros(2, np.int32)}, "presort it again"),
    ],
)
def test_columns_that_do_not_fit_are_named(changes, sentence):
    arguments = {"x": np.zeros(3), "y": np.zeros(3), "weight": np.ones(3), "edges": [0.0, 1.0], "quantiles": Q,
                 "order": np.arange(3, dtype=np.int32)}  # fmt: skip
    with pytest.raises(ShapeError, match=sentence):
        running_quantiles(**{**arguments, **changes})
