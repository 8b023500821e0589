"""Stars and ionised gas told apart in every spectrum of a galaxy: the step GANDALF takes (Sarzi et al. 2006).

With the stellar kinematics fixed, templates times a polynomial and Gaussian lines are fitted together; lines that
rise above the noise are taken out of the observed spectrum. What is left is the spectrum of the stars.
Everything returned lies on the wavelengths that came in, as observed; spectra.rest_frame brings the clean to rest.
"""

from typing import NamedTuple

import numpy as np

from engine.constants import LIGHT_SPEED_KMS
from engine.errors import SettingsError, ShapeError
from engine.flags import SpaxelFlag
from engine.spectrum.decouple import add_lines, cubic_read
from engine.spectrum.gas import (
    BALMER_COLUMNS,
    GAS_NOT_SEEN,
    EmissionSettings,
    EmissionSetup,
    GasFit,
    fit_stars_and_gas,
    make_setup,
    strays,
)
from engine.spectrum.lines import EBV_LIMIT, HALPHA, HBETA, LINES, decrement_ebv, extinction
from engine.spectrum.spectra import Spectra
from engine.spectrum.templates import StellarTemplates, broadened
from engine.stats import robust_sigma
from engine.types import BoolArray, FloatArray, IntArray, Progress

_REST_WAVE = np.array([line.wave for line in LINES])


class Emission(NamedTuple):
    """What came of each spectrum; lines in the order of lines.LINE_NAMES. Residual: flux - stars - lines."""

    clean: FloatArray  # (spaxel, wave) as observed less the lines taken out
    stars: FloatArray  # (spaxel, wave) best fit; NaN outside the fitted range
    lines: FloatArray  # (spaxel, wave) the lines taken out
    good: BoolArray  # (spaxel, wave) good in the data and no outlier of the fit
    flux: FloatArray  # (spaxel, line) in units of flux times Angstrom; NaN if the line is not covered
    flux_err: FloatArray  # (spaxel, line)
    amplitude_to_noise: FloatArray  # (spaxel, line)
    removed: BoolArray  # (spaxel, line)
    v_gas: FloatArray  # (spaxel, group) km/s from the redshift given; NaN where gas was not seen
    v_gas_err: FloatArray
    sigma_gas: FloatArray  # (spaxel, group) km/s, free of the instrument
    sigma_gas_err: FloatArray
    gas_mode: IntArray  # (spaxel,) GAS_NOT_SEEN, GAS_ONE_GROUP or GAS_TWO_GROUPS
    chi2: FloatArray  # (spaxel,) per degree of freedom
    noise_scale: FloatArray  # (spaxel,) robust scatter of residual / error
    flags: IntArray  # (spaxel,) LINES_REMOVED, SPECTRUM_NOT_FITTED


def decouple_lines(
    spectra: Spectra, v_star: FloatArray, sigma_star: FloatArray, templates: StellarTemplates, *,
    settings: EmissionSettings | None = None, progress: Progress | None = None,
) -> Emission:  # fmt: skip
    """Stars and lines of many spectra of one galaxy, stellar kinematics given.

    Parameters: spectra of make_spectra; v_star and sigma_star (spaxel,) km/s of fit_kinematics; templates of
    match_templates for the same galaxy. A spectrum that cannot be fitted comes back as observed and flagged; it never
    raises. ``spectra._replace(flux=fit.clean, good=fit.good)`` are the spectra of the stars. Raises ShapeError, and
    SettingsError for thresholds of another number than the lines.
    """
    settings = settings or EmissionSettings()
    if settings.thresholds is not None and len(settings.thresholds) != len(LINES):
        raise SettingsError(f"thresholds has {len(settings.thresholds)} entries but there are {len(LINES)} lines")
    n = len(spectra.flux)
    for name, part in (("v_star", v_star), ("sigma_star", sigma_star)):
        if np.shape(part) != (n,):
            raise ShapeError(f"{name} has the shape {np.shape(part)} but there are {n} spectra")
    setup = make_setup(spectra.wave, templates, settings)
    result = _empty(spectra, setup)
    for row in range(n):
        one = spectra.flux[row], spectra.err[row], spectra.good[row]
        with np.errstate(all="ignore"):  # hopeless spectra; what comes of them is judged
            _fit_row(setup, result, row, one, (v_star[row], sigma_star[row]))
        if progress is not None:
            progress(row + 1, n)
    return result


def _empty(spectra: Spectra, setup: EmissionSetup) -> Emission:
    """What is returned where nothing could be fitted."""
    flux, n = spectra.flux, len(spectra.flux)

    def nothing(*shape):
        return np.full((n, *shape), np.nan)

    lines, groups = setup.lines.wave.size, 2
    return Emission(
        clean=flux.copy(), stars=nothing(flux.shape[1]), lines=np.zeros(flux.shape), good=spectra.good.copy(),
        flux=nothing(lines), flux_err=nothing(lines), amplitude_to_noise=nothing(lines),
        removed=np.zeros((n, lines), bool), v_gas=nothing(groups), v_gas_err=nothing(groups),
        sigma_gas=nothing(groups), sigma_gas_err=nothing(groups), gas_mode=np.zeros(n, np.int8), chi2=nothing(),
        noise_scale=nothing(), flags=np.full(n, SpaxelFlag.SPECTRUM_NOT_FITTED.value),
    )  # fmt: skip


def _fit_row(setup: EmissionSetup, result: Emission, row: int, spectrum: tuple, kinematics: tuple) -> None:
    """Fit one spectrum (flux, err, good) and write what came of it into its row."""
    flux, err, good = (part[setup.inside] for part in spectrum)
    good = good & setup.usable
    scale = float(np.median(np.abs(flux[good]))) if good.sum() > 0.3 * good.size else 0.0
    if not (scale > 0 and np.isfinite(kinematics).all()):
        return
    inverse = np.where(good, scale / np.where(good, err, 1.0), 0.0)
    data = np.stack([setup.wave, np.where(good, flux, 0.0) / scale, inverse])
    stars = cubic_read(broadened(setup.templates, *kinematics), setup.position)
    fit = fit_stars_and_gas(setup, data, stars, kinematics[0])
    if fit is not None and np.isfinite(fit.hessian).all():
        _write(setup, result, row, fit, scale)


def _write(setup: EmissionSetup, result: Emission, row: int, fit: GasFit, scale: float) -> None:
    """Fluxes, errors and spectra of one fit into their places, in the units that came in."""
    lines, table, (wave, flux, inverse) = setup.lines, fit.problem.table, fit.problem.data
    stars, each = fit.problem.model(fit.state)  # each: (column, wave)
    used, here = inverse > 0, setup.inside
    residual = ((flux - stars - each.sum(axis=0)) * inverse)[used]
    spread = robust_sigma(residual)
    error, place_error = _errors(fit)
    width = _widths(table, fit.state.place)
    noise = np.interp(_centres(table, fit.state.place), wave[used], 1 / inverse[used]) * max(spread, 1e-3)
    covered = _covered(setup, fit, used)
    line_flux = np.where(covered, fit.state.flux[lines.column] * table[:, 3], np.nan)
    height = line_flux / (np.sqrt(2 * np.pi) * width) / noise
    taken = _taken(setup, height)
    removed = each[taken].sum(axis=0) * scale
    line_error = error[lines.column] * table[:, 3] * _decrement_growth(fit.state.flux, table, noise**2 * width)
    grown = max(spread, 1.0)
    result.flux[row], result.amplitude_to_noise[row] = line_flux * scale, height
    result.flux_err[row] = np.where(covered, line_error, np.nan) * scale * grown
    result.removed[row] = taken[lines.column] & covered
    result.stars[row, here], result.lines[row, here] = stars * scale, removed
    result.clean[row, here] -= removed
    result.good[row, here] &= used | ~setup.usable
    result.good[row, here] &= ~strays(fit.problem.data, stars, each.sum(axis=0), setup.settings)
    _write_gas(result, row, fit, place_error * grown)
    free = np.count_nonzero(fit.state.weights) + np.count_nonzero(fit.state.flux) + len(setup.basis) + 2 * fit.mode
    result.chi2[row], result.noise_scale[row] = residual @ residual / max(residual.size - free, 1), spread
    result.flags[row] = SpaxelFlag.LINES_REMOVED if taken.any() else SpaxelFlag.NONE


def _write_gas(result: Emission, row: int, fit: GasFit, error: FloatArray) -> None:
    result.gas_mode[row] = fit.mode
    if fit.mode == GAS_NOT_SEEN:
        return
    place = fit.state[3]
    sigma = np.sqrt(np.maximum(place[:, 1], 0.0))
    result.v_gas[row], result.v_gas_err[row] = place[:, 0], error[:, 0]
    result.sigma_gas[row] = sigma
    # error of a square root: for a dispersion near 0 the error of its square decides
    result.sigma_gas_err[row] = error[:, 1] / np.maximum(2 * sigma, np.sqrt(np.maximum(error[:, 1], 1e-12)))


def _errors(fit: GasFit) -> tuple[FloatArray, FloatArray]:
    """One-sigma errors of the columns of lines (column,) and of velocity and dispersion^2 (group, 2)."""
    weights, coefficients, flux, place = fit.state
    diagonal, first = np.diag(fit.hessian), weights.size + coefficients.size
    free = diagonal > 0
    free[: weights.size] &= weights > 0
    if fit.mode == GAS_NOT_SEEN:
        free[first + flux.size :] = False
    scale = 1 / np.sqrt(diagonal[free])
    normal = fit.hessian[np.ix_(free, free)] * np.outer(scale, scale)
    error = np.full(diagonal.size, np.nan)
    variance = np.diag(np.linalg.pinv(normal, hermitian=True))
    error[free] = np.sqrt(np.maximum(variance, 0.0)) * scale
    return error[first : first + flux.size], error[first + flux.size :].reshape(place.shape)


def _decrement_growth(flux: FloatArray, table: FloatArray, variance: FloatArray) -> FloatArray:
    """Factors (line,) on errors of lines that follow Hbeta and, being reddened by the decrement, follow it steeply.

    variance (line,): of a line's own flux, up to a factor. A higher Hbeta means less reddening, hence yet more of
    the bluer lines, so these tell more about it: its own error shrinks.
    """
    halpha, hbeta = BALMER_COLUMNS
    growth = np.ones(len(table))
    if not 0 < decrement_ebv(flux[halpha], flux[hbeta]) < EBV_LIMIT:
        return growth
    follow = table[:, 2] == hbeta
    steep = 1 + (extinction(_REST_WAVE) - extinction(HBETA)) / (extinction(HBETA) - extinction(HALPHA))
    weight = table[follow, 3] ** 2 / variance[follow]
    growth[follow] = steep[follow] * np.sqrt(weight.sum() / (weight * steep[follow] ** 2).sum())
    return growth


def _centres(table: FloatArray, place: FloatArray) -> FloatArray:
    return table[:, 0] * np.exp(place[table[:, 1].astype(int), 0] / LIGHT_SPEED_KMS)


def _widths(table: FloatArray, place: FloatArray) -> FloatArray:
    """Sigma [Angstrom] of the lines as observed."""
    own = place[table[:, 1].astype(int), 1] * (_centres(table, place) / LIGHT_SPEED_KMS) ** 2
    return np.sqrt(table[:, 4] ** 2 + own)


def _covered(setup: EmissionSetup, fit: GasFit, used: BoolArray) -> BoolArray:
    """Whether good pixels hold enough of a column's light (line,) to measure it; *choice*: 30 %."""
    table, profiles = fit.problem.table, np.zeros((fit.state.flux.size, setup.wave.size))
    add_lines(profiles, 0, setup.wave, table, fit.state.place)
    inside = profiles @ (np.gradient(setup.wave) * used)
    total = np.bincount(setup.lines.column, table[:, 3], minlength=len(profiles))
    return (inside > 0.3 * total)[setup.lines.column]


def _taken(setup: EmissionSetup, height: FloatArray) -> BoolArray:
    """Columns that are above their threshold, or belong to one that is."""
    lines, thresholds = setup.lines, setup.settings.thresholds
    own = np.array([not line.parent for line in LINES])
    limit = np.asarray(thresholds)[own] if thresholds is not None else lines.threshold[own]
    above = np.nan_to_num(height[own]) >= limit
    return above | above[lines.with_column]
