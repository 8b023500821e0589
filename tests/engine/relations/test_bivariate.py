"""Median maps against the plain version."""

import numpy as np
from hypothesis import given, settings

from engine.relations.bivariate import median_map
from engine.relations.running import presort
from tests.reference import relations_plain
from tests.strategies import rising_edges, tables


@given(tables(3), rising_edges(max_bins=3), rising_edges(max_bins=3))
@settings(max_examples=60)
def test_streaming_agrees_with_a_mask_per_cell(table, x_edges, y_edges):
    (x, y, z), weight, mask = table
    fast = median_map(x, y, z, weight, x_edges, y_edges, presort(z), mask, min_count=1)
    plain = relations_plain.median_map(x, y, z, weight, x_edges, y_edges, mask)
    for mine, truth in zip((fast.median, fast.half_width, fast.count), plain, strict=True):
        np.testing.assert_array_equal(mine, truth)


def test_a_tilted_plane_is_recovered_with_its_scatter():
    rng = np.random.default_rng(5)
    x, y = rng.random(200_000).astype("f4"), rng.random(200_000).astype("f4")
    z = (3 * x - y + rng.normal(0, 0.1, x.size)).astype("f4")
    edges = np.linspace(0, 1, 21)
    found = median_map(x, y, z, rng.lognormal(size=x.size), edges, edges, presort(z))
    middle = (edges[1:] + edges[:-1]) / 2
    assert np.abs(found.median - (3 * middle - middle[:, None])).max() < 0.04
    assert abs(np.median(found.half_width) - np.hypot(0.1, np.sqrt(10) * 0.05 / np.sqrt(12))) < 0.01


def test_thin_cells_and_empty_selections_have_no_value():
    x = np.full(9, 0.5)
    arguments = (x, x, x, np.ones(9), [0, 1], [0, 1], presort(x))
    assert np.isnan(median_map(*arguments).median).all()
    assert median_map(*arguments).count == 9
    empty = median_map(*arguments, mask=np.zeros(9, bool), min_count=1)
    assert np.isnan(empty.half_width).all()
    assert not empty.count.any()
