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
from engine.cube.masks import MaskSettings
from engine.cube.shift import shifted
from engine.cube.sky import AxisAngles, axis_angles
from engine.cube.types import CUBE_UNIT, Cube, Image
from engine.errors import CubeError
from engine.flags import DROPPED, flags_in
from engine.inference.arrangement import Models
from engine.inference.posterior import Observed, infer
from engine.inference.region_table import observed_from, with_measurements
from engine.pipeline.preparation import Binned, Target, bring_together
from engine.pipeline.settings import DEFAULT, PipelineSettings
from engine.regions import Rows
from engine.spectrum.emission import Emission, decouple_lines
from engine.spectrum.indices import Indices, measure_indices
from engine.spectrum.kcorrection import KModels, Magnitudes, fit_k_correction, k_corrected
from engine.spectrum.kinematics import Kinematics, fit_kinematics
from engine.spectrum.lines import line_table
from engine.spectrum.photometry import Filter, line_fluxes_in_bands
from engine.spectrum.redshift import NOT_FOUND, RedshiftFound, find_redshift
from engine.spectrum.spectra import REST_GRID, RestSpectra, Spectra, make_spectra, rest_frame
from engine.spectrum.templates import StellarTemplates, match_templates
from engine.types import BoolArray, FloatArray, IntArray

MARGIN_ANGSTROM = 60.0  # of the models around the spectra


class Materials(NamedTuple):
    """What all galaxies of a survey share: the library arranged, model galaxies and templates, filters ugriz."""

    models: Models
    wave: FloatArray  # (wave,) Angstrom, air
    k_models: KModels  # for K-corrections
    templates: FloatArray  # (template, wave) for kinematics and lines
    filters: tuple[Filter, ...]


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
    spaxels = _columns_of(binned, measured, target, materials, settings)
    observed = observed_from(spaxels, target.redshift, cube.spaxel_arcsec)
    posterior = infer(observed, materials.models, least_models=settings.posterior.least_models)
    return Analysed(binned, measured, observed, with_measurements(spaxels, posterior))


def _columns_of(
    binned: Binned, measured: Measured, target: Target, materials: Materials, settings: PipelineSettings
) -> Rows:
    """What the data say of the kept spaxels, before the posterior."""
    spaxels = _place(binned) | motions(measured) | index_columns(measured)
    seen = observed_magnitudes(binned, measured, target, materials, settings)
    flags = binned.flags[binned.kept] | measured.stars.flags | measured.gas.flags
    return spaxels | _rest_magnitudes(seen, spaxels, target, materials) | {"flags": flags}


def _why_none(flags: IntArray, masks: MaskSettings) -> str:
    """How often each reason that spaxels are not kept occurs."""
    counts = [(int(((flags & flag) > 0).sum()), flag.words) for flag in flags_in(DROPPED)]
    reasons = "; ".join(f"{words}: {count:,}" for count, words in counts if count)
    return f"{reasons} (the cut is {masks.brightness_limit} mag/arcsec2)"


def measure_spectra(
    binned: Binned, target: Target, materials: Materials, settings: PipelineSettings = DEFAULT,
    step: Callable[[str], None] = lambda _name: None,
) -> Measured:  # fmt: skip
    """Stars and gas of the kept spectra separated, and the spectra of the stars brought to rest."""
    spectra = _kept_spectra(binned)
    step("kinematics")
    templates = templates_for(spectra.wave, target.redshift, materials)
    stars = fit_kinematics(spectra, templates, settings=settings.kinematics)
    step("emission lines")
    gas = decouple_lines(spectra, stars.v_star, stars.sigma_star, templates, settings=settings.emission)
    step("indices")
    clean = spectra._replace(flux=gas.clean, good=gas.good)
    stretch = (1 + target.redshift) * np.exp(stars.v_star / LIGHT_SPEED_KMS)
    return Measured(
        spectra=spectra,
        stars=stars,
        gas=gas,
        rest=rest_frame(clean, gas.stars, stars.v_star, target.redshift),
        stellar=_at_rest(spectra.wave, gas.stars, stretch),
        lines=_at_rest(spectra.wave, gas.lines, stretch),
        redshift=find_redshift(spectra, materials.wave, materials.templates, target.redshift),
    )


def _kept_spectra(binned: Binned) -> Spectra:
    cube = binned.cube
    kept = binned.kept
    return make_spectra(cube.wave, cube.flux[:, kept].T, cube.error[:, kept].T, cube.good[:, kept].T)


def templates_for(wave: FloatArray, redshift: float, materials: Materials) -> StellarTemplates:
    """Templates at the resolution of spectra at these wavelengths [Angstrom, observed]."""
    low = wave[0] / (1 + redshift) - MARGIN_ANGSTROM
    high = wave[-1] / (1 + redshift) + MARGIN_ANGSTROM
    near = (materials.wave > low - 200) & (materials.wave < high + 200)
    return match_templates(materials.wave[near], materials.templates[:, near].astype(float), wave, redshift)


def _at_rest(wave: FloatArray, rows: FloatArray, stretch: FloatArray) -> FloatArray:
    """Smooth spectra (spaxel, wave) read on REST_GRID; NaN beyond."""
    pairs = zip(stretch, rows, strict=True)
    read = [np.interp(REST_GRID * s, wave, row, left=np.nan, right=np.nan) for s, row in pairs]
    return np.array(read, dtype=np.float32).reshape(len(rows), REST_GRID.size)


def _place(binned: Binned) -> Rows:
    y, x = np.nonzero(binned.kept)
    level = binned.smoothing.level[binned.kept]
    snr = binned.smoothing.snr[binned.kept]
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


class _Fluxes(NamedTuple):
    """Of the kept spaxels in ugriz, (spaxel, band) over that of magnitude 0; NaN without an image."""

    flux: FloatArray
    error: FloatArray


def observed_magnitudes(
    binned: Binned, measured: Measured, target: Target, materials: Materials, settings: PipelineSettings = DEFAULT
) -> Magnitudes:
    """AB magnitudes of the kept spaxels as observed, without emission lines, and their errors."""
    seen = _fluxes_of(binned)
    taken = np.where(measured.gas.removed, np.nan_to_num(measured.gas.flux), 0.0) * CUBE_UNIT
    of_lines = line_fluxes_in_bands(line_table().wave * (1 + target.redshift), taken, materials.filters)
    stellar = seen.flux - of_lines
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = -2.5 * np.log10(np.where(stellar > 0, stellar, np.nan))
        errors = np.hypot(MAG_PER_E_FOLD * seen.error / stellar, settings.photometry.floor)
    return Magnitudes(observed, np.where(np.isfinite(observed), errors, np.nan))


def _fluxes_of(binned: Binned) -> _Fluxes:
    kept = binned.kept
    area = binned.cube.spaxel_arcsec**2
    found = _Fluxes(*np.full((2, int(kept.sum()), len(BANDS)), np.nan))
    for place, band in enumerate(binned.grid.bands):
        good = binned.light.good[place][kept]
        column = BANDS.index(band)
        for out, plane in zip(found, (binned.light.flux[place], binned.light.error[place]), strict=True):
            out[:, column] = np.where(good, plane[kept], np.nan) * 1e-9 * area
    return found


def _rest_magnitudes(seen: Magnitudes, measured: Rows, target: Target, materials: Materials) -> Rows:
    """Magnitudes in rest-frame bands with errors; measured: columns with the indices, which tell the K-correction."""
    indices = Indices(*(np.stack([measured[name + end] for name in INDEX_NAMES], axis=1) for end in ("", "_err")))
    correction = fit_k_correction(materials.wave, materials.k_models, materials.filters, target.redshift)
    rest = k_corrected(seen, indices, correction)
    columns = {f"mag_{band}": rest.values[:, i] for i, band in enumerate(BANDS)}
    return columns | {f"mag_{band}_err": rest.errors[:, i] for i, band in enumerate(BANDS)}
