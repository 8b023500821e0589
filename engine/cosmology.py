"""Distances in the flat universe of ZG22 sec. 1: H0 = 70 km/s/Mpc, Omega_Lambda = 0.7, no radiation."""

from functools import cache

import numpy as np
from scipy.integrate import fixed_quad
from scipy.optimize import minimize_scalar

from engine.adopted import H0, OMEGA_LAMBDA, OMEGA_M
from engine.errors import SettingsError
from engine.types import FloatArray

SPEED_OF_LIGHT = 299_792.458  # km/s
PC_PER_MPC_ARCSEC = 1e6 * np.pi / (180.0 * 3600.0)

_NODES = 60  # Gauss-Legendre: below 1e-12 up to redshift 10
_NEWTON_STEPS = 25  # approaches from below; four are enough up to redshift 0.1, the rest serve the turn-over


def _inverse_expansion(redshift: FloatArray) -> FloatArray:
    """H0 / H(z)."""
    return 1.0 / np.sqrt(OMEGA_M * (1.0 + redshift) ** 3 + OMEGA_LAMBDA)


def comoving_distance(redshift: FloatArray | float) -> FloatArray:
    """How far a galaxy is along the line of sight today, the expansion taken out.

    Parameters: redshift, any shape, >= 0 or NaN. Returns Mpc, same shape. Raises SettingsError below 0.
    Source: Hogg (1999, astro-ph/9905116) eq. 15.
    """
    redshift = np.asarray(redshift, dtype=float)
    if np.any(redshift < 0):
        raise SettingsError(f"a distance needs a redshift of 0 or more, got {np.nanmin(redshift):g}")
    mean_inverse_expansion, _ = fixed_quad(lambda t: _inverse_expansion(redshift[..., None] * t), 0.0, 1.0, n=_NODES)
    return SPEED_OF_LIGHT / H0 * redshift * mean_inverse_expansion


def angular_diameter_distance(redshift: FloatArray | float) -> FloatArray:
    """Length over the angle it spans [Mpc], same shape as redshift; Hogg (1999) eq. 18."""
    return comoving_distance(redshift) / (1.0 + np.asarray(redshift, dtype=float))


def luminosity_distance(redshift: FloatArray | float) -> FloatArray:
    """Distance of the inverse-square law of light [Mpc], same shape as redshift; Hogg (1999) eq. 21."""
    return comoving_distance(redshift) * (1.0 + np.asarray(redshift, dtype=float))


def pc_per_arcsec(redshift: FloatArray | float) -> FloatArray:
    """Projected length of one arcsecond [pc], same shape as redshift."""
    return angular_diameter_distance(redshift) * PC_PER_MPC_ARCSEC


@cache
def turnover_redshift() -> float:
    """Redshift where the angular-diameter distance is largest; beyond it the same distance comes twice."""
    return float(minimize_scalar(lambda z: -angular_diameter_distance(z), bounds=(0.5, 5.0), method="bounded").x)


def redshift_at_angular_diameter_distance(distance: FloatArray | float) -> FloatArray:
    """The nearer redshift at which a galaxy has that angular-diameter distance, by Newton's method.

    Parameters: distance [Mpc], any shape, >= 0 or NaN. Returns the redshift, same shape.
    Raises SettingsError for a distance no galaxy has.
    """
    distance = np.asarray(distance, dtype=float)
    largest = angular_diameter_distance(turnover_redshift())
    if np.any((distance < 0) | (distance > largest)):
        raise SettingsError(f"an angular-diameter distance lies between 0 and {largest:.1f} Mpc, got {distance}")
    redshift = distance * H0 / SPEED_OF_LIGHT
    for _ in range(_NEWTON_STEPS):
        excess = angular_diameter_distance(redshift) - distance
        redshift = redshift - excess / _slope_of_angular_diameter_distance(redshift)
    return redshift


def _slope_of_angular_diameter_distance(redshift: FloatArray) -> FloatArray:
    """Mpc per unit redshift."""
    comoving_slope = SPEED_OF_LIGHT / H0 * _inverse_expansion(redshift)
    return (comoving_slope - angular_diameter_distance(redshift)) / (1.0 + redshift)
