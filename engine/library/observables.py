"""Spectra of stellar populations reduced to what a library is made of: index bands and pieces of filters.

Dust and composition act on these few numbers per population instead of on thousands of wavelengths. Pixels end
exactly where the bands of the indices do, so that nothing is lost in their integrals; pieces of filters are so
narrow that dust is the same all over one.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from engine.adopted import CALIFA_FWHM_ANGSTROM
from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS, TEN_PARSEC_FLUX
from engine.library.ssp import SSPGrid
from engine.spectrum.indices import band_edges, in_a_band
from engine.spectrum.photometry import Filter, band_weights
from engine.spectrum.templates import SSP_FWHM_ANGSTROM
from engine.types import FloatArray, IntArray

SIGMA_GRID = (50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0)  # km/s; choice, see tests/engine/library/test_build.py
PIXEL_MAX_ANGSTROM = 5.0  # choice: the continuum is straight and dust constant within, to 1e-4 of an index
PIECES_PER_FILTER = 12  # choice: ugriz right to 2 mmag in models behind much dust


class Templates(NamedTuple):
    """Reduced populations, (metal, age, ...) float32 per Msun formed."""

    edges: FloatArray  # (pixel + 1,) Angstrom
    pixels: FloatArray  # (metal, age, sigma, pixel) mean flux, Lsun/Angstrom, at the survey's resolution
    piece_wave: FloatArray  # (filter * piece,) Angstrom
    pieces: FloatArray  # (metal, age, filter * piece) flux in units of absolute AB magnitude 0


def make_templates(
    grid: SSPGrid, filters: tuple[Filter, ...], sigma_grid: FloatArray, model_fwhm: float = SSP_FWHM_ANGSTROM,
    fwhm: float = CALIFA_FWHM_ANGSTROM,
) -> Templates:  # fmt: skip
    """Reduce a grid of populations to index pixels, broadened to fwhm [Angstrom] and each sigma [km/s], and filters."""
    edges = pixel_edges()
    narrow = (grid.wave > edges[0] - 100) & (grid.wave < edges[-1] + 100)
    wave = grid.wave[narrow]
    operators = [pixel_operator(wave, edges, _kernel_width(wave, sigma, model_fwhm, fwhm)) for sigma in sigma_grid]
    pixels = np.einsum("maw,spw->masp", grid.flux[..., narrow], np.array(operators, np.float32), optimize=True)
    piece_wave, weights = filter_pieces(grid.wave, filters)
    # float64: the weights are too small for float32
    pieces = (grid.flux @ (weights.T * TEN_PARSEC_FLUX)).astype(np.float32)
    return Templates(edges, pixels, piece_wave, pieces)


def pixel_edges(longest: float = PIXEL_MAX_ANGSTROM) -> FloatArray:
    """Borders of pixels that end where bands end; no band is inside the long pixels between."""
    bands = band_edges()
    parts = []
    for low, high in pairwise(bands):
        n = int(np.ceil((high - low) / longest)) if in_a_band(0.5 * (low + high)) else 1
        parts.append(np.linspace(low, high, n, endpoint=False))
    return np.concatenate([*parts, bands[-1:]])


def pixel_operator(wave: FloatArray, edges: FloatArray, width: FloatArray) -> FloatArray:
    """Matrix (pixel, wave) that smooths by Gaussians of sigma width (wave,) [Angstrom] and averages in pixels."""
    below = ndtr((edges[:, None] - wave) / width)
    return np.diff(below, axis=0) * np.gradient(wave) / np.diff(edges)[:, None]


def filter_pieces(wave: FloatArray, filters: tuple[Filter, ...]) -> tuple[FloatArray, FloatArray]:
    """Effective wavelengths (filter * piece,) and weights (filter * piece, wave); pieces of a filter add up to it."""
    parts = []
    for one in filters:
        weights = band_weights(wave, one)
        piece = _piece_numbers(weights, PIECES_PER_FILTER)
        parts.append(weights * (piece == np.arange(PIECES_PER_FILTER)[:, None]))
    weights = np.concatenate(parts)
    return weights @ wave / weights.sum(axis=1), weights


def _piece_numbers(weights: FloatArray, n: int) -> IntArray:
    """Piece of each wavelength: n of equal weight, the last one being the leak beyond a hole in the filter if any."""
    lit = np.flatnonzero(weights > 0)
    step = np.diff(lit)
    leak = lit[step.argmax() + 1] if step.max() > 1 else weights.size  # the u filter lets some red light through
    main = n if leak == weights.size else n - 1
    share = np.cumsum(weights[:leak]) / weights[:leak].sum()
    return np.append(np.minimum((share * main).astype(int), main - 1), np.full(weights.size - leak, n - 1))


def _kernel_width(wave: FloatArray, sigma: float, model_fwhm: float, fwhm: float) -> FloatArray:
    instrument = (fwhm**2 - model_fwhm**2) / FWHM_PER_SIGMA**2
    return np.sqrt(instrument + (wave * sigma / LIGHT_SPEED_KMS) ** 2)
