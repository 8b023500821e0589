"""Stellar spectra made ready to be fitted: few, at the resolution of the instrument, on a logarithmic grid.

On a grid even in ln(lambda) a velocity is a shift, so one Fourier transform per galaxy serves all its spectra.
"""

from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from engine.adopted import CALIFA_FWHM_ANGSTROM
from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS
from engine.errors import ShapeError
from engine.types import FloatArray, IntArray

SSP_FWHM_ANGSTROM = 2.5  # MILES, Falcon-Barroso+11: 2.51 A

# *choice*: ages evenly in log from the first massive stars to the age of the Universe, three metallicities
TEMPLATE_AGES_YR = tuple(np.geomspace(3e6, 1.3e10, 10))
TEMPLATE_METALLICITIES = (0.2, 1.0, 2.5)  # Z / Zsun

_RANGE = (3600.0, 7330.0)  # Angstrom, rest frame: lines of emission.LINES with room for velocities and for the seam
_SEAM = 0.006  # of ln(lambda) at both ends, where spectra are led together so that transforms do not ring
_STEP = 0.5  # Angstrom; of the even grid on which resolution is matched
_NARROWEST, _KERNEL_STEP = 0.5, 0.25  # Angstrom FWHM, 2 % on top of 2.5; part of a kernel width


class StellarTemplates(NamedTuple):
    """Spectra at the resolution of one galaxy's data, in its rest frame.

    ``flux`` is scaled to median 1. ``step`` is the width of a pixel in ln(lambda); a fit by pPXF takes every second.
    """

    log_wave: FloatArray  # (pixel,) ln of Angstrom, air
    flux: FloatArray  # (template, pixel)
    rfft: FloatArray  # (template, frequency), complex: of flux
    step: float
    redshift: float  # of the galaxy
    fwhm: FloatArray  # (data wave,) Angstrom, of the data as observed


def pick_ssps(age: FloatArray, metallicity: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows (metallicity, age) of a model grid that lie nearest to the ages [yr] and metallicities wanted."""
    log_age = np.log(np.maximum(age, 1.0))
    ages = {int(np.abs(log_age - np.log(wanted)).argmin()) for wanted in TEMPLATE_AGES_YR}
    metals = {int(np.abs(np.log(metallicity) - np.log(wanted)).argmin()) for wanted in TEMPLATE_METALLICITIES}
    pairs = np.array([(m, a) for m in sorted(metals) for a in sorted(ages)])
    return pairs[:, 0], pairs[:, 1]


def match_templates(
    wave: FloatArray, flux: FloatArray, data_wave: FloatArray, redshift: float, *,
    fwhm: float | FloatArray = CALIFA_FWHM_ANGSTROM, fwhm_templates: float = SSP_FWHM_ANGSTROM,
) -> StellarTemplates:  # fmt: skip
    """Templates at the resolution of the data, for every spectrum of a galaxy.

    Parameters: wave (wave,) Angstrom, air, and flux (template, wave) of the models; data_wave (wave,) Angstrom,
    observed; redshift of the galaxy; fwhm [Angstrom] of the data, one number or one per data_wave. The data's
    resolution is narrower by 1 + redshift in the rest frame. Raises ShapeError.
    """
    wave, flux, data_wave = (np.asarray(part, dtype=float) for part in (wave, flux, data_wave))
    low, high = _range_of(wave, flux)
    even = np.arange(max(low - 50.0, wave[0]), min(high + 50.0, wave[-1]), _STEP)
    on_even = CubicSpline(wave, flux, axis=1)(even)
    smooth = _smooth(even, on_even, data_wave / (1 + redshift), fwhm / (1 + redshift), fwhm_templates)
    log_wave = np.linspace(np.log(low), np.log(high), _pixels(np.log(high / low), data_wave))
    sampled = _on_log(even, smooth, log_wave)
    return StellarTemplates(
        log_wave=log_wave,
        flux=sampled,
        rfft=fft.rfft(sampled, axis=1),
        step=log_wave[1] - log_wave[0],
        redshift=float(redshift),
        fwhm=np.broadcast_to(np.asarray(fwhm, dtype=float), data_wave.shape),
    )


def _on_log(even: FloatArray, flux: FloatArray, log_wave: FloatArray) -> FloatArray:
    """Spectra (template, even) at ln(wavelengths), scaled to a median of 1, their ends led together."""
    sampled = CubicSpline(even, flux, axis=1)(np.exp(log_wave))
    return _seamless(sampled / np.median(sampled, axis=1, keepdims=True), log_wave)


def _range_of(wave: FloatArray, flux: FloatArray) -> tuple[float, float]:
    """First and last wavelength [Angstrom] of the templates; raises ShapeError if these do not fit or cover too little.

    flux: (template, wave).
    """
    if flux.ndim != 2 or flux.shape[1] != wave.size:
        raise ShapeError(f"templates have the shape {flux.shape} but {wave.size} wavelengths; want (template, wave)")
    low = max(_RANGE[0], wave[0])
    high = min(_RANGE[1], wave[-1])
    if high < low * 1.1:
        raise ShapeError(f"the templates cover {wave[0]:.0f}-{wave[-1]:.0f} Angstrom, not {_RANGE[0]:.0f} and above")
    return low, high


def _smooth(
    even: FloatArray, flux: FloatArray, rest: FloatArray, resolution: float | FloatArray, fwhm_templates: float
) -> FloatArray:
    """Spectra on an even grid, broadened from the templates' to the data's resolution (never sharpened)."""
    if np.ndim(resolution) == 0:
        width = np.sqrt(max(resolution**2 - fwhm_templates**2, 0.0)) / FWHM_PER_SIGMA
        return gaussian_filter1d(flux, width / _STEP, axis=1, mode="nearest") if width > 0 else flux
    there = np.interp(even, rest, resolution)
    return _varying_blur(flux, np.sqrt(np.clip(there**2 - fwhm_templates**2, _NARROWEST**2, None)) / FWHM_PER_SIGMA)


def _varying_blur(flux: FloatArray, width: FloatArray) -> FloatArray:
    """Spectra (template, even) under a Gaussian whose width (even,) [Angstrom] varies along them.

    On an axis that counts kernel widths the kernel is the same everywhere.
    """
    widths = np.concatenate([[0.0], np.cumsum(_STEP * 2 / (width[1:] + width[:-1]))])
    axis = np.arange(0.0, widths[-1], _KERNEL_STEP)
    smooth = gaussian_filter1d(CubicSpline(widths, flux, axis=1)(axis), 1 / _KERNEL_STEP, axis=1, mode="nearest")
    return CubicSpline(axis, smooth, axis=1)(np.minimum(widths, axis[-1]))


def _seamless(flux: FloatArray, log_wave: FloatArray) -> FloatArray:
    """Spectra (template, pixel) whose last pixel runs into the first."""
    inside = np.minimum(log_wave - log_wave[0], log_wave[-1] - log_wave) / _SEAM
    own = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0.0, 1.0))
    return own * flux + (1 - own) * 0.5 * (flux[:, :1] + flux[:, -1:])


def usable_range(templates: StellarTemplates, velocity: float = 700.0) -> tuple[float, float]:
    """Wavelengths [Angstrom] the templates still cover when shifted by up to a velocity [km/s]."""
    room = _SEAM + velocity / LIGHT_SPEED_KMS
    return float(np.exp(templates.log_wave[0] + room)), float(np.exp(templates.log_wave[-1] - room))


def _pixels(log_range: float, data_wave: FloatArray) -> int:
    """Twice the power of two of pixels that comes nearest to the red pixels of the data."""
    return 2 ** (1 + int(np.round(np.log2(log_range * data_wave[-1] / np.diff(data_wave)[-1]))))


def broadened(templates: StellarTemplates, velocity: float, sigma: float) -> FloatArray:
    """Templates (template, pixel) at a velocity and with a Gaussian dispersion [km/s], exact for any dispersion.

    The transform of the velocity distribution is analytic (Cappellari 2017, eq. 38); the ends wrap around, which
    concerns the outermost few hundred km/s.
    """
    n = templates.flux.shape[1]
    omega = np.linspace(0.0, np.pi, n // 2 + 1)
    shift, width = (part / LIGHT_SPEED_KMS / templates.step for part in (velocity, sigma))
    kernel = np.exp(-0.5 * (omega * width) ** 2 - 1j * omega * shift)
    return fft.irfft(templates.rfft * kernel, n, axis=1)
