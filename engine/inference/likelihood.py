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
N_INDEX = 5
N_BAND = 5
N_ROW = N_INDEX + N_BAND  # numbers per model
# Index errors below 1e-4 Angstrom or mag, and flux errors below 1e-4 of the brightest, count as this, and an index
# above 1000 Angstrom is none. No observation is that good, and every chi-square stays where float64 can still weigh it
MAX_INVERSE_ERROR = 1e4
MAX_INDEX = 1e3

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
        return np.any(self.data[:, N_INDEX:] > 0, axis=1)


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


@njit(inline="always")
def _five(values, first, step):
    """Five numbers that lie a step apart; as a tuple they stay in registers, as an array they would not."""
    return (
        values[first],
        values[first + step],
        values[first + 2 * step],
        values[first + 3 * step],
        values[first + 4 * step],
    )


@njit(inline="always", fastmath=FAST)
def _times(a, b):
    return a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3], a[4] * b[4]


@njit(inline="always", fastmath=FAST)
def _minus(a, b):
    return a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3], a[4] - b[4]


@njit(inline="always", fastmath=FAST)
def _scaled(a, factor):
    return a[0] * factor, a[1] * factor, a[2] * factor, a[3] * factor, a[4] * factor


@njit(inline="always", fastmath=FAST)
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] + a[4] * b[4]


@njit(inline="always", fastmath=FAST)
def _beyond(distance, half_width, zero):
    """How far outside walls that stand half a width to both sides; zero inside."""
    return (
        max(abs(distance[0]) - half_width[0], zero),
        max(abs(distance[1]) - half_width[1], zero),
        max(abs(distance[2]) - half_width[2], zero),
        max(abs(distance[3]) - half_width[3], zero),
        max(abs(distance[4]) - half_width[4], zero),
    )


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def costs_of_leaf(models, penalty, data, inverse, cost, scale):
    """Cost (chi-square plus penalty) and scale of a leaf of models for one spaxel; returns the smallest cost.

    models (N_ROW * LEAF,): five indices, then five flux ratios, model by model; penalty (LEAF,); data and inverse
    (N_ROW,) as in Whitened; cost and scale (LEAF,) are filled. Flat arrays, and five numbers at a time: only so does
    the compiler use vector instructions.
    """
    index = _five(data, 0, 1)
    per_index_error = _five(inverse, 0, 1)
    flux = _five(data, N_INDEX, 1)
    per_flux_error = _five(inverse, N_INDEX, 1)
    zero = data.dtype.type(0.0)
    tiny = data.dtype.type(1e-30)
    least = bits_of(np.float32(3e38))
    for at in range(LEAF):
        model_flux = _times(_five(models, N_INDEX * LEAF + at, LEAF), per_flux_error)
        best = max(_dot(flux, model_flux), zero) / max(_dot(model_flux, model_flux), tiny)
        index_off = _minus(_times(_five(models, at, LEAF), per_index_error), index)
        flux_off = _minus(flux, _scaled(model_flux, best))
        here = _dot(index_off, index_off) + _dot(flux_off, flux_off) + penalty[at]
        cost[at] = here
        scale[at] = best
        least = min(least, bits_of(np.float32(here)))  # floats that are not negative sort like their bits
    return float_of(least)


@njit(inline="always", fastmath=FAST)
def _least_flux_residual(flux, centre, radius, number):
    """Square of the least distance of fluxes from the directions of a box; see bounds_of_boxes."""
    zero = number(0.0)
    one = number(1.0)
    tiny = number(1e-15)
    flux_squared = _dot(flux, flux)
    centre_squared = max(_dot(centre, centre), tiny)
    along = max(_dot(flux, centre), zero)
    cos2_theta = min(along * along / (centre_squared * max(flux_squared, tiny)), one)
    sin2_phi = min(_dot(radius, radius) / centre_squared, one)
    sine = max(np.sqrt((one - cos2_theta) * (one - sin2_phi)) - np.sqrt(cos2_theta * sin2_phi), zero)
    return flux_squared * sine * sine


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def bounds_of_boxes(boxes, data, inverse, bound):
    """Lower bounds of chi-square in a group of boxes, into ``bound`` (GROUP,).

    boxes (2 * N_ROW * GROUP,): centres, then half widths, of what the models of each box lie within; data and inverse
    as above. An index is at least as far away as the wall of the box. The fluxes g of the box lie within the radius R
    about their centre c, that is within an angle phi of its direction, sin phi = R / |c|; so the residual, which is
    |f| sin(angle between f and g), is at least |f| sin(theta - phi), where theta is the angle between f and c.
    """
    index = _five(data, 0, 1)
    per_index_error = _five(inverse, 0, 1)
    flux = _five(data, N_INDEX, 1)
    per_flux_error = _five(inverse, N_INDEX, 1)
    zero = data.dtype.type(0.0)
    widths = N_ROW * GROUP  # where the half widths begin
    fluxes = N_INDEX * GROUP  # where those of fluxes begin
    for at in range(GROUP):
        distance = _minus(_times(_five(boxes, at, GROUP), per_index_error), index)
        index_off = _beyond(distance, _times(_five(boxes, widths + at, GROUP), per_index_error), zero)
        centre = _times(_five(boxes, fluxes + at, GROUP), per_flux_error)
        radius = _times(_five(boxes, widths + fluxes + at, GROUP), per_flux_error)
        bound[at] = _dot(index_off, index_off) + _least_flux_residual(flux, centre, radius, data.dtype.type)
