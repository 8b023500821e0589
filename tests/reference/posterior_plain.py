"""The posterior said plainly: every chi-square written out in float64, every quantile from a full sort."""

import numpy as np

from engine.stats import PERCENTILES, half_width_16_84, weighted_quantile


def chi2_and_scale(indices, index_errors, flux, flux_errors, model_indices, model_flux):
    """Chi-square and best scale (model,) of one region against models (model, 5); what is not there adds nothing."""
    chi2 = np.zeros(len(model_indices))
    for value, error, model in zip(indices, index_errors, model_indices.T, strict=True):
        if np.isfinite(value) and np.isfinite(error) and error > 0:
            chi2 += ((value - model) / error) ** 2
    light = np.isfinite(flux) & np.isfinite(flux_errors) & (flux_errors > 0)
    f, s, g = flux[light], flux_errors[light], model_flux[:, light]
    if not light.any():
        return chi2, np.full(len(chi2), np.nan)
    scale = np.maximum(np.sum(f * g / s**2, axis=1) / np.sum(g * g / s**2, axis=1), 0.0)
    return chi2 + np.sum(((f - scale[:, None] * g) / s) ** 2, axis=1), scale


def posterior_of(row, observed, library):
    """Quantiles (3, 3) of log mu_star, log age and log Z, the smallest chi-square and the weights of one region."""
    middle = library.sigma_grid[library.sigma_grid.size // 2]
    sigma = observed.sigma_star[row] if np.isfinite(observed.sigma_star[row]) else middle
    nodes = np.moveaxis(library.indices.astype(float), 1, 0)
    sigma = np.clip(sigma, library.sigma_grid[0], library.sigma_grid[-1])
    above = max(np.searchsorted(library.sigma_grid, sigma), 1)
    low, high = library.sigma_grid[above - 1 : above + 1]
    at_sigma = nodes[above - 1] + (sigma - low) / (high - low) * (nodes[above] - nodes[above - 1])
    data = [np.asarray(part[row], dtype=float) for part in observed[:4]]
    chi2, scale = chi2_and_scale(*data, at_sigma, library.flux.astype(float))
    weight = np.exp(-(chi2 - chi2.min()) / 2)
    with np.errstate(divide="ignore"):
        values = (np.log10(scale), library.log_age_wr, library.log_Z_wr)
    return np.array([weighted_quantile(v, weight, PERCENTILES) for v in values]), chi2.min(), weight


__all__ = ["chi2_and_scale", "half_width_16_84", "posterior_of"]
