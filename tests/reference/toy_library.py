"""A library of invented models, smooth in age, metallicity and dust, for tests that need no real spectra."""

import numpy as np

from engine.inference.posterior import DISPERSION_PARTS, Observed
from engine.library.dispersion import indices_at
from engine.library.types import Library

# Change of the indices from old to young and with metallicity, and of ugriz with age, metallicity and dust:
# round numbers of the right size, so that the posteriors look like real ones.
INDEX_ZERO = np.array([1.2, 4.0, 4.0, 0.15, 1.8])
INDEX_AGE = np.array([0.35, -2.2, -7.0, 0.08, 0.9])
INDEX_Z = np.array([0.1, -0.3, -2.0, 0.12, 1.4])
INDEX_ERROR = np.array([0.03, 0.3, 0.8, 0.015, 0.25])
MAG_AGE = np.array([1.6, 1.2, 1.0, 0.9, 0.85])
MAG_Z = np.array([0.5, 0.3, 0.2, 0.1, 0.0])
MAG_DUST = np.array([1.6, 1.2, 0.9, 0.7, 0.5])
FLUX_ERROR = np.array([0.05, 0.03, 0.03, 0.03, 0.03])


def toy_library(n_model: int, rng: np.random.Generator, n_sigma: int = 3) -> Library:
    """Library with n_model models."""
    age, Z, tau = rng.uniform(-1, 1.2, n_model), rng.uniform(-1.5, 0.5, n_model), rng.uniform(0, 1.5, n_model)
    indices = INDEX_ZERO + np.outer(age, INDEX_AGE) + np.outer(Z, INDEX_Z) + np.outer(age * Z, INDEX_Z / 2)
    broadening = 1.0 - 0.02 * np.arange(n_sigma)
    magnitude = 4.5 + np.outer(age, MAG_AGE) + np.outer(Z, MAG_Z) + np.outer(tau, MAG_DUST)
    return Library(
        log_age_wr=9.0 + age,
        log_Z_wr=Z,
        indices=(indices[:, None, :] * broadening[:, None]).astype(np.float32),
        sigma_grid=np.linspace(50.0, 350.0, n_sigma),
        flux=(10.0 ** (-0.4 * magnitude)).astype(np.float32),
        parameters={"tau_v": tau},
        meta={"source": "toy"},
    )


def toy_observed(library: Library, n_spaxel: int, rng: np.random.Generator, noise: float = 1.0):
    """Observations of random members: (observed, member (spaxel,), log mu_star (spaxel,)). noise=0: the members."""
    member = rng.integers(0, library.log_age_wr.size, n_spaxel)
    steps = DISPERSION_PARTS * (library.sigma_grid.size - 1)  # what the posterior tells apart
    place = rng.integers(0, steps + 1, n_spaxel) / DISPERSION_PARTS
    sigma_star = np.interp(place, np.arange(library.sigma_grid.size), library.sigma_grid)
    log_mu_star = rng.uniform(1.0, 4.0, n_spaxel)
    light = library.flux[member] * 10.0 ** log_mu_star[:, None]
    index_errors, flux_errors = np.tile(INDEX_ERROR, (n_spaxel, 1)), light * FLUX_ERROR
    indices = indices_at(library, member, sigma_star) + noise * index_errors * rng.normal(size=(n_spaxel, 5))
    flux = light + noise * flux_errors * rng.normal(size=(n_spaxel, 5))
    return Observed(indices, index_errors, flux, flux_errors, sigma_star), member, log_mu_star
