"""What smoothing shows of a mock galaxy on average: the truth of smoothed spaxels.

The pipeline takes the median of neighbouring spectra wavelength by wavelength. That is not the spectrum of the median
maps: where the neighbours' brightness, lines and velocities differ, the median depends on their noise. Without noise it
follows the middle one; where the noise exceeds the differences it comes near to their mean. So the noise-free spectra
are smoothed as the pipeline smooths, noise taken into account, and measured there.
"""

import math
from typing import NamedTuple

import numpy as np

from engine.adopted import CALIFA_PIXEL_ANGSTROM
from engine.columns import INDEX_NAMES
from engine.compiled import njit
from engine.cube.smoothing import SmoothingSettings, smoothing_offsets
from engine.spectrum.indices import measure_indices
from engine.spectrum.lines import LINE_NAMES, line_table
from engine.spectrum.spectra import make_spectra, rest_frame
from engine.types import BoolArray, FloatArray, IntArray

TRUE_LINES = ("[OII]3727", "Hbeta", "[OIII]5007", "Halpha", "[NII]6583", "[SII]6716")
WITH = {"[OII]3727": "[OII]3729"}  # what shares a line's window and its amplitude
INDEX_RANGE = 3800.0, 5500.0  # Angstrom at rest; all bands of the indices, whatever the velocity
LINE_REACH = 12  # pixels to each side: rotation and four sigma of the instrument
_TOLERANCE = 1e-4  # of the noise of one spaxel
_ROOT_HALF = math.sqrt(0.5)
_SLOPE = math.sqrt(2.0 / math.pi)


class TrueLine(NamedTuple):
    """One emission line alone, in pixels of the cube near it."""

    first: int  # the cube's pixel of the first plane
    planes: FloatArray  # (plane, y, x) float32 [1e-16 erg/s/cm2/Angstrom]


class TrueLight(NamedTuple):
    """Noise-free spectra at the cube's point spread and on its flux scale, and the noise they were given."""

    wave: FloatArray  # (wave,) Angstrom
    stars: FloatArray  # (wave, y, x) float32 [1e-16 erg/s/cm2/Angstrom]; 0 where no index and no line needs it
    lines: dict[str, TrueLine]  # TRUE_LINES
    noise: FloatArray  # (y, x) one sigma at the red end, in the unit of stars
    growth: FloatArray  # (wave,) the noise over that at the red end


def needed_planes(wave: FloatArray, redshift: float) -> BoolArray:
    """Pixels (wave,) that an index or a line needs."""
    low, high = INDEX_RANGE
    needed = (wave > low * (1 + redshift)) & (wave < high * (1 + redshift))
    for name in TRUE_LINES:
        needed[line_window(name, wave, redshift)] = True
    return needed


def line_members(name: str) -> list[int]:
    """A line and the one that goes with it, as rows of the line table."""
    return [LINE_NAMES.index(member) for member in (name, WITH.get(name)) if member]


def line_window(name: str, wave: FloatArray, redshift: float) -> slice:
    """Pixels of the cube around a line, those that the cube has."""
    centre = line_table().wave[line_members(name)].mean() * (1 + redshift)
    pixel = round((centre - wave[0]) / CALIFA_PIXEL_ANGSTROM)
    return slice(max(pixel - LINE_REACH, 0), max(pixel + LINE_REACH + 1, 0))


def expected_values(
    light: TrueLight, level: IntArray, wanted: BoolArray, motion: tuple[FloatArray, float], settings: SmoothingSettings
) -> dict[str, FloatArray]:
    """Indices and line fluxes that smoothing shows on average, (wanted spaxel,) each, by names like flux_Halpha.

    Parameters: the pipeline's smoothing level, 0 for spaxels that no kernel uses, and the spaxels wanted, (y, x) each;
    motion, the velocities of the wanted spaxels [km/s] and the redshift. A line's flux [1e-16 erg/s/cm2] is the median
    of stars and line less that of the stars, summed over its window.
    """

    def shown(planes: FloatArray, window: slice | BoolArray) -> FloatArray:
        return expected_median(planes, (light.noise, light.growth[window]), level, wanted, settings)

    stars = np.zeros((light.wave.size, int(wanted.sum())))
    needed = needed_planes(light.wave, motion[1])
    stars[needed] = shown(light.stars[needed], needed)
    found = dict(zip(INDEX_NAMES, indices_of(stars.T, light.wave, *motion).T, strict=True))
    for name, line in light.lines.items():
        window = slice(line.first, line.first + len(line.planes))
        both = shown(light.stars[window] + line.planes, window)
        found[f"flux_{name}"] = _own_share(name) * CALIFA_PIXEL_ANGSTROM * (both - stars[window]).sum(axis=0)
    return found


def _own_share(name: str) -> float:
    """Of a line in the flux of all that share its window."""
    members = line_members(name)
    ratio = line_table().ratio
    return ratio[members[0]] / ratio[members].sum()


def indices_of(rows: FloatArray, wave: FloatArray, velocity: FloatArray, redshift: float) -> FloatArray:
    """Indices (spaxel, index) of noise-free spectra (spaxel, wave) of the stars, each at its own velocity [km/s]."""
    rest = rest_frame(make_spectra(wave, rows, np.ones_like(rows)), rows, velocity, redshift)
    return measure_indices(rest.wave, rest.flux).values


def expected_median(
    planes: FloatArray, noise: tuple[FloatArray, FloatArray], level: IntArray, wanted: BoolArray,
    settings: SmoothingSettings,
) -> FloatArray:  # fmt: skip
    """Mean of the medians that smooth_planes would give of many noisy cubes, (plane, wanted spaxel).

    Parameters: planes without noise, (plane, y, x); their noise, a map (y, x) times a factor (plane,); level and wanted
    as in expected_values. With neighbours of value x_i and Gaussian noise s_i it is the m at which the mean of
    Phi((m - x_i) / s_i) is 1/2: half of all values that the kernel may show lie below it. NaN at level 0.
    """
    offsets, count = smoothing_offsets(settings.levels, settings.kernel)
    grid = level, np.asarray(noise[0] > 0), np.argwhere(wanted & (level > 0)), offsets, count
    found = np.full((len(planes), int(wanted.sum())), np.nan)
    found[:, (level > 0)[wanted]] = _medians(
        np.ascontiguousarray(planes), np.asarray(noise[0], float), np.asarray(noise[1], float), grid
    )
    return found


@njit(nogil=True)
def _medians(planes, noise, growth, grid):
    _, _, places, offsets, _ = grid
    out = np.full((len(planes), len(places)), np.nan)
    value = np.empty(len(offsets))
    sigma = np.empty(len(offsets))
    for w in range(len(planes)):
        for p in range(len(places)):
            n = _gather(planes[w], noise, growth[w], grid, places[p], value, sigma)
            if n > 0:
                out[w, p] = _middle(value[:n], sigma[:n])
    return out


@njit(nogil=True)
def _gather(plane, noise, growth, grid, place, value, sigma):
    """Values and noise of the usable spaxels around a place (y, x), written into value and sigma; how many."""
    level, noisy, _, offsets, count = grid
    n = 0
    for k in range(count[level[place[0], place[1]] - 1]):
        y = place[0] + offsets[k, 0]
        x = place[1] + offsets[k, 1]
        if 0 <= y < level.shape[0] and 0 <= x < level.shape[1] and level[y, x] > 0 and noisy[y, x]:
            value[n] = plane[y, x]
            sigma[n] = noise[y, x] * growth
            n += 1
    return n


@njit(nogil=True, error_model="numpy")
def _middle(value, sigma):
    """Where half of a mixture of Gaussians lies below: Newton's steps, halved where they would lead out."""
    low = value.min()
    high = value.max()
    middle = np.sum(value / sigma) / np.sum(1.0 / sigma)
    for _ in range(60):
        balance, slope = _balance(value, sigma, middle)
        if balance > 0:
            high = middle
        else:
            low = middle
        before = middle
        middle = middle - balance / slope
        if not low <= middle <= high:
            middle = 0.5 * (low + high)
        if abs(middle - before) < _TOLERANCE * sigma[0]:
            break
    return middle


@njit(nogil=True, error_model="numpy")
def _balance(value, sigma, middle):
    """What lies below less what lies above, and its slope."""
    balance = 0.0
    slope = 0.0
    for k in range(len(value)):
        t = (middle - value[k]) / sigma[k]
        balance += math.erf(_ROOT_HALF * t)
        slope += _SLOPE * math.exp(-0.5 * t * t) / sigma[k]
    return balance, slope
