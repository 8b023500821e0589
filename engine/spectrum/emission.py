"""Stars and ionised gas separated in every spectrum of a galaxy: the step GANDALF takes (Sarzi et al. 2006).

With the stellar kinematics fixed, templates times a polynomial and Gaussian lines are fitted together; lines that
rise above the noise are taken out of the observed spectrum. What is left is the spectrum of the stars.
Everything returned lies on the wavelengths that came in, as observed; spectra.rest_frame brings the clean to rest.
"""

from typing import NamedTuple

import numpy as np

from engine.constants import LIGHT_SPEED_KMS
from engine.errors import SettingsError, ShapeError
from engine.features import LINES
from engine.flags import SpaxelFlag
from engine.spectrum.decouple import COLUMN, GROUP, RATIO, WAVE, WIDTH, add_lines, cubic_read
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
from engine.spectrum.lines import EBV_LIMIT, HALPHA, HBETA, decrement_ebv, extinction
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


class _StarMotion(NamedTuple):
    """(spaxel,) km/s."""

    velocity: FloatArray
    sigma: FloatArray


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
    stars = _StarMotion(v_star, sigma_star)
    n = len(spectra.flux)
    _check_input(stars, n, settings)
    setup = make_setup(spectra.wave, templates, settings)
    result = _empty(spectra, setup)
    for row in range(n):
        with np.errstate(all="ignore"):  # hopeless spectra; what comes of them is judged
            _fit_row(setup, spectra, stars, row, result)
        if progress is not None:
            progress(row + 1, n)
    return result


def _check_input(stars: _StarMotion, n: int, settings: EmissionSettings) -> None:
    if settings.thresholds is not None and len(settings.thresholds) != len(LINES):
        raise SettingsError(f"thresholds has {len(settings.thresholds)} entries but there are {len(LINES)} lines")
    for name, part in (("v_star", stars.velocity), ("sigma_star", stars.sigma)):
        if np.shape(part) != (n,):
            raise ShapeError(f"{name} has the shape {np.shape(part)} but there are {n} spectra")


def _empty(spectra: Spectra, setup: EmissionSetup) -> Emission:
    """What is returned where nothing could be fitted."""
    flux = spectra.flux
    n = len(spectra.flux)

    def nothing(*shape: int) -> FloatArray:
        return np.full((n, *shape), np.nan)

    lines = setup.lines.wave.size
    groups = 2
    return Emission(
        clean=flux.copy(), stars=nothing(flux.shape[1]), lines=np.zeros(flux.shape), good=spectra.good.copy(),
        flux=nothing(lines), flux_err=nothing(lines), amplitude_to_noise=nothing(lines),
        removed=np.zeros((n, lines), bool), v_gas=nothing(groups), v_gas_err=nothing(groups),
        sigma_gas=nothing(groups), sigma_gas_err=nothing(groups), gas_mode=np.zeros(n, np.int8), chi2=nothing(),
        noise_scale=nothing(), flags=np.full(n, SpaxelFlag.SPECTRUM_NOT_FITTED.value),
    )  # fmt: skip


def _fit_row(setup: EmissionSetup, spectra: Spectra, stars: _StarMotion, row: int, result: Emission) -> None:
    """Fit one spectrum and write what came of it into its row of the result."""
    velocity = stars.velocity[row]
    sigma = stars.sigma[row]
    one = _scaled(setup, spectra, row)
    if one is None or not (np.isfinite(velocity) and np.isfinite(sigma)):
        return
    templates = cubic_read(broadened(setup.templates, velocity, sigma), setup.position)
    fit = fit_stars_and_gas(setup, one.data, templates, velocity)
    if fit is not None and np.isfinite(fit.hessian).all():
        _write(setup, fit, one.scale, row, result)


class _Scaled(NamedTuple):
    """One spectrum over its own brightness, as it is fitted."""

    data: FloatArray  # (3, wave) wavelength, flux, 1 / error or 0
    scale: float


def _scaled(setup: EmissionSetup, spectra: Spectra, row: int) -> _Scaled | None:
    """None if it is dark, or little of it good."""
    flux = spectra.flux[row, setup.inside]
    err = spectra.err[row, setup.inside]
    good = spectra.good[row, setup.inside] & setup.usable
    if not good.sum() > 0.3 * good.size:
        return None
    scale = float(np.median(np.abs(flux[good])))
    if not scale > 0:
        return None
    inverse = np.where(good, scale / np.where(good, err, 1.0), 0.0)
    return _Scaled(np.stack([setup.wave, np.where(good, flux, 0.0) / scale, inverse]), scale)


class _Residual(NamedTuple):
    """What a fit leaves of a spectrum, in units of the errors, and the parts of the fit."""

    used: BoolArray  # (pixel,)
    stars: FloatArray  # (pixel,)
    columns: FloatArray  # (column, pixel) the lines
    residual: FloatArray  # (used pixel,)
    spread: float  # its robust scatter


class _Lines(NamedTuple):
    """The lines of one fit, (line,) each, in the units of the fit."""

    flux: FloatArray  # NaN where not covered
    error: FloatArray
    height: FloatArray  # amplitude over noise
    covered: BoolArray


def _write(setup: EmissionSetup, fit: GasFit, scale: float, row: int, result: Emission) -> None:
    """Fluxes, errors and spectra of one fit into their places, in the units that came in."""
    left = _residual(fit)
    grown = max(left.spread, 1.0)
    flux_error, place_error = _errors(fit)
    lines = _lines(setup, fit, left, flux_error)
    taken = _taken(setup, lines.height)
    _write_lines(setup, lines, taken, scale, row, result)
    result.flux_err[row] *= grown
    _write_spectra(setup, fit, left, taken, scale, row, result)
    _write_gas(result, row, fit, place_error * grown)
    result.chi2[row] = _reduced_chi2(setup, fit, left.residual)
    result.noise_scale[row] = left.spread


def _write_lines(
    setup: EmissionSetup, lines: _Lines, taken: BoolArray, scale: float, row: int, result: Emission
) -> None:
    """Fluxes with the errors of the fit, and which lines are taken out of the spectrum."""
    result.flux[row] = lines.flux * scale
    result.flux_err[row] = np.where(lines.covered, lines.error, np.nan) * scale
    result.amplitude_to_noise[row] = lines.height
    result.removed[row] = taken[setup.lines.column] & lines.covered
    result.flags[row] = SpaxelFlag.LINES_REMOVED if taken.any() else SpaxelFlag.NONE


def _residual(fit: GasFit) -> _Residual:
    _, flux, inverse = fit.problem.data
    stars, columns = fit.problem.model(fit.state)
    used = inverse > 0
    residual = ((flux - stars - columns.sum(axis=0)) * inverse)[used]
    return _Residual(used, stars, columns, residual, robust_sigma(residual))


def _lines(setup: EmissionSetup, fit: GasFit, left: _Residual, column_error: FloatArray) -> _Lines:
    """Every line from its column; column_error (column,)."""
    table = fit.problem.table
    column = setup.lines.column
    width = _widths(table, fit.state.place)
    noise = _noise_at_lines(fit, left)
    covered = _covered(setup, fit, left.used)
    flux = np.where(covered, fit.state.flux[column] * table[:, RATIO], np.nan)
    growth = _decrement_growth(fit.state.flux, table, noise**2 * width)
    error = column_error[column] * table[:, RATIO] * growth
    return _Lines(flux, error, flux / (np.sqrt(2 * np.pi) * width) / noise, covered)


def _noise_at_lines(fit: GasFit, left: _Residual) -> FloatArray:
    """One sigma of the spectrum at the centres of lines (line,): its errors, scaled to what the fit leaves."""
    wave, _, inverse = fit.problem.data
    errors = np.interp(_centres(fit.problem.table, fit.state.place), wave[left.used], 1 / inverse[left.used])
    return errors * max(left.spread, 1e-3)


def _write_spectra(
    setup: EmissionSetup, fit: GasFit, left: _Residual, taken: BoolArray, scale: float, row: int, result: Emission
) -> None:
    """Stars, lines taken out, what is left, and which pixels are good."""
    here = setup.inside
    removed = left.columns[taken].sum(axis=0) * scale
    result.stars[row, here] = left.stars * scale
    result.lines[row, here] = removed
    result.clean[row, here] -= removed
    result.good[row, here] &= left.used | ~setup.usable
    result.good[row, here] &= ~strays(fit.problem.data, left.stars, left.columns.sum(axis=0), setup.settings)


def _reduced_chi2(setup: EmissionSetup, fit: GasFit, residual: FloatArray) -> float:
    """Chi-square per degree of freedom; templates and lines at zero are no freedom."""
    linear = np.count_nonzero(fit.state.weights) + np.count_nonzero(fit.state.flux) + len(setup.basis)
    free = linear + 2 * fit.mode
    return residual @ residual / max(residual.size - free, 1)


def _write_gas(result: Emission, row: int, fit: GasFit, error: FloatArray) -> None:
    result.gas_mode[row] = fit.mode
    if fit.mode == GAS_NOT_SEEN:
        return
    place = fit.state[3]
    sigma = np.sqrt(np.maximum(place[:, 1], 0.0))
    result.v_gas[row] = place[:, 0]
    result.v_gas_err[row] = error[:, 0]
    result.sigma_gas[row] = sigma
    # error of a square root: for a dispersion near 0 the error of its square decides
    result.sigma_gas_err[row] = error[:, 1] / np.maximum(2 * sigma, np.sqrt(np.maximum(error[:, 1], 1e-12)))


def _errors(fit: GasFit) -> tuple[FloatArray, FloatArray]:
    """One-sigma errors of the columns of lines (column,) and of velocity and dispersion^2 (group, 2)."""
    weights, coefficients, flux, place = fit.state
    diagonal = np.diag(fit.hessian)
    first = weights.size + coefficients.size
    free = diagonal > 0
    free[: weights.size] &= weights > 0
    if fit.mode == GAS_NOT_SEEN:
        free[first + flux.size :] = False
    error = np.full(diagonal.size, np.nan)
    error[free] = _errors_of_free(fit.hessian[np.ix_(free, free)])
    return error[first : first + flux.size], error[first + flux.size :].reshape(place.shape)


def _errors_of_free(hessian: FloatArray) -> FloatArray:
    """One-sigma errors from the Hessian of free variables, scaled to a diagonal of ones before it is inverted."""
    scale = 1 / np.sqrt(np.diag(hessian))
    normal = hessian * np.outer(scale, scale)
    variance = np.diag(np.linalg.pinv(normal, hermitian=True))
    return np.sqrt(np.maximum(variance, 0.0)) * scale


def _decrement_growth(flux: FloatArray, table: FloatArray, variance: FloatArray) -> FloatArray:
    """Factors (line,) on errors of lines that follow Hbeta and, being reddened by the decrement, follow it steeply.

    variance (line,): of a line's own flux, up to a factor. A higher Hbeta means less reddening, hence even more of
    the bluer lines, so these tell more about it: its own error shrinks.
    """
    halpha, hbeta = BALMER_COLUMNS
    growth = np.ones(len(table))
    if not 0 < decrement_ebv(flux[halpha], flux[hbeta]) < EBV_LIMIT:
        return growth
    follow = table[:, COLUMN] == hbeta
    steep = 1 + (extinction(_REST_WAVE) - extinction(HBETA)) / (extinction(HBETA) - extinction(HALPHA))
    weight = table[follow, RATIO] ** 2 / variance[follow]
    growth[follow] = steep[follow] * np.sqrt(weight.sum() / (weight * steep[follow] ** 2).sum())
    return growth


def _centres(table: FloatArray, place: FloatArray) -> FloatArray:
    return table[:, WAVE] * np.exp(place[table[:, GROUP].astype(int), 0] / LIGHT_SPEED_KMS)


def _widths(table: FloatArray, place: FloatArray) -> FloatArray:
    """Sigma [Angstrom] of the lines as observed."""
    own = place[table[:, GROUP].astype(int), 1] * (_centres(table, place) / LIGHT_SPEED_KMS) ** 2
    return np.sqrt(table[:, WIDTH] ** 2 + own)


def _covered(setup: EmissionSetup, fit: GasFit, used: BoolArray) -> BoolArray:
    """Whether good pixels hold enough of a column's light (line,) to measure it; *choice*: 30 %."""
    table = fit.problem.table
    profiles = np.zeros((fit.state.flux.size, setup.wave.size))
    add_lines(profiles, 0, setup.wave, table, fit.state.place)
    inside = profiles @ (np.gradient(setup.wave) * used)
    total = np.bincount(setup.lines.column, table[:, RATIO], minlength=len(profiles))
    return (inside > 0.3 * total)[setup.lines.column]


def _taken(setup: EmissionSetup, height: FloatArray) -> BoolArray:
    """Columns that are above their threshold, or belong to one that is."""
    lines = setup.lines
    thresholds = setup.settings.thresholds
    own = np.array([not line.parent for line in LINES])
    limit = np.asarray(thresholds)[own] if thresholds is not None else lines.threshold[own]
    above = np.nan_to_num(height[own]) >= limit
    return above | above[lines.with_column]
