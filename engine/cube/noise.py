"""Whether the errors of a cube are those of its pixels, and pixels that are no spectrum: cosmic rays."""

from typing import NamedTuple

import numpy as np

from engine.compiled import njit
from engine.cube.types import Cube
from engine.stats import mean_of_good, robust_sigma
from engine.types import BoolArray, FloatArray

LAG = 4  # pixels between those compared: real COMB spectra share noise over two or three (ngc2691_comb in ../shared)
FEWEST_PIXELS = 100  # of a spectrum, for a scatter
FEWEST_SPECTRA = 10  # for a mean spectrum that is not the spectrum itself
COSMIC_RAY_SIGMA = 8.0


class NoiseSettings(NamedTuple):
    """limits: scatter of neighbouring pixels over stated errors, outside which the errors are wrong; all *choice*.

    Fair errors of real COMB spectra give 0.8, of the mock 1.0 to 1.2. rescale: errors that are too small are multiplied
    by that ratio. Without it pixels count as cosmic rays, and lines and outliers as certain, that are plain noise.
    """

    limits: tuple[float, float] = (0.4, 1.5)
    rescale: bool = True


class NoiseCheck(NamedTuple):
    """What was found about the errors of a cube and done to them."""

    ratio: float = np.nan  # scatter of neighbouring pixels over stated errors; NaN: too few pixels to tell
    factor: float = 1.0  # what errors were multiplied by
    cosmic_ray_share: float = 0.0  # of the good pixels, taken as cosmic rays


def with_sound_pixels(cube: Cube, settings: NoiseSettings) -> tuple[Cube, NoiseCheck]:
    """The cube with believable errors and without cosmic rays, and what was done."""
    ratio = error_ratio(cube)
    too_small = ratio > settings.limits[1]
    factor = ratio if too_small and settings.rescale else 1.0
    believable = cube._replace(error=cube.error * np.float32(factor)) if factor > 1.0 else cube
    # plain noise is no cosmic ray, whatever the errors say
    sigma = COSMIC_RAY_SIGMA * (ratio / factor if too_small else 1.0)
    clean = without_cosmic_rays(believable, sigma)
    n_good = np.count_nonzero(cube.good)
    lost = 1.0 - np.count_nonzero(clean.good) / n_good if n_good else 0.0
    return clean, NoiseCheck(float(ratio), float(factor), float(lost))


def error_ratio(cube: Cube) -> float:
    """Scatter of pixels LAG apart over their stated errors, in the fainter half of the spectra; 1 for fair errors.

    The second difference of each spectrum, less the mean spectrum of the cube at its level, is compared with the error
    that it should have. Noise shared by pixels LAG apart, as after smoothing, lowers the ratio; absorption lines that
    the mean spectrum does not show raise it, hence the fainter half. NaN where no spectrum has enough good pixels.
    """
    flux, error, good = (part.reshape(len(part), -1) for part in (cube.flux, cube.error, cube.good))
    usable = good.sum(axis=0) >= FEWEST_PIXELS
    if not usable.any():
        return np.nan
    flux, error, good = (part[:, usable] for part in (flux, error, good))
    level = flux.sum(axis=0) / good.sum(axis=0)
    if usable.sum() >= FEWEST_SPECTRA:
        flux = flux - mean_of_good(flux, good)[:, None] * (level / level.mean())
    faint = level <= np.median(level)
    compared = _differences_over_error(flux[:, faint], error[:, faint], good[:, faint])
    return robust_sigma(compared) if compared.size else np.nan


def _differences_over_error(flux: FloatArray, error: FloatArray, good: BoolArray) -> FloatArray:
    """Second differences of spectra (wave, spectrum) over the errors they should have, where all pixels are good."""
    before = slice(None, -2 * LAG)
    middle = slice(LAG, -LAG)
    after = slice(2 * LAG, None)
    known = good[before] & good[middle] & good[after]
    difference = flux[middle] - 0.5 * (flux[before] + flux[after])
    expected = np.sqrt(error[middle] ** 2 + 0.25 * (error[before] ** 2 + error[after] ** 2))
    return difference[known] / expected[known]


def without_cosmic_rays(cube: Cube, sigma: float = COSMIC_RAY_SIGMA) -> Cube:
    """The cube with spikes that are narrower than the spectrograph can see marked as bad.

    An emission line of 6 Angstrom width on pixels of 2 leaves at least half of its peak on both neighbours; a cosmic
    ray that escaped the pipeline leaves less than a third on one.
    """
    return cube._replace(good=_unspiked(cube.flux, cube.error, cube.good, sigma))


@njit(nogil=True)
def _unspiked(flux: FloatArray, error: FloatArray, good: BoolArray, sigma: float) -> BoolArray:
    out = good.copy()
    for w in range(4, flux.shape[0] - 4):
        for y in range(flux.shape[1]):
            for x in range(flux.shape[2]):
                if not good[w - 4 : w + 5, y, x].all():
                    continue
                near = flux[w - 4 : w + 5, y, x]
                level = np.float32(0.25) * (near[0] + near[1] + near[7] + near[8])
                peak = near[4] - level
                highest = near[4] >= max(near[3], near[5]) and peak > sigma * error[w, y, x]
                if highest and min(near[3], near[5]) - level < np.float32(0.35) * peak:
                    out[w - 1 : w + 2, y, x] = False
    return out
