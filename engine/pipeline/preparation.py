"""Cube and images of one galaxy brought together, masked and smoothed: ZG22 sec. 2.1 up to the spectra."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from astropy.coordinates import Angle
from astropy.wcs import WCS

from engine.cube.foreground import foreground_spaxels
from engine.cube.images import OnGrid
from engine.cube.masks import MaskSettings, mask_spaxels, usable_spaxels
from engine.cube.noise import NoiseCheck, with_sound_pixels
from engine.cube.registration import RegistrationReport, register
from engine.cube.shift import shifted
from engine.cube.sky import Pixel, field_centre, pixel_at, sky_position
from engine.cube.smoothing import (
    Smoothed,
    Smoothing,
    SmoothingSettings,
    choose_levels,
    smooth_cube,
    smooth_planes,
    smoothing_flags,
)
from engine.cube.snr import window_snr
from engine.cube.types import Cube, Image
from engine.cube.voronoi import bin_cube, bin_planes, voronoi_bins
from engine.errors import CubeError, SettingsError
from engine.flags import SpaxelFlag
from engine.pipeline.settings import BINNINGS, DEFAULT, NONE, VORONOI, PipelineSettings
from engine.spectrum.photometry import Filter
from engine.types import BoolArray, FloatArray, IntArray

HARMLESS = (
    SpaxelFlag.SMOOTHED | SpaxelFlag.TARGET_MISSED | SpaxelFlag.REGISTRATION_DOUBTFUL
).value  # flags of spaxels that are kept all the same


class Target(NamedTuple):
    """What the catalogue says of one galaxy: redshift, and its centre on the sky [deg] (NaN: the brightest spot)."""

    redshift: float
    ra: float = np.nan
    dec: float = np.nan


class Binned(NamedTuple):
    """Cube and images after masks and smoothing."""

    cube: Cube
    light: Smoothed  # (band, y, x) nanomaggies/arcsec2
    grid: OnGrid  # the images before
    report: RegistrationReport
    smoothing: Smoothing
    flags: IntArray  # (y, x)
    centre: tuple[float, float]  # column, row of the galaxy
    noise_check: NoiseCheck = NoiseCheck()

    @property
    def brightest(self) -> tuple[float, float]:
        """Column and row of the brightest spaxel that is neither foreground nor bad."""
        return _brightest(self.grid, usable_spaxels(self.flags))

    @property
    def kept(self) -> BoolArray:
        """Spaxels whose spectra are measured, (y, x)."""
        return (self.flags & ~HARMLESS) == 0


class Registered(NamedTuple):
    """Cube and images brought together."""

    cube: Cube
    grid: OnGrid
    report: RegistrationReport
    noise_check: NoiseCheck


def bring_together(
    cube: Cube, images: tuple[Image, ...], target: Target, filters: tuple[Filter, ...],
    settings: PipelineSettings = DEFAULT, *, drawn: BoolArray | None = None,
    step: Callable[[str], None] = lambda _name: None,
) -> Binned:  # fmt: skip
    """Cube and images on one grid, masked and smoothed; arguments as of analyse."""
    if settings.binning not in BINNINGS:
        raise SettingsError(f"binning is one of {', '.join(BINNINGS)}, not {settings.binning!r}")
    step("registration")
    refuse_elsewhere(target, cube, settings.registration.max_shift_arcsec)
    registered = _registered(cube, images, filters, settings)
    step("masks")
    foreground = _foreground(registered, images, target, settings.masks)
    if drawn is not None:
        foreground = foreground | drawn
    flags = mask_spaxels(registered.cube, registered.grid, foreground, filters, settings.masks)
    step("smoothing")
    binned = _smoothed(registered, flags, target.redshift, settings)
    return _binned(registered, binned, _centre(registered, target))


def _registered(
    cube: Cube, images: tuple[Image, ...], filters: tuple[Filter, ...], settings: PipelineSettings
) -> Registered:
    sound, noise_check = with_sound_pixels(cube, settings.noise)
    grid, report = register(sound, images, filters, settings.registration)
    return Registered(sound, grid, report, noise_check)


def _centre(registered: Registered, target: Target) -> tuple[float, float] | None:
    """Column and row of the galaxy as the catalogue has it, if that lies in the field, once the shift is taken off."""
    cube = registered.cube
    return _place_of(target, shifted(cube, registered.report.shift), cube.shape)


def _binned(registered: Registered, binned: "CubeAndLight", centre: tuple[float, float] | None) -> Binned:
    """All that came of it; without a centre the brightest spaxel is one."""
    return Binned(
        cube=binned.cube,
        light=binned.light,
        grid=registered.grid,
        report=registered.report,
        smoothing=binned.smoothing,
        flags=binned.flags,
        centre=centre or _brightest(registered.grid, usable_spaxels(binned.flags)),
        noise_check=registered.noise_check,
    )


def _foreground(registered: Registered, images: tuple[Image, ...], target: Target, settings: MaskSettings) -> BoolArray:
    """Spaxels of stars and other galaxies in the r image, (y, x)."""
    cube = registered.cube
    r_image = images[[image.band for image in images].index("r")]
    stated = _place_of(target, cube.wcs, cube.shape)
    return foreground_spaxels(r_image, cube, registered.report.shift, stated, settings)


class Depth(NamedTuple):
    """Signal and one-sigma noise per Angstrom of single spaxels, (y, x)."""

    signal: FloatArray
    noise: FloatArray

    @property
    def known(self) -> BoolArray:
        """Whether both are numbers, (y, x)."""
        return np.isfinite(self.signal) & np.isfinite(self.noise)


class CubeAndLight(NamedTuple):
    """Cube and images binned alike, how, and the flags of the spaxels."""

    cube: Cube
    light: Smoothed
    smoothing: Smoothing
    flags: IntArray  # (y, x)


def _smoothed(registered: Registered, flags: IntArray, redshift: float, settings: PipelineSettings) -> CubeAndLight:
    """Cube and images binned; flags (y, x) of the masks, to which those of depth and smoothing are added."""
    depth = Depth(*window_snr(registered.cube, redshift))
    flags = flags | np.where(depth.known, 0, SpaxelFlag.BAD_PIXELS.value)
    binned = _bin(registered.cube, _planes_of(registered.grid), depth, flags, settings)
    flags = _with_flags_of_smoothing(flags, binned.smoothing, settings.smoothing)
    if registered.report.doubtful:
        flags = flags | SpaxelFlag.REGISTRATION_DOUBTFUL.value
    return binned._replace(flags=flags)


def _planes_of(grid: OnGrid) -> Smoothed:
    return Smoothed(grid.data, grid.error, np.isfinite(grid.data) & np.isfinite(grid.error))


def _bin(cube: Cube, images: Smoothed, depth: Depth, flags: IntArray, settings: PipelineSettings) -> CubeAndLight:
    """Cube and images binned as the settings ask."""
    for_cube = settings.smoothing if settings.binning != NONE else settings.smoothing._replace(levels=1)
    for_images = for_cube._replace(correlation_slope=settings.photometry.correlation_slope)
    if settings.binning == VORONOI:
        bins = voronoi_bins(depth.signal, depth.noise, flags == 0, for_cube)
        return CubeAndLight(
            bin_cube(cube, bins.bin, for_cube),
            bin_planes(images, bins.bin, for_images),
            Smoothing(bins.level, bins.snr),
            flags,
        )
    usable = usable_spaxels(flags)
    smoothing = choose_levels(depth.signal, depth.noise, usable, for_cube)
    # what is too noisy even so needs no spectrum
    wanted = (flags == 0) & (smoothing.snr >= for_cube.minimum)
    return CubeAndLight(
        smooth_cube(cube, smoothing.level, usable, for_cube, wanted),
        smooth_planes(images, smoothing.level, usable, for_images),
        smoothing,
        flags,
    )


def _with_flags_of_smoothing(flags: IntArray, smoothing: Smoothing, settings: SmoothingSettings) -> IntArray:
    """Flags (y, x) with those of smoothing, for spaxels that had none; a spaxel that joins no bin is lost."""
    lost = np.where(smoothing.level == 0, SpaxelFlag.SNR_TOO_LOW.value, 0)
    return flags | np.where(flags == 0, smoothing_flags(smoothing, settings) | lost, 0)


def refuse_elsewhere(target: Target, cube: Cube, margin_arcsec: float) -> None:
    """Raises CubeError for a catalogue position outside the field: it is of another galaxy, or not in degrees.

    margin_arcsec: by how much the cube's own coordinates may be off.
    """
    if not np.isfinite((target.ra, target.dec)).all():
        return
    place = sky_position(target.ra, target.dec)
    if _inside(pixel_at(cube.wcs, place), cube, margin_arcsec):
        return
    middle = field_centre(cube.wcs, cube.shape)
    in_hours = _inside(pixel_at(cube.wcs, sky_position(15.0 * target.ra, target.dec)), cube, margin_arcsec)
    hint = "; the right ascension seems to be in hours, degrees are wanted" if in_hours else ""
    raise CubeError(
        f"{cube.name}: the catalogue's position, RA {target.ra:g} and Dec {target.dec:g} deg, is outside the cube's "
        f"field, {_in_words(middle.separation(place))} from its middle at RA {middle.ra.deg:.5f} and "
        f"Dec {middle.dec.deg:.5f} deg{hint}"
    )


def _in_words(distance: Angle) -> str:
    return f"{distance.deg:.2f} deg" if distance.arcmin > 1 else f"{distance.arcsec:.0f} arcsec"


def _inside(place: Pixel, cube: Cube, margin_arcsec: float) -> bool:
    """Whether a place lies in the field or near it."""
    rows, columns = cube.shape
    margin = margin_arcsec / cube.spaxel_arcsec
    return bool(-margin <= place.x <= columns - 1 + margin and -margin <= place.y <= rows - 1 + margin)


def _place_of(target: Target, wcs: WCS, shape: tuple[int, int]) -> tuple[float, float] | None:
    """Column and row of the galaxy as the catalogue has it, if that lies in the field."""
    if not np.isfinite((target.ra, target.dec)).all():
        return None
    place = pixel_at(wcs, sky_position(target.ra, target.dec))
    x = float(place.x)
    y = float(place.y)
    return (x, y) if 0 <= x <= shape[1] - 1 and 0 <= y <= shape[0] - 1 else None


def _brightest(grid: OnGrid, usable: BoolArray) -> tuple[float, float]:
    r = np.where(usable, np.nan_to_num(grid.data[grid.bands.index("r")]), -np.inf)
    y, x = np.unravel_index(r.argmax(), r.shape)
    return float(x), float(y)
