"""Marks that fill a panel: densities, their contours, and medians of a third quantity in cells."""

from collections.abc import Callable
from typing import Any, NamedTuple

import contourpy
import numpy as np

from engine.figures import axes
from engine.figures.arrays import DensityArrays, Limits4, LineArrays, MapArrays, View
from engine.figures.marks import MEDIAN, MedianMap
from engine.figures.sample import WEIGHT, Sample, full_sample
from engine.relations import bivariate
from engine.relations.binning import centres
from engine.relations.density import contour_levels, even_density, normalise_columns, normalise_peak, smooth_density
from engine.relations.running import RISING
from engine.types import FloatArray

N_CONTOURS, LOWEST_CONTOUR, CONTOUR_BLUR = 5, 0.01, 1.6  # choices; blur in cells

Counter = Callable[[FloatArray, FloatArray, FloatArray, Limits4, tuple[int, int]], FloatArray]


def weighted_count(
    x: FloatArray, y: FloatArray, weight: FloatArray, limits: Limits4, cells: tuple[int, int]
) -> FloatArray:
    """Sum of the weights in equal cells of a plane, (y, x); x, y, weight (region,), cells along x and y."""
    return even_density(x, y, weight, limits, cells)


def cell_centres(limits: Limits4, cells: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Middles of equal cells along x and y."""
    x0, x1, y0, y1 = limits
    x_edges = np.linspace(x0, x1, cells[0] + 1)
    y_edges = np.linspace(y0, y1, cells[1] + 1)
    return centres(x_edges), centres(y_edges)


class Counted(NamedTuple):
    """Sums of weights in the cells of a view, (y, x)."""

    limits: Limits4
    weight: FloatArray

    @property
    def per_area(self) -> FloatArray:
        """Weight per unit of area of the plane, so that views of different cells compare."""
        x0, x1, y0, y1 = self.limits
        return self.weight * (self.weight.size / ((x1 - x0) * (y1 - y0)))


def counted(sample: Sample, x: str, y: str, view: View, count: Counter) -> Counted:
    """Weights in the cells of the view; kept with the sample, since density and columns both need them."""
    limits = axes.plane_limits(x, y, sample.table, view)
    cells = axes.cells(x, y, view.fineness)

    key = "count", x, y, limits, cells

    def make() -> Counted:
        if not sample.has(x, y) or sample.n_regions == 0:
            return Counted(limits, np.zeros(cells[::-1]))
        return Counted(limits, count(*sorted_by_y(sample, x, y), limits, cells))

    if sample.is_full and view.zoom:  # zooms are a visitor's own: not to be kept with the table
        return sample.lately(key, make)
    return sample.once(key, make)


def sorted_by_y(sample: Sample, x: str, y: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """x, y and weight of the selected regions, (region,) each: columns that the running median needs, too."""
    return sample.rising(x, y), sample.rising(y, y), sample.rising(WEIGHT, y)


def density(sample: Sample, x: str, y: str, view: View, count: Counter) -> DensityArrays:
    """Density per square dex over the peak of the full sample."""
    here = counted(sample, x, y, view, count)
    return DensityArrays(here.limits, normalise_peak(here.per_area, full_peak(sample, x, y, count)))


def full_peak(sample: Sample, x: str, y: str, count: Counter) -> float:
    """Highest density of the full sample in its full view: what every density is divided by."""
    full = full_sample(sample.table, sample.weighting)
    return full.once(("peak", x, y), lambda: float(counted(full, x, y, View(), count).per_area.max(initial=0.0)))


def column_density(sample: Sample, x: str, y: str, view: View, count: Counter) -> DensityArrays:
    """Distribution of y at each x: the columns of cells sum to 1."""
    here = counted(sample, x, y, view, count)
    columns, rows = axes.merged_cells(x, y)
    n_y, n_x = here.weight.shape
    merged = here.weight.reshape(n_y // rows, rows, n_x // columns, columns).sum(axis=(1, 3))
    return DensityArrays(here.limits, normalise_columns(merged))


def contours(sample: Sample, x: str, y: str) -> LineArrays:
    """Logarithmically spaced isodensity lines of a blurred density, over its own peak, in the full view."""
    return sample.once(("contours", x, y), lambda: _contours(sample, x, y))


def _contours(sample: Sample, x: str, y: str) -> LineArrays:
    if not sample.has(x, y):
        return LineArrays([], [])
    limits = axes.plane_limits(x, y, sample.table)
    cells = axes.contour_cells(x, y)
    raw = even_density(*sorted_by_y(sample, x, y), limits, cells)
    smooth = normalise_peak(smooth_density(raw, CONTOUR_BLUR))
    generator = contourpy.contour_generator(*cell_centres(limits, cells), smooth)
    levels = contour_levels(N_CONTOURS, LOWEST_CONTOUR)
    lines: list[Any] = [line for level in levels for line in generator.lines(level)]  # (point, 2) each
    return LineArrays([line[:, 0] for line in lines], [line[:, 1] for line in lines])


def median_cells(sample: Sample, x: str, y: str, mark: MedianMap, min_count: int) -> MapArrays:
    """Median or scatter of ``mark.z`` in cells of the full view; empty where fewer regions than asked lie."""
    edges = [axes.bin_edges(name, sample.table, axes.MEDIAN_CELL_DEX) for name in (x, y)]
    both = sample.once(
        ("median map", x, y, mark.z, min_count), lambda: _medians(sample, (x, y, mark.z), edges, min_count)
    )
    if mark.shows == MEDIAN:
        return MapArrays(_ends(edges), both.median, both.count, axes.colour_limits(mark.z, sample.table))
    return MapArrays(_ends(edges), both.half_width, both.count, axes.scatter_limits(mark.z))


def _medians(
    sample: Sample, names: tuple[str, str, str], edges: list[FloatArray], min_count: int
) -> bivariate.MedianGrid:
    if not sample.has(*names):
        empty = np.full((edges[1].size - 1, edges[0].size - 1), np.nan)
        return bivariate.MedianGrid(empty, empty, np.zeros(empty.shape, int))
    x, y, z, weight = (sample.rising(name, names[2]) for name in (*names, WEIGHT))
    x_edges, y_edges = edges
    return bivariate.median_map(x, y, z, weight, x_edges, y_edges, RISING, min_count=min_count)


def _ends(edges: list[FloatArray]) -> Limits4:
    (x0, *_, x1), (y0, *_, y1) = edges
    return float(x0), float(x1), float(y0), float(y1)
