"""How stars and gas of one spectrum are fitted: in which order, and with how much freedom for the gas."""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS
from engine.errors import ShapeError
from engine.features import LINES, NIGHT_SKY, SODIUM_D
from engine.spectrum.decouple import GROUP, RATIO, WAVE, GasLimits, Problem, State, fit, scan_velocity
from engine.spectrum.kinematics import OUTLIER_FRACTION, OUTLIER_SIGMA
from engine.spectrum.lines import LineTable, decrement_ebv, line_table, reddened_ratios
from engine.spectrum.templates import StellarTemplates, usable_range
from engine.stats import robust_sigma
from engine.types import BoolArray, FloatArray

GAS_NOT_SEEN, GAS_ONE_GROUP, GAS_TWO_GROUPS = range(3)  # values of Emission.gas_mode

_SCAN_STEP = 35.0  # km/s, a fifth of the instrument's sigma
_USUAL_REDDENING = 0.2  # E(B-V) [mag] to begin with, and where there is no decrement; *choice*
_DECREMENT_ROUNDS, _DECREMENT_SETTLED = 6, 0.2  # the latter in magnitudes times flux over error of Hbeta
_OWN = [line for line in LINES if not line.parent]
_GROUP_OF = np.array([line.group for line in _OWN])
BALMER_COLUMNS = tuple([line.name for line in _OWN].index(name) for name in ("Halpha", "Hbeta"))


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


class EmissionSetup(NamedTuple):
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


class GasFit(NamedTuple):
    """The fit of one spectrum."""

    problem: Problem
    state: State
    hessian: FloatArray  # (row, row): templates, polynomials, columns of lines, (velocity, dispersion^2) per group
    mode: int  # GAS_NOT_SEEN, GAS_ONE_GROUP or GAS_TWO_GROUPS


def make_setup(wave: FloatArray, templates: StellarTemplates, settings: EmissionSettings) -> EmissionSetup:
    """Positions, polynomials and lines for every spectrum on these wavelengths; raises ShapeError."""
    inside = _fitted_part(wave, templates, settings)
    observed = wave[inside]
    rest = observed / (1 + templates.redshift)
    lines = line_table()
    basis = legendre.legvander(np.linspace(-1, 1, rest.size), settings.polynomial_degree)[:, 1:].T
    return EmissionSetup(
        wave=observed,
        inside=inside,
        position=(np.log(rest) - templates.log_wave[0]) / templates.step,
        basis=np.ascontiguousarray(basis),
        usable=_free_of_sodium_and_sky(rest, observed),
        table=_lines_at(wave, lines, templates),
        lines=lines,
        templates=templates,
        settings=settings,
    )


def _free_of_sodium_and_sky(rest: FloatArray, observed: FloatArray) -> BoolArray:
    usable = np.ones(rest.size, bool)
    for axis, (first, last) in ((rest, SODIUM_D), (observed, NIGHT_SKY[0])):  # 6300 is a line of galaxies too
        usable &= (axis < first) | (axis > last)
    return usable


def _fitted_part(wave: FloatArray, templates: StellarTemplates, settings: EmissionSettings) -> slice:
    """Which of the wavelengths are fitted; raises ShapeError if they are too few."""
    rest = wave / (1 + templates.redshift)
    low, high = usable_range(templates)
    within = (rest > max(low, settings.fit_range[0])) & (rest < min(high, settings.fit_range[1]))
    inside = np.flatnonzero(within)
    if inside.size < 100:
        raise ShapeError(f"the spectra cover {wave[0]:.0f}-{wave[-1]:.0f} Angstrom: too little of {settings.fit_range}")
    return slice(inside[0], inside[-1] + 1)


def _lines_at(wave: FloatArray, lines: LineTable, templates: StellarTemplates) -> FloatArray:
    """The table of lines (line, 5) that decouple.add_lines takes, for gas at rest in the galaxy."""
    at = lines.wave * (1 + templates.redshift)
    width = np.interp(at, wave, templates.fwhm) / FWHM_PER_SIGMA
    return np.stack([at, lines.group, lines.column, lines.ratio, width], axis=1)


def fit_stars_and_gas(setup: EmissionSetup, data: FloatArray, stars: FloatArray, velocity: float) -> GasFit | None:
    """Stars with the lines masked, a search for the gas, then both together with as much freedom as the gas supports.

    Parameters: data (3, wave) wavelength, flux, 1 / error or 0: outliers lose their weight in it; stars (template,
    wave) moving and broadened; velocity of the stars [km/s]. None if there is too little to fit.
    """
    settings = setup.settings
    table = setup.table.copy()
    table[:, GROUP] = 0  # one group until there is reason for two
    problem = Problem(data, stars, setup.basis, table)
    away = ~_near_lines(setup, velocity)
    if np.count_nonzero(data[2] * away) < 2 * len(stars):
        return None
    state = _fit_stars(setup, problem, away, velocity)
    gas = _search_gas(setup, problem, state, velocity)
    reach = 1.2 * settings.velocity_limit
    seen = gas.gain > settings.detection
    limits = GasLimits((velocity - reach, velocity + reach), settings.sigma_limit**2, seen)
    if not seen:
        return _with_decrement(setup, problem, state, limits, GAS_NOT_SEEN)
    state.place[0, 0] = gas.velocity
    return _split(setup, _with_decrement(setup, problem, state, limits, GAS_ONE_GROUP), limits)


class _GasFound(NamedTuple):
    """The velocity of gas that explains most of what the stars leave, and the chi-square that it gains."""

    velocity: float  # km/s
    gain: float


def _search_gas(setup: EmissionSetup, problem: Problem, state: State, velocity: float) -> _GasFound:
    """Around a velocity of the stars [km/s], of which the state is a fit."""
    limit = setup.settings.velocity_limit
    residual = problem.data[1] - problem.model(state)[0]
    grid = velocity + np.arange(-limit, limit + 1, _SCAN_STEP)
    gain = scan_velocity(problem.data, residual, problem.table, setup.lines.strong, grid, state.place)
    return _GasFound(grid[gain.argmax()], gain.max())


def _fit_stars(setup: EmissionSetup, problem: Problem, away: BoolArray, velocity: float) -> State:
    """Fit away from the lines; if there are outliers, they lose their weight and the fit is done again."""
    n = len(problem.templates)
    place = np.array([[velocity, setup.settings.sigma_default**2]])
    state = State(np.full(n, 1 / n), np.zeros(len(setup.basis)), np.zeros(_GROUP_OF.size), place)
    for _ in range(2):
        masked = problem.data.copy()
        masked[2, ~away] = 0.0
        state, _, _ = fit(problem._replace(data=masked), state, None)
        model = problem.model(state)[0]
        bad = outliers(masked, model, model, setup.settings)
        if not bad.any():
            break
        problem.data[2, bad] = 0.0
    return state


def outliers(data: FloatArray, model: FloatArray, stars: FloatArray, settings: EmissionSettings) -> BoolArray:
    """Used pixels of data (3, wave) far from the model, in terms of the scatter and of the stars' flux."""
    residual = data[1] - model
    used = data[2] > 0
    spread = robust_sigma((residual * data[2])[used])
    far = np.abs(residual) * data[2] > settings.outlier_sigma * max(spread, 1.0)
    return used & far & (np.abs(residual) > settings.outlier_fraction * np.abs(stars))


def _near_lines(setup: EmissionSetup, velocity: float) -> BoolArray:
    away = np.log(setup.wave[:, None] / setup.table[:, WAVE]) * LIGHT_SPEED_KMS - velocity
    return np.any(np.abs(away) < setup.settings.line_half_width, axis=1)


def _with_decrement(setup: EmissionSetup, problem: Problem, state: State, limits: GasLimits, mode: int) -> GasFit:
    """Fit with the Balmer ratios of case B, then again with the reddening that the decrement shows, until it holds."""
    halpha, hbeta = BALMER_COLUMNS
    hessian = np.empty((0, 0))
    reddening = _USUAL_REDDENING
    first = state.weights.size + state.coefficients.size
    for _ in range(_DECREMENT_ROUNDS):
        problem.table[:, RATIO] = reddened_ratios(setup.lines, reddening)
        state, _, hessian = fit(problem, state, limits)
        certain = np.sqrt(np.diag(hessian)[[first + halpha, first + hbeta]])
        if not certain.all():
            break  # Halpha or Hbeta is not in the data
        found = decrement_ebv(state.flux[halpha], state.flux[hbeta])
        change = abs(found - reddening)
        reddening = found
        if change * state.flux[hbeta] * certain[1] < _DECREMENT_SETTLED:
            break
    return GasFit(problem, state, hessian, mode)


def _split(setup: EmissionSetup, one: GasFit, limits: GasLimits) -> GasFit:
    """One velocity and dispersion for the Balmer lines and one for the others, where both are strong."""
    strength = _strength(setup, one)
    if min(strength[_GROUP_OF == group].sum() for group in (0, 1)) < setup.settings.detection_group:
        return one
    table = one.problem.table.copy()
    table[:, GROUP] = setup.lines.group
    both = one.state._replace(place=np.repeat(one.state.place, 2, axis=0))
    return _with_decrement(setup, one.problem._replace(table=table), both, limits, GAS_TWO_GROUPS)


def _strength(setup: EmissionSetup, one: GasFit) -> FloatArray:
    """(flux / error)^2 of the strong lines (column,), 0 of others."""
    state = one.state
    first = state.weights.size + state.coefficients.size
    own = np.diag(one.hessian)[first : first + state.flux.size]
    return np.where(setup.lines.strong, state.flux**2 * own, 0.0)


def strays(data: FloatArray, stars: FloatArray, lines: FloatArray, settings: EmissionSettings) -> BoolArray:
    """Outliers of the whole fit; lines that were found are kept, as they are never exactly Gaussian."""
    return outliers(data, stars + lines, stars, settings) & (lines < settings.outlier_fraction * np.abs(stars))
