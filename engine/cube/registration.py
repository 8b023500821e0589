"""Images brought together with a cube: to its grid, its point spread, its place on the sky; their fluxes compared.

Images lose the dust of our Galaxy first (the cube has lost it already) and become AB; then they are blurred to the
cube's point spread on their own fine pixels and read at the centres of the spaxels as surface brightness. What the
cube's coordinates lack is found by laying the r image under the cube's own synthetic r.
"""

from enum import IntFlag
from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates
from scipy.optimize import least_squares
from scipy.signal import correlate

from engine.cube.psf import KERNEL_RADIUS_ARCSEC, convolve, matching_kernel
from engine.cube.sky import field_corners, pixel_at
from engine.cube.types import Cube, Image, Moffat
from engine.errors import CubeError
from engine.spectrum.photometry import Filter, band_weights
from engine.types import BoolArray, FloatArray

NANOMAGGY = 1e-9
CUBE_UNIT = 1e-16  # erg/s/cm2/Angstrom
ZERO_POINT = 22.5  # AB magnitude of one nanomaggy
EXTINCTION_PER_EBV = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}  # Schlegel+98 table 6
R_V = 3.1
AB_MINUS_SDSS = {"u": -0.04, "z": 0.02}  # mag; SDSS DR17, algorithms, "Flux calibration"
# arcsec, where an image does not tell: 1.32 in r and from band to band as wavelength^-0.3 (Xin+18), within 3 % but
# for z. *choice*: SDSS itself gives a median of 1.43 in r, of the effective width, which counts the wings (DR9)
SDSS_PSF_FWHM = {"u": 1.53, "g": 1.44, "r": 1.32, "i": 1.26, "z": 1.29}
FILTER_COVERED = 0.98  # share of a filter that must lie within the spectra: DR3 lacks the blue end of g
SPECTRUM_COVERED = 0.8  # share of a filter's weight on good pixels of a spaxel


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

    search_arcsec: float = 8.0
    max_shift_arcsec: float = 3.0
    min_correlation: float = 0.5
    max_flux_offset: float = 0.15
    beta: float = 3.0
    min_snr: float = 5.0  # of spaxels whose fluxes are compared
    mismatch: float = 0.03  # of the flux: what spaxels differ by beyond their noise


DEFAULT = RegistrationSettings()


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


class Shift(NamedTuple):
    """How far the images' sky lies from the cube's own coordinates, along x and y [arcsec], with errors."""

    x: float = 0.0
    y: float = 0.0
    x_error: float = np.nan
    y_error: float = np.nan
    correlation: float = np.nan  # of cube and image at that place


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


def register(
    cube: Cube, images: tuple[Image, ...], filters: tuple[Filter, ...], settings: RegistrationSettings = DEFAULT
) -> tuple[OnGrid, RegistrationReport]:
    """The images on the cube's grid and how well they fit.

    filters: response of the bands, named as the images'. The shift comes from r, or from the first band that lies
    within the spectra. Raises CubeError if an image shows nothing of the field.
    """
    ready = [prepare(image, cube, settings) for image in images]
    synthetic = {one.name: synthetic_image(cube, one) for one in filters}
    synthetic = {name: found for name, found in synthetic.items() if found is not None}
    shift, flags = _place(cube, ready, synthetic, settings)
    planes = [to_grid(image, cube, shift) for image in ready]
    grid = OnGrid(tuple(image.band for image in images), *(np.stack(part) for part in zip(*planes, strict=True)))
    ratio = {
        band: flux_ratio(synthetic[band], (grid.data[i], grid.error[i]), settings)
        for i, band in enumerate(grid.bands)
        if band in synthetic
    }
    ratio = {band: found for band, found in ratio.items() if np.isfinite(found[0])}
    flags |= _flags_of_images(cube, images, grid, settings) | _flags_of_ratios(ratio, settings)
    return grid, RegistrationReport(shift, ratio, cube.a_v, flags)


def deredden(image: Image, a_v: float) -> Image:
    """The image without Galactic extinction of a_v [mag] (NaN: as it is), from SDSS's magnitudes to AB ones."""
    extinction = EXTINCTION_PER_EBV[image.band] * a_v / R_V if np.isfinite(a_v) else 0.0
    factor = 10.0 ** (0.4 * (extinction - AB_MINUS_SDSS.get(image.band, 0.0)))
    return image._replace(data=image.data * factor, error=image.error * factor)


def prepare(image: Image, cube: Cube, settings: RegistrationSettings = DEFAULT) -> Image:
    """Surface brightness [nanomaggies/arcsec2] near the field, dereddened, AB, at the cube's point spread."""
    margin = KERNEL_RADIUS_ARCSEC + settings.search_arcsec
    image = deredden(cut_out(image, cube, margin), cube.a_v)
    area = image.pixel_arcsec**2
    data, variance = image.data / area, (image.error / area) ** 2
    kernel = matching_kernel(psf_of(image, settings), cube.psf, image.pixel_arcsec)
    if kernel is not None:
        squared = kernel**2
        data, variance = convolve(data, kernel), squared.sum() * convolve(variance, squared / squared.sum())
    return image._replace(data=data, error=np.sqrt(np.clip(variance, 0.0, None)))


def psf_of(image: Image, settings: RegistrationSettings = DEFAULT) -> Moffat:
    """Point spread of an image: its own width, or the survey's where it is not known."""
    width = image.psf_fwhm if np.isfinite(image.psf_fwhm) else SDSS_PSF_FWHM[image.band]
    return Moffat(width, settings.beta)


def cut_out(image: Image, cube: Cube, margin_arcsec: float) -> Image:
    """The part of an image around the field of a cube."""
    margin = margin_arcsec / image.pixel_arcsec
    x, y = pixel_at(image.wcs, field_corners(cube.wcs, cube.shape))
    if not np.isfinite((x, y)).all():
        raise CubeError(f"the {image.band} image shows nothing of the field of {cube.name}")
    low = [max(0, int(np.floor(part.min() - margin))) for part in (y, x)]
    high = [
        max(0, min(n, int(np.ceil(part.max() + margin)) + 1)) for part, n in zip((y, x), image.data.shape, strict=True)
    ]
    part = slice(low[0], high[0]), slice(low[1], high[1])
    if not np.isfinite(image.data[part]).any():
        raise CubeError(f"the {image.band} image shows nothing of the field of {cube.name}")
    return image._replace(data=image.data[part], error=image.error[part], wcs=image.wcs[part])


def to_grid(image: Image, cube: Cube, shift: Shift = Shift(), pad: int = 0) -> tuple[FloatArray, FloatArray]:  # noqa: B008
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
    return np.where(seen, data, np.nan), np.where(seen, error, np.nan)


def shifted(cube: Cube, shift: Shift, pad: int = 0) -> WCS:
    """Sky coordinates of a cube once its shift is mended: images lie at pixel + shift of the old ones."""
    wcs = cube.wcs.deepcopy()
    wcs.wcs.crpix = wcs.wcs.crpix + pad - np.array([shift.x, shift.y]) / cube.spaxel_arcsec
    wcs.wcs.set()
    return wcs


def synthetic_image(cube: Cube, one: Filter) -> tuple[FloatArray, FloatArray] | None:
    """Surface brightness of the cube through a filter and its error [nanomaggies/arcsec2], (y, x) each.

    None if the spectra do not cover the filter; NaN for spaxels with too few good pixels in it. For bad pixels the
    others make up, as the mean spectrum of the cube tells.
    """
    inside = (one.wave >= cube.wave[0]) & (one.wave <= cube.wave[-1])
    photons = one.response * one.wave * np.gradient(one.wave)
    if photons[inside].sum() < FILTER_COVERED * photons.sum():
        return None
    cut = Filter(one.name, one.wave[inside], one.response[inside])
    weights = (band_weights(cube.wave, cut) * CUBE_UNIT / NANOMAGGY / cube.spaxel_arcsec**2).astype(np.float32)
    used = weights > 0
    weights, good = weights[used], cube.good[used]
    expected = weights * _mean_spectrum(cube.flux[used], good)
    share = np.tensordot(expected, good, 1) / expected.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = np.tensordot(weights, cube.flux[used], 1) / share
        error = np.sqrt(np.tensordot(weights**2, cube.error[used] ** 2, 1)) / share
    enough = share > SPECTRUM_COVERED
    return np.where(enough, flux, np.nan), np.where(enough, error, np.nan)


def _mean_spectrum(flux: FloatArray, good: BoolArray) -> FloatArray:
    """Mean over the good spaxels at each wavelength; 1 everywhere where it is of no use."""
    mean = flux.sum(axis=(1, 2)) / np.maximum(good.sum(axis=(1, 2)), 1)
    return mean if (mean > 0).all() else np.ones_like(mean)


def _place(cube: Cube, ready: list[Image], synthetic: dict, settings: RegistrationSettings):
    """The shift of the cube against r, or the first band that both have."""
    common = sorted((image for image in ready if image.band in synthetic), key=lambda image: image.band != "r")
    if not common:
        return Shift(), RegistrationFlag.SHIFT_UNKNOWN
    pad = int(np.ceil(settings.search_arcsec / cube.spaxel_arcsec))
    found = find_shift(synthetic[common[0].band], to_grid(common[0], cube, pad=pad), settings)
    if found is None:
        return Shift(), RegistrationFlag.SHIFT_UNKNOWN
    shared = np.sqrt(1.13) * max(
        cube.psf.fwhm / cube.spaxel_arcsec, 1.0
    )  # neighbours share noise over the point spread
    scale = cube.spaxel_arcsec * np.array([1.0, 1.0, shared, shared])
    shift = Shift(*(scale * found[:4]).tolist(), found.correlation)
    large = np.hypot(shift.x, shift.y) > settings.max_shift_arcsec
    return shift, RegistrationFlag.SHIFT_LARGE if large else RegistrationFlag.NONE


def find_shift(
    reference: tuple[FloatArray, FloatArray],
    image: tuple[FloatArray, FloatArray],
    settings: RegistrationSettings = DEFAULT,
) -> Shift | None:
    """Where in an image the reference lies, from the middle [pixel]; None if nowhere.

    Parameters: reference and its error, (y, x), NaN where unknown; image and error, larger by the same margin on each
    side. Whole pixels by the normalised correlation over all places, fractions by least squares with a free scale and
    sky, in which stars and spots that only one of them shows weigh little.
    """
    (values, error), (image, image_error) = reference, image
    margin = (image.shape[0] - values.shape[0]) // 2, (image.shape[1] - values.shape[1]) // 2
    known = np.isfinite(values) & np.isfinite(error) & (error > 0)
    if known.sum() < 10 or not np.isfinite(image).any():
        return None
    image = np.where(np.isfinite(image), image, np.nanmedian(image))
    correlation = _correlations(np.where(known, values, 0.0), known, image)
    if not np.isfinite(correlation).any():
        return None  # an image of nothing
    y, x = np.unravel_index(np.nanargmax(correlation), correlation.shape)
    if not correlation[y, x] >= settings.min_correlation:
        return None
    sigma = np.hypot(np.hypot(error[known], np.nanmedian(image_error)), settings.mismatch * values[known])
    fine_y, fine_x, error_y, error_x = _fine_shift((values[known], sigma, np.nonzero(known)), image, (y, x))
    return Shift(fine_x - margin[1], fine_y - margin[0], error_x, error_y, float(correlation[y, x]))


def _correlations(values: FloatArray, known: BoolArray, image: FloatArray) -> FloatArray:
    """Pearson's coefficient of values with the image under them, at every place where they fit, (y, x)."""
    mask, n = known.astype(float), known.sum()
    centred = np.where(known, values - values.sum() / n, 0.0)
    image = image - image.mean()
    common = correlate(image, centred, mode="valid", method="fft")
    spread = correlate(image**2, mask, mode="valid", method="fft")
    spread = spread - correlate(image, mask, mode="valid", method="fft") ** 2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return common / np.sqrt(spread * (centred**2).sum())


def _fine_shift(reference: tuple, image: FloatArray, start: tuple[int, int]) -> tuple[float, float, float, float]:
    """Place (y, x) and its errors by least squares from a start of whole pixels."""
    values, sigma, (rows, columns) = reference
    unit = max(float(np.abs(values).max()), 1e-30)

    def residuals(p):
        seen = map_coordinates(image, (rows + p[0], columns + p[1]), order=3, mode="nearest")
        return (values - p[2] * seen - p[3] * unit) / sigma

    fit = least_squares(residuals, (*map(float, start), 1.0, 0.0), loss="cauchy", x_scale=(0.1, 0.1, 0.1, 0.01))
    freedom = max(len(values) - 4, 1)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * 2.0 * fit.cost / freedom
    return *fit.x[:2], *np.sqrt(np.diag(covariance)[:2])


def flux_ratio(
    reference: tuple[FloatArray, FloatArray], image: tuple[FloatArray, FloatArray], settings: RegistrationSettings
) -> tuple[float, float]:
    """Flux of the cube over that of the image where both are bright, and its error; NaN if nowhere.

    The error is the scatter between the four by four parts of the field (jackknife), so that it holds for what
    neighbours share.
    """
    seen = (reference[0] > settings.min_snr * reference[1]) & (image[0] > settings.min_snr * image[1])
    y, x = np.nonzero(seen)
    if len(y) < 10:
        return np.nan, np.nan
    part = (4 * y // seen.shape[0]) * 4 + 4 * x // seen.shape[1]
    above, below = (np.bincount(part, values[seen], 16) for values in (reference[0], image[0]))
    filled = np.flatnonzero(below > 0)
    without = (above.sum() - above[filled]) / np.maximum(below.sum() - below[filled], 1e-30)
    n = len(filled)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()) if n > 1 else np.nan
    return float(above.sum() / below.sum()), float(error)


def _flags_of_images(cube: Cube, images, grid: OnGrid, settings: RegistrationSettings) -> RegistrationFlag:
    flags = RegistrationFlag.NONE
    if any(psf_of(image, settings).fwhm >= cube.psf.fwhm for image in images):
        flags |= RegistrationFlag.IMAGE_BROADER
    if not np.isfinite(cube.a_v):
        flags |= RegistrationFlag.NOT_DEREDDENED
    if np.isnan(grid.data[:, cube.good.any(axis=0)]).any():
        flags |= RegistrationFlag.NOT_COVERED
    return flags


def _flags_of_ratios(ratio: dict, settings: RegistrationSettings) -> RegistrationFlag:
    if not ratio:
        return RegistrationFlag.FLUX_UNKNOWN
    off = any(abs(found - 1.0) > settings.max_flux_offset for found, _ in ratio.values())
    return RegistrationFlag.FLUX_OFF if off else RegistrationFlag.NONE
