"""Marks that are lines or points: running medians, peaks of age, the green valley, fits, galaxies, completeness."""

import numpy as np

from engine.adopted import GREEN_VALLEY_BIN_DEX
from engine.figures import axes
from engine.figures.arrays import BandArrays, LimitArrays, PeakArrays, PointArrays, ValleyArrays, galaxy_column
from engine.figures.planes import sorted_by_y
from engine.figures.sample import Sample, is_standing
from engine.relations.completeness import completeness_limits
from engine.relations.green_valley import age_peaks
from engine.relations.robust import robust_line
from engine.relations.running import RISING, running_quantiles
from engine.stats import PERCENTILES

COMPLETENESS_COLUMNS = ("log_mu_star", "sb_r", "log_age_wr")
NO_LINE = np.zeros(0)
NO_BAND = BandArrays(NO_LINE, NO_LINE, NO_LINE, NO_LINE)


def running(sample: Sample, x: str, y: str, min_count: int) -> BandArrays:
    """Median and 16-84 percentiles of y in bins of x (ZG22 footnote 6), NaN where fewer regions than asked lie."""
    return sample.once(("running", x, y, min_count), lambda: _running(sample, x, y, min_count))


def _running(sample: Sample, x: str, y: str, min_count: int) -> BandArrays:
    if not sample.has(x, y):
        return NO_BAND
    edges = axes.bin_edges(x, sample.table)
    found = running_quantiles(*sorted_by_y(sample, x, y), edges, PERCENTILES, RISING, min_count=min_count)
    return BandArrays(found.centre, *found.values)


def peaks(sample: Sample, x: str, y: str) -> PeakArrays:
    """Most frequent ages of both sequences in bins of x (ZG22 sec. 4.1)."""
    return sample.once(("peaks", x, y), lambda: _peaks(sample, x, y))


def _peaks(sample: Sample, x: str, y: str) -> PeakArrays:
    if not sample.has(x, y):
        return PeakArrays(NO_LINE, NO_LINE, NO_LINE)
    edges = axes.bin_edges(x, sample.table, GREEN_VALLEY_BIN_DEX)
    return PeakArrays(*age_peaks(*sorted_by_y(sample, x, y), edges))


def valley(sample: Sample, x: str) -> ValleyArrays:
    """The green valley in force across the full view; no ends if the fit found none."""
    line = sample.line
    if not np.isfinite(line.slope):
        return ValleyArrays(NO_LINE, NO_LINE, line)
    ends = np.array(axes.limits(x, sample.table))
    return ValleyArrays(ends, line.slope * ends + line.intercept, line)


def points(sample: Sample, x: str, y: str) -> PointArrays:
    """Galaxies that have selected regions and a value of both quantities."""
    xs = sample.table.galaxy(x)
    ys = sample.table.galaxy(y)
    if xs is None or ys is None:
        return PointArrays(NO_LINE, NO_LINE, np.zeros(0, int))
    known = sample.has_galaxy & np.isfinite(xs) & np.isfinite(ys)
    return PointArrays(xs[known], ys[known], galaxy_column(sample.table, "galaxy_id")[known])


def fit(sample: Sample, x: str, y: str) -> BandArrays:
    """Robust straight line through the galaxies, one standard deviation on either side, at both ends of the axis."""
    galaxies = points(sample, x, y)
    line = robust_line(galaxies.x, galaxies.y)
    if not np.isfinite(line.slope):
        return NO_BAND
    ends = np.array(axes.limits(x, sample.table))
    middle = line.slope * ends + line.intercept
    return BandArrays(ends, middle - line.scatter, middle, middle + line.scatter)


def completeness(sample: Sample) -> LimitArrays:
    """log mu* down to which old-ridge and young regions are seen (ZG22 sec. 2.2)."""

    def make() -> LimitArrays:
        if not sample.has(*COMPLETENESS_COLUMNS):
            return LimitArrays(np.nan, np.nan)
        log_mu_star, sb_r, log_age = (sample.column(name) for name in COMPLETENESS_COLUMNS)
        old, young = completeness_limits(log_mu_star, sb_r, log_age, sample.weight, sample.line)
        return LimitArrays(old, young)

    if sample.is_full and not is_standing(sample.cut.valley):  # a line drawn by hand is not to be kept with the table
        return make()
    return sample.once(("completeness", sample.cut.valley), make)
