"""Densities against numpy.histogram2d, and the ways of normalising them."""

import numpy as np
import pytest
from hypothesis import given

from engine.errors import SettingsError, ShapeError
from engine.relations import density as d
from tests.strategies import rising_edges, tables


@given(tables(2), rising_edges(), rising_edges())
def test_the_density_is_numpys_histogram(table, x_edges, y_edges):
    (x, y), weight, mask = table
    keep = np.isfinite(x) & np.isfinite(y) & (weight > 0) & (True if mask is None else mask)
    truth = np.histogram2d(y[keep], x[keep], (y_edges, x_edges), weights=weight[keep])[0]
    count = np.histogram2d(y[keep], x[keep], (y_edges, x_edges))[0]
    mine, rows = d.density_and_count(x, y, weight, x_edges, y_edges, mask)
    np.testing.assert_array_equal(mine, truth)
    np.testing.assert_array_equal(rows, count)


def test_values_on_evenly_spaced_edges_fall_where_numpy_puts_them():
    edges = np.arange(0, 4.05, 0.1)
    x, ones = edges.copy(), np.ones(edges.size)
    truth = np.histogram2d(x, x, (edges, edges))[0]
    np.testing.assert_array_equal(d.weighted_density(x, x, ones, edges, edges), truth)


@given(tables(2))
def test_the_total_weight_is_kept(table):
    (x, y), weight, mask = table
    keep = np.isfinite(x) & np.isfinite(y) & (weight > 0) & (True if mask is None else mask)
    plane = d.weighted_density(x, y, weight, np.linspace(-2, 2, 9), [-2, 0, 2], mask)
    assert plane.sum() == weight[keep].sum()
    assert d.smooth_density(plane, 1.5).sum() == pytest.approx(plane.sum(), rel=1e-12)


@given(tables(2))
def test_normalised_planes_have_peak_1_and_columns_of_integral_1(table):
    (x, y), weight, mask = table
    edges = np.linspace(-2, 2, 5)
    plane = d.weighted_density(x, y, weight, edges, edges, mask)
    peak, columns = d.normalise_peak(plane), d.normalise_columns(plane)
    assert peak.max() == (1.0 if plane.any() else 0.0)
    np.testing.assert_allclose(columns.sum(axis=0), plane.any(axis=0), rtol=1e-12)
    np.testing.assert_allclose(d.normalise_peak(d.weighted_density(x, y, 2 * weight, edges, edges, mask)), peak)


def test_a_subsample_is_shown_relative_to_the_peak_of_the_full_sample():
    plane = np.array([[1.0, 2.0], [0.0, 4.0]])
    np.testing.assert_array_equal(d.normalise_peak(plane, peak=8.0), plane / 8)


def test_contours_are_evenly_spaced_in_the_log_and_stay_below_the_peak():
    levels = d.contour_levels(4, 0.01)
    assert levels[0] == pytest.approx(0.01)
    assert levels[-1] < 1
    np.testing.assert_allclose(np.diff(np.log10(levels)), 0.5)


@pytest.mark.parametrize(("n", "lowest"), [(0, 0.1), (3, 0.0), (3, 1.0), (3, np.nan)])
def test_impossible_contours_are_refused(n, lowest):
    with pytest.raises(SettingsError, match="level or more above 0"):
        d.contour_levels(n, lowest)


def test_a_column_of_another_length_is_named():
    with pytest.raises(ShapeError, match="weight has the shape"):
        d.weighted_density(np.zeros(3), np.zeros(3), np.zeros(2), [0, 1], [0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_cells_hold_what_edges_hold(dtype):
    rng = np.random.default_rng(8)
    x, y, weight = (rng.normal(size=20_000).astype(dtype) for _ in range(3))
    weight[::7] = np.nan
    x[::11] = np.nan
    limits, cells = (-1.5, 2.0, -1.0, 1.1), (37, 22)
    edges = np.linspace(*limits[:2], cells[0] + 1), np.linspace(*limits[2:], cells[1] + 1)
    expected = d.weighted_density(x, y, weight, *edges)
    np.testing.assert_allclose(d.even_density(x, y, weight, limits, cells), expected, rtol=1e-6)


def test_the_last_of_equal_cells_hold_their_upper_edges():
    ends = np.array([0.0, 1.0])
    corner = d.even_density(ends, ends, np.ones(2), (0.0, 1.0, 0.0, 1.0), (2, 2))
    np.testing.assert_array_equal(corner, [[1.0, 0.0], [0.0, 1.0]])
