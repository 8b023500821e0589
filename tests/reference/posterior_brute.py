"""Posteriors the usual two ways: in NumPy region by region, and with two plain compiled loops over regions and models.

Both look at every model in float64 and take quantiles from the sorted values: no histogram, no bound, no tree. They
are what the kernel of engine.inference is compared with, in its tests and in benchmarks/bench_posterior.py.
"""

from typing import NamedTuple

import numba
import numpy as np

from engine.inference.likelihood import MAX_INDEX, inverse_errors
from engine.inference.posterior import DISPERSION_PARTS
from engine.library.dispersion import place_in_grid

WANTED = (0.16, 0.50, 0.84)


class Brute(NamedTuple):
    """16, 50 and 84 % of each posterior (spaxel, 3), and the smallest chi-square (spaxel,)."""

    log_mu_star: np.ndarray
    log_age_wr: np.ndarray
    log_Z_wr: np.ndarray
    chi2: np.ndarray


def by_loops(observed, library, prior=None) -> Brute:
    """Two loops, compiled, on all cores."""
    brightest = np.nanmax(np.abs(observed.flux), axis=1, initial=1e-300, keepdims=True)
    index_weight, flux_weight = (
        inverse_errors(
            np.where(np.abs(observed.indices) <= MAX_INDEX, observed.indices, np.nan), observed.index_errors
        ),
        inverse_errors(observed.flux / brightest, observed.flux_errors / brightest) / brightest,
    )
    sigma = np.round(place_in_grid(observed.sigma_star, library.sigma_grid) * DISPERSION_PARTS) / DISPERSION_PARTS
    n_spaxel, n_model = sigma.size, library.log_age_wr.size
    out = np.full((n_spaxel, 10), np.nan)
    prior = np.ones(n_model) if prior is None else np.asarray(prior, dtype=float)
    orders = np.argsort(library.log_age_wr), np.argsort(library.log_Z_wr)
    data = (np.nan_to_num(observed.indices), index_weight, np.nan_to_num(observed.flux) * flux_weight, flux_weight)
    _loops(data, sigma, library.indices, library.flux.astype(float), library.log_age_wr, library.log_Z_wr, orders,
           prior, out)  # fmt: skip
    return Brute(out[:, 0:3], out[:, 3:6], out[:, 6:9], out[:, 9])


@numba.njit(parallel=True, cache=True)
def _loops(data, sigma, model_indices, model_flux, age, Z, orders, prior, out):
    indices, index_weight, light, flux_weight = data
    n_model = model_flux.shape[0]
    for spaxel in numba.prange(sigma.size):
        chi2, scale = np.empty(n_model), np.empty(n_model)
        below = int(sigma[spaxel])
        share = sigma[spaxel] - below
        above = below + 1 if share > 0 else below
        for model in range(n_model):
            total, a, b = 0.0, 0.0, 1e-300
            for k in range(5):
                at_sigma = (1 - share) * model_indices[model, below, k] + share * model_indices[model, above, k]
                total += ((indices[spaxel, k] - at_sigma) * index_weight[spaxel, k]) ** 2
                a += light[spaxel, k] * model_flux[model, k] * flux_weight[spaxel, k]
                b += (model_flux[model, k] * flux_weight[spaxel, k]) ** 2
            best = max(a, 0.0) / b
            for k in range(5):
                total += (light[spaxel, k] - best * model_flux[model, k] * flux_weight[spaxel, k]) ** 2
            chi2[model], scale[model] = total, best
        weight = prior * np.exp(-0.5 * (chi2 - chi2.min()))
        out[spaxel, 9] = chi2[np.argmin(chi2 - 2.0 * np.log(np.maximum(prior, 1e-300)))]
        some = np.flatnonzero(weight > 1e-12 * weight.max())
        of_mu = some[np.argsort(scale[some])]
        _walk(weight, of_mu, scale, out[spaxel, 0:3])
        out[spaxel, 0:3] = np.log10(np.maximum(out[spaxel, 0:3], 1e-300))
        _walk(weight, orders[0], age, out[spaxel, 3:6])
        _walk(weight, orders[1], Z, out[spaxel, 6:9])


@numba.njit(cache=True)
def _walk(weight, order, value, found):
    """The values at which the weight summed in order passes 16, 50 and 84 %."""
    total, reached, step = weight[order].sum(), 0.0, 0
    for model in order:
        reached += weight[model]
        while step < 3 and reached >= WANTED[step] * total:
            found[step] = value[model]
            step += 1
        if step == 3:
            return


def by_numpy(observed, library) -> Brute:
    """One region after the other, its chi-square as array expressions."""
    sigma = np.round(place_in_grid(observed.sigma_star, library.sigma_grid) * DISPERSION_PARTS) / DISPERSION_PARTS
    flux = library.flux.astype(float)
    orders = np.argsort(library.log_age_wr), np.argsort(library.log_Z_wr)
    rows = []
    for spaxel in range(sigma.size):
        indices, index_errors, light, flux_errors = (part[spaxel] for part in observed[:4])
        below, share = int(sigma[spaxel]), sigma[spaxel] % 1
        at_sigma = library.indices[:, below].astype(float)
        at_sigma += share * (library.indices[:, min(below + 1, library.sigma_grid.size - 1)] - at_sigma)
        chi2 = (((indices - at_sigma) / index_errors) ** 2).sum(axis=1)
        scale = (light * flux / flux_errors**2).sum(axis=1) / (flux**2 / flux_errors**2).sum(axis=1)
        chi2 += (((light - scale[:, None] * flux) / flux_errors) ** 2).sum(axis=1)
        weight = np.exp(-0.5 * (chi2 - chi2.min()))
        some = np.flatnonzero(weight > 1e-12)
        pairs = ((scale, some[np.argsort(scale[some])]), (library.log_age_wr, orders[0]), (library.log_Z_wr, orders[1]))
        found = []
        for value, order in pairs:
            share = np.cumsum(weight[order])
            found.append(value[order][np.searchsorted(share, np.array(WANTED) * share[-1])])
        rows.append([np.log10(found[0]), found[1], found[2], chi2.min()])
    return Brute(*(np.array(part) for part in zip(*rows, strict=True)))
