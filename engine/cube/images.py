"""Images of the sky brought to a cube: without the dust of our Galaxy, at its point spread, on its grid.

Images lose the dust of our Galaxy first (the cube has lost it already) and become AB; then they are blurred to the
cube's point spread on their own fine pixels and read at the centres of the spaxels as surface brightness.
"""

from typing import NamedTuple

import numpy as np

from engine.cube.psf import KERNEL_RADIUS_ARCSEC, convolve, matching_kernel
from engine.cube.shift import Shift, shifted
from engine.cube.sky import field_corners, pixel_at
from engine.cube.types import ZERO_POINT, Cube, Image, Moffat, Plane
from engine.errors import CubeError
from engine.types import FloatArray

EXTINCTION_PER_EBV = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}  # Schlegel+98 table 6
R_V = 3.1
AB_MINUS_SDSS = {"u": -0.04, "z": 0.02}  # mag; SDSS DR17, algorithms, "Flux calibration"
# arcsec, where an image does not tell: 1.32 in r and from band to band as wavelength^-0.3 (Xin+18), within 3 % but
# for z. *choice*: SDSS itself gives a median of 1.43 in r, of the effective width, which counts the wings (DR9)
SDSS_PSF_FWHM = {"u": 1.53, "g": 1.44, "r": 1.32, "i": 1.26, "z": 1.29}
SDSS_PSF_BETA = 3.0  # wings of SDSS's point spread: *choice*
SEARCH_ARCSEC = 8.0  # around the field, where a cube's own coordinates are wrong: *choice*


class OnGrid(NamedTuple):
    """Images on the grid of a cube: AB surface brightness and error [nanomaggies/arcsec2], (band, y, x); NaN: none."""

    bands: tuple[str, ...]
    data: FloatArray
    error: FloatArray

    def magnitudes(self, band: str) -> FloatArray:
        """AB mag/arcsec2, (y, x); NaN where there is no positive flux. Raises CubeError if the band is missing."""
        if band not in self.bands:
            raise CubeError(f"there is no {band} image among {', '.join(self.bands) or 'none'}")
        flux = self.data[self.bands.index(band)]
        return ZERO_POINT - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))


def deredden(image: Image, a_v: float) -> Image:
    """The image without Galactic extinction of a_v [mag] (NaN: as it is), from SDSS's magnitudes to AB ones."""
    extinction = EXTINCTION_PER_EBV[image.band] * a_v / R_V if np.isfinite(a_v) else 0.0
    factor = 10.0 ** (0.4 * (extinction - AB_MINUS_SDSS.get(image.band, 0.0)))
    return image._replace(data=image.data * factor, error=image.error * factor)


def prepare(image: Image, cube: Cube, *, beta: float = SDSS_PSF_BETA, margin_arcsec: float = SEARCH_ARCSEC) -> Image:
    """Surface brightness [nanomaggies/arcsec2] near the field, dereddened, AB, at the cube's point spread.

    beta: wings of the image's point spread; margin_arcsec: how far around the field the result is of use.
    """
    image = deredden(cut_out(image, cube, KERNEL_RADIUS_ARCSEC + margin_arcsec), cube.a_v)
    area = image.pixel_arcsec**2
    data = image.data / area
    variance = (image.error / area) ** 2
    kernel = matching_kernel(psf_of(image, beta), cube.psf, image.pixel_arcsec)
    if kernel is not None:
        squared = kernel**2
        data = convolve(data, kernel)
        variance = squared.sum() * convolve(variance, squared / squared.sum())
    return image._replace(data=data, error=np.sqrt(np.clip(variance, 0.0, None)))


def psf_of(image: Image, beta: float = SDSS_PSF_BETA) -> Moffat:
    """Point spread of an image: its own width, or the survey's where it is not known."""
    width = image.psf_fwhm if np.isfinite(image.psf_fwhm) else SDSS_PSF_FWHM[image.band]
    return Moffat(width, beta)


def cut_out(image: Image, cube: Cube, margin_arcsec: float) -> Image:
    """The part of an image around the field of a cube."""
    margin = margin_arcsec / image.pixel_arcsec
    x, y = pixel_at(image.wcs, field_corners(cube.wcs, cube.shape))
    if not np.isfinite((x, y)).all():
        raise CubeError(f"the {image.band} image shows nothing of the field of {cube.name}")
    rows, columns = image.data.shape
    part = _span(y, margin, rows), _span(x, margin, columns)
    if not np.isfinite(image.data[part]).any():
        raise CubeError(f"the {image.band} image shows nothing of the field of {cube.name}")
    return image._replace(data=image.data[part], error=image.error[part], wcs=image.wcs[part])


def _span(places: FloatArray, margin: float, n: int) -> slice:
    """Pixels of an axis of n that hold all places and a margin around them."""
    low = max(0, int(np.floor(places.min() - margin)))
    high = max(0, min(n, int(np.ceil(places.max() + margin)) + 1))
    return slice(low, high)


def to_grid(image: Image, cube: Cube, shift: Shift = Shift(), pad: int = 0) -> Plane:  # noqa: B008
    """A prepared image and its error at the spaxels of a cube that is shifted on the sky, (y, x) each.

    pad: spaxels added on each side. Bicubic interpolation of what is blurred enough for it; the brightness of the
    surface, and so the flux, is kept.
    """
    from reproject import reproject_interp

    wcs = shifted(cube, shift, pad)
    shape = tuple(n + 2 * pad for n in cube.shape)
    known = np.isfinite(image.data)
    filled = np.stack([np.where(known, image.data, 0.0), np.where(known, image.error, 0.0), known.astype(float)])
    with np.errstate(invalid="ignore"):
        data = reproject_interp((filled[0], image.wcs), wcs, shape, order="bicubic", return_footprint=False)
        error, share = (
            reproject_interp((part, image.wcs), wcs, shape, order="bilinear", return_footprint=False)
            for part in filled[1:]
        )
        seen = share > 0.999
    return Plane(np.where(seen, data, np.nan), np.where(seen, error, np.nan))
