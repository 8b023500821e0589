"""One galaxy from its cube and images to the rows of the region table: ZG22 sec. 2.1 and 2.2 in their order.

``analyse`` calls the steps of engine.cube, engine.spectrum and engine.inference one after the other; each of them is
documented where it lives. What it returns holds all that maps, spectra and tables are written from.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS

from engine.columns import BANDS, INDEX_NAMES
from engine.constants import LIGHT_SPEED_KMS, MAG_PER_E_FOLD
from engine.cube.foreground import foreground_spaxels
from engine.cube.images import OnGrid
from engine.cube.masks import MaskSettings, mask_spaxels, usable_spaxels
from engine.cube.noise import NoiseCheck, NoiseSettings, with_sound_pixels
from engine.cube.registration import RegistrationReport, RegistrationSettings, register
from engine.cube.shift import shifted
from engine.cube.sky import AxisAngles, Pixel, axis_angles, field_centre, pixel_at, sky_position
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
from engine.cube.types import CUBE_UNIT, Cube, Image
from engine.cube.voronoi import bin_cube, bin_planes, voronoi_bins
from engine.errors import CubeError, SettingsError
from engine.flags import DROPPED, SpaxelFlag, flags_in
from engine.inference.arrangement import Models
from engine.inference.observed import observed_from, with_measurements
from engine.inference.posterior import FEW_MODELS, Observed, infer
from engine.regions import Rows
from engine.spectrum.emission import Emission, EmissionSettings, decouple_lines
from engine.spectrum.indices import Indices, measure_indices
from engine.spectrum.kcorrection import KModels, Magnitudes, fit_k_correction, k_corrected
from engine.spectrum.kinematics import Kinematics, KinematicsSettings, fit_kinematics
from engine.spectrum.lines import line_table
from engine.spectrum.photometry import Filter, line_fluxes_in_bands
from engine.spectrum.redshift import NOT_FOUND, RedshiftFound, find_redshift
from engine.spectrum.spectra import REST_GRID, RestSpectra, Spectra, make_spectra, rest_frame
from engine.spectrum.templates import StellarTemplates, match_templates
from engine.types import BoolArray, FloatArray, IntArray

ADAPTIVE, VORONOI, NONE = "adaptive", "voronoi", "none"
BINNINGS = (ADAPTIVE, VORONOI, NONE)
HARMLESS = (
    SpaxelFlag.SMOOTHED | SpaxelFlag.TARGET_MISSED | SpaxelFlag.REGISTRATION_DOUBTFUL
).value  # flags of spaxels that are kept all the same
MARGIN_ANGSTROM = 60.0  # of the models around the spectra


class PhotometrySettings(NamedTuple):
    """Images. floor: error of calibration and of matching to the cube [mag], added in quadrature: choice.

    Their noise is correlated over the cube's point spread once they are blurred to it, over more than the cube's own:
    with correlation_slope as in smoothing. choice
    """

    floor: float = 0.03
    correlation_slope: float = SmoothingSettings().correlation_slope


class PosteriorSettings(NamedTuple):
    """least_models: errors are inflated until so many models contribute (posterior.percentiles); 0: never."""

    least_models: float = FEW_MODELS


class PipelineSettings(NamedTuple):
    """Settings of all steps. binning: adaptive smoothing, Voronoi bins, or none (ZG22 app. A compares them)."""

    binning: str = ADAPTIVE
    noise: NoiseSettings = NoiseSettings()
    smoothing: SmoothingSettings = SmoothingSettings()
    masks: MaskSettings = MaskSettings()
    registration: RegistrationSettings = RegistrationSettings()
    kinematics: KinematicsSettings = KinematicsSettings()
    emission: EmissionSettings = EmissionSettings()
    photometry: PhotometrySettings = PhotometrySettings()
    posterior: PosteriorSettings = PosteriorSettings()


DEFAULT = PipelineSettings()


class Materials(NamedTuple):
    """What all galaxies of a survey share: the library arranged, model galaxies and templates, filters ugriz."""

    models: Models
    wave: FloatArray  # (wave,) Angstrom, air
    k_models: KModels  # for K-corrections
    templates: FloatArray  # (template, wave) for kinematics and lines
    filters: tuple[Filter, ...]


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


class Measured(NamedTuple):
    """Spectra of the kept spaxels, taken apart; (spaxel, ...) in the order of rows, then columns."""

    spectra: Spectra
    stars: Kinematics
    gas: Emission
    rest: RestSpectra  # of the stars alone, at rest
    stellar: FloatArray  # (spaxel, wave) the fit of the stars at rest
    lines: FloatArray  # (spaxel, wave) the lines taken out at rest
    redshift: RedshiftFound = NOT_FOUND  # what the spectra show, whatever the catalogue says


class Analysed(NamedTuple):
    """All that is known of one galaxy. ``spaxels``: columns of the region table of the kept spaxels."""

    binned: Binned
    measured: Measured
    observed: Observed
    spaxels: Rows

    @property
    def wcs(self) -> WCS:
        """Sky coordinates of the maps: the cube's, corrected by the shift that was found."""
        return shifted(self.binned.cube, self.binned.report.shift)

    @property
    def axis_angles(self) -> AxisAngles:
        """How the maps lie on the sky."""
        return axis_angles(self.wcs, self.binned.cube.shape)


def analyse(
    cube: Cube, images: tuple[Image, ...], target: Target, materials: Materials,
    settings: PipelineSettings = DEFAULT, *, drawn: BoolArray | None = None,
    step: Callable[[str], None] = lambda _name: None,
) -> Analysed:  # fmt: skip
    """Measure every spaxel of one galaxy that the data allow.

    Parameters: cube and images as read; drawn, spaxels (y, x) that the user masked. step is called with the name of
    each step as it begins. Raises CubeError if no spaxel is left, or a GlocalError of a step.
    """
    binned = bring_together(cube, images, target, materials.filters, settings, drawn=drawn, step=step)
    if not binned.kept.any():
        raise CubeError(f"{cube.name}: no spaxel is left: {_why_none(binned.flags, settings.masks)}")
    measured = measure_spectra(binned, target, materials, settings, step)
    step("posterior")
    spaxels = _place(binned) | motions(measured) | index_columns(measured)
    seen = observed_magnitudes(binned, measured, target, materials, settings)
    spaxels |= _rest_magnitudes(seen, spaxels, target, materials)
    spaxels["flags"] = binned.flags[binned.kept] | measured.stars.flags | measured.gas.flags
    observed = observed_from(spaxels, target.redshift, cube.spaxel_arcsec)
    posterior = infer(observed, materials.models, least_models=settings.posterior.least_models)
    return Analysed(binned, measured, observed, with_measurements(spaxels, posterior))


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
    cube, noise_check = with_sound_pixels(cube, settings.noise)
    grid, report = register(cube, images, filters, settings.registration)
    step("masks")
    centre = _place_of(target, shifted(cube, report.shift), cube.shape)
    stated = _place_of(target, cube.wcs, cube.shape)
    r_image = images[[image.band for image in images].index("r")]
    foreground = foreground_spaxels(r_image, cube, report.shift, stated, settings.masks)
    foreground |= False if drawn is None else drawn
    flags = mask_spaxels(cube, grid, foreground, filters, settings.masks)
    step("smoothing")
    signal, noise = window_snr(cube, target.redshift)
    flags = _with_unknown_noise(flags, signal, noise)
    smooth, light, smoothing = _smooth((cube, grid), (signal, noise), flags, settings)
    lost = np.where(smoothing.level == 0, SpaxelFlag.SNR_TOO_LOW.value, 0)  # a spaxel that joins no bin
    flags = flags | np.where(flags == 0, smoothing_flags(smoothing, settings.smoothing) | lost, 0)
    doubtful = SpaxelFlag.REGISTRATION_DOUBTFUL.value if report.doubtful else 0
    return Binned(
        smooth, light, grid, report, smoothing, flags | doubtful,
        centre or _brightest(grid, usable_spaxels(flags)), noise_check,
    )  # fmt: skip


def _with_unknown_noise(flags: IntArray, signal: FloatArray, noise: FloatArray) -> IntArray:
    unknown = ~(np.isfinite(signal) & np.isfinite(noise))
    return flags | np.where(unknown, SpaxelFlag.BAD_PIXELS.value, 0)


def _smooth(data: tuple, measured: tuple, flags: IntArray, settings: PipelineSettings) -> tuple:
    """Cube and images smoothed with one map of levels, and that map."""
    (cube, grid), (signal, noise), how = data, measured, settings.smoothing
    images = Smoothed(grid.data, grid.error, np.isfinite(grid.data) & np.isfinite(grid.error))
    for_images = how._replace(correlation_slope=settings.photometry.correlation_slope)
    if settings.binning == VORONOI:
        bins = voronoi_bins(signal, noise, flags == 0, how)
        return bin_cube(cube, bins.bin, how), bin_planes(images, bins.bin, for_images), Smoothing(*bins[:2])
    usable = usable_spaxels(flags)
    steps = how if settings.binning == ADAPTIVE else how._replace(levels=1)
    chosen = choose_levels(signal, noise, usable, steps)
    # what is too noisy even so needs no spectrum
    wanted = (flags == 0) & (chosen.snr >= how.minimum)
    smooth = smooth_cube(cube, chosen.level, usable, steps, wanted)
    return smooth, smooth_planes(images, chosen.level, usable, for_images._replace(levels=steps.levels)), chosen


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
    away = middle.separation(place)
    distance = f"{away.deg:.2f} deg" if away.arcmin > 1 else f"{away.arcsec:.0f} arcsec"
    in_hours = _inside(pixel_at(cube.wcs, sky_position(15.0 * target.ra, target.dec)), cube, margin_arcsec)
    hint = "; the right ascension seems to be in hours, degrees are wanted" if in_hours else ""
    raise CubeError(
        f"{cube.name}: the catalogue's position, RA {target.ra:g} and Dec {target.dec:g} deg, is outside the cube's "
        f"field, {distance} from its middle at RA {middle.ra.deg:.5f} and Dec {middle.dec.deg:.5f} deg{hint}"
    )


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
    x, y = float(place.x), float(place.y)
    return (x, y) if 0 <= x <= shape[1] - 1 and 0 <= y <= shape[0] - 1 else None


def _brightest(grid: OnGrid, usable: BoolArray) -> tuple[float, float]:
    r = np.where(usable, np.nan_to_num(grid.data[grid.bands.index("r")]), -np.inf)
    y, x = np.unravel_index(r.argmax(), r.shape)
    return float(x), float(y)


def _why_none(flags: IntArray, masks: MaskSettings) -> str:
    """How often each reason that spaxels are not kept occurs."""
    counts = [(int(((flags & flag) > 0).sum()), flag.words) for flag in flags_in(DROPPED)]
    reasons = "; ".join(f"{words}: {count:,}" for count, words in counts if count)
    return f"{reasons} (the cut is {masks.brightness_limit} mag/arcsec2)"


def measure_spectra(
    binned: Binned, target: Target, materials: Materials, settings: PipelineSettings = DEFAULT,
    step: Callable[[str], None] = lambda _name: None,
) -> Measured:  # fmt: skip
    """Stars and gas of the kept spectra told apart, and the spectra of the stars brought to rest."""
    kept, cube = binned.kept, binned.cube
    spectra = make_spectra(cube.wave, cube.flux[:, kept].T, cube.error[:, kept].T, cube.good[:, kept].T)
    step("kinematics")
    templates = templates_for(cube.wave, target.redshift, materials)
    stars = fit_kinematics(spectra, templates, settings=settings.kinematics)
    step("emission lines")
    gas = decouple_lines(spectra, stars.v_star, stars.sigma_star, templates, settings=settings.emission)
    step("indices")
    clean = spectra._replace(flux=gas.clean, good=gas.good)
    rest = rest_frame(clean, gas.stars, stars.v_star, target.redshift)
    stretch = (1 + target.redshift) * np.exp(stars.v_star / LIGHT_SPEED_KMS)
    stellar, lines = (_at_rest(cube.wave, part, stretch) for part in (gas.stars, gas.lines))
    shown = find_redshift(spectra, materials.wave, materials.templates, target.redshift)
    return Measured(spectra, stars, gas, rest, stellar, lines, shown)


def templates_for(wave: FloatArray, redshift: float, materials: Materials) -> StellarTemplates:
    """Templates at the resolution of spectra at these wavelengths [Angstrom, observed]."""
    low, high = wave[0] / (1 + redshift) - MARGIN_ANGSTROM, wave[-1] / (1 + redshift) + MARGIN_ANGSTROM
    near = (materials.wave > low - 200) & (materials.wave < high + 200)
    return match_templates(materials.wave[near], materials.templates[:, near].astype(float), wave, redshift)


def _at_rest(wave: FloatArray, rows: FloatArray, stretch: FloatArray) -> FloatArray:
    """Smooth spectra (spaxel, wave) read on REST_GRID; NaN beyond."""
    pairs = zip(stretch, rows, strict=True)
    read = [np.interp(REST_GRID * s, wave, row, left=np.nan, right=np.nan) for s, row in pairs]
    return np.array(read, dtype=np.float32).reshape(len(rows), REST_GRID.size)


def _place(binned: Binned) -> Rows:
    y, x = np.nonzero(binned.kept)
    level, snr = binned.smoothing.level[binned.kept], binned.smoothing.snr[binned.kept]
    sb_r = binned.grid.magnitudes("r")[binned.kept]
    return {"x": x, "y": y, "smoothing_level": level, "snr_per_angstrom": snr, "sb_r": sb_r}


def motions(measured: Measured) -> Rows:
    """Velocities relative to the galaxy's own, which fits of its brightest spectra tell."""
    stars = measured.stars
    return {"v_star": stars.v_star - stars.v_systemic, "sigma_star": stars.sigma_star}


def index_columns(measured: Measured) -> Rows:
    """Indices with the fit in the place of bad pixels; where good ones do not cover the bands well, there is none."""
    rest = measured.rest
    found = measure_indices(rest.wave, rest.flux, rest.err)
    uncovered = np.isnan(measure_indices(rest.wave, rest.flux, good=rest.good).values)
    for part in found:
        part[uncovered] = np.nan
    columns = {name: found.values[:, i] for i, name in enumerate(INDEX_NAMES)}
    return columns | {f"{name}_err": found.errors[:, i] for i, name in enumerate(INDEX_NAMES)}


def observed_magnitudes(
    binned: Binned, measured: Measured, target: Target, materials: Materials, settings: PipelineSettings = DEFAULT
) -> Magnitudes:
    """AB magnitudes of the kept spaxels as observed, without emission lines, and their errors."""
    kept, area = binned.kept, binned.cube.spaxel_arcsec**2
    flux, error = np.full((2, int(kept.sum()), len(BANDS)), np.nan)
    for place, band in enumerate(binned.grid.bands):
        good = binned.light.good[place][kept]
        for out, plane in ((flux, binned.light.flux), (error, binned.light.error)):
            out[:, BANDS.index(band)] = np.where(good, plane[place][kept], np.nan) * 1e-9 * area
    taken = np.where(measured.gas.removed, np.nan_to_num(measured.gas.flux), 0.0) * CUBE_UNIT
    stellar = flux - line_fluxes_in_bands(line_table().wave * (1 + target.redshift), taken, materials.filters)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = -2.5 * np.log10(np.where(stellar > 0, stellar, np.nan))
        errors = np.hypot(MAG_PER_E_FOLD * error / stellar, settings.photometry.floor)
    return Magnitudes(observed, np.where(np.isfinite(observed), errors, np.nan))


def _rest_magnitudes(seen: Magnitudes, measured: Rows, target: Target, materials: Materials) -> Rows:
    """Magnitudes in rest-frame bands with errors; measured: columns with the indices, which tell the K-correction."""
    indices = Indices(*(np.stack([measured[name + end] for name in INDEX_NAMES], axis=1) for end in ("", "_err")))
    correction = fit_k_correction(materials.wave, materials.k_models, materials.filters, target.redshift)
    rest = k_corrected(seen, indices, correction)
    columns = {f"mag_{band}": rest.values[:, i] for i, band in enumerate(BANDS)}
    return columns | {f"mag_{band}_err": rest.errors[:, i] for i, band in enumerate(BANDS)}
