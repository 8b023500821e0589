"""Two ages at every mass: the old ridge, the young sequence and the line between them (ZG22 sec. 4.1, eq. 3)."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

from engine.adopted import GREEN_VALLEY_BIN_DEX, GREEN_VALLEY_INTERCEPT, GREEN_VALLEY_SLOPE
from engine.relations.binning import centres
from engine.relations.density import density_and_count
from engine.types import BoolArray, FloatArray

# Choices: ZG22 names neither the peak finder nor its settings. Ages are counted finely, blurred by less than
# the typical error of 0.2 dex, and a bump counts as a peak if it stands out by a twentieth of the highest one.
AGE_CELL_DEX = 0.02
AGE_LIMITS = (7.0, 10.5)  # log yr
AGE_BLUR_DEX = 0.05
PROMINENCE = 0.05
# Rows below which a bin is too thin to have peaks: with weights that scatter by a factor of e, chance gives a single
# sequence 0.2 dex wide two peaks in 38 % of the bins of 200 rows and in 1 or 2 % of those of 1000
MIN_COUNT = 1000

# Where a bin has one peak only, it belongs to the old ridge above eq. 3 at mu* = 100 Msun/pc2: choice
LONE_PEAK_DIVIDE = GREEN_VALLEY_INTERCEPT + GREEN_VALLEY_SLOPE * 2.0


class AgePeaks(NamedTuple):
    """Most frequent ages per bin, (bin,) each, log yr; NaN where a sequence has no peak or the bin is thin."""

    centre: FloatArray
    old: FloatArray
    young: FloatArray


class ValleyLine(NamedTuple):
    """log Age_wr = slope * log mu_star + intercept."""

    slope: float
    intercept: float


EQUATION_3 = ValleyLine(GREEN_VALLEY_SLOPE, GREEN_VALLEY_INTERCEPT)


def age_peaks(
    x: FloatArray, log_age: FloatArray, weight: FloatArray, edges: FloatArray, mask: BoolArray | None = None
) -> AgePeaks:
    """Ages of the old ridge and of the young sequence in broad bins of any mass (red and blue lines of Fig. 3).

    Parameters: x, log_age, weight, mask (row,); edges (bin + 1,) of x. The young peak is the younger of the two
    most prominent. Raises ShapeError for columns that do not fit.
    """
    age, columns = _age_distributions(x, log_age, weight, edges, mask)
    old = np.full(len(columns), np.nan)
    young = np.full(len(columns), np.nan)
    for bin_, distribution in enumerate(columns):
        peaks = _two_peaks(distribution)
        if peaks.size == 2:
            young[bin_], old[bin_] = _vertex(age, distribution, peaks)
        elif peaks.size == 1:
            (lone,) = _vertex(age, distribution, peaks)
            (old if lone > LONE_PEAK_DIVIDE else young)[bin_] = lone
    return AgePeaks(centres(edges), old, young)


def valley_minima(
    log_mu_star: FloatArray, log_age: FloatArray, weight: FloatArray, edges: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Least frequent age between the two peaks in each bin of mu_star (ZG22 footnote 4).

    Parameters: columns (row,); edges of the bins, by default 0.25 dex wide over all rows.
    Returns the centres and the minima, (bin,) each; NaN in bins that are thin or have one peak.
    """
    edges = _default_edges(log_mu_star) if edges is None else edges
    age, columns = _age_distributions(log_mu_star, log_age, weight, edges, None)
    minimum = np.full(len(columns), np.nan)
    for bin_, distribution in enumerate(columns):
        peaks = _two_peaks(distribution)
        if peaks.size == 2:
            lowest = peaks[0] + np.argmin(distribution[peaks[0] : peaks[1] + 1])
            (minimum[bin_],) = _vertex(age, distribution, np.array([lowest]))
    return centres(edges), minimum


def fit_green_valley(log_mu_star: FloatArray, log_age: FloatArray, weight: FloatArray) -> ValleyLine:
    """Straight least-squares line through the minima, as eq. 3; NaN if fewer than two bins have one."""
    centre, minimum = valley_minima(log_mu_star, log_age, weight)
    found = np.isfinite(minimum)
    if found.sum() < 2:
        return ValleyLine(np.nan, np.nan)
    slope, intercept = np.polyfit(centre[found], minimum[found], 1)
    return ValleyLine(float(slope), float(intercept))


def is_old_ridge(log_mu_star: FloatArray, log_age: FloatArray, line: ValleyLine = EQUATION_3) -> BoolArray:
    """Whether a region is older than the green valley at its mu_star; False also where either is NaN."""
    return np.asarray(log_age) > line.slope * np.asarray(log_mu_star) + line.intercept


def _default_edges(log_mu_star: FloatArray) -> FloatArray:
    finite = np.asarray(log_mu_star)[np.isfinite(log_mu_star)]
    if finite.size == 0:
        return np.array([0.0, GREEN_VALLEY_BIN_DEX])
    first = np.floor(finite.min() / GREEN_VALLEY_BIN_DEX)
    last = np.floor(finite.max() / GREEN_VALLEY_BIN_DEX)
    return np.arange(first, last + 2) * GREEN_VALLEY_BIN_DEX


def _age_distributions(
    x: FloatArray, log_age: FloatArray, weight: FloatArray, edges: FloatArray, mask: BoolArray | None
) -> tuple[FloatArray, FloatArray]:
    """Ages (age,) and their blurred distribution per bin of x, (bin, age) with peak 1; 0 in thin bins."""
    age_edges = np.arange(AGE_LIMITS[0], AGE_LIMITS[1] + AGE_CELL_DEX / 2, AGE_CELL_DEX)
    density, count = density_and_count(x, log_age, weight, edges, age_edges, mask)
    blurred = gaussian_filter1d(density, AGE_BLUR_DEX / AGE_CELL_DEX, axis=0, mode="constant")
    blurred[:, count.sum(axis=0) < MIN_COUNT] = 0.0
    highest = blurred.max(axis=0)
    return centres(age_edges), np.divide(blurred, highest, out=np.zeros_like(blurred), where=highest > 0).T


def _two_peaks(distribution: FloatArray) -> np.ndarray:
    """Cells of the two most prominent peaks, or of the only one, by rising age."""
    from scipy.signal import find_peaks  # here: half a second at every start of the page otherwise

    peaks, found = find_peaks(np.pad(distribution, 1), prominence=PROMINENCE)  # padded: an edge can be a peak
    return np.sort(peaks[np.argsort(found["prominences"])[-2:]] - 1)


def _vertex(age: FloatArray, distribution: FloatArray, cells: np.ndarray) -> FloatArray:
    """Ages of extrema from the parabola through three cells."""
    cells = np.clip(cells, 1, age.size - 2)
    left, middle, right = (distribution[cells + step] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    return age[cells] + np.clip(shift, -1.0, 1.0) * (age[1] - age[0])
