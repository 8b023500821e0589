"""Weighted order statistics, defined once for the whole project.

The quantile q of weighted values is the smallest value whose cumulative weight, its own included,
reaches the fraction q of the total: the inverse of the weighted cumulative distribution, as
``numpy.quantile(..., method="inverted_cdf")``. It is always one of the values, ties cannot make it
depend on their order, and a common factor in the weights drops out. Values that are not finite and
weights that are not positive and finite never count.
"""

import numpy as np
from scipy.special import ndtri

from engine.errors import ShapeError
from engine.types import BoolArray, FloatArray

PERCENTILES = (0.16, 0.50, 0.84)  # median and its one-sigma companions
SIGMA_PER_MEDIAN = 1.0 / ndtri(0.75)  # half of a Gaussian lies within 0.67 sigma: 1.4826


def counts(values: FloatArray, weights: FloatArray) -> BoolArray:
    """Which members take part: finite value, finite positive weight."""
    return np.isfinite(values) & np.isfinite(weights) & (weights > 0)


def mean_of_good(values: FloatArray, good: BoolArray) -> FloatArray:
    """Mean of the good values along all axes but the first, (n,) of (n, ...); bad ones hold 0. 0 where none is good."""
    others = tuple(range(1, values.ndim))
    return values.sum(axis=others) / np.maximum(good.sum(axis=others), 1)


def weighted_quantile(values: FloatArray, weights: FloatArray, q: FloatArray | float | tuple[float, ...]) -> FloatArray:
    """Value below which the fraction q of the weight lies; NaN if nothing counts.

    Parameters: values, weights (n,); q, any shape, in 0-1. Returns the shape of q.
    Raises ShapeError if values and weights differ in length.
    """
    values = np.asarray(values)
    weights = np.asarray(weights, dtype=float)
    q = np.asarray(q, dtype=float)
    if values.shape != weights.shape or values.ndim != 1:
        raise ShapeError(f"values {values.shape} and weights {weights.shape} must be two columns of one length")
    good = counts(values, weights)
    if not good.any():
        return np.full(q.shape, np.nan)
    return _quantile_of_known(values[good], weights[good], q)


def _quantile_of_known(values: FloatArray, weights: FloatArray, q: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    first = np.searchsorted(cumulative, q * cumulative[-1], side="left")
    return values[order][np.minimum(first, cumulative.size - 1)].astype(float)


def half_width_16_84(values: FloatArray, weights: FloatArray) -> float:
    """Half of the range between the 16th and the 84th weighted percentile: one sigma of a Gaussian."""
    low, high = weighted_quantile(values, weights, (PERCENTILES[0], PERCENTILES[-1]))
    return float(high - low) / 2.0


def robust_sigma(residuals: FloatArray) -> float:
    """Sigma of the Gaussian about zero whose absolute values have the median of these; outliers hardly matter."""
    return float(SIGMA_PER_MEDIAN * np.median(np.abs(residuals)))
