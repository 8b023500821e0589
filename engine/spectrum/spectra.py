"""Observed spectra of one galaxy, what is good in them, and the same spectra at rest."""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from engine.adopted import CALIFA_PIXEL_ANGSTROM
from engine.constants import LIGHT_SPEED_KMS
from engine.errors import ShapeError
from engine.types import BoolArray, FloatArray

REST_GRID = np.arange(3660.0, 7240.0, CALIFA_PIXEL_ANGSTROM)
_HUGE_ERROR = 1e3  # times the median: such errors mark bad pixels in CALIFA cubes


class Spectra(NamedTuple):
    """Spectra on common wavelengths as observed, in any common unit per Angstrom."""

    wave: FloatArray  # (wave,) Angstrom, air, observed, rising
    flux: FloatArray  # (spaxel, wave)
    err: FloatArray  # (spaxel, wave) one sigma
    good: BoolArray  # (spaxel, wave) False where a pixel is not to be used


class RestSpectra(NamedTuple):
    """Spectra on one grid in the rest frame of their stars."""

    wave: FloatArray  # (wave,) Angstrom, air
    flux: FloatArray  # (spaxel, wave) per Angstrom as observed
    err: FloatArray  # (spaxel, wave)
    good: BoolArray  # (spaxel, wave) False where the data were bad or do not reach


def make_spectra(wave: FloatArray, flux: FloatArray, err: FloatArray, good: BoolArray | None = None) -> Spectra:
    """Spectra with every pixel that has no number, no error or a huge one marked as bad; raises ShapeError."""
    wave, flux, err = (np.asarray(part, dtype=float) for part in (wave, flux, err))
    _check_shapes(wave, flux, err, good)
    fine = np.isfinite(flux) & np.isfinite(err) & (err > 0)
    if good is not None:
        fine &= np.asarray(good, dtype=bool)
    for row in np.flatnonzero(fine.any(axis=1)):
        fine[row] &= err[row] < _HUGE_ERROR * np.median(err[row, fine[row]])
    return Spectra(wave, flux, err, fine)


def _check_shapes(wave: FloatArray, flux: FloatArray, err: FloatArray, good: BoolArray | None) -> None:
    if flux.ndim != 2 or flux.shape[1] != wave.size:
        raise ShapeError(f"flux has the shape {flux.shape} but wave {wave.shape}; want (spaxel, wave)")
    check_companions(wave, flux, err, good)


def check_companions(wave: FloatArray, flux: FloatArray, err: FloatArray | None, good: BoolArray | None) -> None:
    """Raise ShapeError unless wavelengths rise, and errors and masks have the shape of the fluxes."""
    if wave.size < 2 or not (np.diff(wave) > 0).all():
        raise ShapeError("wave must rise and have two points or more")
    for name, part in (("err", err), ("good", good)):
        if part is not None and np.shape(part) != flux.shape:
            raise ShapeError(f"{name} has the shape {np.shape(part)} but flux {flux.shape}")


def bridge(wave: FloatArray, rows: FloatArray, good: BoolArray) -> FloatArray:
    """Rows (spaxel, wave) with bad pixels filled by straight lines; all 1 where nothing is good."""
    filled = np.array(rows, dtype=float)
    for row in np.flatnonzero(~good.all(axis=1)):
        fine = good[row]
        filled[row, ~fine] = np.interp(wave[~fine], wave[fine], filled[row, fine]) if fine.any() else 1.0
    return filled


def interpolate_linear(position: FloatArray, rows: FloatArray) -> FloatArray:
    """Rows (n, pixel) read at fractional positions (m,) by straight lines: (n, m)."""
    first = np.clip(np.floor(position).astype(int), 0, rows.shape[1] - 2)
    t = np.clip(position - first, 0.0, 1.0)
    return (1 - t) * rows[:, first] + t * rows[:, first + 1]


def rest_frame(
    spectra: Spectra, fill: FloatArray, v_star: FloatArray, redshift: float, grid: FloatArray = REST_GRID
) -> RestSpectra:
    """Spectra on one grid [Angstrom, air] in the rest frame of their stars, as measure_indices wants them.

    fill (spaxel, wave): the stellar fit, which bad pixels take as the group's index code does (NaN: straight lines
    instead); v_star (spaxel,) km/s. A cubic spline keeps the resolution; the errors are those of the data's pixels,
    interpolated and not averaged down, so that errors of bands, many pixels wide, come out as in the data. Fluxes
    stay per Angstrom as observed. Beyond the data: flux NaN, good False.
    """
    filled = bridge(spectra.wave, np.where(spectra.good, spectra.flux, fill), spectra.good | np.isfinite(fill))
    variance = bridge(spectra.wave, spectra.err**2, spectra.good)
    result = _empty_rest(len(filled), grid)
    for row in np.flatnonzero(spectra.good.any(axis=1) & np.isfinite(v_star)):
        one = _Bridged(spectra.wave, filled[row], variance[row], spectra.good[row])
        _to_rest(one, (1 + redshift) * np.exp(v_star[row] / LIGHT_SPEED_KMS), int(row), result)
    return result


def _empty_rest(n: int, grid: FloatArray) -> RestSpectra:
    shape = (n, grid.size)
    return RestSpectra(grid, np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, bool))


class _Bridged(NamedTuple):
    """One spectrum as observed, (wave,) each, with numbers where it is bad too."""

    wave: FloatArray
    flux: FloatArray
    variance: FloatArray
    good: BoolArray


def _to_rest(one: _Bridged, stretch: float, row: int, result: RestSpectra) -> None:
    """Write one spectrum at wavelengths shorter by the factor stretch into its row of the result."""
    at = result.wave * stretch
    inside = (at >= one.wave[0]) & (at <= one.wave[-1])
    at = at[inside]
    position = np.interp(at, one.wave, np.arange(one.wave.size))
    below = np.minimum(position.astype(int), one.wave.size - 2)
    nearest = below + (position - below >= 0.5)
    pixel = one.wave[below + 1] - one.wave[below]
    step = stretch * np.gradient(result.wave)[inside]
    result.flux[row, inside] = CubicSpline(one.wave, one.flux)(at)
    result.err[row, inside] = _error_at(one.variance, position, pixel / step)
    result.good[row, inside] = one.good[nearest]


def _error_at(variance: FloatArray, position: FloatArray, pixels_per_step: FloatArray) -> FloatArray:
    """One sigma at fractional positions of a spectrum, so that bands many pixels wide have the error of the data."""
    return np.sqrt(interpolate_linear(position, variance[None])[0] * pixels_per_step)
