"""Adaptive smoothing spaxel by spaxel in plain numpy: judges engine.cube."""

import numpy as np


def near(shape, y, x, radius, usable):
    """Usable spaxels at a distance below radius, (y, x)."""
    rows, columns = np.indices(shape)
    return usable & ((rows - y) ** 2 + (columns - x) ** 2 < radius**2)


def smooth_planes(flux, error, good, level, usable, slope=1.07, penalty=1.2533, share=0.5):
    """Median, error, good: (plane, y, x) each."""
    out, out_error, out_good = np.zeros(flux.shape), np.zeros(flux.shape), np.zeros(flux.shape, bool)
    for y, x in np.argwhere(usable):
        kernel = near(level.shape, y, x, level[y, x], usable)
        for plane in range(len(flux)):
            takes = kernel & good[plane]
            n = takes.sum()
            if n == 0 or n < share * kernel.sum():
                continue
            out[plane, y, x] = np.median(flux[plane][takes])
            factor = 1.0 if n == 1 else penalty * (1.0 + slope * np.log10(n))
            out_error[plane, y, x] = factor * np.sqrt((error[plane][takes] ** 2).sum()) / n
            out_good[plane, y, x] = True
    return out, out_error, out_good


def choose_levels(signal, noise, usable, target=15.0, slope=1.07, penalty=1.2533):
    """Level and S/N reached, (y, x) each."""
    level, reached = np.zeros(signal.shape, int), np.full(signal.shape, np.nan)
    for y, x in np.argwhere(usable):
        for radius in (1, 2, 3, 4, 5):
            takes = near(signal.shape, y, x, radius, usable)
            n = takes.sum()
            factor = 1.0 if n == 1 else penalty * (1.0 + slope * np.log10(n))
            level[y, x] = radius
            reached[y, x] = np.median(signal[takes]) / (factor * np.sqrt((noise[takes] ** 2).sum()) / n)
            if reached[y, x] >= target:
                break
    return level, reached
