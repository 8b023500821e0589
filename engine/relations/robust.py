"""A straight line that outliers cannot drag: the fit of ZG22 Fig. 2."""

from typing import NamedTuple

import numpy as np

from engine.stats import SIGMA_PER_MEDIAN, weighted_quantile
from engine.types import FloatArray

# Huber (1964, Ann. Math. Stat. 35, 73): residuals beyond this many standard deviations count by their size, not by its
# square; 95 % of the efficiency of least squares if errors are Gaussian. ZG22 names no method: choice
HUBER = 1.345
ROUNDS = 50
TOLERANCE = 1e-8


class RobustLine(NamedTuple):
    """y = slope * x + intercept; ``scatter`` is a standard deviation about it, in the unit of y."""

    slope: float
    intercept: float
    scatter: float


NO_LINE = RobustLine(np.nan, np.nan, np.nan)


def robust_line(x: FloatArray, y: FloatArray, weight: FloatArray | None = None) -> RobustLine:
    """Huber's fit of y on x with the scatter from the median absolute residual, by reweighted least squares.

    Parameters: x, y, weight (n,), pairs that are not finite do not count; the weight is a multiplicity (of a
    bootstrap), by default 1. Returns NaN unless two different x are left.
    """
    weight = np.ones(np.shape(x)) if weight is None else np.asarray(weight, dtype=float)
    good = np.isfinite(x) & np.isfinite(y) & (weight > 0)
    x, y, weight = (np.asarray(column, dtype=float)[good] for column in (x, y, weight))
    if np.unique(x).size < 2:
        return NO_LINE
    middle = np.average(x, weights=weight)
    line = _reweighted(x - middle, y, weight)
    return RobustLine(line.slope, float(line.intercept - line.slope * middle), line.scatter)


def _reweighted(x: FloatArray, y: FloatArray, weight: FloatArray) -> RobustLine:
    """Least squares again and again, each time with less trust in points that lie far off the line before."""
    trust = np.ones_like(x)
    line: FloatArray = np.zeros(2)
    scatter = 0.0
    for _ in range(ROUNDS):
        previous = line
        line = _least_squares(x, y, weight * trust)
        residual = np.abs(y - line[0] * x - line[1])
        scatter = SIGMA_PER_MEDIAN * _weighted_median(residual, weight)
        reach = HUBER * scatter
        trust = np.divide(reach, residual, out=np.ones_like(residual), where=residual > reach)
        if np.allclose(line, previous, rtol=0.0, atol=TOLERANCE) or scatter == 0.0:
            break
    return RobustLine(float(line[0]), float(line[1]), float(scatter))


def _least_squares(x: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Slope and intercept, (2,)."""
    x_mean = np.average(x, weights=weight)
    y_mean = np.average(y, weights=weight)
    slope = np.sum(weight * (x - x_mean) * (y - y_mean)) / np.sum(weight * (x - x_mean) ** 2)
    return np.array([slope, y_mean - slope * x_mean])


def _weighted_median(values: FloatArray, weight: FloatArray) -> float:
    return float(weighted_quantile(values, weight, 0.5))
