"""Foreground in an image: stars, other galaxies and holes, separated from the galaxy itself."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from astropy.convolution import Gaussian2DKernel
from scipy.ndimage import binary_dilation, gaussian_filter, label, map_coordinates, median_filter
from scipy.signal import fftconvolve

from engine.constants import FWHM_PER_SIGMA
from engine.cube.images import cut_out, prepare, psf_of, to_grid
from engine.cube.masks import DEFAULT, MaskSettings
from engine.cube.shift import Shift
from engine.cube.sky import pixel_at
from engine.cube.types import ZERO_POINT, Cube, Image
from engine.types import BoolArray, FloatArray

FIELD_MARGIN_ARCSEC = 40.0  # around the field, so that what lies outside spreads into it as it does in the image


def foreground_spaxels(
    image: Image,
    cube: Cube,
    shift: Shift = Shift(),  # noqa: B008
    centre: tuple[float, float] | None = None,
    settings: MaskSettings = DEFAULT,
) -> BoolArray:
    """Spaxels with more than a share of their light from foreground, as the cube's point spread mixes it, (y, x).

    image: r as observed. centre: column and row of the galaxy in the cube [spaxel]; if not given, the brightest place
    near the middle of the field.
    """
    image = cut_out(image, cube, FIELD_MARGIN_ARCSEC)
    place = _place_of_centre(image, cube, centre)
    light = foreground_light(image, place, settings)
    known = np.isfinite(image.data)
    parts = (image._replace(data=np.where(known, part, np.nan)) for part in (light, image.data))
    foreground, total = (to_grid(prepare(part, cube), cube, shift).values for part in parts)
    faintest = 10.0 ** (-0.4 * (settings.brightness_limit - ZERO_POINT))  # nothing fainter is measured
    return foreground > settings.light_share * np.maximum(np.nan_to_num(total), faintest)


def _place_of_centre(image: Image, cube: Cube, centre: tuple[float, float] | None) -> tuple[float, float]:
    """Column and row of the galaxy's centre in the image."""
    near = centre or ((cube.shape[1] - 1) / 2.0, (cube.shape[0] - 1) / 2.0)
    there = pixel_at(image.wcs, cube.wcs.pixel_to_world(*near))
    return brightest(image, (float(there.x), float(there.y)), 3.0 if centre else 8.0)


def brightest(image: Image, place: tuple[float, float], radius_arcsec: float) -> tuple[float, float]:
    """Column and row of the brightest spot of an image, blurred to 3 arcsec, within a radius of a place."""
    near = _near(image, place, radius_arcsec)
    blurred = gaussian_filter(np.nan_to_num(image.data), 3.0 / FWHM_PER_SIGMA / image.pixel_arcsec)
    if not near.any():
        return place
    y, x = np.unravel_index(np.where(near, blurred, -np.inf).argmax(), near.shape)
    return float(x), float(y)


def foreground_light(image: Image, centre: tuple[float, float], settings: MaskSettings = DEFAULT) -> FloatArray:
    """Light (y, x) [unit of the image] that is not the galaxy at the centre (column, row): what should be masked.

    Segments apart from the galaxy's own are taken whole; inside the galaxy, and where another galaxy blends with it,
    what stands out as narrow and bright as no clump of a galaxy does. Holes in the image count with the noise's depth.
    """
    data = np.nan_to_num(image.data)
    noise = float(np.nanmedian(image.error))
    apart = _segments_apart(data, noise, image, centre, settings)
    smooth = _smooth_light(data, settings.background_arcsec / image.pixel_arcsec)
    stars = _stars(_Light(data - smooth, smooth, noise), image, centre, settings)
    light = np.where(apart, data, np.where(stars, data - smooth, 0.0))
    holes = data < -settings.artefact_sigma * noise
    return np.where(holes, np.abs(data), np.maximum(light, 0.0))


def _segments_apart(
    data: FloatArray, noise: float, image: Image, centre: tuple[float, float], settings: MaskSettings
) -> BoolArray:
    """Pixels of segments that are not the galaxy's: separate on the sky, or another galaxy blended with it."""
    blurred, threshold = _detection_image(data, noise, image, settings)
    segments = _segments(blurred, threshold, settings.min_pixels)
    if segments is None:
        return np.zeros(data.shape, bool)
    x = round(centre[0])
    y = round(centre[1])
    own = segments.data[y, x]
    galaxy = segments.data == own if own else np.zeros(data.shape, bool)
    if own:
        galaxy &= ~_blended_neighbours(np.where(galaxy, blurred, 0.0), threshold, (y, x), settings)
    return binary_dilation((segments.data > 0) & ~galaxy, iterations=2) & ~galaxy


def _blended_neighbours(
    galaxy: FloatArray, threshold: float, centre: tuple[int, int], settings: MaskSettings
) -> BoolArray:
    """Pixels of other galaxies within one segment: peaks that rise high above the saddle to the centre's."""
    found = np.zeros(galaxy.shape, bool)
    for level in np.geomspace(threshold, max(galaxy[centre], 1.01 * threshold), 30)[1:-1]:
        labels, n = label(galaxy > level)
        light = np.bincount(labels.ravel(), (galaxy - level).ravel(), n + 1)
        peak = np.zeros(n + 1)
        np.maximum.at(peak, labels.ravel(), galaxy.ravel())
        other = (light > settings.neighbour_share * galaxy.sum()) & (peak > (1.0 + settings.neighbour_contrast) * level)
        other[[0, labels[centre]]] = False
        found |= other[labels]
    return found


class _Light(NamedTuple):
    """An image (y, x) taken apart: what is left above the smooth light of the galaxy, and one sigma of the noise."""

    residual: FloatArray
    smooth: FloatArray
    noise: float


def _stars(light: _Light, image: Image, centre: tuple[float, float], settings: MaskSettings) -> BoolArray:
    """Pixels of narrow bright spots on the galaxy, its centre kept."""
    from photutils.segmentation import SourceCatalog

    blurred, threshold = _detection_image(light.residual, light.noise, image, settings)
    # a spot must also stand out of the galaxy's own small structure
    segments = _segments(blurred, np.maximum(threshold, 0.2 * np.maximum(light.smooth, 0.0)), settings.min_pixels)
    if segments is None:
        return np.zeros(light.residual.shape, bool)
    spots = SourceCatalog(light.residual, segments)
    core = _near(image, centre, settings.core_arcsec)
    own = np.isin(spots.labels, np.unique(segments.data[core]))
    chosen = spots.labels[_star_like(spots, light, image, settings) & ~own]
    nucleus = np.where(np.isin(segments.data, spots.labels[own]), blurred, 0.0)
    beside = _stars_beside_nucleus(nucleus, threshold, light, centre, settings)
    return binary_dilation(np.isin(segments.data, chosen) | beside, iterations=2) & ~core


def _stars_beside_nucleus(
    nucleus: FloatArray, threshold: float, light: _Light, centre: tuple[float, float], settings: MaskSettings
) -> BoolArray:
    """Pixels of spots whose light runs into that of the nucleus (y, x), those that stand high over the galaxy."""
    beside = _neighbours_of_nucleus(nucleus, threshold, centre, settings)
    high = light.residual > settings.contrast * np.maximum(light.smooth, light.noise)
    return _parts_that_reach(beside, high)


def _star_like(spots: Any, light: _Light, image: Image, settings: MaskSettings) -> BoolArray:
    """Which spots (spot,) are bright, stand high over the galaxy, and are narrow unless they stand very high."""
    under = light.smooth[spots.max_value_yindex, spots.max_value_xindex]
    contrast = spots.max_value / np.maximum(under, light.noise)
    width = np.nan_to_num(spots.fwhm.value) * image.pixel_arcsec
    bright = spots.max_value > 3.0 * settings.detection_sigma * light.noise
    narrow = (width < settings.star_width * psf_of(image).fwhm) | (contrast > settings.certain_contrast)
    return bright & narrow & (contrast > settings.contrast)


def _near(image: Image, place: tuple[float, float], radius_arcsec: float) -> BoolArray:
    """Pixels within a radius of a place (column, row), (y, x)."""
    rows, columns = np.indices(image.data.shape)
    return np.hypot(columns - place[0], rows - place[1]) * image.pixel_arcsec < radius_arcsec


def _neighbours_of_nucleus(
    nucleus: FloatArray, threshold: float, centre: tuple[float, float], settings: MaskSettings
) -> BoolArray:
    """Pixels of peaks of their own whose light runs into that of the nucleus."""
    faint_too = settings._replace(neighbour_share=0.0, neighbour_contrast=0.5)
    return _blended_neighbours(nucleus, threshold, (round(centre[1]), round(centre[0])), faint_too)


def _parts_that_reach(which: BoolArray, high: BoolArray) -> BoolArray:
    """The connected parts of a mask that hold a pixel where another mask is true."""
    parts, _ = label(which)
    return np.isin(parts, np.setdiff1d(parts[high], [0]))


def _detection_image(data: FloatArray, noise: float, image: Image, settings: MaskSettings) -> tuple[FloatArray, float]:
    """The image blurred by its own point spread, and the threshold of detection there."""
    sigma = max(psf_of(image).fwhm / image.pixel_arcsec / FWHM_PER_SIGMA, 0.5)
    kernel = Gaussian2DKernel(sigma).array
    return fftconvolve(data, kernel, mode="same"), settings.detection_sigma * noise * np.sqrt((kernel**2).sum())


def _smooth_light(data: FloatArray, width: float) -> FloatArray:
    """Median over squares of a width [pixel]; of an image with fine pixels, over blocks of them."""
    block = max(1, int(width / 7.0))
    rows, columns = (n // block * block for n in data.shape)
    blocks = data[:rows, :columns].reshape(rows // block, block, columns // block, block).mean(axis=(1, 3))
    median = median_filter(blocks, size=2 * int(np.ceil(width / block / 2.0)) + 1)
    y, x = ((np.arange(n) + 0.5) / block - 0.5 for n in data.shape)
    return map_coordinates(median, np.meshgrid(y, x, indexing="ij"), order=1, mode="nearest")


def _segments(image: FloatArray, threshold: FloatArray | float, min_pixels: int) -> Any:
    """Segments above a threshold, or None."""
    from photutils.segmentation import detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        return detect_sources(image, threshold, min_pixels)
