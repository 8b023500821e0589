"""From a figure and a table of regions to the arrays of every mark.

>>> arrays = compute(FIGURES["3"], table, Cut(sequence="old ridge"))      # doctest: +SKIP
>>> arrays["log_age_wr-log_mu_star", 0].value                             # density of its first mark, (y, x)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.figures import lines, planes
from engine.figures.arrays import (
    BandArrays,
    DensityArrays,
    LimitArrays,
    LineArrays,
    MapArrays,
    PeakArrays,
    PointArrays,
    Regions,
    ValleyArrays,
    View,
)
from engine.figures.catalogue import Figure, Panel
from engine.figures.cut import Cut
from engine.figures.marks import (
    FULL,
    ColumnDensity,
    Contours,
    Density,
    Fit,
    Limits,
    Mark,
    MedianMap,
    Peaks,
    Points,
    Published,
    Running,
    Valley,
)
from engine.figures.planes import Counter, weighted_count
from engine.figures.sample import Sample, full_sample, select

Arrays = BandArrays | DensityArrays | LimitArrays | LineArrays | MapArrays | PeakArrays | PointArrays | ValleyArrays
Key = tuple[str, int]  # name of the panel, place of the mark in it
Curves = Callable[[str, str, str], BandArrays | None]  # source, x, y -> a published relation


def no_curves(source: str, x: str, y: str) -> None:
    """No published relation is known; what the app passes instead reads them from files."""


@dataclass(frozen=True)
class Tools:
    """What the engine leaves to others: ``count`` adds weights in cells, ``curves`` knows published relations."""

    count: Counter = weighted_count
    curves: Curves = no_curves


TOOLS = Tools()


def compute(
    figure: Figure, table: Regions, cut: Cut | None = None, view: View | None = None, tools: Tools = TOOLS
) -> dict[Key, Arrays]:
    """The arrays of every mark of a figure, by panel and place of the mark.

    cut: what is selected, by default everything. Marks of the full sample are computed once per table.
    """
    view = view or View()
    sample = select(table, cut, view.weighting)
    return {
        (panel.name, i): compute_mark(mark, panel, sample, view, tools)
        for panel in figure.panels
        for i, mark in enumerate(panel.marks)
    }


def compute_mark(mark: Mark, panel: Panel, sample: Sample, view: View, tools: Tools = TOOLS) -> Arrays:
    """The arrays of one mark. ``sample`` holds the selected regions; the panel and the mark narrow it."""
    return _MAKERS[type(mark)](mark, panel, regions_of(mark, panel, sample), view, tools)


def regions_of(mark: Mark, panel: Panel, sample: Sample) -> Sample:
    """The regions a mark is made of: the selected ones in the part of the panel, or the full sample."""
    if mark.of == FULL:
        return full_sample(sample.table, sample.weighting, sample.cut.valley).part(mark.part)
    return sample.part(panel.part & mark.part)


def _density(mark: Density, panel: Panel, sample: Sample, view: View, tools: Tools) -> DensityArrays:
    return planes.density(sample, panel.x, panel.y, view, tools.count)


def _column_density(mark: ColumnDensity, panel: Panel, sample: Sample, view: View, tools: Tools) -> DensityArrays:
    return planes.column_density(sample, panel.x, panel.y, view, tools.count)


def _contours(mark: Contours, panel: Panel, sample: Sample, view: View, tools: Tools) -> LineArrays:
    return planes.contours(sample, panel.x, panel.y)


def _running(mark: Running, panel: Panel, sample: Sample, view: View, tools: Tools) -> BandArrays:
    return lines.running(sample, panel.x, panel.y, view.min_count)


def _peaks(mark: Peaks, panel: Panel, sample: Sample, view: View, tools: Tools) -> PeakArrays:
    return lines.peaks(sample, panel.x, panel.y)


def _valley(mark: Valley, panel: Panel, sample: Sample, view: View, tools: Tools) -> ValleyArrays:
    return lines.valley(sample, panel.x)


def _published(mark: Published, panel: Panel, sample: Sample, view: View, tools: Tools) -> BandArrays:
    return tools.curves(mark.source, panel.x, panel.y) or lines.NO_BAND


def _median_map(mark: MedianMap, panel: Panel, sample: Sample, view: View, tools: Tools) -> MapArrays:
    return planes.median_cells(sample, panel.x, panel.y, mark, view.min_count)


def _points(mark: Points, panel: Panel, sample: Sample, view: View, tools: Tools) -> PointArrays:
    return lines.points(sample, panel.x, panel.y)


def _fit(mark: Fit, panel: Panel, sample: Sample, view: View, tools: Tools) -> BandArrays:
    return lines.fit(sample, panel.x, panel.y)


def _limits(mark: Limits, panel: Panel, sample: Sample, view: View, tools: Tools) -> LimitArrays:
    return lines.completeness(sample)


_MAKERS: dict[type[Mark], Callable[[Any, Panel, Sample, View, Tools], Arrays]] = {  # each takes its own mark
    Density: _density, ColumnDensity: _column_density, Contours: _contours, Running: _running, Peaks: _peaks,
    Valley: _valley, Published: _published, MedianMap: _median_map, Points: _points, Fit: _fit, Limits: _limits,
}  # fmt: skip
