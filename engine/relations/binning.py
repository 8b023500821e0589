"""Rows into bins: the two numba passes behind every relation.

Columns are handed over as read-only views, so that a table that forbids writing and one that does
not share one compiled kernel per dtype; float32 columns are never copied to float64.
"""

import numpy as np

from engine.compiled import njit
from engine.errors import ShapeError
from engine.types import BoolArray, FloatArray, IntArray

_ALL_ROWS = np.zeros(0, dtype=bool)
_ALL_ROWS.flags.writeable = False


def read_only(column: FloatArray) -> FloatArray:
    """The same memory, contiguous and closed to writing."""
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view


def as_columns(mask: BoolArray | None, **columns: FloatArray) -> list[np.ndarray]:
    """Read-only columns in the order given, the mask last; an empty mask means all rows.

    Raises ShapeError naming the column that differs in length, or a mask that is not boolean.
    """
    named = dict(columns) if mask is None else {**columns, "mask": np.asarray(mask)}
    first, shape = next((name, np.shape(column)) for name, column in named.items())
    for name, column in named.items():
        if np.shape(column) != shape or len(shape) != 1:
            raise ShapeError(f"{name} has the shape {np.shape(column)} but {first} has {shape}; columns are needed")
    if mask is not None and named["mask"].dtype != bool:
        raise ShapeError(f"a mask is true or false per row, got {named['mask'].dtype}")
    return [read_only(column) for column in named.values()] + ([_ALL_ROWS] if mask is None else [])


def as_edges(edges: FloatArray) -> FloatArray:
    """Bin edges as read-only float64; ShapeError unless they rise."""
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or edges.size < 2 or not np.all(np.diff(edges) > 0):
        raise ShapeError(f"bin edges must be two or more rising numbers, got {edges}")
    return read_only(edges)


def centres(edges: FloatArray) -> FloatArray:
    """Middle of each bin."""
    edges = np.asarray(edges, dtype=float)
    return (edges[1:] + edges[:-1]) / 2.0


# The loops below are written for speed at 600,000 rows: rows that do not count go to one bin behind the last,
# by arithmetic instead of a branch that a mask makes unpredictable, and unsigned numbers spare the check for
# negative indices.


@njit(nogil=True)
def bins_per_unit(edges):
    """Mean number of bins per unit of the binned value."""
    return (edges.size - 1) / (edges[edges.size - 1] - edges[0])


@njit(nogil=True)
def bin_of(value, edges, per_unit):
    """Bin that holds the value, as numpy.histogram counts (last edge included); -1 outside or NaN."""
    last = edges.size - 2
    one = np.uint64(1)
    if not (edges[0] <= value <= edges[last + 1]):
        return -1
    bin_ = np.uint64(min(np.int64((value - edges[0]) * per_unit), last))
    while value < edges[bin_]:  # the guess was off: rounding, or edges that are not evenly spaced
        bin_ -= one
    while bin_ < last and value >= edges[bin_ + one]:
        bin_ += one
    return np.int64(bin_)


@njit(nogil=True)
def is_weight(weight):
    """Whether a weight is positive and finite."""
    return (weight > 0.0) & (weight < np.inf)


@njit(nogil=True)
def bin_rows(x, value, weight, mask, edges):
    """Bin of each row along x, (row,) int32; rows without a finite value do not count."""
    n_bin = edges.size - 1
    per_unit = bins_per_unit(edges)
    all_rows = mask.size == 0
    bins = np.empty(x.size, np.int32)
    for row in range(x.size):
        bin_ = bin_of(x[row], edges, per_unit)
        counts = (bin_ >= 0) & is_weight(weight[row]) & np.isfinite(value[row]) & (all_rows or mask[row])
        bins[row] = n_bin + counts * (bin_ - n_bin)
    return bins


@njit(nogil=True)
def bin_rows_2d(x, y, value, weight, mask, x_edges, y_edges):
    """As bin_rows, for the cells ``y_bin * n_x + x_bin`` of a plane."""
    n_x = x_edges.size - 1
    n_bin = (x_edges.size - 1) * (y_edges.size - 1)
    all_rows = mask.size == 0
    x_per_unit = bins_per_unit(x_edges)
    y_per_unit = bins_per_unit(y_edges)
    bins = np.empty(x.size, np.int32)
    for row in range(x.size):
        x_bin = bin_of(x[row], x_edges, x_per_unit)
        y_bin = bin_of(y[row], y_edges, y_per_unit)
        inside = (x_bin >= 0) & (y_bin >= 0)
        counts = inside & is_weight(weight[row]) & np.isfinite(value[row]) & (all_rows or mask[row])
        bins[row] = n_bin + counts * (y_bin * n_x + x_bin - n_bin)
    return bins


@njit(nogil=True)
def tally(bins, weight, n_bin):
    """Rows and weight per bin, (bin + 1,) each; the last is what does not count."""
    count = np.zeros(n_bin + 1, np.int64)
    total = np.zeros(n_bin + 1)
    for row in range(bins.size):
        bin_ = np.uint64(bins[row])
        count[bin_] += 1
        total[bin_] += weight[row]
    return count, total


@njit(nogil=True)
def streamed_quantiles(bins, value, weight, order, total, quantiles):
    """Weighted quantiles (quantile, bin) of the value in each bin, from one walk along the rising order.

    An empty order stands for rows that rise already. The definition is that of engine.stats; quantiles rise; the
    last bin holds what does not count.
    """
    n_bin = total.size - 1
    found = np.full((quantiles.size, n_bin), np.nan)
    reached = np.zeros(total.size)
    step = np.zeros(n_bin, np.int64)
    threshold = quantiles[0] * total
    threshold[n_bin] = np.inf
    rises = order.size == 0
    for place in range(value.size):
        row = np.uint64(place if rises else order[place])
        bin_ = np.uint64(bins[row])
        so_far = reached[bin_] + weight[row]
        reached[bin_] = so_far
        while so_far >= threshold[bin_]:
            found[step[bin_], bin_] = value[row]
            step[bin_] += 1
            threshold[bin_] = quantiles[step[bin_]] * total[bin_] if step[bin_] < quantiles.size else np.inf
    return found


def quantiles_per_bin(
    bins: IntArray, value: FloatArray, weight: FloatArray, order: IntArray, n_bin: int, quantiles: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Quantiles (quantile, bin) of the value and row counts (bin,)."""
    if order.size and order.shape != value.shape:
        raise ShapeError(f"the order has {order.size} rows but the value has {value.size}; presort it again")
    count, total = tally(bins, weight, n_bin)
    # 1 - 1e-12: the sums along the order and along the rows round differently, and q = 1 must still be reached
    wanted = read_only(np.minimum(np.asarray(quantiles, dtype=float), 1.0 - 1e-12))
    return streamed_quantiles(bins, value, weight, read_only(order), total, wanted), count[:-1]
