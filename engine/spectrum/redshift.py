"""The redshift that spectra themselves show, to be compared with a catalogue's."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import correlate

from engine.constants import LIGHT_SPEED_KMS
from engine.features import LINES
from engine.spectrum.spectra import Spectra, bridge
from engine.types import BoolArray, FloatArray

STEP_KMS = 60.0  # of the logarithmic grid
STEP = STEP_KMS / LIGHT_SPEED_KMS
SEARCHED = (-0.004, 0.15)  # redshifts; CALIFA ends at 0.03, the rest is room for wrong catalogues
CONTINUUM_KMS = 6000.0  # width of what is taken off as continuum
BLUR_KMS = 200.0  # of the templates: instrument and a galaxy's own motions
HIGHEST = 0.3  # of the continuum: stronger lines do not count more
GAS = ("[OII]3727", "Hgamma", "Hbeta", "[OIII]4959", "[OIII]5007", "[NII]6548", "Halpha", "[NII]6583", "[SII]6716",
       "[SII]6731")  # fmt: skip
BRIGHT_SHARE = 0.25  # of the spectra are summed, the brightest
FEWEST_PIXELS = 500  # of the grid: 30 000 km/s, a fifth of a spectrum of CALIFA


class RedshiftFound(NamedTuple):
    """The best redshift of SEARCHED, and how well templates correlate with the spectrum there and elsewhere."""

    redshift: float
    correlation: float  # Pearson's, of lines without continuum; NaN where nothing could be compared
    expected_correlation: float  # at the redshift that was expected


NOT_FOUND = RedshiftFound(np.nan, np.nan, np.nan)


class _LogGrid(NamedTuple):
    """Shifts in ln(lambda) that are searched, and wavelengths on a grid of the same step."""

    shifts: FloatArray
    wave: FloatArray  # Angstrom, observed
    rest: FloatArray  # Angstrom, longer than wave: all that any shift brings there


def find_redshift(spectra: Spectra, template_wave: FloatArray, templates: FloatArray, expected: float) -> RedshiftFound:
    """Cross-correlation of the sum of the brightest spectra of a galaxy with stars, and with stars and gas.

    Parameters: spectra of make_spectra; templates (template, wave) with their wavelengths [Angstrom, air, rest];
    expected, a redshift to compare with. The grid limits the accuracy to 30 km/s.
    """
    flux, good = _sum_of_bright(spectra)
    grid = _log_grid(spectra.wave)
    usable = np.interp(grid.wave, spectra.wave, good.astype(float)) > 0.99
    covered = template_wave[0] <= grid.rest[0] and grid.rest[-1] <= template_wave[-1]
    if not covered or np.count_nonzero(usable) < FEWEST_PIXELS:
        return NOT_FOUND
    observed = _lines_only(np.interp(grid.wave, spectra.wave, flux))
    models = _with_gas(grid.rest, template_wave, templates)
    # windows run from the largest redshift to the smallest
    correlation = np.max([_correlations(observed, usable, model) for model in models], axis=0)[::-1]
    return _best_redshift(grid.shifts, correlation, expected)


def _best_redshift(shifts: FloatArray, correlation: FloatArray, expected: float) -> RedshiftFound:
    """Where the correlation (shift,) is highest, and what it is at a redshift that was expected."""
    best = int(np.argmax(correlation))
    return RedshiftFound(
        redshift=float(np.expm1(shifts[best])),
        correlation=float(correlation[best]),
        expected_correlation=float(np.interp(np.log1p(expected), shifts, correlation)),
    )


def _log_grid(wave: FloatArray) -> _LogGrid:
    shifts = np.arange(np.log1p(SEARCHED[0]), np.log1p(SEARCHED[1]), STEP)
    log_wave = np.arange(np.log(wave[0]), np.log(wave[-1]), STEP)
    log_rest = log_wave[0] - shifts[-1] + STEP * np.arange(log_wave.size + shifts.size - 1)
    return _LogGrid(shifts, np.exp(log_wave), np.exp(log_rest))


def _sum_of_bright(spectra: Spectra) -> tuple[FloatArray, BoolArray]:
    """Mean of the brightest spectra, and where more than half of them are good; (wave,) each."""
    level = np.where(spectra.good, spectra.flux, 0.0).sum(axis=1) / np.maximum(spectra.good.sum(axis=1), 1)
    bright = level >= np.quantile(level, 1.0 - BRIGHT_SHARE)
    good = spectra.good[bright]
    mean = bridge(spectra.wave, spectra.flux[bright], good).mean(axis=0)
    return mean, good.mean(axis=0) > 0.5


def _with_gas(rest: FloatArray, template_wave: FloatArray, templates: FloatArray) -> list[FloatArray]:
    """Lines of each template on a grid of rest wavelengths [Angstrom], alone and with emission lines on them."""
    blur = BLUR_KMS / STEP_KMS
    wave = np.array([line.wave for line in LINES if line.name in GAS])
    gas = HIGHEST * np.exp(-0.5 * (np.log(rest / wave[:, None]) / (blur * STEP)) ** 2).sum(axis=0)
    stars = [gaussian_filter1d(np.interp(rest, template_wave, row), blur, mode="nearest") for row in templates]
    return [_lines_only(row * (1.0 + more)) for row in stars for more in (0.0, gas)]


def _lines_only(flux: FloatArray) -> FloatArray:
    """A spectrum over its own continuum, less one; strong lines cut."""
    continuum = gaussian_filter1d(flux, CONTINUUM_KMS / STEP_KMS, mode="nearest")
    with np.errstate(divide="ignore", invalid="ignore"):
        lines = np.where(continuum > 0, flux / continuum - 1.0, 0.0)
    return np.clip(lines, -HIGHEST, HIGHEST)


def _correlations(observed: FloatArray, usable: BoolArray, model: FloatArray) -> FloatArray:
    """Pearson's coefficient of a spectrum (pixel,) with every window of a longer model; usable pixels count."""
    weight = usable / np.count_nonzero(usable)
    centred = (observed - weight @ observed) * weight
    own = centred @ observed
    common = _in_windows(model, centred)
    spread = _in_windows(model**2, weight) - _in_windows(model, weight) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(common / np.sqrt(spread * own))


def _in_windows(model: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted sums over every window of a model that is as long as the weights, (window,)."""
    return correlate(model, weight, mode="valid", method="fft")
