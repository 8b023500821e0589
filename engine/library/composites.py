"""Composite histories: models that are sums of several drawn histories of like mean age and metallicity.

Regions of a galaxy, and all the more regions averaged with their neighbours, mix stars of many histories. A sum of many
is smoother than any one that the priors draw, and its posterior leans towards other ages; `glocal validate` measures by
how much. A share of composites among the models (Priors.composite_share) teaches the prior such sums.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from engine.library.draw import Histories, take
from engine.library.parcels import Composition
from engine.library.priors import Priors
from engine.types import FloatArray, IntArray

LIKE = 8  # choice: each part is one of so many histories nearest to what is wanted, so that few are taken often


class Means(NamedTuple):
    """Light-weighted means of histories, (history,) each."""

    log_age_wr: FloatArray  # dex(yr), ZG22 eq. 1
    log_Z_wr: FloatArray  # dex(Zsun), ZG22 eq. 2


class Scatter(NamedTuple):
    """How alike the parts of a sum are: standard deviations about the first one [dex]."""

    log_age: float
    log_Z: float


class ComposedModels(NamedTuple):
    """Histories, and how models are made of them."""

    histories: Histories
    composition: Composition


def draw_composites(histories: Histories, means: Means, priors: Priors, rng: np.random.Generator) -> ComposedModels:
    """As many models as histories, a share of them sums; the others stay as they are drawn.

    The parts of a sum are histories like its own one, of equal mass formed, behind the dust of its own.
    """
    n = histories.tau.size
    low, high = np.log(priors.composite_size)
    size = np.rint(np.exp(rng.uniform(low, high, n))).astype(int)
    size = np.where(rng.random(n) < priors.composite_share, size, 1)
    scatter = Scatter(priors.composite_age_scatter, priors.composite_Z_scatter)
    return sums_of_like(histories, means, np.arange(n), size, scatter, rng)


def sums_of_like(
    histories: Histories, means: Means, own: IntArray, size: IntArray, scatter: Scatter, rng: np.random.Generator
) -> ComposedModels:
    """Models that are sums of histories like their own one.

    own (model,) row of the first part of each, size (model,) number of parts. Each part forms the same mass.
    """
    first = np.concatenate([[0], np.cumsum(size)])
    rows = np.repeat(own, size)
    added = np.ones(rows.size, bool)
    added[first[:-1]] = False
    rows[added] = _like(rows[added], means, scatter, rng)
    return ComposedModels(take(histories, rows), Composition(first, np.repeat(1.0 / size, size)))


def _like(own: IntArray, means: Means, scatter: Scatter, rng: np.random.Generator) -> IntArray:
    """A history like each of those given."""
    if own.size == 0:
        return own
    points = np.stack([means.log_age_wr / scatter.log_age, means.log_Z_wr / scatter.log_Z], axis=-1)
    wanted = points[own] + rng.standard_normal((own.size, 2))
    n_like = min(LIKE, len(points))
    near = cKDTree(points).query(wanted, k=range(1, n_like + 1), workers=-1)[1]
    return near[np.arange(own.size), rng.integers(0, n_like, own.size)]
