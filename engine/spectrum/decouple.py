"""The kernels behind emission.py: stars times a polynomial plus Gaussian lines, least squares with bounds.

One Gauss-Newton step linearises the product of polynomial and templates and the place and width of the lines, and
solves for everything at once: template weights and line fluxes from zero up, polynomial free, steps in gas velocity
and dispersion inside a box. Columns of the design: templates, polynomial, lines, (velocity, dispersion^2) per group.
"""

import numba
import numpy as np

LIGHT_SPEED_KMS = 299_792.458
RIDGE = 1e-9  # of the diagonal, for templates that are nearly alike
POLYNOMIAL_PRIOR = 0.3  # *choice*: spread of the polynomial's coefficients before the data speak
REACH = 5.0  # line profiles end here, in sigmas
MAX_STEPS, TOLERANCE = 15, 0.02  # a fit has settled when a step gains less chi-square than this
STEP_LIMIT = (60.0, 6000.0)  # km/s and km2/s2 per step


@numba.njit(cache=True)
def cubic_read(rows, position):
    """Rows (n, pixel) at rising fractional positions (m,) by four-point Lagrange interpolation: (n, m)."""
    n = rows.shape[1]
    result = np.empty((rows.shape[0], position.size))
    for i in range(position.size):
        first = min(max(int(np.floor(position[i])) - 1, 0), n - 4)
        t = position[i] - first - 1
        w0, w1 = -t * (t - 1) * (t - 2) / 6, (t + 1) * (t - 1) * (t - 2) / 2
        w2, w3 = -(t + 1) * t * (t - 2) / 2, (t + 1) * t * (t - 1) / 6
        for j in range(rows.shape[0]):
            row = rows[j]
            result[j, i] = w0 * row[first] + w1 * row[first + 1] + w2 * row[first + 2] + w3 * row[first + 3]
    return result


@numba.njit(cache=True)
def solve_bounded(hessian, gradient, low, high, x, free):
    """Minimise x H x / 2 - g x between bounds by an active set, from x (within bounds) on; x and free are changed."""
    n = x.size
    for j in range(n):
        free[j] = low[j] < x[j] < high[j]
    for _ in range(4 * n):
        index = np.flatnonzero(free)
        target = _solve_free(hessian, gradient, x, free, index)
        share, hit = 1.0, -1
        for k in range(index.size):
            j = index[k]
            bound = low[j] if target[k] < low[j] else high[j]
            if (target[k] < low[j] or target[k] > high[j]) and (bound - x[j]) / (target[k] - x[j]) < share:
                share, hit = (bound - x[j]) / (target[k] - x[j]), j
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


@numba.njit(cache=True)
def _most_wanting(hessian, gradient, low, high, x, free):
    """The variable at a bound that gains most by leaving it; -1 if none does."""
    pull = gradient - hessian @ x
    best, gain = -1, 1e-6
    for j in range(x.size):
        if free[j] or hessian[j, j] <= 0 or high[j] <= low[j]:
            continue
        inward = pull[j] if x[j] <= low[j] else -pull[j]
        if inward > 0 and inward * inward / hessian[j, j] > gain:
            best, gain = j, inward * inward / hessian[j, j]
    return best


@numba.njit(cache=True)
def _solve_free(hessian, gradient, x, free, index):
    """Solution for the free variables with the others held, by Cholesky."""
    m = index.size
    factor, right = np.empty((m, m)), np.empty(m)
    held = np.where(free, 0.0, x)
    for a in range(m):
        row = hessian[index[a]]
        right[a] = gradient[index[a]] - row @ held
        for b in range(a + 1):
            factor[a, b] = row[index[b]]
        factor[a, a] = row[index[a]] * (1 + RIDGE) + 1e-300
    _factorise(factor)
    for a in range(m):
        right[a] = (right[a] - factor[a, :a] @ right[:a]) / factor[a, a]
    for a in range(m - 1, -1, -1):
        right[a] /= factor[a, a]
        right[:a] -= factor[a, :a] * right[a]
    return right


@numba.njit(cache=True)
def _factorise(factor):
    """Lower Cholesky factor in place; a pivot lost to rounding is raised to the ridge."""
    for a in range(len(factor)):
        for b in range(a):
            factor[a, b] = (factor[a, b] - factor[a, :b] @ factor[b, :b]) / factor[b, b]
        pivot = factor[a, a] - factor[a, :a] @ factor[a, :a]
        factor[a, a] = np.sqrt(max(pivot, RIDGE * factor[a, a] + 1e-300))


@numba.njit(cache=True)
def add_lines(design, first, wave, table, place):
    """Write unit-flux profiles of the columns of lines into rows first and on of design (row, wave).

    table: (line, 5) wavelength as observed from gas at rest in the galaxy, group, column, ratio, the instrument's
    sigma [Angstrom]; place: (group, 2) velocity [km/s] and dispersion^2.
    """
    for line in range(table.shape[0]):
        group, row = int(table[line, 1]), first + int(table[line, 2])
        centre = table[line, 0] * np.exp(place[group, 0] / LIGHT_SPEED_KMS)
        sigma = np.sqrt(table[line, 4] ** 2 + place[group, 1] * (centre / LIGHT_SPEED_KMS) ** 2)
        start, stop = np.searchsorted(wave, centre - REACH * sigma), np.searchsorted(wave, centre + REACH * sigma)
        for i in range(start, stop):
            u = (wave[i] - centre) / sigma
            design[row, i] += table[line, 3] * np.exp(-0.5 * u * u) / (np.sqrt(2 * np.pi) * sigma)


@numba.njit(cache=True)
def add_slopes(design, first, wave, table, place, flux):
    """Write the change of all lines with velocity and dispersion^2 of their group, fluxes (column,) as they are."""
    for line in range(table.shape[0]):
        group, amount = int(table[line, 1]), flux[int(table[line, 2])] * table[line, 3]
        centre = table[line, 0] * np.exp(place[group, 0] / LIGHT_SPEED_KMS)
        per_kms = centre / LIGHT_SPEED_KMS
        sigma = np.sqrt(table[line, 4] ** 2 + place[group, 1] * per_kms**2)
        start, stop = np.searchsorted(wave, centre - REACH * sigma), np.searchsorted(wave, centre + REACH * sigma)
        for i in range(start, stop):
            u = (wave[i] - centre) / sigma
            profile = amount * np.exp(-0.5 * u * u) / (np.sqrt(2 * np.pi) * sigma)
            design[first + 2 * group, i] += profile * u / sigma * per_kms
            design[first + 2 * group + 1, i] += profile * (u * u - 1) / (2 * sigma**2) * per_kms**2


@numba.njit(cache=True)
def model_of(templates, basis, wave, table, state):
    """Stars (wave,) and lines (wave,) of a state: (weights, coefficients, fluxes, place)."""
    weights, coefficients, flux, place = state
    lines = np.zeros((flux.size, wave.size))
    add_lines(lines, 0, wave, table, place)
    return (1.0 + coefficients @ basis) * (weights @ templates), flux @ lines


@numba.njit(cache=True)
def _normal_equations(data, templates, basis, table, state, fit_lines):
    """Hessian and gradient of the linearised problem for absolute weights, coefficients and fluxes, steps in place.

    data: (3, wave) wavelength, flux, 1 / error or 0.
    """
    weights, coefficients, flux, place = state
    wave, inverse = data[0], data[2]
    n_t, n_p, n_l, n_k = weights.size, coefficients.size, flux.size, 2 * place.shape[0]
    design = np.zeros((n_t + n_p + n_l + n_k, wave.size))
    stars = weights @ templates
    factor = 1.0 + coefficients @ basis
    design[:n_t] = factor * templates
    design[n_t : n_t + n_p] = stars * basis
    if fit_lines:
        add_lines(design, n_t + n_p, wave, table, place)
        add_slopes(design, n_t + n_p + n_l, wave, table, place, flux)
    known = data[1] + coefficients @ design[n_t : n_t + n_p]
    design *= inverse
    hessian = np.dot(design, design.T)
    gradient = design @ (known * inverse)
    for k in range(n_t, n_t + n_p):
        hessian[k, k] += 1 / POLYNOMIAL_PRIOR**2
    return hessian, gradient


@numba.njit(cache=True)
def _bounds(state, fit_lines, limits):
    """Lower and upper bounds; limits: least and greatest velocity [km/s], greatest dispersion^2, whether gas moves."""
    weights, coefficients, flux, place = state
    n_t, n_p, n_l = weights.size, coefficients.size, flux.size
    n = n_t + n_p + n_l + 2 * place.shape[0]
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    low[:n_t] = 0.0
    low[n_t + n_p : n_t + n_p + n_l] = 0.0
    if not fit_lines:
        high[n_t + n_p : n_t + n_p + n_l] = 0.0
    for group in range(place.shape[0]):
        k = n_t + n_p + n_l + 2 * group
        if fit_lines and limits[3] > 0:
            low[k] = max(-STEP_LIMIT[0], limits[0] - place[group, 0])
            high[k] = min(STEP_LIMIT[0], limits[1] - place[group, 0])
            low[k + 1] = max(-STEP_LIMIT[1], -place[group, 1])
            high[k + 1] = min(STEP_LIMIT[1], limits[2] - place[group, 1])
        else:
            low[k : k + 2], high[k : k + 2] = 0.0, 0.0
    return low, high


@numba.njit(cache=True)
def chi_square(data, templates, basis, table, state):
    """Sum of squared residuals over errors, plus the polynomial's prior."""
    stars, lines = model_of(templates, basis, data[0], table, state)
    residual = (data[1] - stars - lines) * data[2]
    return residual @ residual + state[1] @ state[1] / POLYNOMIAL_PRIOR**2


@numba.njit(cache=True)
def _moved(state, x, share):
    """The state part of the way to the solution x of a step."""
    weights, coefficients, flux, place = state
    n_t, n_p, n_l = weights.size, coefficients.size, flux.size
    there = place.copy()
    for group in range(place.shape[0]):
        k = n_t + n_p + n_l + 2 * group
        there[group, 0] += share * x[k]
        there[group, 1] = max(0.0, there[group, 1] + share * x[k + 1])
    return (
        weights + share * (x[:n_t] - weights),
        coefficients + share * (x[n_t : n_t + n_p] - coefficients),
        flux + share * (x[n_t + n_p : n_t + n_p + n_l] - flux),
        there,
    )


@numba.njit(cache=True)
def fit(data, templates, basis, table, state, fit_lines, limits):
    """Gauss-Newton steps until chi-square settles. Returns the state, chi-square and the last Hessian."""
    n_free = state[0].size + state[1].size + state[2].size + 2 * state[3].shape[0]
    x, free = np.zeros(n_free), np.zeros(n_free, dtype=np.bool_)
    best = chi_square(data, templates, basis, table, state)
    hessian = np.zeros((n_free, n_free))
    for step in range(MAX_STEPS):
        hessian, gradient = _normal_equations(data, templates, basis, table, state, fit_lines)
        low, high = _bounds(state, fit_lines, limits)
        _start(x, state, low, high)
        solve_bounded(hessian, gradient, low, high, x, free)
        gain, share = 0.0, 1.0
        for _ in range(6):
            trial = _moved(state, x, share)
            value = chi_square(data, templates, basis, table, trial)
            if value < best:
                gain, best, state = best - value, value, trial
                break
            share *= 0.4
        if gain < TOLERANCE and step > 0:
            break
    return state, best, hessian


@numba.njit(cache=True)
def _start(x, state, low, high):
    """The state as first guess of a step, within bounds."""
    weights, coefficients, flux, _ = state
    n_t, n_p, n_l = weights.size, coefficients.size, flux.size
    x[:n_t], x[n_t : n_t + n_p], x[n_t + n_p : n_t + n_p + n_l] = weights, coefficients, flux
    x[n_t + n_p + n_l :] = 0.0
    for j in range(x.size):
        x[j] = min(max(x[j], low[j]), high[j])


@numba.njit(cache=True)
def scan_velocity(data, residual, table, strong, grid, place):
    """Sum over the strong lines (column,) of (flux / error)^2, where positive, at each velocity of a grid (m,)."""
    wave, inverse = data[0], data[2]
    result = np.zeros(grid.size)
    for k in range(grid.size):
        there = place.copy()
        there[:, 0] = grid[k]
        profiles = np.zeros((strong.size, wave.size))
        add_lines(profiles, 0, wave, table, there)
        for c in np.flatnonzero(strong):
            norm, match = 0.0, 0.0
            for i in range(wave.size):
                if profiles[c, i] > 0:
                    p = profiles[c, i] * inverse[i]
                    norm += p * p
                    match += p * residual[i] * inverse[i]
            if match > 0:
                result[k] += match * match / norm
    return result
