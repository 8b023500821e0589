"""Star formation histories: mass formed by a time."""

import numpy as np

from engine.compiled import njit


@njit()
def mass_formed(time, tau, exponential):
    """Mass formed by a time since the onset, in units of the mass ever formed; 0 before the onset.

    time and tau in one unit; arrays broadcast. exponential chooses the history: SFR = exp(-t / tau) / tau as in
    Gallazzi et al. (2005), else that of Sandage (1986), SFR = (t / tau^2) exp(-t^2 / (2 tau^2)) (ZG22 sec. 2.1).
    """
    ratio = np.maximum(time, 0.0) / tau
    exponent = exponential * ratio + (1.0 - exponential) * 0.5 * ratio**2
    return -np.expm1(-exponent)
