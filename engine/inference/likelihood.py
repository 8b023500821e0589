"""Chi-square of a region against model galaxies, the stellar mass density fitted out analytically (ZG22 sec. 2.2).

A model predicts five indices m_k and the ratios h_b of its five fluxes to the one in r. With everything in units of
the observational errors (o / e, f / s) and g = h / s the best scale is A / B, where A = sum(f g) and B = sum(g g),
never below zero; then

    chi2 = sum over indices of ((m - o) / e)^2  +  sum over bands of (f - A/B g)^2.

A model that counts less before the data has a penalty: its cost is chi2 - 2 ln(weight).

An observable that is not there has the inverse error 0 and so adds nothing: no branch, no NaN in the loops.
The residuals are summed as they stand; the shorter F - A^2 / B would lose its digits in float32.
"""

from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.inference.vector_math import bits_of, float_of
from engine.types import BoolArray, FloatArray

LEAF = 64  # models side by side in memory: small enough to be alike, large enough for the vector unit
GROUP = 16  # boxes bounded at a time
N_INDEX, N_BAND = 5, 5
N_ROW = N_INDEX + N_BAND  # numbers per model
# Index errors below 1e-4 Angstrom or mag, and flux errors below 1e-4 of the brightest, count as this, and an index
# above 1000 Angstrom is none. No observation is that good, and every chi-square stays where float64 can still weigh it
MAX_INVERSE_ERROR, MAX_INDEX = 1e4, 1e3

# Sums may be reordered: everything that enters is finite by construction.
FAST = {"contract", "reassoc", "nsz", "nnan", "arcp"}


class Whitened(NamedTuple):
    """Observations in units of their errors; 0 in both where there is nothing.

    ``log_unit`` is what log10(scale) has to be raised by to be the log of the r flux that the region would have.
    """

    data: FloatArray  # (spaxel, N_ROW) o / e, then f / s
    inverse: FloatArray  # (spaxel, N_ROW) 1 / e, then 1 / s in units of the largest of the spaxel
    log_unit: FloatArray  # (spaxel,)

    @property
    def lit(self) -> BoolArray:
        """Whether any flux is above zero, (spaxel,): without light there is no mass."""
        return (self.data[:, N_INDEX:] > 0).any(axis=1)


def inverse_errors(value: FloatArray, error: FloatArray) -> FloatArray:
    """1 / error where both are usable, else 0."""
    usable = np.isfinite(value) & np.isfinite(error) & (error > 0)
    return np.where(usable, 1.0 / np.maximum(np.where(usable, error, 1.0), 1.0 / MAX_INVERSE_ERROR), 0.0)


def whiten(indices: FloatArray, index_errors: FloatArray, flux: FloatArray, flux_errors: FloatArray) -> Whitened:
    """Indices and fluxes (spaxel, 5) over their errors, float64."""
    index_inverse = inverse_errors(np.where(np.abs(indices) <= MAX_INDEX, indices, np.nan), index_errors)
    brightest = np.max(np.abs(np.where(np.isfinite(flux), flux, 0.0)), axis=1, keepdims=True)
    brightest[brightest == 0] = 1.0
    flux_inverse = inverse_errors(flux / brightest, flux_errors / brightest)
    largest = np.maximum(flux_inverse.max(axis=1, keepdims=True), 1.0)
    data = np.concatenate(
        [
            np.where(index_inverse > 0, indices, 0.0) * index_inverse,
            np.where(flux_inverse > 0, flux / brightest, 0.0) * flux_inverse,
        ],
        axis=1,
    )
    inverse = np.concatenate([index_inverse, flux_inverse / largest], axis=1)
    return Whitened(data, inverse, np.log10(brightest / largest)[:, 0])


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def costs_of_leaf(models, penalty, data, inverse, cost, scale):
    """Cost (chi-square plus penalty) and scale of a leaf of models for one spaxel; returns the smallest cost.

    models (N_ROW * LEAF,): five indices, then five flux ratios, model by model; penalty (LEAF,); data and inverse
    (N_ROW,) as in Whitened; cost and scale (LEAF,) are filled. Written out by hand: only so, with flat arrays, does
    the compiler use vector instructions.
    """
    o0, o1, o2, o3, o4 = data[0], data[1], data[2], data[3], data[4]
    f0, f1, f2, f3, f4 = data[5], data[6], data[7], data[8], data[9]
    w0, w1, w2, w3, w4 = inverse[0], inverse[1], inverse[2], inverse[3], inverse[4]
    s0, s1, s2, s3, s4 = inverse[5], inverse[6], inverse[7], inverse[8], inverse[9]
    zero, tiny = data.dtype.type(0.0), data.dtype.type(1e-30)
    least = bits_of(np.float32(3e38))
    for at in range(LEAF):
        g0, g1, g2 = models[5 * LEAF + at] * s0, models[6 * LEAF + at] * s1, models[7 * LEAF + at] * s2
        g3, g4 = models[8 * LEAF + at] * s3, models[9 * LEAF + at] * s4
        a = f0 * g0 + f1 * g1 + f2 * g2 + f3 * g3 + f4 * g4
        b = g0 * g0 + g1 * g1 + g2 * g2 + g3 * g3 + g4 * g4
        best = max(a, zero) / max(b, tiny)
        d0, d1, d2 = models[at] * w0 - o0, models[LEAF + at] * w1 - o1, models[2 * LEAF + at] * w2 - o2
        d3, d4 = models[3 * LEAF + at] * w3 - o3, models[4 * LEAF + at] * w4 - o4
        r0, r1, r2, r3, r4 = f0 - best * g0, f1 - best * g1, f2 - best * g2, f3 - best * g3, f4 - best * g4
        here = (d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + d4 * d4) + (r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3 + r4 * r4)
        here += penalty[at]
        cost[at], scale[at] = here, best
        least = min(least, bits_of(np.float32(here)))  # floats that are not negative sort like their bits
    return float_of(least)


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def bounds_of_boxes(boxes, data, inverse, bound):
    """Lower bounds of chi-square in a group of boxes, into ``bound`` (GROUP,).

    boxes (2 * N_ROW * GROUP,): centres, then half widths, of what the models of each box lie within; data and inverse
    as above. An index is at least as far away as the wall of the box. The fluxes g of the box lie within the radius R
    about their centre c, that is within an angle phi of its direction, sin phi = R / |c|; so the residual, which is
    |f| sin(angle between f and g), is at least |f| sin(theta - phi), where theta is the angle between f and c.
    """
    o0, o1, o2, o3, o4 = data[0], data[1], data[2], data[3], data[4]
    f0, f1, f2, f3, f4 = data[5], data[6], data[7], data[8], data[9]
    w0, w1, w2, w3, w4 = inverse[0], inverse[1], inverse[2], inverse[3], inverse[4]
    s0, s1, s2, s3, s4 = inverse[5], inverse[6], inverse[7], inverse[8], inverse[9]
    zero, one, tiny = data.dtype.type(0.0), data.dtype.type(1.0), data.dtype.type(1e-15)
    ff = f0 * f0 + f1 * f1 + f2 * f2 + f3 * f3 + f4 * f4
    n, h = GROUP, N_ROW * GROUP
    for at in range(GROUP):
        d0 = max(abs(boxes[at] * w0 - o0) - boxes[h + at] * w0, zero)
        d1 = max(abs(boxes[n + at] * w1 - o1) - boxes[h + n + at] * w1, zero)
        d2 = max(abs(boxes[2 * n + at] * w2 - o2) - boxes[h + 2 * n + at] * w2, zero)
        d3 = max(abs(boxes[3 * n + at] * w3 - o3) - boxes[h + 3 * n + at] * w3, zero)
        d4 = max(abs(boxes[4 * n + at] * w4 - o4) - boxes[h + 4 * n + at] * w4, zero)
        g0, g1, g2 = boxes[5 * n + at] * s0, boxes[6 * n + at] * s1, boxes[7 * n + at] * s2
        g3, g4 = boxes[8 * n + at] * s3, boxes[9 * n + at] * s4
        q0, q1, q2 = boxes[h + 5 * n + at] * s0, boxes[h + 6 * n + at] * s1, boxes[h + 7 * n + at] * s2
        q3, q4 = boxes[h + 8 * n + at] * s3, boxes[h + 9 * n + at] * s4
        a = max(f0 * g0 + f1 * g1 + f2 * g2 + f3 * g3 + f4 * g4, zero)
        b = max(g0 * g0 + g1 * g1 + g2 * g2 + g3 * g3 + g4 * g4, tiny)
        cos2_theta = min(a * a / (b * max(ff, tiny)), one)
        sin2_phi = min((q0 * q0 + q1 * q1 + q2 * q2 + q3 * q3 + q4 * q4) / b, one)
        sine = max(np.sqrt((one - cos2_theta) * (one - sin2_phi)) - np.sqrt(cos2_theta * sin2_phi), zero)
        bound[at] = (d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + d4 * d4) + ff * sine * sine
