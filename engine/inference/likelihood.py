"""Chi-square of a region against model galaxies, the stellar mass density fitted out analytically (ZG22 sec. 2.2).

A model predicts five indices m_k and five fluxes g_b per unit of stellar mass density. With the fluxes in units
of their errors the best scale is A / B, where A = sum(f g) and B = sum(g g), never below zero; then

    chi2 = sum over indices of ((m - o) / e)^2  +  sum over bands of (f - A/B g)^2.

An observable that is not there has the inverse error 0 and so adds nothing: no branch, no NaN in the loops.
The residuals are summed as they stand; the shorter F - A^2 / B would lose its digits in float32.
"""

from typing import NamedTuple

import numba
import numpy as np

from engine.types import FloatArray

BLOCK = 512  # models per block: ten float32 rows of it stay in the first-level cache
N_INDEX, N_BAND = 5, 5
MAX_INVERSE_ERROR = 1e8  # keeps squares within float32; no observation is that good

# Sums may be reordered: everything that enters is finite by construction.
_FAST = {"contract", "reassoc", "nsz", "nnan", "arcp"}


class Whitened(NamedTuple):
    """Observations in units of their errors, float32; 0 in both where there is nothing.

    ``log_unit`` is what log10(scale) has to be raised by to be log mu_star.
    """

    index: FloatArray  # (spaxel, 5) o / e
    index_weight: FloatArray  # (spaxel, 5) 1 / e
    flux: FloatArray  # (spaxel, 5) f / s
    flux_weight: FloatArray  # (spaxel, 5) 1 / s over the largest of the spaxel
    log_unit: FloatArray  # (spaxel,) float64


def inverse_errors(value: FloatArray, error: FloatArray) -> FloatArray:
    """1 / error where both are usable, else 0."""
    usable = np.isfinite(value) & np.isfinite(error) & (error > 0)
    return np.where(usable, 1.0 / np.maximum(np.where(usable, error, 1.0), 1.0 / MAX_INVERSE_ERROR), 0.0)


def whiten(
    indices: FloatArray, index_errors: FloatArray, flux: FloatArray, flux_errors: FloatArray, flux_unit: float
) -> Whitened:
    """Indices and fluxes (spaxel, 5) over their errors.

    ``flux_unit`` is the unit in which the models' fluxes are given to the kernel; it keeps float32 in range.
    """
    index_weight = inverse_errors(indices, index_errors)
    brightest = np.max(np.abs(np.where(np.isfinite(flux), flux, 0.0)), axis=1, keepdims=True)
    brightest[brightest == 0] = 1.0
    flux_weight = inverse_errors(flux / brightest, flux_errors / brightest)
    largest = np.maximum(flux_weight.max(axis=1, keepdims=True), 1.0)
    whitened = (
        np.where(index_weight > 0, indices, 0.0) * index_weight,
        index_weight,
        np.where(flux_weight > 0, flux / brightest, 0.0) * flux_weight,
        flux_weight / largest,
    )
    log_unit = np.log10(brightest / largest / flux_unit)[:, 0]
    return Whitened(*(part.astype(np.float32) for part in whitened), log_unit)


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def chi2_of_block(models, index, index_weight, flux, flux_weight, out):
    """Chi-square and scale of a block of models for one spaxel, into ``out``; returns the smallest chi-square.

    models (10 * BLOCK,): five indices, then five fluxes, model by model; index ... flux_weight (5,) as in Whitened;
    out (2 * BLOCK,): chi-square, then scale. All float32 and written out by hand: only so, with few and flat
    arrays, does the compiler use vector instructions (eight times faster).
    """
    o0, o1, o2, o3, o4 = index[0], index[1], index[2], index[3], index[4]
    w0, w1, w2, w3, w4 = index_weight[0], index_weight[1], index_weight[2], index_weight[3], index_weight[4]
    f0, f1, f2, f3, f4 = flux[0], flux[1], flux[2], flux[3], flux[4]
    s0, s1, s2, s3, s4 = flux_weight[0], flux_weight[1], flux_weight[2], flux_weight[3], flux_weight[4]
    zero, tiny, n = np.float32(0.0), np.float32(1e-30), BLOCK
    for at in range(n):
        g0, g1, g2 = models[5 * n + at] * s0, models[6 * n + at] * s1, models[7 * n + at] * s2
        g3, g4 = models[8 * n + at] * s3, models[9 * n + at] * s4
        a = f0 * g0 + f1 * g1 + f2 * g2 + f3 * g3 + f4 * g4
        b = g0 * g0 + g1 * g1 + g2 * g2 + g3 * g3 + g4 * g4
        scale = max(a, zero) / max(b, tiny)
        d0, d1, d2 = models[at] * w0 - o0, models[n + at] * w1 - o1, models[2 * n + at] * w2 - o2
        d3, d4 = models[3 * n + at] * w3 - o3, models[4 * n + at] * w4 - o4
        r0, r1, r2, r3, r4 = f0 - scale * g0, f1 - scale * g1, f2 - scale * g2, f3 - scale * g3, f4 - scale * g4
        out[at] = (d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + d4 * d4) + (r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3 + r4 * r4)
        out[n + at] = scale
    return _smallest(out)


@numba.njit(cache=True, nogil=True)
def _smallest(out):
    # floats that are not negative sort like their bits, and a minimum of integers is vectorised
    bits = out[:BLOCK].view(np.int32)
    least = bits[0]
    for at in range(BLOCK):
        least = min(least, bits[at])
    return np.array([least], dtype=np.int32).view(np.float32)[0]
