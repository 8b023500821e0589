"""Dispersions in the grid of a library."""

import numpy as np
import pytest

from engine.library.dispersion import indices_at, place_in_grid
from tests.reference.toy_library import toy_library

GRID = np.array([50.0, 100.0, 200.0])


def test_places_are_counted_in_steps_of_the_grid_and_held_at_its_ends():
    found = place_in_grid(np.array([50.0, 75.0, 100.0, 180.0, 10.0, 900.0, np.nan]), GRID)
    assert found == pytest.approx([0.0, 0.5, 1.0, 1.8, 0.0, 2.0, 1.0])


def test_indices_lie_on_the_straight_line_between_two_nodes():
    library = toy_library(4, np.random.default_rng(1))
    model, low, high = np.array([2, 2, 2]), library.indices[2, 0], library.indices[2, 1]
    found = indices_at(library, model, np.array([50.0, 87.5, 400.0]))
    assert found == pytest.approx(np.stack([low, 0.75 * low + 0.25 * high, library.indices[2, 2]]), rel=1e-6)


def test_one_dispersion_is_a_grid_too():
    library = toy_library(4, np.random.default_rng(1), n_sigma=1)
    assert np.array_equal(indices_at(library, np.array([3]), np.array([170.0]))[0], library.indices[3, 0])
