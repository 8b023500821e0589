"""Posteriors of chosen regions in full: mu_star, age and metallicity, and age against metallicity.

For regions to be looked at one by one: a few ms per region with 500 000 models, of which only those are passed over
that weigh next to nothing.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.inference.arrangement import CELL_DEX, NEVER, Models
from engine.inference.likelihood import LEAF
from engine.inference.posterior import WIDENINGS, Asked, Observed, prepare
from engine.inference.search import Searched, bounds_of_branch, costs_of
from engine.library.types import Library
from engine.types import FloatArray, IntArray

MU_RANGE_DEX = (-2.0, 6.0)  # log Msun/pc2; what lies beyond is counted at the ends
NEGLECT = 1e-4  # share of a posterior that may be missing, in models that each weigh next to nothing
_MOST_E_FOLDS = 25.0  # models that weigh less than exp(-25) of the best count as nothing: half a million are 7e-6
STEP_DEX = 0.02  # choice: the best errors are 0.05 dex


class PosteriorAxes(NamedTuple):
    """Edges of the cells of the posteriors, evenly spaced."""

    log_mu_star: FloatArray  # (cell + 1,) log Msun/pc2
    log_age_wr: FloatArray  # log yr
    log_Z_wr: FloatArray  # log Zsun


class Densities(NamedTuple):
    """Share of the weight in each cell; a region's add up to 1, or are NaN where there is nothing to infer from."""

    axes: PosteriorAxes
    log_mu_star: FloatArray  # (spaxel, cell); NaN for a region without light
    log_age_wr: FloatArray  # (spaxel, cell)
    log_Z_wr: FloatArray  # (spaxel, cell)
    age_Z: FloatArray  # (spaxel, age cell, Z cell)


def axes_for(models: Models, step: float = STEP_DEX) -> PosteriorAxes:
    """Edges that hold all ages and metallicities of the models."""
    last_age, last_Z = (start + (int(cell.max()) + 1) * CELL_DEX for start, cell in _age_and_Z(models))
    spans = (MU_RANGE_DEX, (models.age_start, last_age), (models.Z_start, last_Z))
    return PosteriorAxes(*(low + step * np.arange(int(np.ceil((high - low) / step)) + 1) for low, high in spans))


def densities(
    observed: Observed, library: Library | Models, *, prior: FloatArray | None = None,
    leave_out: IntArray | None = None, least_models: float = 0.0, step: float = STEP_DEX,
) -> Densities:  # fmt: skip
    """Posteriors of every given region, in cells of step [dex]; other arguments as of posterior.percentiles."""
    asked = prepare(observed, library, prior=prior, leave_out=leave_out)
    axes, enough = axes_for(asked.models, step), asked.enough(least_models)
    mu, age, Z = (edges.size - 1 for edges in axes)
    found = Densities(axes, *(np.empty((asked.place.size, *cells)) for cells in ((mu,), (age,), (Z,), (age, Z))))
    searched = lru_cache(maxsize=1)(asked.searched)
    for spaxel in np.argsort(asked.place, kind="stable"):  # those of one dispersion share its models
        weighed = _weighed(asked, spaxel, searched(asked.place[spaxel]), enough)
        lit = asked.data.lit[spaxel]
        for part, values in zip(found[1:], _of_region(asked, spaxel, weighed, axes, lit), strict=True):
            part[spaxel] = values
    return found


def _weighed(asked: Asked, spaxel: int, searched: Searched, enough: float) -> tuple[FloatArray, FloatArray]:
    """Weight and scale of every model, under errors large enough for the least number of models to count."""
    data, inverse = asked.data.data[spaxel], asked.data.inverse[spaxel]
    for factor in (1.0, *WIDENINGS):
        weight, scale = weigh_all(data / factor, inverse / factor, asked.left_out[spaxel], searched)
        if not 0 < weight.sum() ** 2 < enough * (weight**2).sum():
            break
    return weight, scale


def _of_region(asked: Asked, spaxel: int, weighed: tuple, axes: PosteriorAxes, lit: bool) -> tuple[FloatArray, ...]:
    """Shares of the weight along mu, age and Z, and in the plane of the last two."""
    models, (weight, scale) = asked.models, weighed
    total = weight.sum()
    mu, age, Z = (np.zeros(edges.size - 1) for edges in axes)
    plane = np.zeros((age.size, Z.size))
    if not (total > 0 and (asked.data.inverse[spaxel] > 0).any()):
        return mu * np.nan, age * np.nan, Z * np.nan, plane * np.nan
    starts = axes.log_mu_star[0] - asked.data.log_unit[spaxel], *(edges[0] for edges in axes[1:])
    starts = np.array(starts) - [0.0, models.age_start, models.Z_start]
    step = axes.log_mu_star[1] - axes.log_mu_star[0]
    cells = models.log_r, models.age_cell, models.Z_cell
    _add_up(weight, scale, cells, (NEGLECT * total / weight.size, step), starts, (mu, age, Z, plane))
    kept = age.sum()
    return mu / kept if lit else mu * np.nan, age / kept, Z / kept, plane / kept


def _age_and_Z(models: Models) -> tuple[tuple[float, IntArray], tuple[float, IntArray]]:
    return (models.age_start, models.age_cell), (models.Z_start, models.Z_cell)


@njit(nogil=True)
def _add_up(weight, scale, models, limits, starts, posteriors):
    """Add the weights above a limit to the cells of mu, age, Z and the plane; starts: first edges [dex]."""
    log_r, age_cell, Z_cell = models
    least, step = limits
    mu, age, Z, plane = posteriors
    for model in range(weight.size):
        here = weight[model]
        if here <= least:
            continue
        log_mu = np.log10(max(scale[model], 1e-30)) - log_r[model]
        at_mu = min(max(int((log_mu - starts[0]) / step), 0), mu.size - 1)
        at_age = min(max(int(((age_cell[model] + 0.5) * CELL_DEX - starts[1]) / step), 0), age.size - 1)
        at_Z = min(max(int(((Z_cell[model] + 0.5) * CELL_DEX - starts[2]) / step), 0), Z.size - 1)
        mu[at_mu] += here
        age[at_age] += here
        Z[at_Z] += here
        plane[at_age, at_Z] += here


@njit(nogil=True)
def weigh_all(data, inverse, left_out, models):
    """Weight of every model relative to the best, and scale, (model,) float64 each.

    Arguments as of search.weigh_regions, of one region. Leaves whose box lies too far away are passed over.
    """
    n_leaf = models.rows.shape[0]
    cost, scale, bound = np.full(n_leaf * LEAF, NEVER), np.zeros(n_leaf * LEAF), np.empty(n_leaf)
    for branch in range(models.leaf_boxes.shape[0]):
        bounds_of_branch(branch, (data, inverse, left_out), models, bound)
    least = NEVER
    for leaf in np.argsort(bound):
        if bound[leaf] >= least + 2 * _MOST_E_FOLDS:
            break
        first = leaf * LEAF
        here, region = slice(first, first + LEAF), (data, inverse, left_out - first)
        least = min(least, costs_of(models.rows[leaf], models.penalty[here], region, cost[here], scale[here]))
    weight = np.zeros(cost.size)
    for model in range(cost.size):
        if cost[model] < min(NEVER / 2, least + 2 * _MOST_E_FOLDS):
            weight[model] = np.exp(0.5 * (least - cost[model]))
    return weight, scale
