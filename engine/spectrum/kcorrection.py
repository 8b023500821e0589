"""K-corrections from colours, as Chilingarian et al. (2010) do it, but from stellar models.

At one redshift what a band loses or gains is a smooth function of two colours: a polynomial, fitted to simple
populations behind various amounts of dust. The spectra of a cube do not reach u, i and z; colours do.
"""

from typing import NamedTuple

import numpy as np

from engine.spectrum.photometry import Filter, ab_magnitudes
from engine.types import FloatArray

DUST_DEPTHS = (0.0, 0.5, 1.0)  # of a screen at 5500 Angstrom, falling as lambda^-0.7: choice
_G, _R, _I = 1, 2, 3  # places in ugriz


class KCorrection(NamedTuple):
    """Polynomials of one redshift: ``coefficients`` (term, band); ``scatter`` (band,) [mag] of models about them."""

    coefficients: FloatArray
    scatter: FloatArray


def fit_k_correction(wave: FloatArray, flux: FloatArray, filters: tuple[Filter, ...], redshift: float) -> KCorrection:
    """What ugriz gain at a redshift, fitted to model spectra flux (model, wave) [per Angstrom, rest frame].

    filters: ugriz. Raises ShapeError if the models do not cover them.
    """
    screens = [np.exp(-depth * (wave / 5500.0) ** -0.7) for depth in DUST_DEPTHS]
    models = np.concatenate([flux * screen for screen in screens])
    observed = ab_magnitudes(wave * (1 + redshift), models / (1 + redshift), filters)
    change = observed - ab_magnitudes(wave, models, filters)
    terms = _terms(observed)
    coefficients = np.linalg.lstsq(terms, change, rcond=None)[0]
    return KCorrection(coefficients, np.std(change - terms @ coefficients, axis=0))


def k_corrected(magnitudes: FloatArray, correction: KCorrection) -> FloatArray:
    """Magnitudes ugriz (spaxel, 5) of rest-frame bands; left as they are where g, r or i is missing."""
    change = _terms(magnitudes) @ correction.coefficients
    return magnitudes - np.where(np.isfinite(change), change, 0.0)


def _terms(magnitudes: FloatArray) -> FloatArray:
    """Terms (..., term) in g-r and r-i, held within what galaxies show so that noise is not extrapolated."""
    gr = np.clip(magnitudes[..., _G] - magnitudes[..., _R], -0.6, 1.4)
    ri = np.clip(magnitudes[..., _R] - magnitudes[..., _I], -0.4, 0.8)
    return np.stack([np.ones_like(gr), gr, gr**2, gr**3, ri, ri * gr, ri**2], axis=-1)
