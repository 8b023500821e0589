"""Adaptive smoothing: the median over the smallest surroundings that reach the S/N wanted, up to 5 arcsec.

The algorithm is ADAPTSMOOTH (Zibetti 2009, arXiv:0911.4956) as used in ZG22 sec. 2.1 and appendix A: one map of levels
is chosen on the cube and applied to the cube and to all images. Masked spaxels never enter a kernel.
"""

from typing import NamedTuple

import numpy as np

from engine.adopted import SMOOTHING_RADIUS_MAX_ARCSEC, SNR_MINIMUM_PER_ANGSTROM, SNR_TARGET_PER_ANGSTROM
from engine.compiled import njit
from engine.cube.medians import Kernel, median_planes
from engine.cube.types import Cube
from engine.errors import SettingsError, ShapeError
from engine.flags import SpaxelFlag
from engine.types import BoolArray, FloatArray, IntArray

N_LEVELS = int(SMOOTHING_RADIUS_MAX_ARCSEC)  # kernels of CALIFA's 1 arcsec spaxels grow by one up to 5 arcsec
CORRELATION_SLOPE = 1.07  # Garcia-Benito+15 eq. 1: errors of N summed spaxels are 1 + 1.07 log10 N times larger
MEDIAN_PENALTY = 1.2533  # noise of a median over that of a mean, sqrt(pi/2)
KERNELS = ("below", "within")


class SmoothingSettings(NamedTuple):
    """How far to smooth. Levels count spaxels: with spaxels of 1 arcsec level 5 is the 5 arcsec of the paper.

    kernel: "below" takes all spaxels nearer than the level (1, 9, 25, 45, 69), "within" those up to level - 1
    (1, 5, 13, 29, 49). The words of ZG22 app. A allow both; that 8.6 % of its spaxels are of level 2 speaks for the
    first (a disc gives 7 % against 1 %). correlation_slope 0: independent spaxels. good_share: of a kernel's spaxels,
    how many must be good at one wavelength for it to be good: choice.
    """

    target: float = SNR_TARGET_PER_ANGSTROM
    minimum: float = SNR_MINIMUM_PER_ANGSTROM
    levels: int = N_LEVELS
    kernel: str = "below"
    correlation_slope: float = CORRELATION_SLOPE
    median_penalty: float = MEDIAN_PENALTY
    good_share: float = 0.5


DEFAULT = SmoothingSettings()


class Smoothing(NamedTuple):
    """Smoothing level (1 to 5; 0 where a spaxel may not be used) and S/N per Angstrom reached, (y, x) each."""

    level: IntArray
    snr: FloatArray


class Smoothed(NamedTuple):
    """Smoothed planes with one-sigma errors, (plane, y, x) each; where not good they are 0."""

    flux: FloatArray
    error: FloatArray
    good: BoolArray


def smoothing_offsets(levels: int = N_LEVELS, kernel: str = "below") -> tuple[IntArray, IntArray]:
    """Steps (dy, dx) from a spaxel, nearest first, and how many of them each smoothing level takes."""
    if kernel not in KERNELS:
        raise SettingsError(f"the smoothing kernel is one of {', '.join(KERNELS)}, not {kernel!r}")
    steps = np.arange(-levels, levels + 1)
    dy, dx = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    squared = dy**2 + dx**2
    order = np.argsort(squared, kind="stable")
    count = _steps_per_level(squared[order], levels, kernel)
    return np.stack([dy, dx], axis=1)[order[: count[-1]]], count


def _steps_per_level(squared: IntArray, levels: int, kernel: str) -> IntArray:
    """From the squares of the distances of all steps, rising."""
    level = np.arange(1, levels + 1)
    if kernel == "below":
        return np.searchsorted(squared, level**2)
    return np.searchsorted(squared, (level - 1) ** 2, side="right")


def choose_levels(
    signal: FloatArray, noise: FloatArray, good: BoolArray, settings: SmoothingSettings = DEFAULT
) -> Smoothing:
    """The smallest kernel whose median reaches the target S/N, else the largest.

    Parameters: signal and its error per Angstrom in single spaxels, and the spaxels that may enter a kernel, (y, x)
    each. The noise of N spaxels is that of their mean, times the median's penalty, times the factor of correlation.
    """
    offsets, count = smoothing_offsets(settings.levels, settings.kernel)
    good = good & np.isfinite(signal) & np.isfinite(noise) & (noise > 0)
    how = settings.target, settings.correlation_slope, settings.median_penalty
    return Smoothing(*_choose(np.asarray(signal, float), np.asarray(noise, float), good, offsets, count, how))


def smooth_maps(
    values: FloatArray, level: IntArray, good: BoolArray, settings: SmoothingSettings = DEFAULT
) -> FloatArray:
    """Median of each quantity over the kernel of its spaxel, good spaxels only; values (y, x, quantity)."""
    offsets, count = smoothing_offsets(settings.levels, settings.kernel)
    return _smooth(np.ascontiguousarray(values, float), level, good, offsets, count)


def smooth_planes(
    planes: Smoothed, level: IntArray, usable: BoolArray, settings: SmoothingSettings = DEFAULT,
    wanted: BoolArray | None = None,
) -> Smoothed:  # fmt: skip
    """Median of each plane (wavelength or band) over the kernel of each spaxel, and its error.

    Parameters: planes as observed, (plane, y, x); level, the spaxels that may be used and those whose median is wanted
    (all if not given), (y, x). A spaxel of level 1 stays as observed. In a plane only good values of usable spaxels
    count, and too few of them give none.
    """
    if planes.flux.shape[1:] != level.shape or level.shape != usable.shape:
        raise ShapeError(f"planes {planes.flux.shape}, levels {level.shape} and mask {usable.shape} differ")
    offsets, count = smoothing_offsets(settings.levels, settings.kernel)
    factor = 1.0 + settings.correlation_slope * np.log10(np.arange(1, len(offsets) + 1))
    factor[1:] *= settings.median_penalty
    used = np.where(usable, level, 0)
    used = used if wanted is None else np.where(wanted, used, -used)
    kernel = Kernel(offsets, count, factor, settings.good_share)
    return Smoothed(*median_planes(*planes, used, kernel))


def smooth_cube(
    cube: Cube, level: IntArray, usable: BoolArray, settings: SmoothingSettings = DEFAULT,
    wanted: BoolArray | None = None,
) -> Cube:  # fmt: skip
    """The cube with every usable and wanted spaxel the median over its kernel; others lose their spectrum."""
    planes = smooth_planes(Smoothed(cube.flux, cube.error, cube.good), level, usable, settings, wanted)
    return cube._replace(**planes._asdict())


def smoothing_flags(smoothing: Smoothing, settings: SmoothingSettings = DEFAULT) -> IntArray:
    """Flags of smoothed spaxels, (y, x): what was done, what was missed; 0 where level is 0."""
    used = smoothing.level > 0
    flags = np.where(smoothing.level > 1, SpaxelFlag.SMOOTHED.value, 0)
    flags |= np.where(used & ~(smoothing.snr >= settings.target), SpaxelFlag.TARGET_MISSED.value, 0)
    return flags | np.where(used & ~(smoothing.snr >= settings.minimum), SpaxelFlag.SNR_TOO_LOW.value, 0)


def level_fractions(level: IntArray, kept: BoolArray, levels: int = N_LEVELS) -> FloatArray:
    """Shares of the kept spaxels at levels 1, 2, ...; NaN if nothing is kept."""
    n = np.bincount(level[kept], minlength=levels + 1)[1:].astype(float)
    return n / n.sum() if n.sum() else np.full(levels, np.nan)


@njit()
def _gather(values, good, y, x, offsets, buffer):
    """Copy the good neighbours into buffer; returns how many."""
    n = 0
    for k in range(len(offsets)):
        j = y + offsets[k, 0]
        i = x + offsets[k, 1]
        if 0 <= j < values.shape[0] and 0 <= i < values.shape[1] and good[j, i]:
            buffer[n] = values[j, i]
            n += 1
    return n


@njit()
def _choose(signal, noise, good, offsets, count, how):
    target, slope, penalty = how
    level = np.zeros(signal.shape, np.int64)
    reached = np.full(signal.shape, np.nan)
    a = np.empty(len(offsets))
    b = np.empty(len(offsets))
    for y, x in zip(*np.nonzero(good)):  # noqa: B905  (numba knows no strict)
        for i in range(len(count)):
            n = _gather(signal, good, y, x, offsets[: count[i]], a)
            _gather(noise, good, y, x, offsets[: count[i]], b)
            level[y, x] = i + 1
            reached[y, x] = np.median(a[:n]) / _error_of_median(b[:n], slope, penalty)
            if reached[y, x] >= target:
                break
    return level, reached


@njit()
def _error_of_median(noise, slope, penalty):
    """Of spaxels whose noise is correlated; that of a single one is its own."""
    n = len(noise)
    error = np.sqrt(np.sum(noise**2)) / n
    return error * (penalty * (1.0 + slope * np.log10(n))) if n > 1 else error


@njit()
def _smooth(values, level, good, offsets, count):
    out = np.full(values.shape, np.nan)
    buffer = np.empty(len(offsets))
    for y, x in zip(*np.nonzero(good)):  # noqa: B905
        steps = offsets[: count[level[y, x] - 1]]
        for q in range(values.shape[2]):
            n = _gather(values[:, :, q], good, y, x, steps, buffer)
            out[y, x, q] = np.median(buffer[:n])
    return out
