"""Marks that fill a panel: densities, their contours, and medians of a third quantity in cells."""

from collections.abc import Callable
from typing import NamedTuple

import contourpy
import numpy as np

from engine.figures import axes
from engine.figures.arrays import DensityArrays, Limits4, LineArrays, MapArrays, View
from engine.figures.marks import MEDIAN, MedianMap
from engine.figures.sample import Sample, full_sample
from engine.relations import bivariate
from engine.relations.density import (
    contour_levels,
    normalise_columns,
    normalise_peak,
    smooth_density,
    weighted_density,
)
from engine.types import FloatArray

N_CONTOURS, LOWEST_CONTOUR, CONTOUR_BLUR = 5, 0.01, 1.6  # choices; blur in cells

Counter = Callable[[FloatArray, FloatArray, FloatArray, Limits4, tuple[int, int]], FloatArray]


def weighted_count(
    x: FloatArray, y: FloatArray, weight: FloatArray, limits: Limits4, cells: tuple[int, int]
) -> FloatArray:
    """Sum of the weights in equal cells of a plane, (y, x); x, y, weight (region,), cells along x and y."""
    x_edges, y_edges = cell_edges(limits, cells)
    return weighted_density(x, y, weight, x_edges, y_edges)


def cell_edges(limits: Limits4, cells: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Edges of equal cells along x and y."""
    x0, x1, y0, y1 = limits
    return np.linspace(x0, x1, cells[0] + 1), np.linspace(y0, y1, cells[1] + 1)


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

    def make() -> Counted:
        if sample[x] is None or sample[y] is None or sample.n_regions == 0:
            return Counted(limits, np.zeros(cells[::-1]))
        return Counted(limits, count(sample[x], sample[y], sample.weight, limits, cells))

    if sample.is_full and view.zoom:  # zooms are a visitor's own: not to be kept with the table
        return make()
    return sample.once(("count", x, y, limits, cells), make)


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
    if sample[x] is None or sample[y] is None:
        return LineArrays([], [])
    limits = axes.plane_limits(x, y, sample.table)
    edges = cell_edges(limits, axes.contour_cells(x, y))
    raw = weighted_density(sample[x], sample[y], sample.weight, *edges)
    smooth = normalise_peak(smooth_density(raw, CONTOUR_BLUR))
    generator = contourpy.contour_generator(*((ends[1:] + ends[:-1]) / 2 for ends in edges), smooth)
    levels = contour_levels(N_CONTOURS, LOWEST_CONTOUR)
    lines = [line for level in levels for line in generator.lines(level)]
    return LineArrays([line[:, 0] for line in lines], [line[:, 1] for line in lines])


def median_cells(sample: Sample, x: str, y: str, mark: MedianMap, min_count: int) -> MapArrays:
    """Median or scatter of ``mark.z`` in cells of the full view; empty where fewer regions than asked lie."""
    edges = [axes.bin_edges(name, sample.table, axes.MEDIAN_CELL_DEX) for name in (x, y)]
    both = sample.once(
        ("median map", x, y, mark.z, min_count), lambda: _medians(sample, (x, y, mark.z), edges, min_count)
    )
    if mark.shows == MEDIAN:
        return MapArrays(_ends(edges), both.median, both.count, axes.colour_limits(mark.z, sample.table))
    return MapArrays(_ends(edges), both.half_width, both.count, axes.SCATTER_LIMITS)


def _medians(
    sample: Sample, names: tuple[str, str, str], edges: list[FloatArray], min_count: int
) -> bivariate.MedianMap:
    columns = [sample[name] for name in names]
    if any(column is None for column in columns):
        empty = np.full((edges[1].size - 1, edges[0].size - 1), np.nan)
        return bivariate.MedianMap(empty, empty, np.zeros(empty.shape, int))
    return bivariate.median_map(*columns, sample.weight, *edges, sample.order(names[2]), min_count=min_count)


def _ends(edges: list[FloatArray]) -> Limits4:
    (x0, *_, x1), (y0, *_, y1) = edges
    return float(x0), float(x1), float(y0), float(y1)
