"""Single absorption indices of many spectra, compiled: bands on pixels, means, continua, values and errors."""

from typing import NamedTuple

import numba
import numpy as np

from engine.compiled import njit
from engine.constants import MAG_PER_E_FOLD
from engine.features import D4000N_BLUE, D4000N_RED, LICK
from engine.types import BoolArray, FloatArray, IntArray

# Fraction of a band's width that good pixels must cover; the group's `spaxel_index`
MIN_COVER_CENTRE = 0.9
MIN_COVER_SIDE = 0.8
MIN_COVER_D4000N = 2.0 / 3.0
BAND_RANGES = np.array(
    [band for index in LICK for band in (index.centre, index.blue, index.red)] + [D4000N_BLUE, D4000N_RED]
)
_IN_MAGNITUDES = np.array([index.in_magnitudes for index in LICK])
_MIN_COVER = np.array([MIN_COVER_CENTRE, MIN_COVER_SIDE, MIN_COVER_SIDE] * len(LICK) + [MIN_COVER_D4000N] * 2)


class BandPixels(NamedTuple):
    """Which pixels lie in which band."""

    first: IntArray  # (band,) pixel
    stop: IntArray  # (band,) the pixel after the last
    overlap: FloatArray  # (band, wave) Angstrom


class _Spectrum(NamedTuple):
    """One spectrum, (wave,) each."""

    wave: FloatArray
    flux: FloatArray
    err: FloatArray
    good: BoolArray


class _Continuum(NamedTuple):
    """The straight line through the mean fluxes of two side bands, which it passes at their middles."""

    at_blue: float  # Angstrom
    at_red: float
    blue: float  # mean flux
    red: float
    blue_err: float
    red_err: float


@njit(parallel=True)
def measure_rows(wave, flux, err, good, first, stop, overlap, group_errors):  # noqa: PLR0913, PLR0917
    """Values and errors (spectrum, index) of spectra (spectrum, wave); loops in parallel take no tuples."""
    n = flux.shape[0]
    n_single = len(_IN_MAGNITUDES) + 1
    values = np.full((n, n_single), np.nan)
    errors = np.full((n, n_single), np.nan)
    for row in numba.prange(n):
        spectrum = _Spectrum(wave, flux[row], err[row], good[row])
        _measure_one(spectrum, BandPixels(first, stop, overlap), group_errors, values[row], errors[row])
    return values, errors


@njit()
def _measure_one(spectrum, pixels, group_errors, values, errors):
    """Write value and error of every index whose bands are covered."""
    n_lick = len(_IN_MAGNITUDES)
    for k in range(n_lick):
        if _covered(spectrum, pixels, 3 * k, 3):
            values[k], errors[k] = _lick(spectrum, pixels, k, group_errors)
    if _covered(spectrum, pixels, 3 * n_lick, 2):
        values[n_lick], errors[n_lick] = _break(spectrum, pixels, 3 * n_lick)


@njit()
def _covered(spectrum, pixels, first_band, number):
    """Whether good pixels cover enough of each of some bands."""
    for b in range(first_band, first_band + number):
        total = 0.0
        for i in range(pixels.first[b], pixels.stop[b]):
            if spectrum.good[i]:
                total += pixels.overlap[b, i]
        if total < _MIN_COVER[b] * (BAND_RANGES[b, 1] - BAND_RANGES[b, 0]) - 1e-9:
            return False
    return True


@njit()
def _lick(spectrum, pixels, k, group_errors):
    """Equivalent width, or magnitudes, of a line below the straight line through its side bands; value and error."""
    b = 3 * k
    line = _continuum(spectrum, pixels, b)
    area, width = _area(spectrum, pixels, b, line)
    error = _area_error(spectrum, pixels, b, line, group_errors)
    if _IN_MAGNITUDES[k]:
        if area <= 0:
            return np.nan, np.nan
        return -2.5 * np.log10(area / width), MAG_PER_E_FOLD * error / area
    scale = (BAND_RANGES[b, 1] - BAND_RANGES[b, 0]) / width  # where the spectrum ends inside the band
    return scale * (width - area), scale * error


@njit()
def _continuum(spectrum, pixels, b):
    blue, blue_err = _band_mean(spectrum, pixels, b + 1)
    red, red_err = _band_mean(spectrum, pixels, b + 2)
    return _Continuum(BAND_RANGES[b + 1].mean(), BAND_RANGES[b + 2].mean(), blue, red, blue_err, red_err)


@njit()
def _band_mean(spectrum, pixels, b, in_nu=False):
    """Mean F_lambda over one band and its error, or those of F_nu up to a factor."""
    total = 0.0
    variance = 0.0
    width = 0.0
    for i in range(pixels.first[b], pixels.stop[b]):
        overlap = pixels.overlap[b, i]
        weight = overlap * spectrum.wave[i] ** 2 if in_nu else overlap
        total += weight * spectrum.flux[i]
        variance += (weight * spectrum.err[i]) ** 2
        width += overlap
    return total / width, np.sqrt(variance) / width


@njit()
def _share_of_red(line, wave):
    """How much of the continuum at a wavelength is that of the red band; the rest is that of the blue one."""
    return (wave - line.at_blue) / (line.at_red - line.at_blue)


@njit()
def _height(line, wave):
    return line.blue + (line.red - line.blue) * _share_of_red(line, wave)


@njit()
def _area(spectrum, pixels, b, line):
    """Integral of flux over continuum in the central band, and the width covered."""
    area = 0.0
    width = 0.0
    for i in range(pixels.first[b], pixels.stop[b]):
        weight = pixels.overlap[b, i]
        area += weight * spectrum.flux[i] / _height(line, spectrum.wave[i])
        width += weight
    return area, width


@njit()
def _area_error(spectrum, pixels, b, line, group_errors):
    if np.isnan(spectrum.err[pixels.first[b]]):  # no errors were given
        return np.nan
    if group_errors:
        return np.sqrt(_loose_variance(spectrum, pixels, b, line))
    return np.sqrt(_tight_variance(spectrum, pixels, b, line))


@njit()
def _loose_variance(spectrum, pixels, b, line):
    """Variance of the area with the continuum's error taken as independent in each pixel."""
    variance = 0.0
    for i in range(pixels.first[b], pixels.stop[b]):
        red = _share_of_red(line, spectrum.wave[i])
        continuum = _height(line, spectrum.wave[i])
        side = red * red * (line.blue_err**2 + line.red_err**2) + line.blue_err**2
        own = spectrum.err[i] ** 2 + (spectrum.flux[i] / continuum) ** 2 * side
        variance += (pixels.overlap[b, i] / continuum) ** 2 * own
    return variance


@njit()
def _tight_variance(spectrum, pixels, b, line):
    """Variance of the area from every pixel's pull on it, through the line and through both side bands."""
    on_blue, on_red = _pulls_of_side_bands(spectrum, pixels, b, line)
    variance = 0.0
    for i in range(pixels.first[b : b + 3].min(), pixels.stop[b : b + 3].max()):
        through_sides = on_blue * pixels.overlap[b + 1, i] + on_red * pixels.overlap[b + 2, i]
        pull = through_sides - pixels.overlap[b, i] / _height(line, spectrum.wave[i])
        variance += (pull * spectrum.err[i]) ** 2
    return variance


@njit()
def _pulls_of_side_bands(spectrum, pixels, b, line):
    """How much the area falls when the flux of a side band rises, per Angstrom of it; blue and red."""
    on_blue = 0.0
    on_red = 0.0
    for i in range(pixels.first[b], pixels.stop[b]):
        red = _share_of_red(line, spectrum.wave[i])
        pull = pixels.overlap[b, i] * spectrum.flux[i] / _height(line, spectrum.wave[i]) ** 2
        on_blue += pull * (1 - red)
        on_red += pull * red
    return on_blue / pixels.overlap[b + 1].sum(), on_red / pixels.overlap[b + 2].sum()


@njit()
def _break(spectrum, pixels, b):
    """Ratio of the F_nu above to that below 4000 Angstrom, integrated in wavelength; value and error."""
    below, below_err = _band_mean(spectrum, pixels, b, in_nu=True)
    above, above_err = _band_mean(spectrum, pixels, b + 1, in_nu=True)
    ratio = above / below
    return ratio, abs(ratio) * np.sqrt((below_err / below) ** 2 + (above_err / above) ** 2)
