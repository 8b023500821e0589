"""A bound that is above the chi-square of a member would lose weight unseen: it must never be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.inference.arrangement import arrange, compact_order
from engine.inference.likelihood import GROUP, LEAF, N_ROW, bounds_of_boxes, costs_of_leaf, whiten
from tests.reference.toy_library import toy_library, toy_observed


@pytest.fixture(scope="module")
def library():
    return toy_library(5000, np.random.default_rng(31))


@pytest.fixture(scope="module")
def models(library):
    return arrange(library)


def bounds_and_best(models, data, inverse, sigma):
    """Bound of every leaf, and smallest chi-square of its members."""
    n_leaf = models.rows.shape[1]
    bound, best = np.empty(n_leaf, np.float32), np.empty(n_leaf)
    cost, scale, nothing = np.empty(LEAF, np.float32), np.empty(LEAF, np.float32), np.zeros(LEAF, np.float32)
    for branch in range(n_leaf // GROUP):
        bounds_of_boxes(models.leaf_boxes[sigma, branch], data, inverse, bound[branch * GROUP : branch * GROUP + GROUP])
    for leaf in range(n_leaf):
        best[leaf] = costs_of_leaf(models.rows[sigma, leaf], nothing, data, inverse, cost, scale)
    return bound, best


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31), noise=st.floats(0, 30), sharper=st.floats(0.03, 30),
    missing=st.lists(st.integers(0, N_ROW - 1), max_size=9),
)  # fmt: skip
def test_no_member_of_a_leaf_has_a_smaller_chi_square_than_its_bound(library, models, seed, noise, sharper, missing):
    observed = toy_observed(library, 1, np.random.default_rng(seed), noise)[0]
    values = [np.concatenate(observed[at : at + 3 : 2], axis=1)[0] for at in (0, 1)]
    values[1][missing] = np.nan
    values = [part.reshape(2, 1, 5) for part in values]
    white = whiten(values[0][0], values[1][0] / sharper, values[0][1], values[1][1] / sharper)
    data, inverse = white.data[0].astype(np.float32), white.inverse[0].astype(np.float32)
    bound, best = bounds_and_best(models, data, inverse, 1)
    size = np.sum(data.astype(float) ** 2)  # float32 sums have errors in proportion to their largest terms
    assert np.all(bound <= best + 1e-6 * size + 1e-4 * best)


def test_most_leaves_are_told_apart_from_a_good_region(library, models):
    observed = toy_observed(library, 20, np.random.default_rng(32))[0]
    white = whiten(*observed[:4])
    far = [
        np.mean(bounds_and_best(models, o.astype(np.float32), w.astype(np.float32), 1)[0] > 40)
        for o, w in zip(white.data, white.inverse, strict=True)
    ]
    assert np.median(far) > 0.5


def test_a_compact_order_is_a_permutation_whose_parts_are_small():
    points = np.random.default_rng(33).normal(size=(5000, 3))
    order = compact_order(points, (1024, 64))
    assert np.array_equal(np.sort(order), np.arange(5000))
    spread = np.mean([np.ptp(points[order[at : at + 64]], axis=0).mean() for at in range(0, 4992, 64)])
    assert spread < 0.5 * np.ptp(points, axis=0).mean()
