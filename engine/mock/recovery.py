"""How well what was measured agrees with what was put in, quantity by quantity."""

from typing import NamedTuple

import numpy as np

from engine.stats import PERCENTILES
from engine.types import FloatArray


class Residuals(NamedTuple):
    """Measured against true values of one quantity; medians and half 16-84 % ranges, which few outliers do not move."""

    name: str
    n: int
    offset: float  # median of measured less true
    scatter: float
    error: float  # median stated error
    pull: float  # median of (measured - true) / error
    pull_width: float  # 1 where the errors are right


def recovered(name: str, measured: FloatArray, error: FloatArray, true: FloatArray) -> Residuals:
    """Compare values (any shape); those without a number or an error do not count."""
    difference = measured - true
    known = np.isfinite(difference) & np.isfinite(error) & (error > 0)
    if not known.any():
        return Residuals(name, 0, *[np.nan] * 5)
    difference = difference[known]
    error = error[known]
    low, offset, high = np.quantile(difference, PERCENTILES)
    first, pull, last = np.quantile(difference / error, PERCENTILES)
    median_error = float(np.median(error))
    return Residuals(name, int(known.sum()), offset, (high - low) / 2, median_error, pull, (last - first) / 2)
