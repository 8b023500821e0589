"""The fast kernel of smoothing: medians of many planes over small surroundings, judged by a plain twin in the tests.

It walks plane by plane: all that the kernels of one plane need then lies in the fastest cache. Planes get a margin of
values that are not good, so that no step has to be checked against the border.
"""

from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.types import BoolArray, FloatArray, IntArray


class Kernel(NamedTuple):
    """The surroundings over which medians are taken."""

    offsets: IntArray  # (step, 2) dy, dx, nearest first
    n_steps: IntArray  # (level,) how many of them each level takes
    factor: FloatArray  # (step,) of the error of a mean of 1, 2, ... values
    share: float  # of a kernel's used spaxels that must be good


class Medians(NamedTuple):
    """(plane, y, x) each."""

    flux: FloatArray
    error: FloatArray
    good: BoolArray  # whether there is one


class _Grid(NamedTuple):
    """Where the spaxels lie in a plane with a margin, and what is asked of them."""

    place: IntArray  # (spaxel,) in the plane, flat
    level: IntArray  # (spaxel,)
    steps: IntArray  # (step,) from place to place
    n_steps: IntArray  # (level,)
    needed: FloatArray  # (spaxel,) how many good values


class _Plane(NamedTuple):
    """One plane with its margin, flat."""

    value: FloatArray
    variance: FloatArray
    ok: BoolArray


def median_planes(flux: FloatArray, error: FloatArray, good: BoolArray, level: IntArray, kernel: Kernel) -> Medians:
    """Medians over the kernel of each spaxel's level.

    Parameters: flux, one-sigma error and good, (plane, y, x); level (y, x), 0 for a spaxel that is neither used nor
    smoothed, negative for one that its neighbours use but that is not wanted itself.
    """
    margin = int(np.abs(kernel.offsets).max(initial=0))
    stride = level.shape[1] + 2 * margin
    size = (level.shape[0] + 2 * margin) * stride
    grid = _grid(level, kernel, margin, stride, size)
    flat = [np.ascontiguousarray(part).reshape(len(flux), -1) for part in (flux, error, good)]
    medians = _all_planes(flat[0], flat[1], flat[2], grid, size, kernel.factor.astype(np.float32))
    return Medians(*(part.reshape(flux.shape) for part in medians))


def _grid(level: IntArray, kernel: Kernel, margin: int, stride: int, size: int) -> _Grid:
    """Spaxels in a plane of this size [pixel] with a margin, whose rows are a stride apart."""
    y, x = np.indices(level.shape)
    place = ((y + margin) * stride + x + margin).ravel()
    steps = kernel.offsets[:, 0] * stride + kernel.offsets[:, 1]
    levels = level.ravel().astype(np.int64)
    n_steps = kernel.n_steps.astype(np.int64)
    return _Grid(place, levels, steps, n_steps, _needed(size, place, levels, steps, n_steps, float(kernel.share)))


@njit(nogil=True)
def _all_planes(flux, error, good, grid, size, factor):
    plane = _Plane(np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.bool_))
    out = Medians(np.zeros(flux.shape, np.float32), np.zeros(flux.shape, np.float32), np.zeros(flux.shape, np.bool_))
    buffer = np.empty(len(grid.steps), np.float32)
    wanted = np.nonzero(grid.level > 0)[0]
    for w in range(flux.shape[0]):
        _lay_out(flux[w], error[w], good[w], grid, plane)
        for p in wanted:
            n, total = _gather(plane, grid.place[p], grid.steps[: grid.n_steps[grid.level[p] - 1]], buffer)
            if n >= grid.needed[p]:
                out.flux[w, p] = _median(buffer, n)
                out.error[w, p] = factor[n - 1] * np.sqrt(total) / n
                out.good[w, p] = True
    return out


@njit(nogil=True)
def _lay_out(flux, error, good, grid, plane):
    """One plane of the data into the plane with a margin."""
    for p in range(len(grid.place)):
        at = grid.place[p]
        plane.value[at] = flux[p]
        plane.variance[at] = error[p] ** 2
        plane.ok[at] = good[p] and grid.level[p] != 0


@njit(nogil=True)
def _gather(plane, place, steps, buffer):
    """Copy the good values near a place into buffer; returns how many, and the sum of their variances."""
    n = 0
    total = np.float32(0.0)
    for step in steps:
        q = place + step
        if plane.ok[q]:
            buffer[n] = plane.value[q]
            total += plane.variance[q]
            n += 1
    return n, total


@njit(nogil=True)
def _needed(size, place, level, steps, n_steps, share):
    """How many good values each spaxel needs: a share of the used spaxels in its kernel, at least one."""
    used = np.zeros(size, np.bool_)
    used[place] = level != 0
    needed = np.ones(len(place))
    for p in range(len(place)):
        if level[p] > 0:
            needed[p] = max(share * np.sum(used[place[p] + steps[: n_steps[level[p] - 1]]]), 1.0)
    return needed


@njit(nogil=True)
def _partition(a, low, high):
    """Reorder a[low..high] about its middle value (Hoare); returns the ends of the two parts."""
    pivot = a[(low + high) // 2]
    i = low
    j = high
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
    low = 0
    high = n - 1
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
