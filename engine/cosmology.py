"""Distances in the flat universe of ZG22 sec. 1, by astropy: H0 = 70 km/s/Mpc, Omega_Lambda = 0.7, no radiation."""

from functools import cache

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from scipy.optimize import minimize_scalar
from scipy.optimize.elementwise import find_root

from engine.adopted import H0, OMEGA_M
from engine.constants import ARCSEC_PER_RADIAN
from engine.errors import SettingsError
from engine.types import FloatArray

UNIVERSE = FlatLambdaCDM(H0=H0, Om0=OMEGA_M, Tcmb0=0.0)
PC_PER_MPC_ARCSEC = 1e6 / ARCSEC_PER_RADIAN


def comoving_distance(redshift: FloatArray | float) -> FloatArray:
    """How far a galaxy is along the line of sight today, the expansion taken out.

    Parameters: redshift, any shape, >= 0 or NaN. Returns Mpc, same shape. Raises SettingsError below 0.
    Source: Hogg (1999, astro-ph/9905116) eq. 15.
    """
    redshift = np.asarray(redshift, dtype=float)
    if np.any(redshift < 0):
        raise SettingsError(f"a distance needs a redshift of 0 or more, got {np.nanmin(redshift):g}")
    return np.asarray(UNIVERSE.comoving_distance(redshift).to_value("Mpc"))


def angular_diameter_distance(redshift: FloatArray | float) -> FloatArray:
    """Length over the angle it spans [Mpc], same shape as redshift; Hogg (1999) eq. 18."""
    return comoving_distance(redshift) / (1.0 + np.asarray(redshift, dtype=float))


def pc_per_arcsec(redshift: FloatArray | float) -> FloatArray:
    """Projected length of one arcsecond [pc], same shape as redshift."""
    return angular_diameter_distance(redshift) * PC_PER_MPC_ARCSEC


@cache
def turnover_redshift() -> float:
    """Redshift where the angular-diameter distance is largest; beyond it the same distance comes twice."""
    return float(minimize_scalar(lambda z: -angular_diameter_distance(z), bounds=(0.5, 5.0), method="bounded").x)


def redshift_at_angular_diameter_distance(distance: FloatArray | float) -> FloatArray:
    """The nearer redshift at which a galaxy has that angular-diameter distance.

    Parameters: distance [Mpc], any shape, >= 0 or NaN. Returns the redshift, same shape.
    Raises SettingsError for a distance no galaxy has.
    """
    distance = np.asarray(distance, dtype=float)
    largest = angular_diameter_distance(turnover_redshift())
    if np.any((distance < 0) | (distance > largest)):
        raise SettingsError(f"an angular-diameter distance lies between 0 and {largest:.1f} Mpc, got {distance}")
    limits = np.zeros_like(distance), np.full_like(distance, turnover_redshift())
    return find_root(lambda z, wanted: angular_diameter_distance(z) - wanted, limits, args=(distance,)).x
