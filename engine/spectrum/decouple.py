"""The kernels behind emission.py: stars times a polynomial plus Gaussian lines, least squares with bounds.

One Gauss-Newton step linearises the product of polynomial and templates and the place and width of the lines, and
solves for everything at once: template weights and line fluxes from zero up, polynomial free, steps in gas velocity
and dispersion inside a box. Columns of the design: templates, polynomial, lines, (velocity, dispersion^2) per group.
"""

from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.constants import LIGHT_SPEED_KMS
from engine.types import FloatArray

WAVE, GROUP, COLUMN, RATIO, WIDTH = range(5)  # columns of a table of lines, see add_lines
RIDGE = 1e-9  # of the diagonal, for templates that are nearly alike
POLYNOMIAL_PRIOR = 0.3  # *choice*: spread of the polynomial's coefficients before the data speak
REACH = 5.0  # line profiles end here, in sigmas
MAX_STEPS, TOLERANCE = 15, 0.02  # a fit has settled when a step gains less chi-square than this
STEP_LIMIT = (60.0, 6000.0)  # km/s and km2/s2 per step


@njit()
def cubic_read(rows, position):
    """Rows (n, pixel) at rising fractional positions (m,) by four-point Lagrange interpolation: (n, m)."""
    n = rows.shape[1]
    result = np.empty((rows.shape[0], position.size))
    for i in range(position.size):
        first = min(max(int(np.floor(position[i])) - 1, 0), n - 4)
        t = position[i] - first - 1
        w0 = -t * (t - 1) * (t - 2) / 6
        w1 = (t + 1) * (t - 1) * (t - 2) / 2
        w2 = -(t + 1) * t * (t - 2) / 2
        w3 = (t + 1) * t * (t - 1) / 6
        for j in range(rows.shape[0]):
            row = rows[j]
            result[j, i] = w0 * row[first] + w1 * row[first + 1] + w2 * row[first + 2] + w3 * row[first + 3]
    return result


@njit()
def solve_bounded(hessian, gradient, low, high, x, free):
    """Minimise x H x / 2 - g x between bounds by an active set, from x (within bounds) on; x and free are changed."""
    n = x.size
    for j in range(n):
        free[j] = low[j] < x[j] < high[j]
    for _ in range(4 * n):
        index = np.flatnonzero(free)
        target = _solve_free(hessian, gradient, x, free, index)
        share, hit = _first_bound(low, high, x, index, target)
        for k in range(index.size):
            x[index[k]] += share * (target[k] - x[index[k]])
        if hit >= 0:
            x[hit] = low[hit] if abs(x[hit] - low[hit]) < abs(x[hit] - high[hit]) else high[hit]
            free[hit] = False
            continue
        j = _most_wanting(hessian, gradient, low, high, x, free)
        if j < 0:
            return
        free[j] = True


@njit()
def _first_bound(low, high, x, index, target):
    """How far on the way from x to the target the first bound is met, and by which variable; 1 and -1 if none is."""
    share, hit = 1.0, -1
    for k in range(index.size):
        j = index[k]
        if low[j] <= target[k] <= high[j]:
            continue
        bound = low[j] if target[k] < low[j] else high[j]
        reached = (bound - x[j]) / (target[k] - x[j])
        if reached < share:
            share, hit = reached, j
    return share, hit


@njit()
def _most_wanting(hessian, gradient, low, high, x, free):
    """The variable at a bound that gains most by leaving it; -1 if none does."""
    pull = gradient - hessian @ x
    best = -1
    gain = 1e-6
    for j in range(x.size):
        if free[j] or hessian[j, j] <= 0 or high[j] <= low[j]:
            continue
        inward = pull[j] if x[j] <= low[j] else -pull[j]
        if inward > 0 and inward * inward / hessian[j, j] > gain:
            best = j
            gain = inward * inward / hessian[j, j]
    return best


@njit()
def _solve_free(hessian, gradient, x, free, index):
    """Solution for the free variables with the others held, by Cholesky."""
    m = index.size
    factor = np.empty((m, m))
    right = np.empty(m)
    held = np.where(free, 0.0, x)
    for a in range(m):
        row = hessian[index[a]]
        right[a] = gradient[index[a]] - row @ held
        for b in range(a + 1):
            factor[a, b] = row[index[b]]
        factor[a, a] = row[index[a]] * (1 + RIDGE) + 1e-300
    _factorise(factor)
    _substitute(factor, right)
    return right


@njit()
def _substitute(factor, right):
    """Solve for the right side in place, with a lower Cholesky factor: forwards, then backwards."""
    m = right.size
    for a in range(m):
        right[a] = (right[a] - factor[a, :a] @ right[:a]) / factor[a, a]
    for a in range(m - 1, -1, -1):
        right[a] /= factor[a, a]
        right[:a] -= factor[a, :a] * right[a]


@njit()
def _factorise(factor):
    """Lower Cholesky factor in place; a pivot lost to rounding is raised to the ridge."""
    for a in range(len(factor)):
        for b in range(a):
            factor[a, b] = (factor[a, b] - factor[a, :b] @ factor[b, :b]) / factor[b, b]
        pivot = factor[a, a] - factor[a, :a] @ factor[a, :a]
        factor[a, a] = np.sqrt(max(pivot, RIDGE * factor[a, a] + 1e-300))


@njit()
def add_lines(design, first, wave, table, place):
    """Write unit-flux profiles of the columns of lines into rows first and on of design (row, wave).

    table: (line, 5) wavelength as observed from gas at rest in the galaxy, group, column, ratio, the instrument's
    sigma [Angstrom]; place: (group, 2) velocity [km/s] and dispersion^2.
    """
    for line in range(table.shape[0]):
        group = int(table[line, GROUP])
        row = first + int(table[line, COLUMN])
        centre, sigma = _profile(table, line, place[group])
        start, stop = _reach(wave, centre, sigma)
        for i in range(start, stop):
            u = (wave[i] - centre) / sigma
            design[row, i] += table[line, RATIO] * np.exp(-0.5 * u * u) / (np.sqrt(2 * np.pi) * sigma)


@njit()
def _profile(table, line, motion):
    """Centre and sigma [Angstrom] of a line as observed; motion: velocity [km/s] and dispersion^2 of its group."""
    centre = table[line, WAVE] * np.exp(motion[0] / LIGHT_SPEED_KMS)
    return centre, np.sqrt(table[line, WIDTH] ** 2 + motion[1] * (centre / LIGHT_SPEED_KMS) ** 2)


@njit()
def _reach(wave, centre, sigma):
    """First pixel of a line and the one after its last."""
    return np.searchsorted(wave, centre - REACH * sigma), np.searchsorted(wave, centre + REACH * sigma)


@njit()
def add_slopes(design, first, wave, table, place, flux):
    """Write the change of all lines with velocity and dispersion^2 of their group, fluxes (column,) as they are."""
    for line in range(table.shape[0]):
        group = int(table[line, GROUP])
        amount = flux[int(table[line, COLUMN])] * table[line, RATIO]
        centre, sigma = _profile(table, line, place[group])
        per_kms = centre / LIGHT_SPEED_KMS
        start, stop = _reach(wave, centre, sigma)
        for i in range(start, stop):
            u = (wave[i] - centre) / sigma
            profile = amount * np.exp(-0.5 * u * u) / (np.sqrt(2 * np.pi) * sigma)
            design[first + 2 * group, i] += profile * u / sigma * per_kms
            design[first + 2 * group + 1, i] += profile * (u * u - 1) / (2 * sigma**2) * per_kms**2


class State(NamedTuple):
    """A point in the space of fits."""

    weights: FloatArray  # (template,)
    coefficients: FloatArray  # (degree,) of the polynomials; the factor on the stars is 1 + their sum
    flux: FloatArray  # (column,) of lines
    place: FloatArray  # (group, 2) velocity [km/s] and dispersion^2 of the gas


class Problem(NamedTuple):
    """What is fitted to what."""

    data: FloatArray  # (3, wave) wavelength, flux, 1 / error or 0
    templates: FloatArray  # (template, wave)
    basis: FloatArray  # (degree, wave)
    table: FloatArray  # (line, 5), see add_lines

    def model(self, state: State) -> tuple[FloatArray, FloatArray]:
        """Stars (wave,) and lines (column, wave)."""
        lines = np.zeros((state.flux.size, self.data.shape[1]))
        add_lines(lines, 0, self.data[0], self.table, state.place)
        return self.factor(state) * (state.weights @ self.templates), state.flux[:, None] * lines

    def factor(self, state: State) -> FloatArray:
        """The polynomial on the stars (wave,)."""
        return 1.0 + state.coefficients @ self.basis

    def chi_square(self, state: State) -> float:
        """Sum of squared residuals over errors, plus the polynomial's prior."""
        stars, lines = self.model(state)
        residual = (self.data[1] - stars - lines.sum(axis=0)) * self.data[2]
        return float(residual @ residual + state.coefficients @ state.coefficients / POLYNOMIAL_PRIOR**2)


class GasLimits(NamedTuple):
    """How far the gas may go."""

    velocity: tuple[float, float]  # km/s
    dispersion2: float  # km2/s2
    gas_moves: bool


def fit(problem: Problem, state: State, limits: GasLimits | None) -> tuple[State, float, FloatArray]:
    """Gauss-Newton steps until chi-square settles. limits None: stars alone, all lines zero.

    Returns the state, its chi-square and the Hessian (row, row) of the last step.
    """
    best = problem.chi_square(state)
    hessian = np.empty((0, 0))
    for step in range(MAX_STEPS):
        hessian, gradient = _normal_equations(problem, state, limits is not None)
        low, high = _bounds(state, limits)
        x = np.clip(np.concatenate([*state[:3], np.zeros(state.place.size)]), low, high)
        solve_bounded(hessian, gradient, low, high, x, np.zeros(x.size, dtype=bool))
        before = best
        state, best = _step_towards(problem, state, x, best)
        if before - best < TOLERANCE and step > 0:
            break
    return state, best, hessian


def _step_towards(problem: Problem, state: State, x: FloatArray, best: float) -> tuple[State, float]:
    """The first point on the way to x with a lower chi-square than the best, and that; else the state as it is."""
    share = 1.0
    for _ in range(6):
        trial = _moved(state, x, share)
        value = problem.chi_square(trial)
        if value < best:
            return trial, value
        share *= 0.4
    return state, best


def _normal_equations(problem: Problem, state: State, fit_lines: bool) -> tuple[FloatArray, FloatArray]:
    """Hessian and gradient of the linearised problem for absolute weights, coefficients, fluxes and steps in place."""
    _, flux, inverse = problem.data
    design = _design(problem, state, fit_lines)
    polynomial = slice(state.weights.size, state.weights.size + state.coefficients.size)
    known = (flux + state.coefficients @ design[polynomial]) * inverse
    design *= inverse
    hessian = design @ design.T
    prior = np.arange(polynomial.start, polynomial.stop)
    hessian[prior, prior] += 1 / POLYNOMIAL_PRIOR**2
    return hessian, design @ known


def _design(problem: Problem, state: State, fit_lines: bool) -> FloatArray:
    """How the model changes with every parameter, (row, wave)."""
    wave = problem.data[0]
    n_t = state.weights.size
    stop = n_t + state.coefficients.size
    design = np.zeros((stop + state.flux.size + state.place.size, wave.size))
    design[:n_t] = problem.factor(state) * problem.templates
    design[n_t:stop] = (state.weights @ problem.templates) * problem.basis
    if fit_lines:
        add_lines(design, stop, wave, problem.table, state.place)
        add_slopes(design, stop + state.flux.size, wave, problem.table, state.place, state.flux)
    return design


def _bounds(state: State, limits: GasLimits | None) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds of a step's solution."""
    place_low, place_high = _room(state.place, limits)
    free = np.full(state.coefficients.size, np.inf)
    dark = np.zeros(state.flux.size)
    low = np.concatenate([np.zeros(state.weights.size), -free, dark, place_low.ravel()])
    bright = dark if limits is None else dark + np.inf
    return low, np.concatenate([np.full(state.weights.size, np.inf), free, bright, place_high.ravel()])


def _room(place: FloatArray, limits: GasLimits | None) -> tuple[FloatArray, FloatArray]:
    """How far velocity and dispersion^2 (group, 2) may step down and up; none for gas that does not move."""
    if limits is None or not limits.gas_moves:
        return np.zeros(place.shape), np.zeros(place.shape)
    lowest = np.array([limits.velocity[0], 0.0])
    highest = np.array([limits.velocity[1], limits.dispersion2])
    step = np.array(STEP_LIMIT)
    return np.maximum(-step, lowest - place), np.minimum(step, highest - place)


def _moved(state: State, x: FloatArray, share: float) -> State:
    """The state part of the way to the solution x of a step."""
    weights, coefficients, flux, step = np.split(x, np.cumsum([part.size for part in state[:3]]))
    place = state.place + share * step.reshape(state.place.shape)
    return State(
        weights=state.weights + share * (weights - state.weights),
        coefficients=state.coefficients + share * (coefficients - state.coefficients),
        flux=state.flux + share * (flux - state.flux),
        place=np.stack([place[:, 0], np.maximum(place[:, 1], 0.0)], axis=1),
    )


@njit()
def scan_velocity(data, residual, table, strong, grid, place):
    """Sum over the strong lines (column,) of (flux / error)^2, where positive, at each velocity of a grid (m,)."""
    wave = data[0]
    result = np.zeros(grid.size)
    for k in range(grid.size):
        there = place.copy()
        there[:, 0] = grid[k]
        profiles = np.zeros((strong.size, wave.size))
        add_lines(profiles, 0, wave, table, there)
        for c in np.flatnonzero(strong):
            result[k] += _gain_of_line(profiles[c], data[2], residual)
    return result


@njit()
def _gain_of_line(profile, inverse, residual):
    """(flux / error)^2 of the flux that fits a residual best, (wave,) each; 0 where that is negative."""
    norm = 0.0
    match = 0.0
    for i in range(profile.size):
        if profile[i] > 0:
            p = profile[i] * inverse[i]
            norm += p * p
            match += p * residual[i] * inverse[i]
    return match * match / norm if match > 0 else 0.0
