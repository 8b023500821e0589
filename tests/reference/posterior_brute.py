"""Posteriors the usual two ways: in NumPy region by region, and with two plain compiled loops over regions and models.

Both look at every model in float64 and take quantiles from the sorted values: no histogram, no bound, no tree. They
are what the kernel of engine.inference is compared with, in its tests and in benchmarks/bench_posterior.py.
"""

from concurrent.futures import ThreadPoolExecutor
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
    """Two loops, the one over models compiled, on all threads of numba."""
    brightest = np.nanmax(np.abs(observed.flux), axis=1, initial=1e-300, keepdims=True)
    index_weight, flux_weight = (
        inverse_errors(
            np.where(np.abs(observed.indices) <= MAX_INDEX, observed.indices, np.nan), observed.index_errors
        ),
        inverse_errors(observed.flux / brightest, observed.flux_errors / brightest) / brightest,
    )
    place = _place(observed, library)
    data = np.nan_to_num(observed.indices), index_weight, np.nan_to_num(observed.flux) * flux_weight, flux_weight
    flux, prior = library.flux.astype(float), np.ones(library.log_age_wr.size) if prior is None else prior
    orders = np.argsort(library.log_age_wr), np.argsort(library.log_Z_wr)

    def of_region(spaxel):
        chi2, scale = np.empty(len(flux)), np.empty(len(flux))
        _costs(*(part[spaxel] for part in data), place[spaxel], library.indices, flux, chi2, scale)
        return _summed_up(chi2, scale, library, orders, prior)

    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        return _joined(pool.map(of_region, range(place.size)))


@numba.njit(nogil=True, cache=True)
def _costs(indices, index_weight, light, flux_weight, place, model_indices, model_flux, chi2, scale):
    """Chi-square and best scale of one region against every model."""
    below = int(place)
    share = place - below
    above = below + 1 if share > 0 else below
    for model in range(len(chi2)):
        total, a, b = 0.0, 0.0, 1e-300
        for k in range(5):
            at_sigma = (1 - share) * model_indices[model, below, k] + share * model_indices[model, above, k]
            total += ((indices[k] - at_sigma) * index_weight[k]) ** 2
            a += light[k] * model_flux[model, k] * flux_weight[k]
            b += (model_flux[model, k] * flux_weight[k]) ** 2
        best = max(a, 0.0) / b
        for k in range(5):
            total += (light[k] - best * model_flux[model, k] * flux_weight[k]) ** 2
        chi2[model], scale[model] = total, best


def by_numpy(observed, library) -> Brute:
    """One region after the other, its chi-square as array expressions."""
    flux = library.flux.astype(float)
    orders = np.argsort(library.log_age_wr), np.argsort(library.log_Z_wr)
    rows = []
    for spaxel, place in enumerate(_place(observed, library)):
        indices, index_errors, light, flux_errors = (part[spaxel] for part in observed[:4])
        below, share = int(place), place % 1
        at_sigma = library.indices[:, below].astype(float)
        at_sigma += share * (library.indices[:, min(below + 1, library.sigma_grid.size - 1)] - at_sigma)
        chi2 = (((indices - at_sigma) / index_errors) ** 2).sum(axis=1)
        scale = (light * flux / flux_errors**2).sum(axis=1) / (flux**2 / flux_errors**2).sum(axis=1)
        chi2 += (((light - scale[:, None] * flux) / flux_errors) ** 2).sum(axis=1)
        rows.append(_summed_up(chi2, scale, library, orders, np.ones(len(flux))))
    return _joined(rows)


def _place(observed, library):
    """Places in the grid of dispersions, to a part of a step, as the kernel takes them."""
    return np.round(place_in_grid(observed.sigma_star, library.sigma_grid) * DISPERSION_PARTS) / DISPERSION_PARTS


def _summed_up(chi2, scale, library, orders, prior) -> tuple:
    """Where the weights, summed in order of scale, age and metallicity, pass 16, 50 and 84 %; and the best chi-square.

    orders: models in the order of age and of metallicity.
    """
    weight = prior * np.exp(-0.5 * (chi2 - chi2.min()))
    best = chi2[np.argmin(chi2 - 2.0 * np.log(np.maximum(prior, 1e-300)))]
    some = np.flatnonzero(weight > 1e-12 * weight.max())
    of_scale = some[np.argsort(scale[some])]
    found = []
    for value, order in ((scale, of_scale), (library.log_age_wr, orders[0]), (library.log_Z_wr, orders[1])):
        reached = np.cumsum(weight[order])
        found.append(value[order][np.searchsorted(reached, np.array(WANTED) * reached[-1])])
    return np.log10(np.maximum(found[0], 1e-300)), found[1], found[2], best


def _joined(rows) -> Brute:
    return Brute(*(np.array(part) for part in zip(*rows, strict=True)))
