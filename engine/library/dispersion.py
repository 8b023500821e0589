"""Where a velocity dispersion lies in the grid of a library, and the indices of models there."""

import numpy as np

from engine.library.types import Library
from engine.types import FloatArray, IntArray


def place_in_grid(sigma_star: FloatArray, grid: FloatArray) -> FloatArray:
    """Place of dispersions [km/s] in a rising grid, counted in its steps: 1.5 is half way from the second to the third.

    Held at the ends; the middle of the grid where a dispersion is not known. Same shape as sigma_star.
    """
    place = np.interp(sigma_star, grid, np.arange(grid.size, dtype=float))
    return np.where(np.isfinite(sigma_star), place, float(grid.size // 2))


def indices_at(library: Library, model: IntArray, sigma_star: FloatArray) -> FloatArray:
    """Indices (..., 5) of models at dispersions, (...) each, by straight lines between those of the grid."""
    place = place_in_grid(sigma_star, library.sigma_grid)
    below = np.clip(place.astype(int), 0, max(library.sigma_grid.size - 2, 0))
    above = np.minimum(below + 1, library.sigma_grid.size - 1)
    share = (place - below)[..., None]
    return (1.0 - share) * library.indices[model, below] + share * library.indices[model, above]
