"""Images and a cube brought together: their place found, their fluxes compared, what is doubtful flagged.

What the cube's coordinates lack is found by laying the r image under the cube's own synthetic r.
"""

from enum import IntFlag
from typing import NamedTuple

import numpy as np

from engine.cube.images import SDSS_PSF_BETA, SEARCH_ARCSEC, OnGrid, prepare, psf_of, to_grid
from engine.cube.shift import Shift, find_shift
from engine.cube.synthetic import synthetic_image
from engine.cube.types import Cube, Image, Plane
from engine.spectrum.photometry import Filter
from engine.types import BoolArray, FloatArray, IntArray

FEWEST_SPAXELS = 10  # bright in both, for a ratio of fluxes
PARTS = 4  # along each axis, of the field for the jackknife


class RegistrationFlag(IntFlag):
    """What is doubtful about one galaxy's images; 0 means nothing."""

    NONE = 0
    SHIFT_LARGE = 1  # the cube's coordinates are off by more than is believable, or the search ended at its border
    SHIFT_UNKNOWN = 2  # too little light in common to find a shift; none was applied
    FLUX_OFF = 4  # the flux of a band differs from the cube's beyond the limit
    FLUX_UNKNOWN = 8  # no band could be compared
    IMAGE_BROADER = 16  # an image is blurred more than the cube and stays as it is
    NOT_DEREDDENED = 32  # the cube does not say its Galactic extinction; images keep it
    NOT_COVERED = 64  # an image does not cover the field


class RegistrationSettings(NamedTuple):
    """Limits and defaults; all choice. beta: wings of SDSS's point spread."""

    search_arcsec: float = SEARCH_ARCSEC
    max_shift_arcsec: float = 3.0
    min_correlation: float = 0.5
    max_flux_offset: float = 0.15
    beta: float = SDSS_PSF_BETA
    min_snr: float = 5.0  # of spaxels whose fluxes are compared
    mismatch: float = 0.03  # of the flux: what spaxels differ by beyond their noise


DEFAULT = RegistrationSettings()


class RegistrationReport(NamedTuple):
    """What was found and done. flux_ratio: band -> (cube over image, its error)."""

    shift: Shift
    flux_ratio: dict[str, tuple[float, float]]
    a_v: float
    flags: RegistrationFlag

    @property
    def doubtful(self) -> bool:
        """Whether images and cube match badly in place or in flux."""
        found = RegistrationFlag
        return bool(self.flags & (found.SHIFT_LARGE | found.SHIFT_UNKNOWN | found.FLUX_OFF))


class _Located(NamedTuple):
    """The shift of a cube, and what is doubtful about it."""

    shift: Shift
    flags: RegistrationFlag


def register(
    cube: Cube, images: tuple[Image, ...], filters: tuple[Filter, ...], settings: RegistrationSettings = DEFAULT
) -> tuple[OnGrid, RegistrationReport]:
    """The images on the cube's grid and how well they fit.

    filters: response of the bands, named as the images'. The shift comes from r, or from the first band that lies
    within the spectra. Raises CubeError if an image shows nothing of the field.
    """
    ready = [prepare(image, cube, beta=settings.beta, margin_arcsec=settings.search_arcsec) for image in images]
    synthetic = _synthetic_images(cube, filters)
    located = _locate(cube, ready, synthetic, settings)
    planes = {image.band: to_grid(image, cube, located.shift) for image in ready}
    values = np.stack([plane.values for plane in planes.values()])
    errors = np.stack([plane.error for plane in planes.values()])
    grid = OnGrid(tuple(planes), values, errors)
    ratios = _flux_ratios(synthetic, planes, settings.min_snr)
    flags = located.flags | _flags_of_images(cube, images, grid, settings) | _flags_of_ratios(ratios, settings)
    return grid, RegistrationReport(located.shift, ratios, cube.a_v, flags)


def _synthetic_images(cube: Cube, filters: tuple[Filter, ...]) -> dict[str, Plane]:
    """By band, where the spectra cover it."""
    seen = {one.name: synthetic_image(cube, one) for one in filters}
    return {name: plane for name, plane in seen.items() if plane is not None}


def _flux_ratios(
    synthetic: dict[str, Plane], planes: dict[str, Plane], min_snr: float
) -> dict[str, tuple[float, float]]:
    """By band, those that are known: cube over image, and the error."""
    ratios = {band: flux_ratio(synthetic[band], plane, min_snr) for band, plane in planes.items() if band in synthetic}
    return {band: ratio for band, ratio in ratios.items() if np.isfinite(ratio[0])}


def _locate(cube: Cube, ready: list[Image], synthetic: dict[str, Plane], settings: RegistrationSettings) -> _Located:
    """The shift of the cube against r, or the first band that both have."""
    common = sorted((image for image in ready if image.band in synthetic), key=lambda image: image.band != "r")
    if not common:
        return _Located(Shift(), RegistrationFlag.SHIFT_UNKNOWN)
    image = common[0]
    pad = int(np.ceil(settings.search_arcsec / cube.spaxel_arcsec))
    limits = {"min_correlation": settings.min_correlation, "mismatch": settings.mismatch}
    found = find_shift(synthetic[image.band], to_grid(image, cube, pad=pad), **limits)
    if found is None:
        return _Located(Shift(), RegistrationFlag.SHIFT_UNKNOWN)
    shift = _in_arcsec(found, cube)
    large = np.hypot(shift.x, shift.y) > settings.max_shift_arcsec
    return _Located(shift, RegistrationFlag.SHIFT_LARGE if large else RegistrationFlag.NONE)


def _in_arcsec(found: Shift, cube: Cube) -> Shift:
    """A shift in spaxels that takes their noise as independent, in arcsec and with the errors of what they share."""
    side = cube.spaxel_arcsec
    # neighbours share noise over the point spread, of 1.13 squares of its width
    shared = np.sqrt(1.13) * max(cube.psf.fwhm / side, 1.0)
    return found._replace(
        x=side * found.x,
        y=side * found.y,
        x_error=float(side * shared * found.x_error),
        y_error=float(side * shared * found.y_error),
    )


def flux_ratio(reference: Plane, image: Plane, min_snr: float) -> tuple[float, float]:
    """Flux of the cube over that of the image where both are bright, and its error; NaN if nowhere."""
    bright = (reference.values > min_snr * reference.error) & (image.values > min_snr * image.error)
    if bright.sum() < FEWEST_SPAXELS:
        return np.nan, np.nan
    part = _parts_of_field(bright)
    above = np.bincount(part, reference.values[bright], PARTS**2)
    below = np.bincount(part, image.values[bright], PARTS**2)
    return float(above.sum() / below.sum()), _jackknife_error(above, below)


def _parts_of_field(which: BoolArray) -> IntArray:
    """In which of the four by four parts of the field some spaxels lie, (spaxel,)."""
    y, x = np.nonzero(which)
    rows, columns = which.shape
    return (PARTS * y // rows) * PARTS + PARTS * x // columns


def _jackknife_error(above: FloatArray, below: FloatArray) -> float:
    """Error of a ratio of sums over the parts of the field, (part,) each: the scatter as each part is left out.

    So it holds for what neighbours share.
    """
    filled = np.flatnonzero(below > 0)
    without = (above.sum() - above[filled]) / np.maximum(below.sum() - below[filled], 1e-30)
    n = len(filled)
    return float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())) if n > 1 else np.nan


def _flags_of_images(
    cube: Cube, images: tuple[Image, ...], grid: OnGrid, settings: RegistrationSettings
) -> RegistrationFlag:
    flags = RegistrationFlag.NONE
    if any(psf_of(image, settings.beta).fwhm >= cube.psf.fwhm for image in images):
        flags |= RegistrationFlag.IMAGE_BROADER
    if not np.isfinite(cube.a_v):
        flags |= RegistrationFlag.NOT_DEREDDENED
    if np.isnan(grid.data[:, cube.good.any(axis=0)]).any():
        flags |= RegistrationFlag.NOT_COVERED
    return flags


def _flags_of_ratios(ratio: dict[str, tuple[float, float]], settings: RegistrationSettings) -> RegistrationFlag:
    if not ratio:
        return RegistrationFlag.FLUX_UNKNOWN
    off = any(abs(found - 1.0) > settings.max_flux_offset for found, _ in ratio.values())
    return RegistrationFlag.FLUX_OFF if off else RegistrationFlag.NONE
