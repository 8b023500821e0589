"""How far the sky of an image lies from the coordinates of a cube: the cube's own light, found in the image."""

from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates
from scipy.optimize import least_squares
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
    correlation = _correlations(np.where(known, reference.values, 0.0), known, light)
    if not np.isfinite(correlation).any():
        return None  # an image of nothing
    y, x = np.unravel_index(np.nanargmax(correlation), correlation.shape)
    if not correlation[y, x] >= min_correlation:
        return None
    values = reference.values[known]
    noise = np.hypot(reference.error[known], np.nanmedian(image.error))
    spaxels = _Spaxels(values, np.hypot(noise, mismatch * values), *np.nonzero(known))
    place = _fine_place(spaxels, light, (float(y), float(x)))
    margin_y, margin_x = (
        (large - small) // 2 for large, small in zip(light.shape, reference.values.shape, strict=True)
    )
    return Shift(place.x - margin_x, place.y - margin_y, place.x_error, place.y_error, float(correlation[y, x]))


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


def _fine_place(spaxels: _Spaxels, image: FloatArray, start: tuple[float, float]) -> _Place:
    """Place by least squares from a start (y, x) of whole pixels."""
    sky_unit = max(float(np.abs(spaxels.values).max()), 1e-30)

    def residuals(parameters: FloatArray) -> FloatArray:
        y, x, scale, sky = parameters
        seen = map_coordinates(image, (spaxels.rows + y, spaxels.columns + x), order=3, mode="nearest")
        return (spaxels.values - scale * seen - sky * sky_unit) / spaxels.sigma

    fit = least_squares(residuals, (*start, 1.0, 0.0), loss="cauchy", x_scale=(0.1, 0.1, 0.1, 0.01))
    freedom = max(len(spaxels.values) - 4, 1)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * 2.0 * fit.cost / freedom
    y_error, x_error = np.sqrt(np.diag(covariance)[:2])
    return _Place(float(fit.x[0]), float(fit.x[1]), float(y_error), float(x_error))
