"""The library put in the order and the number format in which it is searched fastest."""

from typing import NamedTuple

import numpy as np

from engine.errors import ShapeError
from engine.inference.likelihood import BLOCK, N_BAND, N_INDEX
from engine.library.types import Library
from engine.types import FloatArray, IntArray

CELL_DEX = 0.005  # of the posteriors; quantiles are interpolated within it. Choice: a tenth of the best errors


class Models(NamedTuple):
    """Similar models side by side, in blocks of ten rows (five indices, five fluxes), float32."""

    blocks: FloatArray  # (sigma, block, 10 * BLOCK); the last block is filled up with its last model
    age_cell: IntArray  # (model,) int32: place of its age in the posterior, from age_start in steps of CELL_DEX
    Z_cell: IntArray
    age_start: float
    Z_start: float
    flux_unit: float  # the fluxes are given in this unit, so that they are of order 1


def arrange(library: Library) -> Models:
    """Models with finite values only, sorted so that blocks are compact in indices and colours.

    The order changes no result; it lets most blocks be passed over. Raises ShapeError if no model is usable.
    """
    keep = _usable(library)
    if keep.size == 0:
        raise ShapeError("the library has no model with finite indices, positive fluxes, age and metallicity")
    middle = library.indices.shape[1] // 2
    order = keep[compact_order(_features(library.indices[keep, middle], library.flux[keep]), BLOCK)]
    flux_unit = float(np.median(library.flux[keep]))
    age_start, age_cell = _cells(library.log_age_wr[order])
    Z_start, Z_cell = _cells(library.log_Z_wr[order])
    blocks = _blocks(library.indices[order], library.flux[order] / flux_unit)
    return Models(blocks, age_cell, Z_cell, age_start, Z_start, flux_unit)


def compact_order(features: FloatArray, leaf: int) -> IntArray:
    """Order of the members (member,) in which every ``leaf`` successive ones are close in features (member, k).

    The members are halved at the middle of their widest feature until a leaf is left (a k-d tree).
    """
    pending, leaves = [np.arange(len(features))], []
    while pending:
        part = pending.pop()
        if part.size <= leaf:
            leaves.append(part)
            continue
        widest = features[part, np.ptp(features[part], axis=0).argmax()]
        half = leaf * max(1, round(part.size / (2 * leaf)))
        split = np.argpartition(widest, min(half, part.size - 1))
        pending += [part[split[half:]], part[split[:half]]]
    return np.concatenate(leaves)


def _usable(library: Library) -> IntArray:
    finite = np.isfinite(library.indices).all(axis=(1, 2)) & (library.flux > 0).all(axis=1)
    finite &= np.isfinite(library.flux).all(axis=1)
    return np.flatnonzero(finite & np.isfinite(library.log_age_wr) & np.isfinite(library.log_Z_wr))


def _features(indices: FloatArray, flux: FloatArray) -> FloatArray:
    """Indices and colours, (model, 9), in units of their scatter over the library."""
    colours = np.diff(np.log10(flux.astype(float)), axis=1)
    features = np.concatenate([indices.astype(float), colours], axis=1)
    scatter = features.std(axis=0)
    return features / np.where(scatter > 0, scatter, 1.0)


def _cells(value: FloatArray) -> tuple[float, IntArray]:
    start = float(np.min(value)) - CELL_DEX / 2  # so that a lone model sits in the middle of its cell
    return start, ((np.asarray(value, dtype=float) - start) / CELL_DEX).astype(np.int32)


def _blocks(indices: FloatArray, flux: FloatArray) -> FloatArray:
    """(sigma, block, 10 * BLOCK) float32 from (model, sigma, 5) and (model, 5)."""
    n_model, n_sigma = indices.shape[:2]
    n_block = -(-n_model // BLOCK)
    padded = np.minimum(np.arange(n_block * BLOCK), n_model - 1)
    blocks = np.empty((n_sigma, n_block, N_INDEX + N_BAND, BLOCK), dtype=np.float32)
    for sigma in range(n_sigma):
        blocks[sigma, :, :N_INDEX] = indices[padded, sigma].reshape(n_block, BLOCK, N_INDEX).swapaxes(1, 2)
    blocks[:, :, N_INDEX:] = flux[padded].reshape(n_block, BLOCK, N_BAND).swapaxes(1, 2)
    return blocks.reshape(n_sigma, n_block, -1)
