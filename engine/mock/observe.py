"""How the mock is seen: photons and sky, adaptive smoothing, noise of indices and magnitudes, lost spaxels."""

from typing import NamedTuple

import numpy as np
from numba import njit

from engine.adopted import SMOOTHING_RADIUS_MAX_ARCSEC, SNR_TARGET_PER_ANGSTROM
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray

N_LEVELS = int(SMOOTHING_RADIUS_MAX_ARCSEC)  # kernels grow by one spaxel up to 5 arcsec
MAG_PER_E_FOLD = 2.5 / np.log(10.0)


def smoothing_offsets() -> tuple[IntArray, IntArray]:
    """Steps (dy, dx) from a spaxel, nearest first, and how many of them each smoothing level takes.

    Level n is the spaxel and a corona of n - 1 spaxels (ZG22 app. A), here all with distance below n:
    1, 9, 25, 45, 69 spaxels.
    """
    steps = np.arange(-N_LEVELS, N_LEVELS + 1)
    dy, dx = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    squared = dy**2 + dx**2
    order = np.argsort(squared, kind="stable")
    count = np.searchsorted(squared[order], np.arange(1, N_LEVELS + 1) ** 2)
    return np.stack([dy, dx], axis=1)[order[: count[-1]]], count


def spaxel_snr(brightness: FloatArray, settings: MockSettings, factor: float = 1.0) -> FloatArray:
    """S/N per Angstrom of a spaxel as observed: its photons against those of source and sky.

    brightness [r, mag/arcsec2], any shape; factor is the luck of one galaxy with the weather.
    """
    source, sky, at_21 = (10.0 ** (-0.4 * (m - 21.0)) for m in (brightness, settings.sky_brightness, 21.0))
    photons = np.sqrt(at_21 + sky) / at_21
    return factor * settings.snr_per_angstrom_at_21 * photons * source / np.sqrt(source + sky)


class Smoothing(NamedTuple):
    """Smoothing level (1 to 5) and S/N per Angstrom reached, (y, x) each."""

    level: IntArray
    snr: FloatArray


def choose_smoothing(signal: FloatArray, snr: FloatArray, good: BoolArray, settings: MockSettings) -> Smoothing:
    """The smallest kernel whose median reaches the target S/N of 15 per Angstrom, else the largest.

    Parameters: signal (any unit) and S/N per Angstrom of single spaxels, and the spaxels that may enter a
    kernel, (y, x) each. The noise of N spaxels grows by the correlation factor of Garcia-Benito+15 eq. 1.
    """
    offsets, count = smoothing_offsets()
    slope = 1.07 if settings.correlated_noise else 0.0
    level, reached = _choose(signal, signal / snr, good, offsets, count, (slope, settings.median_penalty))
    return Smoothing(level, reached)


def smooth(values: FloatArray, level: IntArray, good: BoolArray) -> FloatArray:
    """Median of each quantity over the kernel of its spaxel, good spaxels only; values (y, x, quantity)."""
    offsets, count = smoothing_offsets()
    return _smooth(np.ascontiguousarray(values, float), level, good, offsets, count)


def kernel_noise(white: FloatArray, level: IntArray) -> FloatArray:
    """Noise of unit variance that smoothed spaxels share with the neighbours they share spaxels with.

    white: (y, x, quantity) independent unit noise; level: (y, x), 0 counts as 1.
    """
    offsets, count = smoothing_offsets()
    return _kernel_noise(np.ascontiguousarray(white, float), level, offsets, count)


@njit(cache=True)
def _kernel_noise(white, level, offsets, count):
    noise = np.zeros_like(white)
    for y in range(white.shape[0]):
        for x in range(white.shape[1]):
            n = 0
            for k in range(count[max(level[y, x], 1) - 1]):
                j, i = y + offsets[k, 0], x + offsets[k, 1]
                if 0 <= j < white.shape[0] and 0 <= i < white.shape[1]:
                    noise[y, x] += white[j, i]
                    n += 1
            noise[y, x] /= np.sqrt(n)
    return noise


@njit(cache=True)
def _gather(values, good, y, x, offsets, buffer):
    """Copy the good neighbours into buffer; returns how many."""
    n = 0
    for k in range(len(offsets)):
        j, i = y + offsets[k, 0], x + offsets[k, 1]
        if 0 <= j < values.shape[0] and 0 <= i < values.shape[1] and good[j, i]:
            buffer[n] = values[j, i]
            n += 1
    return n


@njit(cache=True)
def _choose(signal, noise, good, offsets, count, noise_of_many):
    slope, penalty = noise_of_many
    level = np.zeros(signal.shape, np.int64)
    reached = np.full(signal.shape, np.nan)
    a, b = np.empty(len(offsets)), np.empty(len(offsets))
    for y, x in zip(*np.nonzero(good)):  # noqa: B905  (numba knows no strict)
        for i in range(len(count)):
            n = _gather(signal, good, y, x, offsets[: count[i]], a)
            _gather(noise, good, y, x, offsets[: count[i]], b)
            error = np.sqrt(np.sum(b[:n] ** 2)) / n
            if n > 1:
                error *= penalty * (1.0 + slope * np.log10(n))
            level[y, x], reached[y, x] = i + 1, np.median(a[:n]) / error
            if reached[y, x] >= SNR_TARGET_PER_ANGSTROM:
                break
    return level, reached


@njit(cache=True)
def _smooth(values, level, good, offsets, count):
    out = np.full(values.shape, np.nan)
    buffer = np.empty(len(offsets))
    for y, x in zip(*np.nonzero(good)):  # noqa: B905
        steps = offsets[: count[level[y, x] - 1]]
        for q in range(values.shape[2]):
            n = _gather(values[:, :, q], good, y, x, steps, buffer)
            out[y, x, q] = np.median(buffer[:n])
    return out


def index_errors(snr: FloatArray, settings: MockSettings) -> FloatArray:
    """One-sigma errors of the five indices at a S/N per Angstrom, (..., 5): photons, and a floor of calibration."""
    at_one = settings.index_noise_factor * np.asarray(settings.index_noise)
    return at_one * np.hypot(1.0 / np.asarray(snr), 1.0 / settings.index_snr_ceiling)[..., None]


def magnitude_errors(brightness: FloatArray, n_spaxels: IntArray, settings: MockSettings) -> FloatArray:
    """One-sigma errors of ugriz [mag]: a floor for calibration and matching, and the sky noise of SDSS.

    Parameters: brightness [mag/arcsec2] (..., 5) and spaxels averaged (...).
    """
    noise = 10.0 ** (-0.4 * (np.asarray(settings.photometric_depth) - brightness))
    sky = MAG_PER_E_FOLD * noise / np.sqrt(np.asarray(n_spaxels, float))[..., None]
    return np.hypot(settings.photometric_floor, sky)


def lost_to_stars(shape: tuple[int, int], settings: MockSettings, rng: np.random.Generator) -> BoolArray:
    """Spaxels covered by foreground stars, (y, x)."""
    y, x = np.indices(shape)
    lost = np.zeros(shape, bool)
    for _ in range(rng.poisson(settings.stars_per_field)):
        at_y, at_x, radius = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(*settings.star_radius)
        lost |= np.hypot(y - at_y, x - at_x) < radius
    return lost
