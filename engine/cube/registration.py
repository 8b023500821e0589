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
    seen = {one.name: synthetic_image(cube, one) for one in filters}
    synthetic = {name: plane for name, plane in seen.items() if plane is not None}
    located = _locate(cube, ready, synthetic, settings)
    planes = [to_grid(image, cube, located.shift) for image in ready]
    grid = OnGrid(
        tuple(image.band for image in images),
        np.stack([plane.values for plane in planes]),
        np.stack([plane.error for plane in planes]),
    )
    ratios = {
        band: flux_ratio(synthetic[band], plane, settings.min_snr)
        for band, plane in zip(grid.bands, planes, strict=True)
        if band in synthetic
    }
    known = {band: ratio for band, ratio in ratios.items() if np.isfinite(ratio[0])}
    flags = located.flags | _flags_of_images(cube, images, grid, settings) | _flags_of_ratios(known, settings)
    return grid, RegistrationReport(located.shift, known, cube.a_v, flags)


def _locate(cube: Cube, ready: list[Image], synthetic: dict[str, Plane], settings: RegistrationSettings) -> _Located:
    """The shift of the cube against r, or the first band that both have."""
    common = sorted((image for image in ready if image.band in synthetic), key=lambda image: image.band != "r")
    if not common:
        return _Located(Shift(), RegistrationFlag.SHIFT_UNKNOWN)
    pad = int(np.ceil(settings.search_arcsec / cube.spaxel_arcsec))
    found = find_shift(
        synthetic[common[0].band],
        to_grid(common[0], cube, pad=pad),
        min_correlation=settings.min_correlation,
        mismatch=settings.mismatch,
    )
    if found is None:
        return _Located(Shift(), RegistrationFlag.SHIFT_UNKNOWN)
    # neighbours share noise over the point spread, of 1.13 squares of its width
    shared = np.sqrt(1.13) * max(cube.psf.fwhm / cube.spaxel_arcsec, 1.0)
    side = cube.spaxel_arcsec
    shift = Shift(
        x=side * found.x,
        y=side * found.y,
        x_error=float(side * shared * found.x_error),
        y_error=float(side * shared * found.y_error),
        correlation=found.correlation,
    )
    large = np.hypot(shift.x, shift.y) > settings.max_shift_arcsec
    return _Located(shift, RegistrationFlag.SHIFT_LARGE if large else RegistrationFlag.NONE)


def flux_ratio(reference: Plane, image: Plane, min_snr: float) -> tuple[float, float]:
    """Flux of the cube over that of the image where both are bright, and its error; NaN if nowhere.

    The error is the scatter between the four by four parts of the field (jackknife), so that it holds for what
    neighbours share.
    """
    bright = (reference.values > min_snr * reference.error) & (image.values > min_snr * image.error)
    y, x = np.nonzero(bright)
    if len(y) < FEWEST_SPAXELS:
        return np.nan, np.nan
    part = (PARTS * y // bright.shape[0]) * PARTS + PARTS * x // bright.shape[1]
    above, below = (np.bincount(part, plane.values[bright], PARTS**2) for plane in (reference, image))
    filled = np.flatnonzero(below > 0)
    without = (above.sum() - above[filled]) / np.maximum(below.sum() - below[filled], 1e-30)
    n = len(filled)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()) if n > 1 else np.nan
    return float(above.sum() / below.sum()), float(error)


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
