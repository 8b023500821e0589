"""Leaves of the library compared with one region: bounds of their costs, the costs, and weights in fine cells."""

from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.inference.arrangement import CELL_DEX, NEVER
from engine.inference.likelihood import FAST, GROUP, LEAF, bounds_of_boxes, costs_of_leaf
from engine.inference.vector_math import exp_of, log10_of
from engine.types import FloatArray, IntArray

MU_HALF_RANGE_DEX = 3.0  # mu_star is counted within this of the first good model's, beyond it at the ends
N_MU_CELL = 2 * int(MU_HALF_RANGE_DEX / CELL_DEX) + 1


class Searched(NamedTuple):
    """The models at one dispersion, as in arrangement.Models."""

    rows: FloatArray
    leaf_boxes: FloatArray
    branch_boxes: FloatArray
    log_r: FloatArray
    age_cell: IntArray
    Z_cell: IntArray
    penalty: FloatArray
    leaf_penalty: FloatArray


class Region(NamedTuple):
    """One of the regions."""

    data: FloatArray  # (N_ROW,)
    inverse: FloatArray  # (N_ROW,)
    left_out: int


class Leaf(NamedTuple):
    """The models of one leaf."""

    rows: FloatArray
    penalty: FloatArray
    log_r: FloatArray
    age_cell: IntArray
    Z_cell: IntArray


class Scratch(NamedTuple):
    """Room for what is computed of the models of a leaf, (LEAF,) each."""

    cost: FloatArray
    scale: FloatArray
    weight: FloatArray
    mu_cell: IntArray


@njit(nogil=True)
def bounds_of_branch(branch, region, models, bound):
    """Write into bound (leaf,) the least cost a model can have in each leaf of a branch."""
    of_branch = slice(branch * GROUP, branch * GROUP + GROUP)
    bounds_of_boxes(models.leaf_boxes[branch], region.data, region.inverse, bound[of_branch])
    bound[of_branch] += models.leaf_penalty[of_branch]


@njit(nogil=True)
def first_good(region, models, bound, branch_bound):
    """Cost and log scale of the best model where the bounds promise most; of any model if none counts there."""
    branch = branch_bound[: models.leaf_boxes.shape[0]].argmin()
    bounds_of_branch(branch, region, models, bound)
    leaf = branch * GROUP + bound[branch * GROUP : branch * GROUP + GROUP].argmin()
    cost, log_scale = _best_of_leaf(leaf, region, models)
    for leaf in range(bound.size):
        if cost < NEVER / 2:
            break
        cost, log_scale = _best_of_leaf(leaf, region, models)
    return cost, log_scale


@njit(nogil=True)
def _best_of_leaf(leaf, region, models):
    """Smallest cost of a leaf, and the log scale of that model."""
    first = leaf * LEAF
    cost = np.empty(LEAF, region.data.dtype)
    scale = np.empty(LEAF, region.data.dtype)
    costs_of(models.rows[leaf], models.penalty[first : first + LEAF], region, first, cost, scale)
    at = cost.argmin()
    return np.float64(cost[at]), np.float64(log10_of(np.float32(max(scale[at], 1e-30))) - models.log_r[first + at])


@njit(nogil=True)
def costs_of(rows, penalty, region, first, cost, scale):
    """As likelihood.costs_of_leaf; the model left out does not count, if it is in the leaf, which begins at first."""
    least = np.float64(costs_of_leaf(rows, penalty, region.data, region.inverse, cost, scale))
    left_out = region.left_out - first
    if 0 <= left_out < LEAF:
        cost[left_out] = NEVER
    if 0 <= left_out < LEAF or cost.itemsize == 8:  # float32 would round a large cost by more than weights tolerate
        least = np.float64(cost.min())
    return least


@njit(nogil=True)
def new_scratch(data):
    """Room for one leaf, in the precision of the data."""
    return Scratch(
        np.empty(LEAF, data.dtype), np.empty(LEAF, data.dtype), np.empty(LEAF, np.float32), np.empty(LEAF, np.uint16)
    )


@njit(nogil=True)
def leaf_at(place, models):
    """One leaf of the models."""
    within = slice(place * LEAF, place * LEAF + LEAF)
    return Leaf(
        models.rows[place],
        models.penalty[within],
        models.log_r[within],
        models.age_cell[within],
        models.Z_cell[within],
    )


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def weights_and_cells(log_r, reference, negligible, centre, scratch):
    """Weights of a leaf and their places in the posterior of mu; returns the sums of weights and of their squares."""
    cost, scale, weight, mu_cell = scratch
    of_reference = cost.dtype.type(reference)
    of_centre = np.float32(centre)
    worst = np.float32(negligible - reference)
    half = np.float32(0.5)
    zero = np.float32(0.0)
    tiny = np.float32(1e-30)
    per_dex = np.float32(1.0 / CELL_DEX)
    middle = np.float32(N_MU_CELL / 2)
    last = np.float32(N_MU_CELL - 1)
    total = zero
    squares = zero
    for at in range(LEAF):
        worse = np.float32(cost[at] - of_reference)
        here = exp_of(-half * worse)
        here = here if worse < worst else zero
        weight[at] = here
        total += here
        squares += here * here
        place = (log10_of(max(np.float32(scale[at]), tiny)) - log_r[at] - of_centre) * per_dex + middle
        mu_cell[at] = np.uint16(np.int32(min(max(place, zero), last)))
    return total, squares
