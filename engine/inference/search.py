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
from engine.inference.leaves import (
    N_MU_CELL,
    Region,
    Searched,
    bounds_of_branch,
    costs_of,
    first_good,
    leaf_at,
    new_scratch,
    weights_and_cells,
)
from engine.inference.likelihood import FAST, GROUP, LEAF, bounds_of_boxes
from engine.stats import PERCENTILES
from engine.types import BoolArray, FloatArray, IntArray

TEAM = 8  # regions

_STEP = 64  # steps of cost in which leaves are sorted
_RESCALE = 20.0  # when the cost improves by more, the weights so far are scaled down to stay within float32
_RUN = 32  # cells added up at a time in search of a quantile


class WhitenedRegions(NamedTuple):
    """Whitened observations (likelihood.Whitened) of regions that are compared with the same models."""

    data: FloatArray  # (spaxel, N_ROW) float32 or, slower, float64
    inverse: FloatArray  # (spaxel, N_ROW)
    left_out: IntArray  # (spaxel,) place of a model that does not count, or -1

    def some(self, which: BoolArray | IntArray) -> "WhitenedRegions":
        """Some of the regions."""
        return WhitenedRegions(self.data[which], self.inverse[which], self.left_out[which])

    def inflated(self, factor: float) -> "WhitenedRegions":
        """The same regions with larger errors."""
        return WhitenedRegions(self.data / factor, self.inverse / factor, self.left_out)

    def single(self) -> "WhitenedRegions":
        """The same in float32."""
        return WhitenedRegions(self.data.astype(np.float32), self.inverse.astype(np.float32), self.left_out)


class Weighed(NamedTuple):
    """What the weights of all models say of each region; percentiles are 16, 50 and 84 %."""

    log_scale: FloatArray  # (spaxel, 3) dex
    age: FloatArray  # (spaxel, 3) cells of CELL_DEX
    metal: FloatArray  # (spaxel, 3) cells
    chi2: FloatArray  # (spaxel,) of the most probable model
    n_effective: FloatArray  # (spaxel,) effective number of models, (sum w)^2 / sum w^2
    visited: FloatArray  # (spaxel,) share of the models

    @classmethod
    def empty(cls, n_spaxel: int) -> "Weighed":
        """NaN everywhere, to be filled part by part."""
        percentiles = (np.full((n_spaxel, len(PERCENTILES)), np.nan) for _ in range(3))
        return cls(*percentiles, *np.full((3, n_spaxel), np.nan))

    def put(self, which: BoolArray | IntArray, part: "Weighed") -> None:
        """Write the values of some regions into their places."""
        for mine, given in zip(self, part, strict=True):
            mine[which] = given

    def put_percentiles(self, which: BoolArray, part: "Weighed") -> None:
        """The same for the percentiles alone."""
        for mine, given in zip(self[:3], part[:3], strict=True):
            mine[which] = given


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
    limit: FloatArray  # (TEAM,) leaves whose bound is not below this need no visit
    negligible: FloatArray  # (TEAM,) models that cost this much or more weigh too little to matter
    branch_bound: FloatArray  # (branch,) room for those of one member
    bound: FloatArray  # (TEAM, leaf) no model of the leaf costs less
    mu: FloatArray  # (TEAM, cell) the three posteriors
    age: FloatArray
    metal: FloatArray


def weigh_regions(regions: WhitenedRegions, models: Searched, neglect: float) -> Weighed:
    """Posteriors of regions.

    neglect: share of the weight that may be missing, at most so much in leaves not visited and again in models that
    weigh next to nothing.
    """
    answer = Weighed.empty(len(regions.data))
    _weigh_teams(regions, models, neglect, answer)
    return answer


@njit(nogil=True)
def _weigh_teams(regions, models, neglect, answer):
    n_spaxel = regions.data.shape[0]
    n_leaf = models.rows.shape[0]
    team = _new_team(regions.data, models, neglect)
    nearest = np.empty(n_leaf, np.float32)
    ordered = np.empty(n_leaf, np.int64)
    for first in range(0, n_spaxel, TEAM):
        size = min(TEAM, n_spaxel - first)
        nearest[:] = NEVER
        for member in range(size):
            _meet(member, _region(regions, first + member), models, team, nearest)
        ends = _sort(nearest, ordered)
        _visit(ordered, ends, first, size, regions, models, team)
        for member in range(size):
            _summarise(member, team, answer, first + member)


@njit(nogil=True)
def _region(regions, spaxel):
    return Region(regions.data[spaxel], regions.inverse[spaxel], regions.left_out[spaxel])


@njit(nogil=True)
def _new_team(data, models, neglect):
    n_leaf = models.rows.shape[0]
    n_branch = models.branch_boxes.shape[0] * GROUP
    reference, centre, best, chi2, total, squares, visited, n_near, low, width, limit, negligible = np.zeros((12, TEAM))
    return _Team(
        neglect, reference, centre, best, chi2, total, squares, visited, n_near, low, width,
        np.empty((TEAM, _STEP + 1)), np.empty(TEAM, np.int64), limit, negligible,
        np.empty(n_branch, data.dtype), np.empty((TEAM, n_leaf), data.dtype), np.empty((TEAM, N_MU_CELL)),
        np.empty((TEAM, models.age_cell.max() + 1)), np.empty((TEAM, models.Z_cell.max() + 1)),
    )  # fmt: skip


@njit(nogil=True)
def _meet(member, region, models, team, nearest):
    """Bounds of all leaves for one region, what they can weigh, and a first good model; the histograms emptied."""
    bound = team.bound[member]
    branch_bound = team.branch_bound
    bound[:] = NEVER
    for group in range(models.branch_boxes.shape[0]):
        of_group = slice(group * GROUP, group * GROUP + GROUP)
        bounds_of_boxes(models.branch_boxes[group], region.data, region.inverse, branch_bound[of_group])
    reference, centre = first_good(region, models, bound, branch_bound)
    # the leaves beyond the limit together weigh less than that share of that one model
    limit = reference + 2.0 * np.log(bound.size * LEAF / team.neglect)
    for branch in range(models.leaf_boxes.shape[0]):
        if branch_bound[branch] < limit:
            bounds_of_branch(branch, region, models, bound)
    _note_bounds(member, reference, limit, team, nearest)
    _begin(member, reference, centre, team)


@njit(nogil=True)
def _begin(member, reference, centre, team):
    """Nothing found yet; weights are relative to a model of the cost of reference and of about its scale."""
    team.centre[member] = np.round(centre / CELL_DEX) * CELL_DEX  # the cells do not depend on which model came first
    team.reference[member] = reference
    team.best[member] = np.inf
    team.chi2[member] = np.nan
    team.total[member] = 0.0
    team.squares[member] = 0.0
    team.visited[member] = 0.0
    team.mu[member] = 0.0
    team.age[member] = 0.0
    team.metal[member] = 0.0


@njit(nogil=True)
def _note_bounds(member, reference, limit, team, nearest):
    """How many leaves lie in each step of the bound, what they can weigh at most, and how near each comes to anyone."""
    bound = team.bound[member]
    beyond = team.beyond[member]
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
    team.low[member] = low
    team.width[member] = 1.0 / per_unit
    team.step[member] = _STEP


@njit(nogil=True)
def _step(above, per_unit):
    return min(int(above * per_unit), _STEP - 1)


@njit(nogil=True)
def _sort(nearest, ordered):
    """Leaves anyone may need, in steps of how near they come to anyone; returns where each step ends (_STEP + 1,)."""
    low = np.float32(NEVER)
    high = np.float32(-NEVER)
    for value in nearest:
        if value < NEVER:
            low = min(low, value)
            high = max(high, value)
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
def _visit(ordered, ends, first, size, regions, models, team):
    """The leaves in order, each by all members of the team that still need it; the first member is the region first."""
    scratch = new_scratch(regions.data)
    for step in range(_STEP):
        for member in range(size):
            _set_limits(member, team)
        for place in ordered[ends[step] : ends[step + 1]]:
            leaf = leaf_at(place, models)
            for member in range(size):
                if team.bound[member, place] < team.limit[member]:
                    _weigh_leaf(member, leaf, place * LEAF, _region(regions, first + member), team, scratch)


@njit(nogil=True)
def _weigh_leaf(member, leaf, first, region, team, scratch):
    """Add the models of a leaf, which begins at first, to what the team knows of one of its regions."""
    team.visited[member] += 1.0
    least = costs_of(leaf.rows, leaf.penalty, region, first, scratch.cost, scratch.scale)
    if least < team.best[member]:
        team.best[member] = least
        team.chi2[member] = least - leaf.penalty[scratch.cost.argmin()]
        _rescale(member, team)
        _set_limits(member, team)
    if least < team.negligible[member]:
        total, squares = weights_and_cells(
            leaf.log_r, team.reference[member], team.negligible[member], team.centre[member], scratch
        )
        team.total[member] += total
        team.squares[member] += squares
        _add(scratch, leaf, team.mu[member], team.age[member], team.metal[member])


@njit(nogil=True)
def _set_limits(member, team):
    """From which bound on leaves, and from which cost on models, weigh too little to matter."""
    while team.step[member] > 0 and team.beyond[member, team.step[member] - 1] <= team.neglect * team.total[member]:
        team.step[member] -= 1
    share = team.neglect * max(team.total[member], 1.0) / (team.n_near[member] * LEAF)
    team.limit[member] = team.low[member] + team.step[member] * team.width[member]
    team.negligible[member] = team.reference[member] - 2.0 * np.log(share)


@njit(nogil=True)
def _rescale(member, team):
    """Where a much better model has been found, make it the one to which weights are relative."""
    if team.best[member] >= team.reference[member] - _RESCALE:
        return
    factor = np.exp(0.5 * (team.best[member] - team.reference[member]))
    team.total[member] *= factor
    team.squares[member] *= factor * factor
    team.beyond[member] *= factor
    team.mu[member] *= factor
    team.age[member] *= factor
    team.metal[member] *= factor
    team.reference[member] = team.best[member]


@njit(nogil=True)
def _add(scratch, leaf, mu, age, metal):
    weight = scratch.weight
    mu_cell = scratch.mu_cell
    for at in range(LEAF):  # adding nothing costs less than asking whether there is anything to add
        here = np.float64(weight[at])
        mu[mu_cell[at]] += here
        age[leaf.age_cell[at]] += here
        metal[leaf.Z_cell[at]] += here


@njit(nogil=True)
def _summarise(member, team, answer, spaxel):
    log_scale = answer.log_scale[spaxel]
    _quantiles(team.mu[member], log_scale)
    log_scale[:] = team.centre[member] + (log_scale - N_MU_CELL / 2) * CELL_DEX
    _quantiles(team.age[member], answer.age[spaxel])
    _quantiles(team.metal[member], answer.metal[spaxel])
    # as tables keep it; further digits depend on how loops are compiled
    answer.chi2[spaxel] = np.float32(team.chi2[member])
    answer.n_effective[spaxel] = team.total[member] ** 2 / max(team.squares[member], 1e-300)
    answer.visited[spaxel] = team.visited[member] / team.bound.shape[1]


@njit(nogil=True, fastmath=FAST)
def _sum(cells):
    total = 0.0
    for cell in cells:
        total += cell
    return total


@njit(nogil=True)
def _quantiles(histogram, found):
    """16, 50 and 84 % in cells, taking the weight of a cell as evenly spread over it."""
    total = _sum(histogram)
    reached = 0.0
    step = 0
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
