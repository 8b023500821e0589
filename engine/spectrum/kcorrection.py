"""K-corrections of ugriz from model galaxies: the best linear estimate from a region's indices and magnitudes.

The spectra of a cube do not reach u, i and z, so that what these bands gain at a redshift has to be inferred. Among
model galaxies it goes with the colours and with the indices; magnitudes alone confuse age and dust, which is worth
0.03 mag in u at redshift 0.03. Means and covariances of the models and the errors of the data give the linear estimate
of least mean square error, and that error (Wiener; Rybicki & Press 1992); what is missing or noisy counts less.
"""

from typing import NamedTuple

import numpy as np

from engine.spectrum.indices import Indices
from engine.spectrum.photometry import Filter, ab_magnitudes
from engine.types import BoolArray, FloatArray

_UNKNOWN = 1e6  # variance that stands for no measurement, in squares of Angstrom and mag
_ANY_MASS = 1e2  # mag2: variance of the brightness common to all bands, which tells nothing


class KModels(NamedTuple):
    """Model galaxies behind K-corrections."""

    flux: FloatArray  # (model, wave) per Angstrom, rest frame, over all filters
    indices: FloatArray  # (model, 5) in the order of columns.INDEX_NAMES


class KCorrection(NamedTuple):
    """Of one redshift: moments over the models of (indices, magnitudes as observed, what ugriz gain)."""

    mean: FloatArray  # (5 + 5 + 5,)
    covariance: FloatArray  # (15, 15)
    lowest: FloatArray  # (5,) mag that any model gains
    highest: FloatArray  # (5,)


class Magnitudes(NamedTuple):
    """AB magnitudes ugriz and their one-sigma errors, (spaxel, 5); NaN where there is none."""

    values: FloatArray
    errors: FloatArray


def fit_k_correction(wave: FloatArray, models: KModels, filters: tuple[Filter, ...], redshift: float) -> KCorrection:
    """Moments of the models at a redshift; wave (wave,) Angstrom, air; filters ugriz.

    Raises ShapeError if the models do not cover the filters.
    """
    seen = ab_magnitudes(wave * (1 + redshift), models.flux / (1 + redshift), filters)
    gain = seen - ab_magnitudes(wave, models.flux, filters)
    seen = seen - seen.mean(axis=1, keepdims=True)
    together = np.concatenate([models.indices, seen, gain], axis=1)
    return KCorrection(together.mean(axis=0), np.cov(together.T), gain.min(axis=0), gain.max(axis=0))


class _Data(NamedTuple):
    """Indices and magnitudes side by side, (spaxel, 10) each."""

    values: FloatArray
    errors: FloatArray
    known: BoolArray


def k_corrected(seen: Magnitudes, indices: Indices, correction: KCorrection) -> Magnitudes:
    """Magnitudes of rest-frame bands, with the uncertainty of the correction in their errors.

    Parameters: magnitudes as observed and indices, (spaxel, 5) each; NaN, or an error that is not positive, is no
    measurement. The correction stays within what the models show.
    """
    data = _side_by_side(indices, seen)
    n = data.values.shape[1]
    n_index = indices.values.shape[1]
    noise = _covariance_of_noise(data, n_index)
    weights = np.linalg.solve(correction.covariance[:n, :n] + noise, correction.covariance[:n, n:])
    away = _from_mean(data, correction.mean[:n], n_index)
    gain = correction.mean[n:] + np.einsum("sx,sxb->sb", away, weights)
    gain = np.clip(gain, correction.lowest, correction.highest)
    return Magnitudes(seen.values - gain, _rest_errors(seen.errors, weights, correction, n_index))


def _from_mean(data: _Data, mean: FloatArray, n_index: int) -> FloatArray:
    """How far the data lie from the mean of the models, (spaxel, 10); 0 where they are not known."""
    level = _level(data.values, data.known, n_index)
    return np.where(data.known, data.values - level - mean, 0.0)


def _side_by_side(indices: Indices, seen: Magnitudes) -> _Data:
    values = np.concatenate([indices.values, seen.values], axis=1)
    errors = np.concatenate([indices.errors, seen.errors], axis=1)
    return _Data(values, errors, np.isfinite(values) & np.isfinite(errors) & (errors > 0))


def _covariance_of_noise(data: _Data, n_index: int) -> FloatArray:
    """Of indices and magnitudes (spaxel, 10, 10); the brightness that magnitudes have in common tells nothing."""
    variance = np.where(data.known, data.errors, 0.0) ** 2 + np.where(data.known, 0.0, _UNKNOWN)
    noise = variance[:, :, None] * np.eye(variance.shape[1])
    noise[:, n_index:, n_index:] += _ANY_MASS
    return noise


def _level(values: FloatArray, known: BoolArray, n_index: int) -> FloatArray:
    """Mean of the known magnitudes, in their places; it only keeps numbers small."""
    lit = known[:, n_index:]
    level = np.where(lit, values[:, n_index:], 0.0).sum(axis=1) / np.maximum(lit.sum(axis=1), 1)
    return np.where(np.arange(values.shape[1]) < n_index, 0.0, level[:, None])


def _rest_errors(errors: FloatArray, weights: FloatArray, correction: KCorrection, n_index: int) -> FloatArray:
    """Errors (spaxel, 5) of magnitudes less their correction, which follows the noise of the magnitude in part."""
    n = weights.shape[1]
    prior = correction.covariance[n:, n:]
    shared = correction.covariance[:n, n:]
    of_gain = np.diagonal(prior) - np.einsum("xb,sxb->sb", shared, weights)
    follows = np.diagonal(weights[:, n_index:], axis1=1, axis2=2)
    return np.sqrt(np.maximum(errors**2 * (1 - 2 * follows) + of_gain, 0.0))
