"""Figures said plainly: one row after the other, one cell after the other."""

import numpy as np

from engine.figures.cut import ALL, OLD_RIDGE, UNSMOOTHED
from engine.stats import weighted_quantile


def holds(cut, region: dict, galaxy: dict, line) -> bool:
    """Whether one region, a dict of numbers, lies in a cut."""
    values = galaxy | region
    for name, (low, high) in cut.ranges.items():
        value = values.get(name, np.nan)
        if not np.isfinite(value) or (low is not None and value < low) or (high is not None and value >= high):
            return False
    if cut.sequence != ALL and not _on_sequence(cut.sequence, region, line):
        return False
    if cut.smoothing == UNSMOOTHED and region["smoothing_level"] != 1:
        return False
    if cut.galaxies is not None and region["galaxy_id"] not in cut.galaxies:
        return False
    return cut.types is None or galaxy["hubble_type"] in cut.types


def _on_sequence(sequence: str, region: dict, line) -> bool:
    log_mu_star, log_age = region["log_mu_star"], region["log_age_wr"]
    if not (np.isfinite(log_mu_star) and np.isfinite(log_age)):
        return False
    return (log_age > line.slope * log_mu_star + line.intercept) == (sequence == OLD_RIDGE)


def density(x, y, weight, limits, cells):
    """Sum of weights per cell, (y, x); upper edges belong to the last cells."""
    x0, x1, y0, y1 = limits
    total = np.zeros(cells[::-1])
    for a, b, w in zip(x.astype(float), y.astype(float), weight, strict=True):
        if x0 <= a <= x1 and y0 <= b <= y1:
            i = min(int((a - x0) / (x1 - x0) * cells[0]), cells[0] - 1)
            j = min(int((b - y0) / (y1 - y0) * cells[1]), cells[1] - 1)
            total[j, i] += w
    return total


def running(x, y, weight, edges, min_count):
    """Low, median and high (3, bin) of y in bins of x that hold their lower edge."""
    found = np.full((3, len(edges) - 1), np.nan)
    for i in range(len(edges) - 1):
        upper = x <= edges[i + 1] if i == len(edges) - 2 else x < edges[i + 1]
        rows = (x >= edges[i]) & upper & np.isfinite(y)
        if rows.sum() >= min_count:
            found[:, i] = weighted_quantile(y[rows], weight[rows], (0.16, 0.5, 0.84))
    return found
