"""Stars and ionised gas told apart in every spectrum of a galaxy: the step GANDALF takes (Sarzi et al. 2006).

With the stellar kinematics fixed, templates times a polynomial and Gaussian lines are fitted together; lines that
rise above the noise are taken out of the observed spectrum. What is left is the spectrum of the stars.
Everything returned lies on the wavelengths that came in, as observed; spectra.rest_frame brings the clean to rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from engine.errors import SettingsError, ShapeError
from engine.flags import SpaxelFlag
from engine.spectrum import decouple
from engine.spectrum.kinematics import OUTLIER_FRACTION, OUTLIER_SIGMA
from engine.spectrum.lines import (
    EBV_LIMIT,
    HALPHA,
    HBETA,
    LINES,
    LineTable,
    decrement_ebv,
    extinction,
    line_table,
    reddened_ratios,
)
from engine.spectrum.spectra import Spectra
from engine.spectrum.templates import FWHM_PER_SIGMA, LIGHT_SPEED_KMS, StellarTemplates, broadened, usable_range
from engine.types import BoolArray, FloatArray, IntArray, Progress

GAS_NOT_SEEN, GAS_ONE_GROUP, GAS_TWO_GROUPS = range(3)  # values of Emission.gas_mode
MASKED_REST = ((5885.0, 5903.0),)  # Na D, partly interstellar
MASKED_OBSERVED = ((5565.0, 5590.0),)  # [OI] 5577 of the night sky


class EmissionSettings(NamedTuple):
    """What may be chosen; all of it *choice* unless a source is given."""

    fit_range: tuple[float, float] = (3660.0, 7200.0)  # Angstrom, rest frame
    polynomial_degree: int = 8  # multiplicative
    velocity_limit: float = 350.0  # km/s of the gas from the stars
    sigma_limit: float = 300.0  # km/s of the gas
    sigma_default: float = 50.0  # km/s where no line is strong enough to tell
    detection: float = 30.0  # chi-square that the strong lines together must gain for gas of its own velocity
    detection_group: float = 400.0  # the same within each group for one velocity per group
    line_half_width: float = 500.0  # km/s masked in the first fit, of stars alone
    outlier_sigma: float = OUTLIER_SIGMA  # pixels further off the fit than this and than
    outlier_fraction: float = OUTLIER_FRACTION  # of the stars' flux are bad: cosmic rays and the like
    thresholds: tuple[float, ...] | None = None  # amplitude over noise per line; None: those of lines.LINES


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
    flags: IntArray  # (spaxel,) int16: LINES_REMOVED, SPECTRUM_NOT_FITTED


class _Frame(NamedTuple):
    """What all spectra of a galaxy share."""

    wave: FloatArray  # (pixel,) Angstrom observed, the fitted part
    inside: slice  # of all wavelengths
    position: FloatArray  # (pixel,) on the grid of the templates, for stars at rest
    basis: FloatArray  # (degree, pixel) polynomials
    usable: BoolArray  # (pixel,) not masked for all
    table: FloatArray  # (line, 5), see decouple.add_lines
    lines: LineTable
    templates: StellarTemplates
    settings: EmissionSettings


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
    frame = _frame(spectra.wave, templates, settings)
    result = _empty(spectra, frame)
    for row in range(n):
        one = spectra.flux[row], spectra.err[row], spectra.good[row]
        with np.errstate(all="ignore"):  # hopeless spectra; what comes of them is judged
            _fit_row(frame, result, row, one, (v_star[row], sigma_star[row]))
        if progress is not None:
            progress(row + 1, n)
    return result


def _frame(wave: FloatArray, templates: StellarTemplates, settings: EmissionSettings) -> _Frame:
    (low, high), redshift = usable_range(templates), templates.redshift
    rest = wave / (1 + redshift)
    inside = np.flatnonzero((rest > max(low, settings.fit_range[0])) & (rest < min(high, settings.fit_range[1])))
    if inside.size < 100:
        raise ShapeError(f"the spectra cover {wave[0]:.0f}-{wave[-1]:.0f} Angstrom: too little of {settings.fit_range}")
    inside = slice(inside[0], inside[-1] + 1)
    rest, observed = rest[inside], wave[inside]
    usable = np.ones(rest.size, bool)
    for axis, bands in ((rest, MASKED_REST), (observed, MASKED_OBSERVED)):
        for first, last in bands:
            usable &= (axis < first) | (axis > last)
    lines = line_table()
    at = lines.wave * (1 + redshift)
    width = np.interp(at, wave, templates.fwhm)
    basis = legendre.legvander(np.linspace(-1, 1, rest.size), settings.polynomial_degree)[:, 1:].T
    return _Frame(
        observed, inside, (np.log(rest) - templates.log_wave[0]) / templates.step, np.ascontiguousarray(basis), usable,
        np.stack([at, lines.group, lines.column, lines.ratio, width / FWHM_PER_SIGMA], axis=1), lines, templates,
        settings,
    )  # fmt: skip


def _empty(spectra: Spectra, frame: _Frame) -> Emission:
    """What is returned where nothing could be fitted."""
    flux, n = spectra.flux, len(spectra.flux)

    def nothing(*shape):
        return np.full((n, *shape), np.nan)

    lines, groups = frame.lines.wave.size, 2
    return Emission(
        clean=flux.copy(), stars=nothing(flux.shape[1]), lines=np.zeros(flux.shape), good=spectra.good.copy(),
        flux=nothing(lines), flux_err=nothing(lines), amplitude_to_noise=nothing(lines),
        removed=np.zeros((n, lines), bool), v_gas=nothing(groups), v_gas_err=nothing(groups),
        sigma_gas=nothing(groups), sigma_gas_err=nothing(groups), gas_mode=np.zeros(n, np.int8), chi2=nothing(),
        noise_scale=nothing(), flags=np.full(n, SpaxelFlag.SPECTRUM_NOT_FITTED, np.int16),
    )  # fmt: skip


def _fit_row(frame: _Frame, result: Emission, row: int, spectrum: tuple, kinematics: tuple) -> None:
    """Fit one spectrum (flux, err, good) and write what came of it into its row."""
    flux, err, good = (part[frame.inside] for part in spectrum)
    good = good & frame.usable
    scale = float(np.median(np.abs(flux[good]))) if good.sum() > 0.3 * good.size else 0.0
    if not (scale > 0 and np.isfinite(kinematics).all()):
        return
    velocity, sigma = kinematics
    inverse = np.where(good, scale / np.where(good, err, 1.0), 0.0)
    data = np.stack([frame.wave, np.where(good, flux, 0.0) / scale, inverse])
    stars = decouple.cubic_read(broadened(frame.templates, velocity, sigma), frame.position)
    fit = _fit_stars_and_gas(frame, data, stars, velocity)
    if fit is None:
        return
    _write(frame, result, row, data, stars, fit, scale)


class _Fit(NamedTuple):
    state: tuple  # weights, coefficients, fluxes, place
    chi2: float
    hessian: FloatArray
    table: FloatArray
    mode: int


def _fit_stars_and_gas(frame, data, stars, velocity) -> _Fit | None:
    """Stars with the lines masked, a search for the gas, then both together with as much freedom as the gas bears."""
    settings, table = frame.settings, frame.table.copy()
    table[:, 1] = 0  # one group until there is reason for two
    n_columns = frame.lines.with_column.size
    place = np.array([[velocity, settings.sigma_default**2]])
    start = np.full(len(stars), 1.0 / len(stars)), np.zeros(len(frame.basis)), np.zeros(n_columns), place
    away = ~_near_lines(frame, velocity)
    if np.count_nonzero(data[2] * away) < 2 * len(stars):
        return None
    state, model = _fit_stars(frame, data, away, stars, (start, table))
    grid = velocity + np.arange(-settings.velocity_limit, settings.velocity_limit + 1, 35.0)
    gain = decouple.scan_velocity(data, data[1] - model, table, frame.lines.strong, grid, place)
    mode = GAS_ONE_GROUP if gain.max() > settings.detection else GAS_NOT_SEEN
    if mode == GAS_ONE_GROUP:
        place = np.array([[grid[gain.argmax()], settings.sigma_default**2]])
    bounds = velocity + settings.velocity_limit * np.array([-1.2, 1.2])
    limits = np.array([*bounds, settings.sigma_limit**2, float(mode)])
    state = (*state[:3], place)
    fit = _with_decrement(frame, data, stars, _Fit(state, 0.0, np.empty((0, 0)), table, mode), limits)
    return _split(frame, data, stars, fit, limits) if mode == GAS_ONE_GROUP else fit


def _fit_stars(frame, data, away, stars, begin) -> tuple[tuple, FloatArray]:
    """Fit away from the lines; outliers lose their weight in data, and if there are any the fit is done again."""
    state, table = begin
    for _ in range(2):
        masked = data.copy()
        masked[2, ~away] = 0.0
        state, _, _ = decouple.fit(masked, stars, frame.basis, table, state, False, np.zeros(4))
        model = decouple.model_of(stars, frame.basis, data[0], table, state)[0]
        bad = _outliers(masked, model, model, frame.settings)
        if not bad.any():
            break
        data[2, bad] = 0.0
    return state, model


def _outliers(data: FloatArray, model: FloatArray, stars: FloatArray, settings: EmissionSettings) -> BoolArray:
    """Used pixels of data (3, wave) far from the model, in terms of the scatter and of the stars' flux."""
    residual = data[1] - model
    used = data[2] > 0
    spread = 1.4826 * np.median(np.abs(residual * data[2])[used])
    far = np.abs(residual) * data[2] > settings.outlier_sigma * max(spread, 1.0)
    return used & far & (np.abs(residual) > settings.outlier_fraction * np.abs(stars))


def _near_lines(frame: _Frame, velocity: float) -> BoolArray:
    away = np.log(frame.wave[:, None] / frame.table[:, 0]) * LIGHT_SPEED_KMS - velocity
    return (np.abs(away) < frame.settings.line_half_width).any(axis=1)


def _with_decrement(frame, data, stars, fit, limits) -> _Fit:
    """Fit with the Balmer ratios of case B, then again with the reddening that the decrement shows, until it holds."""
    table, state, (halpha, hbeta) = fit.table, fit.state, _BALMER_COLUMNS
    chi2, hessian, reddening = 0.0, fit.hessian, 0.2  # E(B-V) [mag] to begin with
    row = len(stars) + len(frame.basis) + hbeta
    for _ in range(_DECREMENT_ROUNDS):
        table[:, 3] = reddened_ratios(frame.lines, reddening)
        state, chi2, hessian = decouple.fit(data, stars, frame.basis, table, state, True, limits)
        found = decrement_ebv(state[2][halpha], state[2][hbeta])
        change, reddening = abs(found - reddening), found
        if change * state[2][hbeta] * np.sqrt(hessian[row, row]) < _DECREMENT_SETTLED:
            break
    return _Fit(state, chi2, hessian, table, fit.mode)


_DECREMENT_ROUNDS, _DECREMENT_SETTLED = 6, 0.2  # the latter in magnitudes times flux over error of Hbeta
REST_WAVE = np.array([line.wave for line in LINES])
_OWN = [line.name for line in LINES if not line.parent]
_BALMER_COLUMNS = _OWN.index("Halpha"), _OWN.index("Hbeta")


def _split(frame, data, stars, fit, limits) -> _Fit:
    """One velocity and dispersion for the Balmer lines and one for the others, where both are strong."""
    first = len(stars) + len(frame.basis)
    own = np.diag(fit.hessian)[first : first + fit.state[2].size]
    strength = np.where(frame.lines.strong, fit.state[2] ** 2 * own, 0.0)
    group_of = np.array([line.group for line in LINES if not line.parent])
    if min(strength[group_of == group].sum() for group in (0, 1)) < frame.settings.detection_group:
        return fit
    table = fit.table.copy()
    table[:, 1] = frame.lines.group
    state = (*fit.state[:3], np.repeat(fit.state[3], 2, axis=0))
    return _with_decrement(frame, data, stars, _Fit(state, 0.0, fit.hessian, table, GAS_TWO_GROUPS), limits)


def _write(frame, result, row, data, stars, fit, scale) -> None:
    """Fluxes, errors and spectra of one fit into their places, in the units that came in."""
    lines, table, flux = frame.lines, fit.table, fit.state[2]
    model, _ = decouple.model_of(stars, frame.basis, data[0], table, fit.state)
    used = data[2] > 0
    model_all = np.zeros((flux.size, data.shape[1]))
    decouple.add_lines(model_all, 0, data[0], table, fit.state[3])
    residual = ((data[1] - model - flux @ model_all) * data[2])[used]
    spread = 1.4826 * float(np.median(np.abs(residual)))
    error, place_error = _errors(fit, len(stars) + len(frame.basis))
    grown, ratio, width = max(spread, 1.0), table[:, 3], _widths(table, fit.state[3])
    noise = np.interp(_centres(table, fit.state[3]), data[0][used], 1 / data[2][used]) * max(spread, 1e-3)
    covered = _covered(frame, table, model_all, used)
    line_flux = np.where(covered, flux[lines.column] * ratio, np.nan)
    with np.errstate(invalid="ignore"):
        height = line_flux / (np.sqrt(2 * np.pi) * width) / noise
    taken = _taken(frame, height)
    here = frame.inside
    removed = (flux * taken) @ model_all
    result.good[row, here] &= (used | ~frame.usable) & ~_strays(data, model, flux @ model_all, frame.settings)
    result.flux[row], result.amplitude_to_noise[row] = line_flux * scale, height
    line_error = error[lines.column] * ratio * _decrement_growth(flux, table, noise**2 * width)
    result.flux_err[row] = np.where(covered, line_error, np.nan) * scale * grown
    result.removed[row] = taken[lines.column] & covered
    result.stars[row, here], result.lines[row, here] = model * scale, removed * scale
    result.clean[row, here] -= removed * scale
    _write_gas(result, row, fit, place_error * grown)
    n_free = np.count_nonzero(fit.state[0] > 0) + len(frame.basis) + np.count_nonzero(flux > 0) + 2 * fit.mode
    result.chi2[row], result.noise_scale[row] = residual @ residual / max(residual.size - n_free, 1), spread
    result.flags[row] = SpaxelFlag.LINES_REMOVED if taken.any() else SpaxelFlag.NONE


def _strays(data: FloatArray, stars: FloatArray, lines: FloatArray, settings: EmissionSettings) -> BoolArray:
    """Outliers of the whole fit; lines that were found, being never quite Gaussian, are let be."""
    return _outliers(data, stars + lines, stars, settings) & (lines < settings.outlier_fraction * np.abs(stars))


def _write_gas(result: Emission, row: int, fit: _Fit, error: FloatArray) -> None:
    result.gas_mode[row] = fit.mode
    if fit.mode == GAS_NOT_SEEN:
        return
    place = fit.state[3]
    sigma = np.sqrt(np.maximum(place[:, 1], 0.0))
    result.v_gas[row], result.v_gas_err[row] = place[:, 0], error[:, 0]
    result.sigma_gas[row] = sigma
    # error of a square root: for a dispersion near 0 the error of its square decides
    result.sigma_gas_err[row] = error[:, 1] / np.maximum(2 * sigma, np.sqrt(np.maximum(error[:, 1], 1e-12)))


def _errors(fit: _Fit, first: int) -> tuple[FloatArray, FloatArray]:
    """One-sigma errors of the columns of lines (column,) and of velocity and dispersion^2 (group, 2)."""
    weights, _, flux, place = fit.state
    diagonal = np.diag(fit.hessian)
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
    halpha, hbeta = _BALMER_COLUMNS
    growth = np.ones(len(table))
    if not 0 < decrement_ebv(flux[halpha], flux[hbeta]) < EBV_LIMIT:
        return growth
    follow = table[:, 2] == hbeta
    steep = 1 + (extinction(REST_WAVE) - extinction(HBETA)) / (extinction(HBETA) - extinction(HALPHA))
    weight = table[follow, 3] ** 2 / variance[follow]
    growth[follow] = steep[follow] * np.sqrt(weight.sum() / (weight * steep[follow] ** 2).sum())
    return growth


def _centres(table: FloatArray, place: FloatArray) -> FloatArray:
    return table[:, 0] * np.exp(place[table[:, 1].astype(int), 0] / LIGHT_SPEED_KMS)


def _widths(table: FloatArray, place: FloatArray) -> FloatArray:
    """Sigma [Angstrom] of the lines as observed."""
    own = place[table[:, 1].astype(int), 1] * (_centres(table, place) / LIGHT_SPEED_KMS) ** 2
    return np.sqrt(table[:, 4] ** 2 + own)


def _covered(frame: _Frame, table: FloatArray, profiles: FloatArray, used: BoolArray) -> BoolArray:
    """Whether good pixels hold enough of a column's light (line,) to measure it; *choice*: 30 %."""
    pixel = np.gradient(frame.wave)
    inside = profiles @ (pixel * used)
    total = np.bincount(frame.lines.column, table[:, 3], minlength=len(profiles))
    return (inside > 0.3 * total)[frame.lines.column]


def _taken(frame: _Frame, height: FloatArray) -> BoolArray:
    """Columns that are above their threshold, or belong to one that is."""
    lines, thresholds = frame.lines, frame.settings.thresholds
    own = np.array([not line.parent for line in LINES])
    limit = np.asarray(thresholds)[own] if thresholds is not None else lines.threshold[own]
    above = np.nan_to_num(height[own]) >= limit
    return above | above[lines.with_column]
