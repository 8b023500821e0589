"""How the mock is seen: photons and sky, adaptive smoothing, noise of indices and magnitudes, lost spaxels."""

import numpy as np

from engine.compiled import njit
from engine.constants import MAG_PER_E_FOLD
from engine.cube.smoothing import (
    CORRELATION_SLOPE,
    Smoothing,
    SmoothingSettings,
    choose_levels,
    smoothing_offsets,
)
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray


def spaxel_snr(brightness: FloatArray, settings: MockSettings, factor: float = 1.0) -> FloatArray:
    """S/N per Angstrom of a spaxel as observed: its photons against those of source and sky.

    brightness [r, mag/arcsec2], any shape; factor is the luck of one galaxy with the weather.
    """
    source, sky, at_21 = (10.0 ** (-0.4 * (m - 21.0)) for m in (brightness, settings.sky_brightness, 21.0))
    photons = np.sqrt(at_21 + sky) / at_21
    return factor * settings.snr_per_angstrom_at_21 * photons * source / np.sqrt(source + sky)


def choose_smoothing(signal: FloatArray, snr: FloatArray, good: BoolArray, settings: MockSettings) -> Smoothing:
    """Levels and S/N per Angstrom reached, (y, x), as engine.cube chooses them for a cube.

    Parameters: signal (any unit) and S/N per Angstrom of single spaxels, and the spaxels that may enter a kernel.
    """
    slope = CORRELATION_SLOPE if settings.correlated_noise else 0.0
    how = SmoothingSettings(correlation_slope=slope, median_penalty=settings.median_penalty)
    return choose_levels(signal, signal / snr, good, how)


def kernel_noise(white: FloatArray, level: IntArray) -> FloatArray:
    """Noise of unit variance that smoothed spaxels share with the neighbours they share spaxels with.

    white: (y, x, quantity) independent unit noise; level: (y, x), 0 counts as 1.
    """
    offsets, count = smoothing_offsets()
    return _kernel_noise(np.ascontiguousarray(white, float), level, offsets, count)


@njit()
def _kernel_noise(white, level, offsets, count):
    noise = np.zeros_like(white)
    for y in range(white.shape[0]):
        for x in range(white.shape[1]):
            n = 0
            for k in range(count[max(level[y, x], 1) - 1]):
                j = y + offsets[k, 0]
                i = x + offsets[k, 1]
                if 0 <= j < white.shape[0] and 0 <= i < white.shape[1]:
                    noise[y, x] += white[j, i]
                    n += 1
            noise[y, x] /= np.sqrt(n)
    return noise


def kernel_sums(values: FloatArray, level: IntArray, good: BoolArray) -> FloatArray:
    """Sums over the good spaxels of each kernel; values (y, x, quantity), level (y, x), of which 0 counts as 1."""
    offsets, count = smoothing_offsets()
    return _kernel_sums(np.ascontiguousarray(values, float), level, good, offsets, count)


@njit()
def _kernel_sums(values, level, good, offsets, count):
    sums = np.zeros_like(values)
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            for k in range(count[max(level[y, x], 1) - 1]):
                j = y + offsets[k, 0]
                i = x + offsets[k, 1]
                if 0 <= j < values.shape[0] and 0 <= i < values.shape[1] and good[j, i]:
                    sums[y, x] += values[j, i]
    return sums


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
        at_y = rng.uniform(0, shape[0])
        at_x = rng.uniform(0, shape[1])
        radius = rng.uniform(*settings.star_radius)
        lost |= np.hypot(y - at_y, x - at_x) < radius
    return lost
