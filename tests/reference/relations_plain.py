"""The relations said plainly: a mask per bin, then numpy."""

import numpy as np

from engine.stats import weighted_quantile


def rows_in(values, edges, bin_):
    """Rows in a bin that holds its lower edge, the last one both."""
    last = bin_ == len(edges) - 2
    below = values <= edges[bin_ + 1] if last else values < edges[bin_ + 1]
    return (values >= edges[bin_]) & below


def running_quantiles(x, y, weight, edges, quantiles, mask=None):
    """Quantiles (quantile, bin) and counts (bin,)."""
    keep = np.isfinite(y) & np.isfinite(weight) & (weight > 0) & (True if mask is None else mask)
    values, count = [], []
    for bin_ in range(len(edges) - 1):
        rows = keep & rows_in(x, edges, bin_)
        values.append(weighted_quantile(y[rows], weight[rows], quantiles))
        count.append(rows.sum())
    return np.array(values).T, np.array(count)


def median_map(x, y, z, weight, x_edges, y_edges, mask=None):
    """Median, half of the 16-84 range and counts, (y, x) each."""
    shape = (len(y_edges) - 1, len(x_edges) - 1)
    median, half_width, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, int)
    for y_bin in range(shape[0]):
        inside = rows_in(y, y_edges, y_bin) & (True if mask is None else mask)
        values, counts = running_quantiles(x, z, weight, x_edges, (0.16, 0.5, 0.84), inside)
        median[y_bin], half_width[y_bin], count[y_bin] = values[1], (values[2] - values[0]) / 2, counts
    return median, half_width, count
