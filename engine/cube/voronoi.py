"""Voronoi bins (Cappellari & Copin 2003) instead of adaptive smoothing, for the comparison of ZG22 appendix A."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from engine.cube.smoothing import DEFAULT, Smoothed, SmoothingSettings, smoothing_offsets
from engine.cube.types import Cube
from engine.errors import SettingsError
from engine.types import BoolArray, FloatArray, IntArray

MIN_SNR = 0.5  # per Angstrom; fainter spaxels add more noise than signal to any bin: choice


class VoronoiBins(NamedTuple):
    """As Smoothing, with the bin of each spaxel (0, 1, ...; -1 where it has none), (y, x) each.

    level: 1 for a spaxel alone, else the smallest level whose kernel has as many spaxels as the bin, so that tables
    and pages read both ways of smoothing alike.
    """

    level: IntArray
    snr: FloatArray
    bin: IntArray


def voronoi_bins(
    signal: FloatArray, noise: FloatArray, good: BoolArray, settings: SmoothingSettings = DEFAULT
) -> VoronoiBins:
    """Bins that reach the target S/N each, from the signal and error per Angstrom of single spaxels, (y, x).

    Spaxels that reach the target stay alone, but for a faint neighbour now and then. The noise of n spaxels is that of
    their mean times the factor of correlation. Raises SettingsError where all spaxels together miss the target.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        used = good & np.isfinite(signal) & (noise > 0) & (signal / noise > MIN_SNR)
    bins = np.full(signal.shape, -1)
    reached = np.full(signal.shape, np.nan)
    if used.any():
        bins[used] = _bin_numbers(signal[used], noise[used], np.nonzero(used), settings)
        snr = _bin_snr(signal[used], noise[used], bins[used], settings)
        reached[used] = snr[bins[used]]
    return VoronoiBins(_levels_of_like_size(bins, settings), reached, bins)


def _levels_of_like_size(bins: IntArray, settings: SmoothingSettings) -> IntArray:
    """The smallest level whose kernel has as many spaxels as the bin, (y, x); 0 where there is no bin."""
    used = bins >= 0
    size = np.bincount(bins[used], minlength=1)
    count = smoothing_offsets(settings.levels, settings.kernel)[1]
    return np.where(used, 1 + np.minimum(np.searchsorted(count, size[bins]), settings.levels - 1), 0)


def bin_planes(planes: Smoothed, bins: IntArray, settings: SmoothingSettings = DEFAULT) -> Smoothed:
    """Mean of each plane over the bin of each spaxel, and its error, (plane, y, x) each; good values alone count.

    A plane is good in a bin where the share of its spaxels that the settings ask for is good.
    """
    member = _membership(bins)
    n = _good_values(planes, planes.good.astype(np.float32)) @ member
    enough = (n > 0) & (n >= settings.good_share * member.sum(axis=0))
    n = np.maximum(n, 1.0)
    factor = 1.0 + settings.correlation_slope * np.log10(n)
    flux = _good_values(planes, planes.flux) @ member / n
    error = factor * np.sqrt(_good_values(planes, planes.error) ** 2 @ member) / n
    return Smoothed(
        _of_spaxels(np.where(enough, flux, 0.0), bins).astype(np.float32),
        _of_spaxels(np.where(enough, error, 0.0), bins).astype(np.float32),
        _of_spaxels(enough.astype(np.float32), bins).astype(bool),
    )


def _membership(bins: IntArray) -> FloatArray:
    """1 where a spaxel belongs to a bin, else 0; (spaxel, bin)."""
    flat = bins.ravel()
    member = np.zeros((flat.size, int(bins.max(initial=-1)) + 1), np.float32)
    member[np.flatnonzero(flat >= 0), flat[flat >= 0]] = 1.0
    return member


def _good_values(planes: Smoothed, values: FloatArray) -> FloatArray:
    """Values (plane, y, x) as (plane, spaxel), 0 where they are not good."""
    return np.where(planes.good, values, np.float32(0)).reshape(len(values), -1)


def _of_spaxels(values: FloatArray, bins: IntArray) -> FloatArray:
    """Values of bins (plane, bin) in each spaxel (plane, y, x); 0 where there is no bin."""
    return np.where(bins >= 0, values[:, np.maximum(bins, 0)], 0)


def bin_cube(cube: Cube, bins: IntArray, settings: SmoothingSettings = DEFAULT) -> Cube:
    """The cube with the mean of its bin in each spaxel."""
    return cube._replace(**bin_planes(Smoothed(cube.flux, cube.error, cube.good), bins, settings)._asdict())


def _bin_numbers(
    signal: FloatArray, noise: FloatArray, place: tuple[IntArray, ...], settings: SmoothingSettings
) -> IntArray:
    """One number per spaxel; each alone where all have the target already."""
    if (signal / noise >= settings.target).all():
        return np.arange(signal.size)
    if not _snr(settings)(np.arange(signal.size), signal, noise) >= settings.target:
        raise SettingsError(f"all {signal.size} spaxels together miss a S/N of {settings.target:g}: nothing to bin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its successor
        from vorbin.voronoi_2d_binning import voronoi_2d_binning

        y, x = (axis.astype(float) for axis in place)
        found = voronoi_2d_binning(
            x, y, signal, noise, settings.target, pixelsize=1.0, plot=False, quiet=True, cvt=True, wvt=True,
            sn_func=_snr(settings),
        )  # fmt: skip
    return np.unique(found[0], return_inverse=True)[1]


def _snr(settings: SmoothingSettings) -> Callable[[IntArray, FloatArray, FloatArray], float]:
    """S/N of the mean of some spaxels, as vorbin asks for it: of all (one number)."""

    def of(index: IntArray, signal: FloatArray, noise: FloatArray) -> float:
        factor = 1.0 + settings.correlation_slope * np.log10(np.size(index))
        return float(np.sum(signal[index]) / (factor * np.sqrt(np.sum(noise[index] ** 2))))

    return of


def _bin_snr(signal: FloatArray, noise: FloatArray, bins: IntArray, settings: SmoothingSettings) -> FloatArray:
    n = np.bincount(bins)
    factor = 1.0 + settings.correlation_slope * np.log10(n)
    return np.bincount(bins, signal) / (factor * np.sqrt(np.bincount(bins, noise**2)))
