"""Densities as shades, 0 (nothing) to 255 (the peak): the same for screen, paper and notebook."""

import numpy as np

from engine.types import FloatArray

DECADES = 3.0  # choice: depth of the logarithmic ramp below the peak
SATURATION = 0.9  # choice: part of a column's highest cell that is drawn in full ink


def log_shades(relative: FloatArray) -> np.ndarray:
    """Density over the peak as uint8: 0 where there is none, else 1 to 255 over DECADES of the log."""
    shades = np.zeros(relative.shape, np.uint8)
    there = relative > 0
    depth = 1.0 + np.log10(relative[there]) / DECADES
    shades[there] = 1 + np.rint(254 * np.clip(depth, 0.0, 1.0)).astype(np.uint8)
    return shades


def column_shades(share: FloatArray) -> np.ndarray:
    """Distribution of y at each x as uint8, linear: a saturated column shows where half of its regions crowd."""
    highest = share.max(axis=0, keepdims=True)
    relative = np.divide(share, SATURATION * highest, out=np.zeros_like(share), where=highest > 0)
    return np.rint(255 * np.clip(relative, 0.0, 1.0)).astype(np.uint8)
