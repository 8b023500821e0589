"""Absorption indices of stellar spectra: the same measurement for models and for data.

A Lick-type index compares the flux in a central band with a straight line between the mean fluxes of two side
bands; D4000n compares the fluxes F_nu on both sides of the 4000 Angstrom break. Bands in air, rest frame:
Worthey & Ottaviani (1997), Trager et al. (1998), Balogh et al. (1999); composites as Gallazzi et al. (2005).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.errors import ShapeError
from engine.features import LICK
from engine.spectrum.index_kernels import BAND_RANGES, BandPixels, measure_rows
from engine.spectrum.spectra import check_companions
from engine.types import BoolArray, FloatArray

SINGLE_NAMES = (*(index.name for index in LICK), "d4000n")


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
    wave = np.asarray(wave, dtype=float)
    flux = np.asarray(flux, dtype=float)  # so that one compiled kernel serves whatever precision was given
    _check(wave, flux, err, good)
    pixels = _cut(tuple(_pixel_edges(wave) if edges is None else np.asarray(edges, dtype=float)))
    rows = _whole_rows(wave, np.ascontiguousarray(np.atleast_2d(flux)), err, good)
    values, errors = measure_rows(wave, *rows, *pixels, group_errors)
    shape = (*flux.shape[:-1], len(SINGLE_NAMES))
    return Indices(values.reshape(shape), errors.reshape(shape))


class _Rows(NamedTuple):
    """Spectra without gaps, (row, wave) each."""

    flux: FloatArray
    noise: FloatArray  # NaN if not known
    good: BoolArray


def _whole_rows(wave: FloatArray, rows: FloatArray, err: FloatArray | None, good: BoolArray | None) -> _Rows:
    """Bad pixels filled; whole arrays, so that one compiled kernel serves whatever was given."""
    usable = _good_pixels(rows, err, good)
    noise = np.full((1, 1), np.nan) if err is None else np.atleast_2d(np.asarray(err, dtype=float))
    noise = np.array(np.broadcast_to(noise, rows.shape))
    if usable is None:
        return _Rows(rows, noise, np.ones(rows.shape, bool))
    return _Rows(_bridge(wave, rows, usable), _bridge(wave, noise, usable), usable)


def combine(single: Indices) -> Indices:
    """The five indices of ZG22 from the single ones, with errors in quadrature (Gallazzi's `measure_idx2`)."""
    value = dict(zip(SINGLE_NAMES, np.moveaxis(single.values, -1, 0), strict=True))
    error = dict(zip(SINGLE_NAMES, np.moveaxis(single.errors, -1, 0), strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        mg2fe = _mg2fe(value, error)
        mgfe_prime = _mgfe_prime(value, error)
    balmer = value["hdelta_a"] + value["hgamma_a"], np.hypot(error["hdelta_a"], error["hgamma_a"])
    pairs = [(value[name], error[name]) for name in ("d4000n", "hbeta")] + [balmer, mg2fe, mgfe_prime]
    values, errors = (np.stack(column, axis=-1) for column in zip(*pairs, strict=True))
    return Indices(values, errors)


def _mg2fe(value: dict[str, FloatArray], error: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """[Mg2Fe] = 0.6 Mg2 + 0.4 log10(Fe4531 + Fe5015)."""
    iron = value["fe4531"] + value["fe5015"]
    iron = np.where(iron > 0, iron, np.nan)
    iron_error = 0.4 / np.log(10) / iron * np.hypot(error["fe4531"], error["fe5015"])
    return 0.6 * value["mg2"] + 0.4 * np.log10(iron), np.hypot(0.6 * error["mg2"], iron_error)


def _mgfe_prime(value: dict[str, FloatArray], error: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """[MgFe]' = sqrt(Mgb (0.72 Fe5270 + 0.28 Fe5335))."""
    iron = 0.72 * value["fe5270"] + 0.28 * value["fe5335"]
    iron_error = np.hypot(0.72 * error["fe5270"], 0.28 * error["fe5335"])
    product = np.where((iron > 0) & (value["mgb"] > 0), value["mgb"] * iron, np.nan)
    result = np.sqrt(product)
    return result, 0.5 * result * np.hypot(error["mgb"] / value["mgb"], iron_error / iron)


def band_edges() -> FloatArray:
    """All edges of all bands, rising [Angstrom]."""
    return np.unique(BAND_RANGES)


def in_a_band(wave: FloatArray) -> BoolArray:
    """Whether any index looks at these wavelengths."""
    wave = np.asarray(wave)[..., None]
    return np.any((wave >= BAND_RANGES[:, 0]) & (wave <= BAND_RANGES[:, 1]), axis=-1)


def _check(wave: FloatArray, flux: FloatArray, err: FloatArray | None, good: BoolArray | None) -> None:
    if wave.ndim != 1 or flux.ndim not in (1, 2) or flux.shape[-1] != wave.size:
        raise ShapeError(f"wave has the shape {wave.shape} but flux {flux.shape}; flux must end in the axis of wave")
    check_companions(wave, flux, err, good)


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
def _cut(edges: tuple[float, ...]) -> BandPixels:
    """The bands on pixels with these edges [Angstrom]."""
    low = BAND_RANGES[:, :1]
    high = BAND_RANGES[:, 1:]
    overlap = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, None)
    touched = overlap > 0
    first = touched.argmax(axis=1)
    return BandPixels(first, first + touched.sum(axis=1), overlap)
