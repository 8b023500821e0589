"""The loops of the posterior: which models count for a region, their weights in fine histograms, quantiles of these.

Every model counts with exp(-cost / 2), cost = chi2 - 2 ln(weight before the data). Leaves of the library are visited
in the order of the smallest cost they can hold, until all that is left cannot weigh more than a given share of what
has been found. So what is neglected is bounded for every region, good or bad, and not only on average. A few regions
that look alike go through the library as a team, so that a leaf is fetched from memory once for all of them.
"""

from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.inference.arrangement import CELL_DEX, NEVER
from engine.inference.likelihood import FAST, GROUP, LEAF, bounds_of_boxes, costs_of_leaf
from engine.inference.vector_math import exp_of, log10_of
from engine.stats import PERCENTILES
from engine.types import FloatArray, IntArray

MU_HALF_RANGE_DEX = 3.0  # mu_star is counted within this of the first good model's, beyond it at the ends
N_MU_CELL = 2 * int(MU_HALF_RANGE_DEX / CELL_DEX) + 1
N_ANSWER = 12
TEAM = 8  # regions

_STEP = 64  # steps of cost in which leaves are sorted
_RESCALE = 20.0  # when the cost improves by more, the weights so far are scaled down to stay within float32
_RUN = 32  # cells added up at a time in search of a quantile


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


class _Team(NamedTuple):
    """What a team has found so far; weights are relative to a model of the cost ``reference``."""

    neglect: float  # share of the weight that may be missing
    reference: FloatArray  # (TEAM,)
    centre: FloatArray  # (TEAM,) log scale in the middle of the histogram of mu
    best: FloatArray  # (TEAM,) smallest cost
    chi2: FloatArray  # (TEAM,) there
    total: FloatArray  # (TEAM,) sum of weights
    squares: FloatArray  # (TEAM,)
    visited: FloatArray  # (TEAM,) leaves
    n_near: FloatArray  # (TEAM,) leaves that may be worth a visit
    low: FloatArray  # (TEAM,) smallest bound
    width: FloatArray  # (TEAM,) of a step of the bound
    beyond: FloatArray  # (TEAM, _STEP + 1) what the leaves from each step on can weigh at most
    step: IntArray  # (TEAM,) leaves from this step on need no visit
    branch_bound: FloatArray  # (branch,) room for those of one member
    bound: FloatArray  # (TEAM, leaf) no model of the leaf costs less
    mu: FloatArray  # (TEAM, cell) the three posteriors
    age: FloatArray
    metal: FloatArray


@njit(nogil=True)
def weigh_regions(data, inverse, left_out, models, neglect):
    """Posterior of each spaxel (spaxel, N_ANSWER).

    Columns: 16, 50 and 84 % of log scale [dex], of age and of Z [cells]; chi-square of the most probable model;
    effective number of models; share of the models visited. data, inverse (spaxel, N_ROW) as in likelihood.Whitened,
    float32 or, slower, float64; left_out (spaxel,) place of a model that does not count, or -1; models: Searched;
    neglect: share of the weight that may be missing, at most so much in leaves not visited and again in models that
    weigh next to nothing.
    """
    n_spaxel, n_leaf = data.shape[0], models.rows.shape[0]
    team = _new_team(data, models, neglect)
    nearest, ordered = np.empty(n_leaf, np.float32), np.empty(n_leaf, np.int64)
    answer = np.empty((n_spaxel, N_ANSWER))
    for first in range(0, n_spaxel, TEAM):
        last = min(first + TEAM, n_spaxel)
        nearest[:] = NEVER
        for spaxel in range(first, last):
            region = (data[spaxel], inverse[spaxel], left_out[spaxel])
            _meet(spaxel - first, region, models, team, nearest)
        ends = _sort(nearest, ordered)
        _visit(ordered, ends, (data[first:last], inverse[first:last], left_out[first:last]), models, team)
        for spaxel in range(first, last):
            _summarise(spaxel - first, team, answer[spaxel])
    return answer


@njit(nogil=True)
def _new_team(data, models, neglect):
    n_leaf, n_branch = models.rows.shape[0], models.branch_boxes.shape[0] * GROUP
    reference, centre, best, chi2, total, squares, visited, n_near, low, width = np.zeros((10, TEAM))
    mu, age = np.empty((TEAM, N_MU_CELL)), np.empty((TEAM, models.age_cell.max() + 1))
    return _Team(
        neglect, reference, centre, best, chi2, total, squares, visited, n_near, low, width,
        np.empty((TEAM, _STEP + 1)), np.empty(TEAM, np.int64), np.empty(n_branch, data.dtype),
        np.empty((TEAM, n_leaf), data.dtype), mu, age, np.empty((TEAM, models.Z_cell.max() + 1)),
    )  # fmt: skip


@njit(nogil=True)
def _meet(member, region, models, team, nearest):
    """Bounds of all leaves for one region, what they can weigh, and a first good model; the histograms emptied."""
    bound, branch_bound = team.bound[member], team.branch_bound
    bound[:] = NEVER
    for group in range(models.branch_boxes.shape[0]):
        of_group = slice(group * GROUP, group * GROUP + GROUP)
        bounds_of_boxes(models.branch_boxes[group], region[0], region[1], branch_bound[of_group])
    reference, centre = _first_good(region, models, bound, branch_bound)
    team.centre[member] = np.round(centre / CELL_DEX) * CELL_DEX  # the cells do not depend on which model came first
    # the leaves beyond the limit together weigh less than that share of that one model
    limit = reference + 2.0 * np.log(bound.size * LEAF / team.neglect)
    for branch in range(models.leaf_boxes.shape[0]):
        if branch_bound[branch] < limit:
            bounds_of_branch(branch, region, models, bound)
    _note_bounds(member, (reference, limit), team, nearest)
    team.reference[member], team.best[member], team.chi2[member] = reference, np.inf, np.nan
    team.total[member], team.squares[member], team.visited[member] = 0.0, 0.0, 0.0
    team.mu[member], team.age[member], team.metal[member] = 0.0, 0.0, 0.0


@njit(nogil=True)
def bounds_of_branch(branch, region, models, bound):
    """Write into bound (leaf,) the least cost a model can have in each leaf of a branch."""
    of_branch = slice(branch * GROUP, branch * GROUP + GROUP)
    bounds_of_boxes(models.leaf_boxes[branch], region[0], region[1], bound[of_branch])
    bound[of_branch] += models.leaf_penalty[of_branch]


@njit(nogil=True)
def _first_good(region, models, bound, branch_bound):
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
    data, inverse, left_out = region
    first = leaf * LEAF
    cost, scale = np.empty(LEAF, data.dtype), np.empty(LEAF, data.dtype)
    costs_of(models.rows[leaf], models.penalty[first : first + LEAF], (data, inverse, left_out - first), cost, scale)
    at = cost.argmin()
    return np.float64(cost[at]), np.float64(log10_of(np.float32(max(scale[at], 1e-30))) - models.log_r[first + at])


@njit(nogil=True)
def costs_of(rows, penalty, region, cost, scale):
    """As likelihood.costs_of_leaf; the model at the place left out, if it is in the leaf, does not count."""
    data, inverse, left_out = region
    least = np.float64(costs_of_leaf(rows, penalty, data, inverse, cost, scale))
    if 0 <= left_out < LEAF:
        cost[left_out] = NEVER
    if 0 <= left_out < LEAF or cost.itemsize == 8:  # float32 would round a large cost by more than weights bear
        least = np.float64(cost.min())
    return least


@njit(nogil=True)
def _note_bounds(member, costs, team, nearest):
    """How many leaves lie in each step of the bound, what they can weigh at most, and how near each comes to anyone."""
    reference, limit = costs
    bound, beyond = team.bound[member], team.beyond[member]
    low = min(np.float64(bound.min()), limit - 1e-3 - 1e-9 * abs(limit))
    per_unit = _STEP / (limit - low)
    beyond[:] = 0.0
    team.n_near[member] = 1.0
    for leaf in range(bound.size):
        if bound[leaf] < limit:
            nearest[leaf] = min(nearest[leaf], np.float32(bound[leaf] - reference))
            beyond[_step(bound[leaf] - low, per_unit)] += LEAF
            team.n_near[member] += 1.0
    for step in range(_STEP - 1, -1, -1):
        beyond[step] = beyond[step] * np.exp(0.5 * (reference - low - step / per_unit)) + beyond[step + 1]
    team.low[member], team.width[member], team.step[member] = low, 1.0 / per_unit, _STEP


@njit(nogil=True)
def _step(above, per_unit):
    return min(int(above * per_unit), _STEP - 1)


@njit(nogil=True)
def _sort(nearest, ordered):
    """Leaves anyone may need, in steps of how near they come to anyone; returns where each step ends (_STEP + 1,)."""
    low, high = np.float32(NEVER), np.float32(-NEVER)
    for value in nearest:
        if value < NEVER:
            low, high = min(low, value), max(high, value)
    per_unit = _STEP / max(np.float64(high - low), 1e-3)
    ends = np.zeros(_STEP + 2, np.int64)
    for value in nearest:
        if value < NEVER:
            ends[_step(value - low, per_unit) + 2] += 1
    ends = ends.cumsum()
    for leaf in range(nearest.size):
        if nearest[leaf] < NEVER:
            step = _step(nearest[leaf] - low, per_unit) + 1
            ordered[ends[step]] = leaf
            ends[step] += 1
    return ends[: _STEP + 1]


@njit(nogil=True)
def _visit(ordered, ends, regions, models, team):
    """The leaves in order, each by all members of the team that still need it."""
    data, inverse, left_out = regions
    cost, scale = np.empty(LEAF, data.dtype), np.empty(LEAF, data.dtype)
    weight, mu_cell = np.empty(LEAF, np.float32), np.empty(LEAF, np.uint16)
    limit, negligible = np.empty(TEAM), np.empty(TEAM)
    for step in range(_STEP):
        for member in range(data.shape[0]):
            limit[member], negligible[member] = _limits(member, team)
        for leaf in ordered[ends[step] : ends[step + 1]]:
            first = leaf * LEAF
            penalty, log_r = models.penalty[first : first + LEAF], models.log_r[first : first + LEAF]
            age_cell, Z_cell = models.age_cell[first : first + LEAF], models.Z_cell[first : first + LEAF]
            for member in range(data.shape[0]):
                if team.bound[member, leaf] >= limit[member]:
                    continue
                team.visited[member] += 1.0
                region = (data[member], inverse[member], left_out[member] - first)
                least = costs_of(models.rows[leaf], penalty, region, cost, scale)
                if least < team.best[member]:
                    team.best[member], team.chi2[member] = least, least - penalty[cost.argmin()]
                    limit[member], negligible[member] = _rescaled(member, team)
                if least < negligible[member]:
                    numbers = (team.reference[member], negligible[member], team.centre[member])
                    total, squares = _weights_and_cells(cost, scale, log_r, numbers, weight, mu_cell)
                    team.total[member] += total
                    team.squares[member] += squares
                    posteriors = (team.mu[member], team.age[member], team.metal[member])
                    _add(weight, (mu_cell, age_cell, Z_cell), posteriors)


@njit(nogil=True)
def _limits(member, team):
    """Bound from which on leaves, and cost from which on models, weigh too little to matter."""
    while team.step[member] > 0 and team.beyond[member, team.step[member] - 1] <= team.neglect * team.total[member]:
        team.step[member] -= 1
    share = team.neglect * max(team.total[member], 1.0) / (team.n_near[member] * LEAF)
    return team.low[member] + team.step[member] * team.width[member], team.reference[member] - 2.0 * np.log(share)


@njit(nogil=True)
def _rescaled(member, team):
    """Make a much better model the one to which weights are relative; returns the limits."""
    if team.best[member] < team.reference[member] - _RESCALE:
        factor = np.exp(0.5 * (team.best[member] - team.reference[member]))
        team.total[member] *= factor
        team.squares[member] *= factor * factor
        team.beyond[member] *= factor
        team.mu[member] *= factor
        team.age[member] *= factor
        team.metal[member] *= factor
        team.reference[member] = team.best[member]
    return _limits(member, team)


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def _weights_and_cells(cost, scale, log_r, numbers, weight, mu_cell):
    """Weights of a leaf and their places in the posterior of mu; returns the sums of weights and of their squares."""
    reference, centre = cost.dtype.type(numbers[0]), np.float32(numbers[2])
    negligible = np.float32(numbers[1] - numbers[0])
    half, zero, tiny, step = np.float32(0.5), np.float32(0.0), np.float32(1e-30), np.float32(1.0 / CELL_DEX)
    middle, last = np.float32(N_MU_CELL / 2), np.float32(N_MU_CELL - 1)
    total, squares = zero, zero
    for at in range(LEAF):
        worse = np.float32(cost[at] - reference)
        here = exp_of(-half * worse)
        here = here if worse < negligible else zero
        weight[at] = here
        total += here
        squares += here * here
        place = (log10_of(max(np.float32(scale[at]), tiny)) - log_r[at] - centre) * step + middle
        mu_cell[at] = np.uint16(np.int32(min(max(place, zero), last)))
    return total, squares


@njit(nogil=True)
def _add(weight, cells, posteriors):
    mu_cell, age_cell, Z_cell = cells
    mu, age, metal = posteriors
    for at in range(LEAF):  # adding nothing costs less than asking whether there is anything to add
        here = np.float64(weight[at])
        mu[mu_cell[at]] += here
        age[age_cell[at]] += here
        metal[Z_cell[at]] += here


@njit(nogil=True)
def _summarise(member, team, answer):
    _quantiles(team.mu[member], answer[0:3])
    answer[0:3] = team.centre[member] + (answer[0:3] - N_MU_CELL / 2) * CELL_DEX
    _quantiles(team.age[member], answer[3:6])
    _quantiles(team.metal[member], answer[6:9])
    answer[9] = np.float32(team.chi2[member])  # as tables keep it; further digits depend on how loops are compiled
    answer[10] = team.total[member] ** 2 / max(team.squares[member], 1e-300)
    answer[11] = team.visited[member] / team.bound.shape[1]


@njit(nogil=True, fastmath=FAST)
def _sum(cells):
    total = 0.0
    for cell in cells:
        total += cell
    return total


@njit(nogil=True)
def _quantiles(histogram, found):
    """16, 50 and 84 % in cells, taking the weight of a cell as evenly spread over it."""
    total, reached, step = _sum(histogram), 0.0, 0
    found[:] = histogram.size  # where rounding keeps the last cell from reaching it
    for first in range(0, histogram.size, _RUN):
        run = histogram[first : first + _RUN]
        beyond = reached + _sum(run)
        if beyond >= PERCENTILES[step] * total:
            for at in range(run.size):
                while step < 3 and run[at] > 0 and reached + run[at] >= PERCENTILES[step] * total:
                    found[step] = first + at + (PERCENTILES[step] * total - reached) / run[at]
                    step += 1
                reached += run[at]
            if step == 3:
                return
        reached = beyond
