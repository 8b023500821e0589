"""Absorption indices of stellar spectra: the same measurement for models and for data.

A Lick-type index compares the flux in a central band with a straight line between the mean fluxes of two side
bands; D4000n compares the fluxes F_nu on both sides of the 4000 Angstrom break. Bands in air, rest frame:
Worthey & Ottaviani (1997), Trager et al. (1998), Balogh et al. (1999); composites as Gallazzi et al. (2005).
"""

from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from engine.compiled import njit
from engine.constants import MAG_PER_E_FOLD
from engine.errors import ShapeError
from engine.features import D4000N_BLUE, D4000N_RED, LICK
from engine.types import BoolArray, FloatArray

SINGLE_NAMES = (*(index.name for index in LICK), "d4000n")

# Fraction of a band's width that good pixels must cover; the group's `spaxel_index`
MIN_COVER_CENTRE, MIN_COVER_SIDE, MIN_COVER_D4000N = 0.9, 0.8, 2.0 / 3.0


class Indices(NamedTuple):
    """Values and one-sigma errors; NaN where the bands are not covered or no errors were given."""

    values: FloatArray
    errors: FloatArray


def measure_indices(
    wave: FloatArray, flux: FloatArray, err: FloatArray | None = None, good: BoolArray | None = None, *,
    edges: FloatArray | None = None, group_errors: bool = False,
) -> Indices:  # fmt: skip
    """The five indices of ZG22, in the order of columns.INDEX_NAMES.

    Parameters: wave (wave,) Angstrom, air, rest frame, rising; flux and err (wave,) or (n, wave) in any common unit
    per Angstrom; good, the same shape, False where a pixel is bad; edges and group_errors as in measure_single.
    Returns values and errors (5,) or (n, 5). Raises ShapeError.
    """
    return combine(measure_single(wave, flux, err, good, edges=edges, group_errors=group_errors))


def measure_single(
    wave: FloatArray, flux: FloatArray, err: FloatArray | None = None, good: BoolArray | None = None, *,
    edges: FloatArray | None = None, group_errors: bool = False,
) -> Indices:  # fmt: skip
    """Every single index, in the order of SINGLE_NAMES: Angstrom, mag for Mg1 and Mg2, a ratio for D4000n.

    Pixels are cut exactly at the edges of a band. Bad pixels are filled by a straight line between good neighbours;
    where a band runs off the spectrum the covered part stands for it, down to the least cover the group's code asks.
    edges: (wave + 1,) borders of the pixels, if they do not lie half way between the centres.
    Errors are propagated to first order, noise independent from pixel to pixel, and agree with Monte Carlo;
    group_errors=True takes the continuum's error as independent in each pixel, as the group's `lineindex` does,
    which comes out up to a third smaller.
    """
    wave, flux = np.asarray(wave, dtype=float), np.asarray(flux)
    _check(wave, flux, err, good)
    cuts = _cut(tuple(_pixel_edges(wave) if edges is None else np.asarray(edges, dtype=float)))
    rows = np.ascontiguousarray(np.atleast_2d(flux))
    good = _good_pixels(rows, err, good)
    noise = np.full((1, 1), np.nan) if err is None else np.atleast_2d(np.asarray(err, dtype=float))
    if good is not None:
        rows, noise = _bridge(wave, rows, good), _bridge(wave, np.broadcast_to(noise, rows.shape), good)
    mask = np.True_ if good is None else good
    # whole arrays: one compiled kernel, whatever was given
    noise, mask = (np.array(np.broadcast_to(part, rows.shape)) for part in (noise, mask))
    values, errors = _measure(wave, rows, noise, mask, *cuts, _IN_MAGNITUDES, group_errors)
    shape = (*flux.shape[:-1], len(SINGLE_NAMES))
    return Indices(values.reshape(shape), errors.reshape(shape))


def combine(single: Indices) -> Indices:
    """The five indices of ZG22 from the single ones, with errors in quadrature (Gallazzi's `measure_idx2`)."""
    value = dict(zip(SINGLE_NAMES, np.moveaxis(single.values, -1, 0), strict=True))
    error = dict(zip(SINGLE_NAMES, np.moveaxis(single.errors, -1, 0), strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        mg2fe, mgfe_prime = _mg2fe(value, error), _mgfe_prime(value, error)
    balmer = value["hdelta_a"] + value["hgamma_a"], np.hypot(error["hdelta_a"], error["hgamma_a"])
    pairs = [(value[name], error[name]) for name in ("d4000n", "hbeta")] + [balmer, mg2fe, mgfe_prime]
    values, errors = (np.stack(column, axis=-1) for column in zip(*pairs, strict=True))
    return Indices(values, errors)


def _mg2fe(value: dict, error: dict) -> tuple[FloatArray, FloatArray]:
    """[Mg2Fe] = 0.6 Mg2 + 0.4 log10(Fe4531 + Fe5015)."""
    iron = value["fe4531"] + value["fe5015"]
    iron = np.where(iron > 0, iron, np.nan)
    iron_error = 0.4 / np.log(10) / iron * np.hypot(error["fe4531"], error["fe5015"])
    return 0.6 * value["mg2"] + 0.4 * np.log10(iron), np.hypot(0.6 * error["mg2"], iron_error)


def _mgfe_prime(value: dict, error: dict) -> tuple[FloatArray, FloatArray]:
    """[MgFe]' = sqrt(Mgb (0.72 Fe5270 + 0.28 Fe5335))."""
    iron = 0.72 * value["fe5270"] + 0.28 * value["fe5335"]
    iron_error = np.hypot(0.72 * error["fe5270"], 0.28 * error["fe5335"])
    product = np.where((iron > 0) & (value["mgb"] > 0), value["mgb"] * iron, np.nan)
    result = np.sqrt(product)
    return result, 0.5 * result * np.hypot(error["mgb"] / value["mgb"], iron_error / iron)


def band_edges() -> FloatArray:
    """All edges of all bands, rising [Angstrom]."""
    return np.unique(_BANDS)


def in_a_band(wave: FloatArray) -> BoolArray:
    """Whether any index looks at these wavelengths."""
    wave = np.asarray(wave)[..., None]
    return ((wave >= _BANDS[:, 0]) & (wave <= _BANDS[:, 1])).any(axis=-1)


_BANDS = np.array(
    [band for index in LICK for band in (index.centre, index.blue, index.red)] + [D4000N_BLUE, D4000N_RED]
)
_IN_MAGNITUDES = np.array([index.in_magnitudes for index in LICK])
_MIN_COVER = np.array([MIN_COVER_CENTRE, MIN_COVER_SIDE, MIN_COVER_SIDE] * len(LICK) + [MIN_COVER_D4000N] * 2)


def _check(wave: FloatArray, flux: FloatArray, err: FloatArray | None, good: BoolArray | None) -> None:
    if wave.ndim != 1 or flux.ndim not in (1, 2) or flux.shape[-1] != wave.size:
        raise ShapeError(f"wave has the shape {wave.shape} but flux {flux.shape}; flux must end in the axis of wave")
    if wave.size < 2 or not (np.diff(wave) > 0).all():
        raise ShapeError("wave must rise and have two points or more")
    for name, part in (("err", err), ("good", good)):
        if part is not None and np.shape(part) != flux.shape:
            raise ShapeError(f"{name} has the shape {np.shape(part)} but flux {flux.shape}")


def _good_pixels(rows: FloatArray, err: FloatArray | None, good: BoolArray | None) -> BoolArray | None:
    """The given mask less pixels without number; None if every pixel is good."""
    mask = np.isfinite(rows)
    if err is not None:
        mask &= np.isfinite(np.atleast_2d(err))
    if good is not None:
        mask &= np.atleast_2d(np.asarray(good, dtype=bool))
    return None if mask.all() else mask


def _bridge(wave: FloatArray, rows: FloatArray, good: BoolArray) -> FloatArray:
    filled = np.array(rows)
    for row in np.flatnonzero(~good.all(axis=1) & good.any(axis=1)):
        bad = ~good[row]
        filled[row, bad] = np.interp(wave[bad], wave[~bad], rows[row, ~bad])
    return filled


def _pixel_edges(wave: FloatArray) -> FloatArray:
    middle = 0.5 * (wave[1:] + wave[:-1])
    return np.concatenate([[2 * wave[0] - middle[0]], middle, [2 * wave[-1] - middle[-1]]])


@lru_cache(maxsize=16)
def _cut(edges: tuple[float, ...]) -> tuple[FloatArray, ...]:
    """First pixel of every band and the one after its last, (band,); overlap (band, wave) [Angstrom]."""
    edges = np.array(edges)
    low, high = _BANDS[:, :1], _BANDS[:, 1:]
    overlap = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, None)
    touched = overlap > 0
    first = touched.argmax(axis=1)
    return first, first + touched.sum(axis=1), overlap


@njit(parallel=True)
def _measure(wave, flux, err, good, first, stop, overlap, in_magnitudes, group_errors):  # noqa: PLR0913, PLR0917
    n, n_lick = flux.shape[0], in_magnitudes.size
    values, errors = np.full((n, n_lick + 1), np.nan), np.full((n, n_lick + 1), np.nan)
    for row in numba.prange(n):
        f, e, g = flux[row], err[row], good[row]
        for k in range(n_lick):
            three = slice(3 * k, 3 * k + 3)
            if _covered(g, first[three], stop[three], overlap[three], 3 * k):
                values[row, k], errors[row, k] = _lick(
                    wave, f, e, 3 * k, first, stop, overlap, in_magnitudes[k], group_errors
                )
        two = slice(3 * n_lick, 3 * n_lick + 2)
        if _covered(g, first[two], stop[two], overlap[two], 3 * n_lick):
            values[row, n_lick], errors[row, n_lick] = _break(wave, f, e, 3 * n_lick, first, stop, overlap)
    return values, errors


@njit()
def _covered(good, first, stop, overlap, place):
    """Whether good pixels cover enough of each band."""
    for b in range(first.size):
        total = 0.0
        for i in range(first[b], stop[b]):
            if good[i]:
                total += overlap[b, i]
        if total < _MIN_COVER[place + b] * (_BANDS[place + b, 1] - _BANDS[place + b, 0]) - 1e-9:
            return False
    return True


@njit()
def _band_mean(flux, err, first, stop, overlap):
    """Mean flux over one band and its error."""
    total, variance, width = 0.0, 0.0, 0.0
    for i in range(first, stop):
        total += overlap[i] * flux[i]
        variance += (overlap[i] * err[i]) ** 2
        width += overlap[i]
    return total / width, np.sqrt(variance) / width


@njit()
def _lick(wave, flux, err, b, first, stop, overlap, in_magnitudes, group_errors):  # noqa: PLR0913, PLR0917
    """Equivalent width, or magnitudes, of a line below the straight line through its side bands; value and error."""
    blue, blue_err = _band_mean(flux, err, first[b + 1], stop[b + 1], overlap[b + 1])
    red, red_err = _band_mean(flux, err, first[b + 2], stop[b + 2], overlap[b + 2])
    at_blue, at_red = _BANDS[b + 1].mean(), _BANDS[b + 2].mean()
    area, width, loose_var, on_blue, on_red = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(first[b], stop[b]):
        x = (wave[i] - at_blue) / (at_red - at_blue)
        continuum, w = blue + (red - blue) * x, overlap[b, i]
        ratio = flux[i] / continuum
        area += w * ratio
        width += w
        on_blue += w * ratio * (1 - x) / continuum
        on_red += w * ratio * x / continuum
        side_var = x * x * (blue_err**2 + red_err**2) + blue_err**2
        loose_var += (w / continuum) ** 2 * (err[i] ** 2 + ratio**2 * side_var)
    on_blue, on_red = on_blue / overlap[b + 1].sum(), on_red / overlap[b + 2].sum()
    tight_var = 0.0  # every pixel's pull on the index, through the line and through both side bands
    no_errors = np.isnan(err[first[b]])
    for i in range(first[b : b + 3].min(), 0 if no_errors else stop[b : b + 3].max()):
        continuum = blue + (red - blue) * (wave[i] - at_blue) / (at_red - at_blue)
        pull = on_blue * overlap[b + 1, i] + on_red * overlap[b + 2, i] - overlap[b, i] / continuum
        tight_var += (pull * err[i]) ** 2
    error = np.nan if no_errors else np.sqrt(loose_var if group_errors else tight_var)
    if in_magnitudes:
        if area <= 0:
            return np.nan, np.nan
        return -2.5 * np.log10(area / width), MAG_PER_E_FOLD * error / area
    scale = (_BANDS[b, 1] - _BANDS[b, 0]) / width  # where the spectrum ends inside the band
    return scale * (width - area), scale * error


@njit()
def _break(wave, flux, err, b, first, stop, overlap):
    """Ratio of the F_nu above to that below 4000 Angstrom, integrated in wavelength; value and error."""
    side, relative = np.zeros(2), np.zeros(2)
    for s in range(2):
        total, variance, width = 0.0, 0.0, 0.0
        for i in range(first[b + s], stop[b + s]):
            w = overlap[b + s, i] * wave[i] ** 2
            total += w * flux[i]
            variance += (w * err[i]) ** 2
            width += overlap[b + s, i]
        side[s], relative[s] = total / width, np.sqrt(variance) / total
    ratio = side[1] / side[0]
    return ratio, abs(ratio) * np.sqrt(relative[0] ** 2 + relative[1] ** 2)
