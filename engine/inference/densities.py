"""Posteriors of chosen regions in full: mu_star, age and metallicity, and age against metallicity.

For a few regions, to be looked at. All models are weighed, none is passed over: about 10 ms per region with 500 000.
"""

from typing import NamedTuple

import numba
import numpy as np

from engine.inference.arrangement import CELL_DEX, NEVER, Models
from engine.inference.likelihood import LEAF, costs_of_leaf
from engine.inference.posterior import Asked, Observed, prepare
from engine.library.types import Library
from engine.types import FloatArray, IntArray

MU_RANGE_DEX = (-2.0, 6.0)  # log Msun/pc2; what lies beyond is counted at the ends
STEP_DEX = 0.02  # choice: the best errors are 0.05 dex


class Axes(NamedTuple):
    """Edges of the cells of the posteriors, evenly spaced."""

    log_mu_star: FloatArray  # (cell + 1,) log Msun/pc2
    log_age_wr: FloatArray  # log yr
    log_Z_wr: FloatArray  # log Zsun


class Densities(NamedTuple):
    """Share of the weight in each cell; a region's add up to 1, or are NaN where there is nothing to infer from."""

    axes: Axes
    log_mu_star: FloatArray  # (spaxel, cell); NaN for a region without light
    log_age_wr: FloatArray  # (spaxel, cell)
    log_Z_wr: FloatArray  # (spaxel, cell)
    age_Z: FloatArray  # (spaxel, age cell, Z cell)


def axes_for(models: Models, step: float = STEP_DEX) -> Axes:
    """Edges that hold all ages and metallicities of the models."""
    last_age, last_Z = (start + (int(cell.max()) + 1) * CELL_DEX for start, cell in _age_and_Z(models))
    spans = (MU_RANGE_DEX, (models.age_start, last_age), (models.Z_start, last_Z))
    return Axes(*(low + step * np.arange(int(np.ceil((high - low) / step)) + 1) for low, high in spans))


def densities(
    observed: Observed, library: Library | Models, *, prior: FloatArray | None = None,
    leave_out: IntArray | None = None, step: float = STEP_DEX,
) -> Densities:  # fmt: skip
    """Posteriors of every given region, in cells of step [dex]; other arguments as of posterior.percentiles."""
    asked = prepare(observed, library, prior=prior, leave_out=leave_out)
    axes = axes_for(asked.models, step)
    mu, age, Z = (edges.size - 1 for edges in axes)
    found = Densities(axes, *(np.empty((asked.sigma.size, *cells)) for cells in ((mu,), (age,), (Z,), (age, Z))))
    for spaxel, lit in enumerate(asked.data.lit):
        for part, values in zip(found[1:], _of_region(asked, spaxel, axes, lit), strict=True):
            part[spaxel] = values
    return found


def _of_region(asked: Asked, spaxel: int, axes: Axes, lit: bool) -> tuple[FloatArray, ...]:
    """Shares of the weight along mu, age and Z, and in the plane of the last two."""
    models = asked.models
    searched, place = asked.searched(asked.sigma[spaxel]), asked.left_out[spaxel]
    weight, log_scale = weigh_all(
        asked.data.data[spaxel], asked.data.inverse[spaxel], place, searched.rows, searched.penalty
    )
    counts = np.flatnonzero(weight)
    weight = weight[counts] / max(weight.sum(), 1.0)
    log_mu = log_scale[counts] - models.log_r[counts] + asked.data.log_unit[spaxel]
    age, Z = (start + (cell[counts] + 0.5) * CELL_DEX for start, cell in _age_and_Z(models))
    cells = [_cell(value, edges) for value, edges in zip((log_mu, age, Z), axes, strict=True)]
    sizes = [edges.size - 1 for edges in axes]
    lines = [np.bincount(cell, weight, size) for cell, size in zip(cells, sizes, strict=True)]
    plane = np.bincount(cells[1] * sizes[2] + cells[2], weight, sizes[1] * sizes[2]).reshape(sizes[1:])
    if not (counts.size and (asked.data.inverse[spaxel] > 0).any()):
        lines, plane = [line * np.nan for line in lines], plane * np.nan
    if not lit:
        lines[0] *= np.nan
    return *lines, plane


def _age_and_Z(models: Models) -> tuple[tuple[float, IntArray], tuple[float, IntArray]]:
    return (models.age_start, models.age_cell), (models.Z_start, models.Z_cell)


def _cell(value: FloatArray, edges: FloatArray) -> IntArray:
    return np.clip(((value - edges[0]) / (edges[1] - edges[0])).astype(int), 0, edges.size - 2)


@numba.njit(cache=True, nogil=True)
def weigh_all(data, inverse, left_out, rows, penalty):
    """Weight of every model relative to the best, and log scale, (model,) float64 each; arguments as in weighing."""
    n_leaf = rows.shape[0]
    cost, log_scale = np.empty(n_leaf * LEAF), np.empty(n_leaf * LEAF)
    for leaf in range(n_leaf):
        here = slice(leaf * LEAF, leaf * LEAF + LEAF)
        costs_of_leaf(rows[leaf], penalty[here], data, inverse, cost[here], log_scale[here])
    if left_out >= 0:
        cost[left_out] = np.inf
    weight = np.where(cost < NEVER / 2, np.exp(0.5 * (cost.min() - cost)), 0.0)
    return weight, np.log10(np.maximum(log_scale, 1e-30))
