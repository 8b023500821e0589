"""SDSS-like images of the sky in ugriz, and the sky coordinates of mock data."""

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates
from scipy.signal import fftconvolve

from engine.adopted import CALIFA_SPAXEL_ARCSEC
from engine.columns import BANDS
from engine.cube.images import SDSS_PSF_FWHM, deredden
from engine.cube.psf import moffat_image
from engine.cube.types import ZERO_POINT, Image, Moffat
from engine.mock.cubes.settings import CubeMockSettings, star_place
from engine.mock.cubes.sky import MockSky
from engine.mock.galaxies import MockGalaxies
from engine.mock.settings import MockSettings
from engine.types import FloatArray

_EDGE = 80  # pixels added around an image while it is blurred


def photographs(
    sky: MockSky, galaxy: MockGalaxies, settings: CubeMockSettings, rng: np.random.Generator
) -> tuple[Image, ...]:
    """Images in ugriz, with our Galaxy's dust, the star, and the noise of SDSS's sky."""
    depth = MockSettings().photometric_depth
    return tuple(
        _photograph(plane, band, limit, galaxy, settings, rng)
        for plane, band, limit in zip(sky.bands, BANDS, depth, strict=True)
    )


def tangent_wcs(ra: float, dec: float, shape: tuple[int, int], pixel: float, angle: float = 0.0) -> WCS:
    """Sky coordinates of a grid centred on a place, turned by an angle [deg]; east to the left at angle 0."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [float(ra), float(dec)]
    cosine = np.cos(np.deg2rad(angle))
    sine = np.sin(np.deg2rad(angle))
    wcs.wcs.cd = np.array([[-cosine, sine], [sine, cosine]]) * pixel / 3600.0
    wcs.wcs.crpix = [(shape[1] + 1) / 2.0, (shape[0] + 1) / 2.0]
    return wcs


def sky_wcs(galaxy: MockGalaxies, shape: tuple[int, int]) -> WCS:
    """Sky coordinates of a mock's maps."""
    return tangent_wcs(float(galaxy.ra), float(galaxy.dec), shape, CALIFA_SPAXEL_ARCSEC)


def _photograph(
    plane: FloatArray, band: str, depth: float, galaxy: MockGalaxies, settings: CubeMockSettings,
    rng: np.random.Generator,
) -> Image:  # fmt: skip
    """One band of the sky (y, x) [nanomaggies/arcsec2], down to a depth [mag/arcsec2, one sigma]."""
    pixel = settings.sdss_pixel
    side = int(min(plane.shape) / pixel / 1.4)  # turned, it still lies inside the sky
    wcs = tangent_wcs(float(galaxy.ra), float(galaxy.dec), (side, side), pixel, settings.sdss_angle)
    noise = 10.0 ** (-0.4 * (depth - ZERO_POINT)) * pixel
    seeing = Moffat(SDSS_PSF_FWHM[band], settings.sdss_beta)
    seen = _seen_through(plane, galaxy, wcs, side, seeing, settings)
    reddened = _reddened(Image(band, seen, np.full(seen.shape, noise), wcs, pixel, seeing.fwhm), settings.a_v)
    scale = 10.0 ** (-0.4 * settings.wrong_colour * rng.standard_normal())
    return reddened._replace(data=scale * reddened.data + rng.normal(0.0, noise, seen.shape))


def _seen_through(
    plane: FloatArray, galaxy: MockGalaxies, wcs: WCS, side: int, seeing: Moffat, settings: CubeMockSettings
) -> FloatArray:
    """Galaxy and star in the pixels of a square image without noise [nanomaggies]."""
    rows, columns = np.indices((side, side))
    x, y = sky_wcs(galaxy, plane.shape).all_world2pix(*wcs.all_pix2world(columns, rows, 0), 0)
    pixel = settings.sdss_pixel
    return _blurred_at(plane, x, y, seeing, pixel) + _star(x, y, plane.shape, seeing, settings) * pixel**2


def _blurred_at(plane: FloatArray, x: FloatArray, y: FloatArray, seeing: Moffat, pixel: float) -> FloatArray:
    """Light per pixel of an image whose pixels lie at places x, y of the plane [nanomaggies]; pixel [arcsec]."""
    bright = map_coordinates(plane, (y, x), order=3, mode="nearest") * pixel**2
    whole = fftconvolve(np.pad(bright, _EDGE, mode="edge"), moffat_image(seeing, pixel), mode="same")
    return whole[_EDGE:-_EDGE, _EDGE:-_EDGE]


def _star(
    x: FloatArray, y: FloatArray, sky_shape: tuple[int, int], seeing: Moffat, settings: CubeMockSettings
) -> FloatArray:
    """The foreground star at places of the sky [nanomaggies/arcsec2]; pixels of the sky are one arcsec."""
    star_x, star_y = star_place(sky_shape, settings)
    distance = np.hypot(x - star_x, y - star_y)
    norm = (seeing.beta - 1.0) / (np.pi * seeing.alpha**2)
    flux = 10.0 ** (-0.4 * (settings.star_magnitude - ZERO_POINT))
    return flux * norm * (1.0 + (distance / seeing.alpha) ** 2) ** -seeing.beta


def _reddened(image: Image, a_v: float) -> Image:
    """The image as SDSS would have it: behind our Galaxy's dust and on SDSS's own zero points."""
    one = image._replace(data=np.ones((1, 1)), error=np.ones((1, 1)))
    factor = deredden(one, a_v).data[0, 0]
    return image._replace(data=image.data / factor)
