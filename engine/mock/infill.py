"""Invented spectra of stars and gas, and what they show: how well the infill of Hbeta is taken out.

Spectra are convolved step by step on a fine grid, another way than the fits go, so that these do not judge themselves.
"""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from engine.adopted import CALIFA_FWHM_ANGSTROM, SNR_TARGET_PER_PIXEL
from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS
from engine.features import LINES
from engine.spectrum.emission import decouple_lines
from engine.spectrum.indices import measure_indices
from engine.spectrum.lines import CASE_B_HALPHA_HBETA, HALPHA, HBETA, extinction, line_table, reddened_ratios
from engine.spectrum.spectra import Spectra, make_spectra, rest_frame
from engine.spectrum.templates import SSP_FWHM_ANGSTROM, StellarTemplates
from engine.types import BoolArray, FloatArray

_FINE = 0.25  # Angstrom
_LOG_STEP = _FINE / 8000  # of ln(lambda)


class Motion(NamedTuple):
    """Where and how broad, km/s and km/s, in a galaxy at a redshift."""

    velocity: float
    sigma: float
    redshift: float


class InfillCurve(NamedTuple):
    """Hbeta index against the truth, per amplitude-to-noise ratio of the Hbeta emission (point,)."""

    amplitude_to_noise: FloatArray
    infill: FloatArray  # Angstrom by which emission fills the line; minus the bias of doing nothing
    bias: FloatArray  # Angstrom, mean of measured less true after the lines are out
    bias_err: FloatArray  # of that mean
    scatter: FloatArray  # Angstrom, of single spectra
    removed: FloatArray  # fraction of spectra from which Hbeta was taken


def observed_stars(
    wave: FloatArray, model_wave: FloatArray, model_flux: FloatArray, motion: Motion,
    fwhm: float = CALIFA_FWHM_ANGSTROM,
) -> FloatArray:  # fmt: skip
    """A model spectrum at the data's resolution, moving and broadened, at wave (wave,) [Angstrom, air, observed]."""
    low = max(wave[0] / (1 + motion.redshift) - 60, model_wave[0])
    high = min(wave[-1] / (1 + motion.redshift) + 60, model_wave[-1])
    log_wave = np.arange(np.log(low), np.log(high), _LOG_STEP)
    flux = CubicSpline(model_wave, model_flux)(np.exp(log_wave))
    flux = gaussian_filter1d(flux, motion.sigma / LIGHT_SPEED_KMS / _LOG_STEP, mode="nearest")
    shifted = np.exp(log_wave) * (1 + motion.redshift) * np.exp(motion.velocity / LIGHT_SPEED_KMS)
    even = np.arange(shifted[0], shifted[-1], _FINE)
    width = np.sqrt(fwhm**2 - (SSP_FWHM_ANGSTROM * (1 + motion.redshift)) ** 2) / FWHM_PER_SIGMA
    blurred = gaussian_filter1d(CubicSpline(shifted, flux)(even), width / _FINE)
    return CubicSpline(even, blurred)(wave)


def observed_lines(
    wave: FloatArray, fluxes: dict[str, float], ebv: float, motion: Motion, fwhm: float = CALIFA_FWHM_ANGSTROM
) -> tuple[FloatArray, FloatArray]:
    """Emission (wave,) and the flux of every line (line,) from the fluxes of lines without parent, by name."""
    table = line_table()
    own = [line.name for line in LINES if not line.parent]
    flux = np.array([fluxes.get(own[column], 0.0) for column in table.column]) * reddened_ratios(table, ebv)
    centre = table.wave * (1 + motion.redshift) * np.exp(motion.velocity / LIGHT_SPEED_KMS)
    width = np.hypot(fwhm / FWHM_PER_SIGMA, centre * motion.sigma / LIGHT_SPEED_KMS)
    return _gaussians(wave, centre, width) @ flux, flux


def _gaussians(wave: FloatArray, centre: FloatArray, width: FloatArray) -> FloatArray:
    """Profiles (wave, line) of unit area; centre and width (line,) in the unit of wave."""
    return np.exp(-0.5 * ((wave[:, None] - centre) / width) ** 2) / (np.sqrt(2 * np.pi) * width)


def hii_region(halpha: float, ebv: float = 0.3) -> dict[str, float]:
    """Fluxes of the brightest lines of gas ionised by young stars, of solar metallicity; round numbers."""
    hbeta = halpha / CASE_B_HALPHA_HBETA * 10 ** (-0.4 * ebv * float(extinction(HBETA) - extinction(HALPHA)))
    return {
        "Halpha": halpha, "Hbeta": hbeta, "[OIII]5007": 0.6 * hbeta, "[NII]6583": 0.35 * halpha,
        "[SII]6716": 0.2 * halpha, "[SII]6731": 0.15 * halpha, "[OII]3727": 0.8 * hbeta,
    }  # fmt: skip


def hbeta_infill_curve(
    wave: FloatArray, stars: FloatArray, templates: StellarTemplates, motion: Motion, rng: np.random.Generator, *,
    amplitudes: tuple[float, ...] = (1, 2, 3, 4, 6, 10, 20), n: int = 60,
) -> InfillCurve:  # fmt: skip
    """Take lines out of n noisy spectra for each strength of Hbeta emission and measure the index.

    Parameters: stars (wave,) of observed_stars; templates of match_templates; motion of stars and (40 km/s off,
    60 km/s broad) of the gas; amplitudes of Hbeta over the noise. The signal is 20 times the noise per pixel, as the
    survey is smoothed to; the kinematics of the stars are given.
    """
    noise = stars / SNR_TARGET_PER_PIXEL
    gas = motion._replace(velocity=motion.velocity + 40.0, sigma=60.0)
    truth = _hbeta(wave, stars[None], motion)[0]
    points = []
    for amplitude in amplitudes:
        filled = stars + _emission_of(wave, noise, amplitude, gas)
        err = np.broadcast_to(noise, (n, wave.size))
        cleaned = _without_lines(
            make_spectra(wave, filled + err * rng.standard_normal(err.shape), err), motion, templates
        )
        infill = truth - _hbeta(wave, filled[None], motion)[0]
        points.append([amplitude, infill, *_bias_of(cleaned, truth)])
    return InfillCurve(*np.array(points).T)


def _bias_of(cleaned: "_Cleaned", truth: float) -> list[float]:
    """Fields bias to removed of InfillCurve at one amplitude."""
    off = cleaned.hbeta - truth
    return [off.mean(), off.std() / np.sqrt(off.size), off.std(), cleaned.removed.mean()]


class _Cleaned(NamedTuple):
    """Spectra without their lines, (spectrum,) each."""

    hbeta: FloatArray  # the index [Angstrom]
    removed: BoolArray  # whether Hbeta was taken out


def _without_lines(spectra: Spectra, motion: Motion, templates: StellarTemplates) -> _Cleaned:
    n = len(spectra.flux)
    velocity = np.full(n, motion.velocity)
    fit = decouple_lines(spectra, velocity, np.full(n, motion.sigma), templates)
    rest = rest_frame(spectra._replace(flux=fit.clean), fit.stars, velocity, motion.redshift)
    hbeta = measure_indices(rest.wave, rest.flux).values[:, 1]
    return _Cleaned(hbeta, fit.removed[:, [line.name for line in LINES].index("Hbeta")])


def _emission_of(wave: FloatArray, noise: FloatArray, amplitude: float, gas: Motion) -> FloatArray:
    """Lines of an HII region whose Hbeta peaks at so many times the noise."""
    unit, _ = observed_lines(wave, hii_region(1.0), 0.3, gas)
    hbeta = HBETA * (1 + gas.redshift) * np.exp(gas.velocity / LIGHT_SPEED_KMS)
    near = np.abs(wave - hbeta) < 3.0
    return unit * amplitude * np.interp(hbeta, wave, noise) / unit[near].max()


def _hbeta(wave: FloatArray, flux: FloatArray, motion: Motion) -> FloatArray:
    rest = wave / (1 + motion.redshift) / np.exp(motion.velocity / LIGHT_SPEED_KMS)
    return measure_indices(rest, flux).values[:, 1]
