"""Wavelengths in air and in vacuum."""

import numpy as np

from engine.types import FloatArray


def air_to_vacuum(wave: FloatArray) -> FloatArray:
    """Vacuum wavelengths [Angstrom] of wavelengths in air above 2000 Angstrom (Ciddor 1996, as in VALD)."""
    s2 = (1e4 / np.asarray(wave)) ** 2
    index = 1 + 8.336624212083e-5 + 0.02408926869968 / (130.1065924522 - s2) + 1.599740894897e-4 / (38.92568793293 - s2)
    return wave * index


def vacuum_to_air(wave: FloatArray) -> FloatArray:
    """Wavelengths in air [Angstrom] of vacuum wavelengths: the exact inverse of air_to_vacuum.

    >>> vacuum_to_air(np.array([5000.0])).round(2)
    array([4998.61])
    """
    vacuum = np.asarray(wave, dtype=float)
    air = vacuum
    for _ in range(3):  # the index of refraction changes so slowly that each round gains four digits
        air = vacuum * air / air_to_vacuum(air)
    return air
