"""Star formation histories: mass formed by a time."""

import numpy as np

from engine.compiled import njit


@njit()
def mass_formed(time, tau):
    """Mass formed by a time since the onset of the history of Sandage (1986), SFR = (t / tau^2) exp(-t^2 / (2 tau^2)).

    In units of the mass ever formed; time and tau in one unit; 0 before the onset (ZG22 sec. 2.1).
    """
    return 1.0 - np.exp(-0.5 * (np.maximum(time, 0.0) / tau) ** 2)
