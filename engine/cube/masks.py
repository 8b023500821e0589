"""Which spaxels of a cube show the galaxy: foreground and artefacts, bad pixels, and the cut in surface brightness."""

import warnings
from typing import NamedTuple

import numpy as np
from astropy.convolution import Gaussian2DKernel
from scipy.ndimage import binary_dilation, gaussian_filter, label, map_coordinates, median_filter
from scipy.signal import fftconvolve

from engine.adopted import SURFACE_BRIGHTNESS_LIMIT
from engine.constants import FWHM_PER_SIGMA
from engine.cube.registration import DEFAULT as REGISTRATION
from engine.cube.registration import ZERO_POINT, OnGrid, Shift, cut_out, prepare, psf_of, synthetic_image, to_grid
from engine.cube.sky import pixel_at
from engine.cube.types import Cube, Image
from engine.flags import SpaxelFlag
from engine.spectrum.photometry import Filter
from engine.types import BoolArray, FloatArray, IntArray


class MaskSettings(NamedTuple):
    """Thresholds of the masks; all choice, tried on real images."""

    detection_sigma: float = 3.0  # of the image once blurred by its own point spread
    min_pixels: int = 5
    background_arcsec: float = 9.0  # a star is smaller than half of this, a galaxy's smooth light larger
    core_arcsec: float = 3.0  # what lies so near to the centre is the galaxy
    contrast: float = 1.0  # peak of a star over the galaxy's light around it
    certain_contrast: float = 5.0  # above, the shape does not matter (stars that saturate)
    star_width: float = 1.6  # widest star, in widths of the point spread
    neighbour_share: float = 0.01  # of the blended light, for another galaxy to be told apart
    neighbour_contrast: float = 1.0  # of its peak over the saddle between: more than of a spiral arm
    light_share: float = 0.1  # of a spaxel's light from foreground, for it to be lost
    artefact_sigma: float = 7.0  # depth of a hole in an image
    good_share: float = 0.8  # of a spaxel's spectrum
    dead_ratio: float = 0.3  # cube over image, below which a fibre is dead
    brightness_limit: float = SURFACE_BRIGHTNESS_LIMIT


DEFAULT = MaskSettings()
FIELD_MARGIN_ARCSEC = 40.0  # around the field, so that what lies outside spreads into it as it does in the image
SPECTRUM_USED = (3700.0, 7140.0)  # Angstrom, ZG22 sec. 2.1


def mask_spaxels(
    cube: Cube,
    grid: OnGrid,
    foreground: BoolArray,
    filters: tuple[Filter, ...] = (),
    settings: MaskSettings = DEFAULT,
) -> IntArray:
    """Flags (y, x) of why a spaxel is not used; 0: it shows the galaxy and is bright enough.

    Parameters: the images on the cube's grid (r among them); foreground, from any source (here, a user's regions); the
    filters, if dead fibres are to be found as spaxels much fainter in the cube than in the image.
    """
    brightness = grid.magnitudes("r")
    bad = bad_spaxels(cube, settings) | ~np.isfinite(grid.data[grid.bands.index("r")])
    bad |= dead_spaxels(cube, grid, filters, settings)
    flags = np.where(foreground, SpaxelFlag.FOREGROUND.value, 0) | np.where(bad, SpaxelFlag.BAD_PIXELS.value, 0)
    faint = ~(brightness <= settings.brightness_limit)
    return flags | np.where(faint, SpaxelFlag.BELOW_BRIGHTNESS_CUT.value, 0)


def usable_spaxels(flags: IntArray) -> BoolArray:
    """Spaxels that may enter a smoothing kernel: neither foreground nor bad; faint ones may, for symmetry."""
    return (flags & (SpaxelFlag.FOREGROUND.value | SpaxelFlag.BAD_PIXELS.value)) == 0


def bad_spaxels(cube: Cube, settings: MaskSettings = DEFAULT) -> BoolArray:
    """Spaxels with too few good pixels where the spectra are used, (y, x)."""
    used = (cube.wave >= SPECTRUM_USED[0]) & (cube.wave <= SPECTRUM_USED[1])
    return cube.good[used].mean(axis=0) < settings.good_share


def dead_spaxels(cube: Cube, grid: OnGrid, filters: tuple[Filter, ...], settings: MaskSettings = DEFAULT) -> BoolArray:
    """Spaxels above the cut that are much fainter in the cube than in the image, (y, x)."""
    seen = next((synthetic_image(cube, one) for one in filters if one.name == "r"), None)
    if seen is None:
        return np.zeros(cube.shape, bool)
    bright = grid.magnitudes("r") <= settings.brightness_limit
    with np.errstate(invalid="ignore"):
        return bright & (seen[0] < settings.dead_ratio * grid.data[grid.bands.index("r")])


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
    foreground, total = (to_grid(prepare(part, cube, REGISTRATION), cube, shift)[0] for part in parts)
    faintest = 10.0 ** (-0.4 * (settings.brightness_limit - ZERO_POINT))  # nothing fainter is measured
    return foreground > settings.light_share * np.maximum(np.nan_to_num(total), faintest)


def _place_of_centre(image: Image, cube: Cube, centre: tuple[float, float] | None) -> tuple[float, float]:
    """Column and row of the galaxy's centre in the image."""
    near = centre or ((cube.shape[1] - 1) / 2.0, (cube.shape[0] - 1) / 2.0)
    there = pixel_at(image.wcs, cube.wcs.pixel_to_world(*near))
    return brightest(image, (float(there.x), float(there.y)), 3.0 if centre else 8.0)


def brightest(image: Image, place: tuple[float, float], radius_arcsec: float) -> tuple[float, float]:
    """Column and row of the brightest spot of an image, blurred to 3 arcsec, within a radius of a place."""
    rows, columns = np.indices(image.data.shape)
    near = np.hypot(columns - place[0], rows - place[1]) * image.pixel_arcsec < radius_arcsec
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
    noise = np.nanmedian(image.error)
    apart = _segments_apart(data, noise, image, centre, settings)
    smooth = _smooth_light(data, settings.background_arcsec / image.pixel_arcsec)
    stars = _stars(data - smooth, smooth, noise, (image, centre, settings))
    light = np.where(apart, data, np.where(stars, data - smooth, 0.0))
    holes = data < -settings.artefact_sigma * noise
    return np.where(holes, np.abs(data), np.maximum(light, 0.0))


def _segments_apart(data, noise, image: Image, centre, settings: MaskSettings) -> BoolArray:
    """Pixels of segments that are not the galaxy's: separate on the sky, or another galaxy blended with it."""
    blurred, threshold = _detection_image(data, noise, image, settings)
    segments = _segments(blurred, threshold, settings.min_pixels)
    if segments is None:
        return np.zeros(data.shape, bool)
    x, y = round(centre[0]), round(centre[1])
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


def _stars(residual, smooth, noise, where: tuple) -> BoolArray:
    """Pixels of narrow bright spots on the galaxy, its centre kept."""
    from photutils.segmentation import SourceCatalog

    image, centre, settings = where
    blurred, threshold = _detection_image(residual, noise, image, settings)
    # a spot must also stand out of the galaxy's own small structure
    segments = _segments(blurred, np.maximum(threshold, 0.2 * np.maximum(smooth, 0.0)), settings.min_pixels)
    if segments is None:
        return np.zeros(residual.shape, bool)
    spots = SourceCatalog(residual, segments)
    peak = np.array([smooth[y, x] for y, x in zip(spots.max_value_yindex, spots.max_value_xindex, strict=True)])
    contrast = spots.max_value / np.maximum(peak, noise)
    width = np.nan_to_num(spots.fwhm.value) * image.pixel_arcsec
    bright = spots.max_value > 3.0 * settings.detection_sigma * noise
    narrow = (width < settings.star_width * psf_of(image).fwhm) | (contrast > settings.certain_contrast)
    rows, columns = np.indices(residual.shape)
    core = np.hypot(columns - centre[0], rows - centre[1]) * image.pixel_arcsec < settings.core_arcsec
    own = np.isin(spots.labels, np.unique(segments.data[core]))
    chosen = spots.labels[bright & narrow & (contrast > settings.contrast) & ~own]
    stars = np.isin(segments.data, chosen)
    middle = round(centre[1]), round(centre[0])
    nucleus = np.where(np.isin(segments.data, spots.labels[own]), blurred, 0.0)
    stars |= _beside_nucleus(
        nucleus, residual > settings.contrast * np.maximum(smooth, noise), (middle, threshold, settings)
    )
    return binary_dilation(stars, iterations=2) & ~core


def _beside_nucleus(nucleus: FloatArray, high: BoolArray, where: tuple) -> BoolArray:
    """Pixels of stars whose light runs into that of the nucleus: peaks of their own that reach a star's contrast."""
    middle, threshold, settings = where
    parts, _ = label(
        _blended_neighbours(nucleus, threshold, middle, settings._replace(neighbour_share=0.0, neighbour_contrast=0.5))
    )
    return np.isin(parts, np.setdiff1d(parts[high], [0]))


def _detection_image(data, noise, image: Image, settings: MaskSettings) -> tuple[FloatArray, float]:
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


def _segments(image: FloatArray, threshold, min_pixels: int):
    """Segments above a threshold, or None."""
    from photutils.segmentation import detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        return detect_sources(image, threshold, min_pixels)
