"""The fast kernel of smoothing: medians of many planes over small surroundings, judged by a plain twin in the tests.

It walks plane by plane: all that the kernels of one plane need then lies in the fastest cache. Planes get a margin of
values that are not good, so that no step has to be checked against the border.
"""

import numpy as np

from engine.compiled import njit
from engine.types import BoolArray, FloatArray, IntArray


def median_planes(flux: FloatArray, error: FloatArray, good: BoolArray, level: IntArray, kernel: tuple) -> tuple:
    """Median, its error and whether there is one, (plane, y, x) each, over the kernel of each spaxel's level.

    Parameters: flux, one-sigma error and good, (plane, y, x); level (y, x), 0 for a spaxel that is neither used nor
    smoothed, negative for one that its neighbours use but that is not wanted itself; kernel: the steps (dy, dx), how
    many of them each level takes, the factor of the error of a mean of n (n - 1,), and the share of a kernel's used
    spaxels that must be good.
    """
    offsets, count, factor, share = kernel
    margin = int(np.abs(offsets).max(initial=0))
    rows, columns = level.shape
    y, x = np.indices(level.shape)
    place = ((y + margin) * (columns + 2 * margin) + x + margin).ravel()
    steps = offsets[:, 0] * (columns + 2 * margin) + offsets[:, 1]
    size = (rows + 2 * margin) * (columns + 2 * margin)
    flat = (np.ascontiguousarray(part).reshape(len(flux), -1) for part in (flux, error, good))
    grid = place, level.ravel().astype(np.int64), steps, count.astype(np.int64)
    out = _all_planes(*flat, grid, size, (factor.astype(np.float32), float(share)))
    return tuple(part.reshape(flux.shape) for part in out)


@njit(nogil=True)
def _all_planes(flux, error, good, grid, size, how):
    place, level, steps, count = grid
    factor, share = how
    value, variance = np.zeros(size, np.float32), np.zeros(size, np.float32)
    ok = np.zeros(size, np.bool_)
    out, out_error = np.zeros(flux.shape, np.float32), np.zeros(flux.shape, np.float32)
    out_good = np.zeros(flux.shape, np.bool_)
    buffer = np.empty(len(steps), np.float32)
    needed = _needed(ok, grid, share)
    for w in range(flux.shape[0]):
        for p in range(len(place)):
            value[place[p]], variance[place[p]] = flux[w, p], error[w, p] ** 2
            ok[place[p]] = good[w, p] and level[p] != 0
        for p in np.nonzero(level > 0)[0]:
            n, total = _gather(value, variance, ok, (place[p], steps[: count[level[p] - 1]]), buffer)
            if n >= needed[p]:
                out[w, p] = _median(buffer, n)
                out_error[w, p] = factor[n - 1] * np.sqrt(total) / n
                out_good[w, p] = True
    return out, out_error, out_good


@njit(nogil=True)
def _gather(value, variance, ok, near, buffer):
    """Copy the good values near a place into buffer; returns how many, and the sum of their variances."""
    place, steps = near
    n, total = 0, np.float32(0.0)
    for step in steps:
        q = place + step
        if ok[q]:
            buffer[n] = value[q]
            total += variance[q]
            n += 1
    return n, total


@njit(nogil=True)
def _needed(ok, grid, share):
    """How many good values each spaxel needs: a share of the used spaxels in its kernel, at least one."""
    place, level, steps, count = grid
    ok[place] = level != 0
    needed = np.ones(len(place))
    for p in range(len(place)):
        if level[p] > 0:
            needed[p] = max(share * np.sum(ok[place[p] + steps[: count[level[p] - 1]]]), 1.0)
    return needed


@njit(nogil=True)
def _partition(a, low, high):
    """Reorder a[low..high] about its middle value (Hoare); returns the ends of the two parts."""
    pivot = a[(low + high) // 2]
    i, j = low, high
    while i <= j:
        while a[i] < pivot:
            i += 1
        while pivot < a[j]:
            j -= 1
        if i <= j:
            a[i], a[j] = a[j], a[i]
            i += 1
            j -= 1
    return i, j


@njit(nogil=True)
def _median(a, n):
    """Median of the first n values by selection; changes their order. NaN must not be among them."""
    middle = n // 2
    low, high = 0, n - 1
    while low < high:
        i, j = _partition(a, low, high)
        if j < middle:
            low = i
        if middle < i:
            high = j
    if n % 2:
        return a[middle]
    below = a[0]
    for k in range(1, middle):
        below = max(below, a[k])
    return np.float32(0.5) * (below + a[middle])
