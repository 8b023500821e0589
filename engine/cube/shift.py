"""How far the sky of an image lies from the coordinates of a cube: the cube's own light, found in the image."""

from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates
from scipy.optimize import OptimizeResult, least_squares
from scipy.signal import correlate

from engine.cube.types import Cube, Plane
from engine.types import BoolArray, FloatArray, IntArray

FEWEST_SPAXELS = 10  # with light, for a place to be found


class Shift(NamedTuple):
    """How far the images' sky lies from the cube's own coordinates, along x and y [arcsec], with errors."""

    x: float = 0.0
    y: float = 0.0
    x_error: float = np.nan
    y_error: float = np.nan
    correlation: float = np.nan  # of cube and image at that place


def shifted(cube: Cube, shift: Shift, pad: int = 0) -> WCS:
    """Sky coordinates of a cube once its shift is taken off: images lie at pixel + shift of the old ones."""
    wcs = cube.wcs.deepcopy()
    wcs.wcs.crpix = wcs.wcs.crpix + pad - np.array([shift.x, shift.y]) / cube.spaxel_arcsec
    wcs.wcs.set()
    return wcs


class _Spaxels(NamedTuple):
    """Known spaxels of a cube (spaxel,): values, errors, and their places in the array."""

    values: FloatArray
    sigma: FloatArray
    rows: IntArray
    columns: IntArray


class _Place(NamedTuple):
    """Where the first row and column of the cube lie in the image [pixel], with errors."""

    y: float
    x: float
    y_error: float
    x_error: float


class _Overlap(NamedTuple):
    """The best place of the cube's first row and column in the image [whole pixels], and the correlation there."""

    y: float
    x: float
    correlation: float


def find_shift(reference: Plane, image: Plane, *, min_correlation: float, mismatch: float) -> Shift | None:
    """Where in an image the reference lies, from the middle [pixel]; None if nowhere.

    Parameters: reference, (y, x); image, larger by the same margin on each side; min_correlation that makes a place
    believable; mismatch, the part of the flux by which both differ beyond their noise. Whole pixels by the normalised
    correlation over all places, fractions by least squares with a free scale and sky, in which stars and spots that
    only one of them shows weigh little.
    """
    known = np.isfinite(reference.values) & np.isfinite(reference.error) & (reference.error > 0)
    if known.sum() < FEWEST_SPAXELS or not np.isfinite(image.values).any():
        return None
    light = np.where(np.isfinite(image.values), image.values, np.nanmedian(image.values))
    overlap = _best_overlap(np.where(known, reference.values, 0.0), known, light)
    if overlap is None or not overlap.correlation >= min_correlation:
        return None
    place = _fine_place(_known_spaxels(reference, known, image.error, mismatch), light, overlap)
    margin_y, margin_x = (np.array(light.shape) - known.shape) // 2
    return Shift(place.x - margin_x, place.y - margin_y, place.x_error, place.y_error, overlap.correlation)


def _known_spaxels(reference: Plane, known: BoolArray, image_error: FloatArray, mismatch: float) -> _Spaxels:
    values = reference.values[known]
    noise = np.hypot(reference.error[known], np.nanmedian(image_error))
    return _Spaxels(values, np.hypot(noise, mismatch * values), *np.nonzero(known))


def _best_overlap(values: FloatArray, known: BoolArray, image: FloatArray) -> _Overlap | None:
    """Where values (y, x) resemble the image most; None in an image of nothing."""
    correlation = _correlations(values, known, image)
    if not np.isfinite(correlation).any():
        return None
    y, x = np.unravel_index(np.nanargmax(correlation), correlation.shape)
    return _Overlap(float(y), float(x), float(correlation[y, x]))


def _correlations(values: FloatArray, known: BoolArray, image: FloatArray) -> FloatArray:
    """Pearson's coefficient of values with the image under them, at every place where they fit, (y, x)."""
    mask = known.astype(float)
    n = known.sum()
    centred = np.where(known, values - values.sum() / n, 0.0)
    image = image - image.mean()
    common = correlate(image, centred, mode="valid", method="fft")
    spread = correlate(image**2, mask, mode="valid", method="fft")
    spread = spread - correlate(image, mask, mode="valid", method="fft") ** 2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return common / np.sqrt(spread * (centred**2).sum())


def _fine_place(spaxels: _Spaxels, image: FloatArray, start: _Overlap) -> _Place:
    """Place by least squares from a start of whole pixels."""
    sky_unit = max(float(np.abs(spaxels.values).max()), 1e-30)

    def residuals(parameters: FloatArray) -> FloatArray:
        y, x, scale, sky = parameters
        seen = map_coordinates(image, (spaxels.rows + y, spaxels.columns + x), order=3, mode="nearest")
        return (spaxels.values - scale * seen - sky * sky_unit) / spaxels.sigma

    fit = least_squares(residuals, (start.y, start.x, 1.0, 0.0), loss="cauchy", x_scale=(0.1, 0.1, 0.1, 0.01))
    errors = _errors_of(fit, len(spaxels.values))
    y, x = fit.x[:2].tolist()
    return _Place(y, x, float(errors[0]), float(errors[1]))


def _errors_of(fit: OptimizeResult, n_value: int) -> FloatArray:
    """One-sigma errors (parameter,) from the curvature at the best fit, scaled by its chi-square."""
    freedom = max(n_value - fit.x.size, 1)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * 2.0 * fit.cost / freedom
    return np.sqrt(np.diag(covariance))
