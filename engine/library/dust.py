"""Dust in birth clouds around young stars and in diffuse matter before all stars (Charlot & Fall 2000)."""

import numpy as np

from engine.types import FloatArray

PIVOT_WAVE = 5500.0  # Angstrom, where tau_v is quoted
SLOPE_CLOUD = 1.3  # da Cunha et al. (2008) sec. 2.1
SLOPE_ISM = 0.7
CLOUD_LIFETIME = 1e7  # yr; stars younger sit in their birth cloud


def transmission(wave: FloatArray, tau_v: FloatArray, ism_fraction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fraction of light that gets out, of stars younger and of stars older than CLOUD_LIFETIME.

    wave (wave,) Angstrom; tau_v, ism_fraction (model,): optical depth of young stars at 5500 Angstrom, and the part
    of it in the diffuse matter. Returns two arrays (model, wave). (The ism_fraction is Charlot & Fall's mu.)
    """
    ism = np.exp(-np.multiply.outer(tau_v * ism_fraction, (wave / PIVOT_WAVE) ** -SLOPE_ISM))
    cloud = np.exp(-np.multiply.outer(tau_v * (1.0 - ism_fraction), (wave / PIVOT_WAVE) ** -SLOPE_CLOUD))
    return ism * cloud, ism
