"""Chemical enrichment: metallicity of the stars born when a fraction of the final mass has formed."""

from engine.compiled import njit
from engine.types import FloatArray


@njit()
def leaking_box(formed_fraction, Z_initial, Z_final, alpha):
    """Z = Z_final - (Z_final - Z_initial) (1 - m)^alpha with m the fraction of the mass formed (Zibetti+17 eq. 3)."""
    return Z_final - (Z_final - Z_initial) * (1.0 - formed_fraction) ** alpha


def final_metallicity(Z_mean: FloatArray, Z_initial: FloatArray, beta: FloatArray) -> FloatArray:
    """Z_final of a leaking box whose mean over the mass formed is Z_mean; beta = 1 / (1 + alpha).

    The mean over m of (1 - m)^alpha is beta, so Z_mean = Z_final - (Z_final - Z_initial) beta.
    """
    return (Z_mean - Z_initial * beta) / (1.0 - beta)
