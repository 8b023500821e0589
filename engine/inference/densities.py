"""Posteriors of chosen regions in full: mu_star, age and metallicity, and age against metallicity.

For regions to be looked at one by one: a few ms per region with 500 000 models, of which only those are passed over
that weigh next to nothing.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.inference.arrangement import CELL_DEX, NEVER, Models
from engine.inference.leaves import Region, Searched, bounds_of_branch, costs_of
from engine.inference.likelihood import LEAF
from engine.inference.posterior import WIDENINGS, Asked, Observed, prepare
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


class _Shares(NamedTuple):
    """The same of one region."""

    log_mu_star: FloatArray  # (cell,)
    log_age_wr: FloatArray
    log_Z_wr: FloatArray
    age_Z: FloatArray  # (age cell, Z cell)


class ModelWeights(NamedTuple):
    """What every model says of one region, (model,) each."""

    weight: FloatArray  # relative to the best
    scale: FloatArray


class _Places(NamedTuple):
    """Where every model lies, (model,) each, as in arrangement.Models."""

    log_r: FloatArray
    age_cell: IntArray
    Z_cell: IntArray


def axes_for(models: Models, step: float = STEP_DEX) -> PosteriorAxes:
    """Edges that hold all ages and metallicities of the models."""
    return PosteriorAxes(
        _edges(*MU_RANGE_DEX, step),
        _edges(models.age_start, _last_edge(models.age_start, models.age_cell), step),
        _edges(models.Z_start, _last_edge(models.Z_start, models.Z_cell), step),
    )


def _last_edge(start: float, cell: IntArray) -> float:
    return start + (int(cell.max()) + 1) * CELL_DEX


def _edges(low: float, high: float, step: float) -> FloatArray:
    return low + step * np.arange(int(np.ceil((high - low) / step)) + 1)


def densities(
    observed: Observed, library: Library | Models, *, prior: FloatArray | None = None,
    leave_out: IntArray | None = None, least_models: float = 0.0, step: float = STEP_DEX,
) -> Densities:  # fmt: skip
    """Posteriors of every given region, in cells of step [dex]; other arguments as of posterior.percentiles."""
    asked = prepare(observed, library, prior=prior, leave_out=leave_out)
    axes = axes_for(asked.models, step)
    enough = asked.enough(least_models)
    result = Densities(axes, *(np.empty((asked.place.size, *part.shape)) for part in _nothing(axes)))
    searched = lru_cache(maxsize=1)(asked.searched)
    for spaxel in np.argsort(asked.place, kind="stable"):  # those of one dispersion share its models
        weights = _weights(asked, spaxel, searched(asked.place[spaxel]), enough)
        shares = _shares(asked, spaxel, weights, axes)
        for name, values in shares._asdict().items():
            getattr(result, name)[spaxel] = values
    return result


def _weights(asked: Asked, spaxel: int, searched: Searched, enough: float) -> ModelWeights:
    """Weights under errors large enough for the least number of models to count."""
    data = asked.data.data[spaxel]
    inverse = asked.data.inverse[spaxel]
    for factor in (1.0, *WIDENINGS):
        weights = weigh_all(Region(data / factor, inverse / factor, asked.left_out[spaxel]), searched)
        if not 0 < weights.weight.sum() ** 2 < enough * (weights.weight**2).sum():
            break
    return weights


def _nothing(axes: PosteriorAxes) -> _Shares:
    """No weight anywhere."""
    mu, age, Z = (edges.size - 1 for edges in axes)
    return _Shares(np.zeros(mu), np.zeros(age), np.zeros(Z), np.zeros((age, Z)))


def _shares(asked: Asked, spaxel: int, weights: ModelWeights, axes: PosteriorAxes) -> _Shares:
    """Shares of the weight along mu, age and Z, and in the plane of the last two."""
    models = asked.models
    shares = _nothing(axes)
    total = weights.weight.sum()
    if not (total > 0 and (asked.data.inverse[spaxel] > 0).any()):
        return _Shares(*(part * np.nan for part in shares))
    least = NEGLECT * total / weights.weight.size
    step = axes.log_mu_star[1] - axes.log_mu_star[0]
    places = _Places(models.log_r, models.age_cell, models.Z_cell)
    _add_up(weights, places, least, _starts(asked, spaxel, axes), step, shares)
    kept = shares.log_age_wr.sum()
    if not asked.data.lit[spaxel]:
        shares.log_mu_star[:] = np.nan
    return _Shares(*(part / kept for part in shares))


def _starts(asked: Asked, spaxel: int, axes: PosteriorAxes) -> FloatArray:
    """First edges of mu, age and Z, from where the places of the models are counted, (3,)."""
    first_edges = np.array([edges[0] for edges in axes])
    return first_edges - [asked.data.log_unit[spaxel], asked.models.age_start, asked.models.Z_start]


@njit(nogil=True)
def _add_up(weights, places, least, starts, step, shares):
    """Add the weights above a limit to the cells of mu, age, Z and the plane; starts: first edges [dex]."""
    for model in range(weights.weight.size):
        here = weights.weight[model]
        if here <= least:
            continue
        log_mu = np.log10(max(weights.scale[model], 1e-30)) - places.log_r[model]
        at_mu = _cell(log_mu - starts[0], step, shares.log_mu_star.size)
        at_age = _cell((places.age_cell[model] + 0.5) * CELL_DEX - starts[1], step, shares.log_age_wr.size)
        at_Z = _cell((places.Z_cell[model] + 0.5) * CELL_DEX - starts[2], step, shares.log_Z_wr.size)
        shares.log_mu_star[at_mu] += here
        shares.log_age_wr[at_age] += here
        shares.log_Z_wr[at_Z] += here
        shares.age_Z[at_age, at_Z] += here


@njit(nogil=True)
def _cell(above, step, number):
    return min(max(int(above / step), 0), number - 1)


@njit(nogil=True)
def weigh_all(region, models):
    """What every model says of a region (search.Region), as ModelWeights of float64.

    Leaves whose box lies too far away are passed over.
    """
    n_leaf = models.rows.shape[0]
    cost = np.full(n_leaf * LEAF, NEVER)
    scale = np.zeros(n_leaf * LEAF)
    bound = np.empty(n_leaf)
    for branch in range(models.leaf_boxes.shape[0]):
        bounds_of_branch(branch, region, models, bound)
    least = NEVER
    for leaf in np.argsort(bound):
        if bound[leaf] >= least + 2 * _MOST_E_FOLDS:
            break
        here = slice(leaf * LEAF, leaf * LEAF + LEAF)
        found = costs_of(models.rows[leaf], models.penalty[here], region, leaf * LEAF, cost[here], scale[here])
        least = min(least, found)
    weight = np.zeros(cost.size)
    for model in range(cost.size):
        if cost[model] < min(NEVER / 2, least + 2 * _MOST_E_FOLDS):
            weight[model] = np.exp(0.5 * (least - cost[model]))
    return ModelWeights(weight, scale)
