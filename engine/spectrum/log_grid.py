"""Spectra of a galaxy on the logarithmic grid of its templates, ready for pPXF, and what may be chosen of the fit."""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS
from engine.errors import ShapeError
from engine.features import LINES, NIGHT_SKY, SODIUM_D, Band
from engine.spectrum.spectra import Spectra, bridge, interpolate_linear
from engine.spectrum.templates import StellarTemplates, usable_range
from engine.types import BoolArray, FloatArray


class KinematicsSettings(NamedTuple):
    """What may be chosen; all of it *choice* unless a source is given."""

    fit_range: tuple[float, float] = (3750.0, 6900.0)  # Angstrom, rest frame
    degree: int = 8  # of the additive polynomial; 4-10 change nothing in the mean, see test_kinematics
    moments: int = 2  # of the velocity distribution; 4 fits h3 and h4 too, which are not returned
    line_half_width: float = 600.0  # km/s masked to each side of a line, if not
    line_half_width_instrument: float = 4.0  # sigmas of the instrument's resolution, if these are more
    velocity_limit: float = 600.0  # km/s from the galaxy's redshift
    sigma_limits: tuple[float, float] = (5.0, 450.0)  # km/s
    snr_full: float = 8.0  # per pixel of the data: velocity and dispersion from all templates the galaxy needs
    snr_few: float = 5.0  # from here on one template per sum of spectra
    snr_velocity: float = 2.5  # from here on the dispersion is that of the galaxy; below, the velocity too
    n_sums: int = 4  # sums of spectra, from the best to the poorest, that choose the templates
    error_limit: float = 150.0  # km/s: a velocity less certain than this is not believed


class LogSpectra(NamedTuple):
    """Spectra of a galaxy on the logarithmic grid of its templates."""

    log_wave: FloatArray  # (pixel,)
    flux: FloatArray  # (spaxel, pixel)
    err: FloatArray
    good: BoolArray  # (spaxel, pixel) in the data and away from lines
    clear: BoolArray  # (spaxel, pixel) in the data, lines or not
    on_lines: BoolArray  # (pixel,) where lines of gas at the galaxy's redshift may be
    templates: FloatArray  # (template, template pixel) on the same step, longer on both sides
    velscale: float
    offset: float  # km/s: start of the templates against that of the spectra


def on_log_grid(spectra: Spectra, templates: StellarTemplates, settings: KinematicsSettings) -> LogSpectra:
    """Spectra read off a cubic spline at every second pixel of the templates, in the rest frame.

    A spline keeps the resolution, unlike rebinning. Where pixels of the grid are finer than those of the data
    their noise is correlated, and errors are raised so that the information stays the same.
    """
    half = templates.log_wave[::2]
    stretch = 1 + templates.redshift
    log_wave = half[_fitted_pixels(np.exp(half), spectra.wave / stretch, templates, settings)]
    observed = np.exp(log_wave) * stretch
    flux = CubicSpline(spectra.wave, bridge(spectra.wave, spectra.flux, spectra.good), axis=1)(observed)
    err = _errors_on_grid(spectra, observed, 2 * templates.step)
    clear = _good_on_grid(spectra, observed) & np.isfinite(flux / err) & ~_in_bands(observed, NIGHT_SKY)
    fwhm = np.interp(observed, spectra.wave, templates.fwhm) / stretch
    on_lines = _near_lines(np.exp(log_wave), fwhm, settings)
    return LogSpectra(
        log_wave=log_wave,
        flux=flux,
        err=err,
        good=clear & ~on_lines,
        clear=clear,
        on_lines=on_lines,
        templates=templates.flux[:, ::2],
        velscale=LIGHT_SPEED_KMS * 2 * templates.step,
        offset=LIGHT_SPEED_KMS * (half[0] - log_wave[0]),
    )


def _fitted_pixels(
    grid: FloatArray, data: FloatArray, templates: StellarTemplates, settings: KinematicsSettings
) -> BoolArray:
    """Which wavelengths of the grid both the templates and the data cover, all at rest; raises ShapeError."""
    low, high = usable_range(templates, settings.velocity_limit + 100.0)
    low = max(low, settings.fit_range[0])
    high = min(high, settings.fit_range[1])
    inside = (grid > max(low, data[0])) & (grid < min(high, data[-1]))
    if inside.sum() < 50:
        first, last = data[[0, -1]] * (1 + templates.redshift)
        raise ShapeError(f"the spectra cover {first:.0f}-{last:.0f} Angstrom: too little of {low:.0f}-{high:.0f}")
    return inside


def _errors_on_grid(spectra: Spectra, observed: FloatArray, step: float) -> FloatArray:
    """Errors (spaxel, pixel) at wavelengths that lie a step apart in their logarithm."""
    wave = spectra.wave
    position = np.interp(observed, wave, np.arange(wave.size))
    variance = interpolate_linear(position, bridge(wave, spectra.err, spectra.good) ** 2)
    pixels_per_step = np.gradient(wave)[np.floor(position).astype(int)] / (observed * step)
    return np.sqrt(variance * np.maximum(pixels_per_step, 1.0))


def _good_on_grid(spectra: Spectra, observed: FloatArray) -> BoolArray:
    """Whether both pixels next to a wavelength are good, (spaxel, pixel)."""
    last = spectra.wave.size - 1
    below = np.floor(np.interp(observed, spectra.wave, np.arange(last + 1))).astype(int)
    return spectra.good[:, below] & spectra.good[:, np.minimum(below + 1, last)]


def _near_lines(rest: FloatArray, fwhm: FloatArray, settings: KinematicsSettings) -> BoolArray:
    narrow = settings.line_half_width_instrument * fwhm / FWHM_PER_SIGMA / rest * LIGHT_SPEED_KMS
    away = np.abs(rest[:, None] / np.array([line.wave for line in LINES]) - 1) * LIGHT_SPEED_KMS
    near = (away < np.maximum(narrow, settings.line_half_width)[:, None]).any(axis=1)
    return near | _in_bands(rest, (SODIUM_D,))


def _in_bands(wave: FloatArray, bands: tuple[Band, ...]) -> BoolArray:
    return np.any([(wave > low) & (wave < high) for low, high in bands], axis=0)
