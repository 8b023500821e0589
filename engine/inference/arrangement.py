"""The library put in the order and the number format in which it is searched fastest.

Models that look alike stand side by side in leaves of 64, and 16 leaves that look alike in a branch. Of each leaf and
each branch it is known within which box its indices and colours lie, so that most can be passed over unseen.
"""

from typing import NamedTuple

import numpy as np

from engine.errors import ShapeError
from engine.inference.likelihood import GROUP, LEAF, N_BAND, N_INDEX, N_ROW
from engine.library.types import Library
from engine.stats import weighted_quantile
from engine.types import BoolArray, FloatArray, IntArray

CELL_DEX = 0.001  # of the posteriors; quantiles are interpolated within it. Choice: far below the best errors
BRANCH_MODELS = GROUP * LEAF
R_BAND = 2
EDGE_SHARE = 0.02  # of the models that count as outermost; choice, see docs/architecture.md
NEVER = np.float32(1e30)  # penalty of a model that does not count

# Errors of a well-observed region: five indices, then the colours against r. Choice; they only set the shape of the
# leaves: with others the same result takes longer.
_TYPICAL_ERRORS = np.array([0.05, 0.3, 0.9, 0.02, 0.15, 0.06, 0.05, 0.05, 0.05])


class Ends(NamedTuple):
    """Where the outermost models lie: beyond each value lies the share EDGE_SHARE of their weight before the data.

    There is none for old ages: the library goes on beyond the age of the Universe, so that it limits nothing.
    """

    youngest: float  # log yr
    poorest: float  # log Zsun
    richest: float


class Models(NamedTuple):
    """The models of a library in leaves; the last branch is filled up with copies of a model that do not count."""

    rows: FloatArray  # (sigma, leaf, N_ROW * LEAF) float32: per leaf five indices, then ugriz over r, model by model
    leaf_boxes: FloatArray  # (sigma, branch, 2 * N_ROW * GROUP) float32: centres and half widths of its leaves
    branch_boxes: FloatArray  # (sigma, group, 2 * N_ROW * GROUP) the same of branches; the last is repeated
    log_r: FloatArray  # (leaf * LEAF,) float32 log10 of the r flux per unit of mass
    age_cell: IntArray  # (leaf * LEAF,) uint16: place of its age in the posterior, from age_start in steps of CELL_DEX
    Z_cell: IntArray
    penalty: FloatArray  # (leaf * LEAF,) float32, -2 ln of the weight before the data
    leaf_penalty: FloatArray  # (leaf,) float32, the smallest of its models
    library_row: IntArray  # (leaf * LEAF,) int64 of the model in the library, -1 where a leaf is filled up
    age_start: float
    Z_start: float
    sigma_grid: FloatArray  # (sigma,) km/s
    n_library: int
    ends: Ends
    n_prior: float  # effective number of models before the data, (sum w)^2 / sum w^2


class _Order(NamedTuple):
    """Rows of the library in the order of the leaves, (leaf * LEAF,), the last branch filled up with copies."""

    row: IntArray
    real: BoolArray  # False for the copies


def arrange(library: Library) -> Models:
    """Models with finite values only, in compact leaves; the order changes no result.

    Raises ShapeError if no model is usable.
    """
    row, real = _in_leaves(library)
    age_start, age_cell = _cells(library.log_age_wr[row])
    Z_start, Z_cell = _cells(library.log_Z_wr[row])
    rows = _rows(library, row)
    low, high = _walls(rows)
    penalty = np.where(real, np.float32(0), NEVER)
    return Models(
        rows=rows,
        leaf_boxes=_boxes(low, high),
        branch_boxes=_boxes(*_walls_of_branches(low, high)),
        log_r=np.log10(library.flux[row, R_BAND]).astype(np.float32),
        age_cell=age_cell,
        Z_cell=Z_cell,
        penalty=penalty,
        leaf_penalty=_of_leaves(penalty),
        library_row=np.where(real, row, -1),
        age_start=age_start,
        Z_start=Z_start,
        sigma_grid=np.asarray(library.sigma_grid, dtype=float),
        n_library=library.log_age_wr.size,
        ends=_ends(library.log_age_wr[row], library.log_Z_wr[row], real),
        n_prior=float(np.count_nonzero(real)),
    )


def _in_leaves(library: Library) -> _Order:
    """Models that are alike side by side; ShapeError if none is usable."""
    keep = _usable(library)
    if keep.size == 0:
        raise ShapeError("the library has no model with finite indices, positive fluxes, age and metallicity")
    alike = features(library.indices[keep, library.indices.shape[1] // 2], library.flux[keep])
    order = keep[compact_order(alike, (BRANCH_MODELS, LEAF))]
    place = np.arange(-(-order.size // BRANCH_MODELS) * BRANCH_MODELS)
    return _Order(order[np.minimum(place, order.size - 1)], place < order.size)


def with_prior(models: Models, prior: FloatArray) -> Models:
    """The same models with a weight each (model of the library,); zero takes a model out, the scale is irrelevant.

    Raises ShapeError if the weights do not fit the library, are negative or not finite, or leave no model.
    """
    prior = np.asarray(prior, dtype=float)
    _check_prior(prior, models.n_library)
    weight = np.where(models.library_row >= 0, prior[models.library_row], 0.0)
    if weight.max() == 0:
        raise ShapeError("the prior leaves no usable model: all weights are zero")
    share = weight / weight.max()  # of the largest, so that sums do not overflow
    penalty = _penalty(share)
    age = models.age_start + CELL_DEX * models.age_cell
    Z = models.Z_start + CELL_DEX * models.Z_cell
    return models._replace(
        penalty=penalty,
        leaf_penalty=_of_leaves(penalty),
        n_prior=float(share.sum() ** 2 / (share**2).sum()),
        ends=_ends(age, Z, share),
    )


def _penalty(weight: FloatArray) -> FloatArray:
    counts = weight > 0
    return np.where(counts, -2.0 * np.log(np.where(counts, weight, 1.0)), NEVER).astype(np.float32)


def _check_prior(prior: FloatArray, n_library: int) -> None:
    if prior.shape != (n_library,):
        raise ShapeError(f"the prior has the shape {prior.shape}, not ({n_library},): one weight per model")
    if not np.isfinite(prior).all() or prior.min() < 0:
        raise ShapeError("the prior has weights that are negative or not finite")


def place_of(models: Models, library_row: IntArray) -> IntArray:
    """Place among the models of rows of the library, (...,); -1 for those that are not there or are -1."""
    place = np.full(models.n_library + 1, -1)
    place[models.library_row] = np.arange(models.library_row.size)
    place[-1] = -1  # where the filling of the last leaf and the rows -1 point
    return place[library_row]


def features(indices: FloatArray, flux: FloatArray) -> FloatArray:
    """What makes models or regions alike: indices and log colours (member, 9), in units of typical errors."""
    colours = np.log(np.delete(flux, R_BAND, axis=1) / flux[:, R_BAND, None])
    return np.concatenate([indices, colours], axis=1) / _TYPICAL_ERRORS


def compact_order(features: FloatArray, sizes: tuple[int, ...]) -> IntArray:
    """Order of the members (member,) in which successive ones are close in features (member, k).

    The members are halved at the middle of their widest feature (a k-d tree) into parts of sizes[0], these into
    parts of sizes[1] and so on; only the last part of each may be smaller.
    """
    pending = [np.arange(len(features))]
    parts = []
    while pending:
        part = pending.pop()
        size = next((size for size in sizes if part.size > size), None)
        if size is None:
            parts.append(part)
            continue
        widest = features[part, np.ptp(features[part], axis=0).argmax()]
        half = size * max(1, round(part.size / (2 * size)))
        split = np.argpartition(widest, min(half, part.size - 1))
        pending += [part[split[half:]], part[split[:half]]]
    return np.concatenate(parts)


def _ends(log_age: FloatArray, log_Z: FloatArray, weight: FloatArray) -> Ends:
    youngest = weighted_quantile(log_age, weight, EDGE_SHARE)
    poorest, richest = weighted_quantile(log_Z, weight, np.array([EDGE_SHARE, 1.0 - EDGE_SHARE]))
    return Ends(float(youngest), float(poorest), float(richest))


def _usable(library: Library) -> IntArray:
    finite = np.isfinite(library.indices).all(axis=(1, 2)) & (library.flux > 0).all(axis=1)
    finite &= np.isfinite(library.flux).all(axis=1)
    return np.flatnonzero(finite & np.isfinite(library.log_age_wr) & np.isfinite(library.log_Z_wr))


def _cells(value: FloatArray) -> tuple[float, IntArray]:
    start = float(np.min(value)) - CELL_DEX / 2  # so that a lone model sits in the middle of its cell
    return start, ((np.asarray(value, dtype=float) - start) / CELL_DEX).astype(np.uint16)  # 131 dex fit


def _rows(library: Library, order: IntArray) -> FloatArray:
    """(sigma, leaf, N_ROW * LEAF) float32."""
    n_sigma = library.indices.shape[1]
    n_leaf = order.size // LEAF
    rows = np.empty((n_sigma, n_leaf, N_ROW, LEAF), dtype=np.float32)
    ratio = library.flux[order] / library.flux[order, R_BAND, None]
    rows[:, :, N_INDEX:] = ratio.reshape(n_leaf, LEAF, N_BAND).swapaxes(1, 2)
    for sigma in range(n_sigma):
        rows[sigma, :, :N_INDEX] = library.indices[order, sigma].reshape(n_leaf, LEAF, N_INDEX).swapaxes(1, 2)
    return rows.reshape(n_sigma, n_leaf, -1)


def _of_leaves(penalty: FloatArray) -> FloatArray:
    return penalty.reshape(-1, LEAF).min(axis=1)


def _walls(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value in each leaf, (sigma, leaf, N_ROW)."""
    values = rows.reshape(*rows.shape[:2], N_ROW, LEAF)
    return values.min(axis=3), values.max(axis=3)


def _walls_of_branches(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same of each branch, (sigma, branch, N_ROW), their number filled up to whole groups."""
    branches = (*low.shape[:1], -1, GROUP, N_ROW)
    low = low.reshape(branches).min(axis=2)
    high = high.reshape(branches).max(axis=2)
    padded = np.minimum(np.arange(-(-low.shape[1] // GROUP) * GROUP), low.shape[1] - 1)
    return low[:, padded], high[:, padded]


def _boxes(low: FloatArray, high: FloatArray) -> FloatArray:
    """(sigma, group, 2 * N_ROW * GROUP) from walls; a little wider, so that rounding cannot push a member out."""
    centre = (low + high) / 2
    half = (high - low) / 2
    half = half + 5e-7 * (np.abs(centre) + half)
    both = np.stack([centre, half], axis=2).reshape(low.shape[0], -1, GROUP, 2 * N_ROW)
    return np.ascontiguousarray(both.swapaxes(2, 3), dtype=np.float32).reshape(*both.shape[:2], -1)
