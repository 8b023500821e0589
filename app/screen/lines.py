"""Marks drawn over what fills a panel, as Bokeh glyphs: made once, their sources replaced."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from bokeh.models import ColumnDataSource, GlyphRenderer, HoverTool, Line, MultiLine, Scatter, Span
from bokeh.plotting import figure

from app import theme
from app.screen.parts import Parts
from engine.figures.arrays import BandArrays, LimitArrays, LineArrays, PeakArrays, PointArrays, ValleyArrays
from engine.figures.marks import Contours, Fit, Limits, Mark, Peaks, Points, Published, Running, Valley

OLD, YOUNG = "old ridge", "young sequence"
POINT_SIZE = 5.5  # px


def as_list(values: np.ndarray) -> list[float]:
    """A few numbers as they travel within a message."""
    return np.asarray(values, float).tolist()


class Drawn:
    """One mark on the screen. ``show`` replaces its arrays; ``glyphs`` are by the legend's entry that hides them."""

    def __init__(self, parts: Parts, plot: figure, mark: Mark):
        self.parts, self.plot, self.mark = parts, plot, mark
        self.glyphs: dict[str, list[GlyphRenderer | Span]] = {}
        self.source: ColumnDataSource = parts.source({name: [] for name in self.columns})
        self._arrays: object = None
        self.draw()

    columns: tuple[str, ...] = ()

    def show(self, arrays: object) -> None:
        """Show these arrays, unless they are there already: the full sample's lines seldom change."""
        if arrays is not self._arrays:
            self._arrays = arrays
            self.fill(arrays)

    def draw(self) -> None:
        """Add the glyphs to the figure."""
        raise NotImplementedError

    def fill(self, arrays: object) -> None:
        """Put arrays into the source; as lists, for each array travels in two messages of its own."""
        self.source.data = dict(zip(self.columns, map(as_list, arrays), strict=False))

    def line(self, x: str, y: str, style: str, *, percentile: bool = False) -> None:
        """A line with a white halo, in the look of a style."""
        look = theme.line(style, percentile=percentile)
        halo = theme.HALO | {"line_width": look["line_width"] + 2.2}
        for each in (halo, look):
            self.add(style, Line(x=x, y=y, line_cap="butt", **each))

    def add(self, style: str, glyph: object, **look: object) -> GlyphRenderer:
        """A glyph that follows the legend's entry for a style."""
        renderer = self.parts.draw(self.plot, glyph, self.source, **look)
        self.glyphs.setdefault(theme.legend_entry(style), []).append(renderer)
        return renderer


class DrawnContours(Drawn):
    """Isodensity lines."""

    columns = ("xs", "ys")

    def draw(self) -> None:
        """One thin grey line per piece."""
        self.add(self.mark.style, MultiLine(xs="xs", ys="ys", line_color=theme.CONTOUR, line_width=0.8))

    def fill(self, arrays: LineArrays) -> None:
        """Show these pieces."""
        self.source.data = arrays._asdict()


class DrawnBand(Drawn):
    """A median between its percentiles: running medians, published relations, the fit."""

    columns = BandArrays._fields

    def draw(self) -> None:
        """Percentiles first, so that the median lies over them."""
        if not getattr(self.mark, "median_only", False):
            for which in ("low", "high"):
                self.line("x", which, self.mark.style, percentile=True)
        self.line("x", "median", self.mark.style)
        if isinstance(self.mark, Published):
            colour = theme.line(self.mark.style)["line_color"]
            points = Scatter(x="x", y="median", size=4.5, fill_color="white", line_color=colour, line_width=1.2)
            self.add(self.mark.style, points)


class DrawnPeaks(Drawn):
    """Most frequent ages of both sequences."""

    columns = PeakArrays._fields

    def draw(self) -> None:
        """One line per sequence."""
        self.line("x", "old", OLD)
        self.line("x", "young", YOUNG)


class DrawnValley(Drawn):
    """The green valley."""

    columns = ("x", "y")

    def draw(self) -> None:
        """One line."""
        self.line("x", "y", self.mark.style)

    def fill(self, arrays: ValleyArrays) -> None:
        """Show these ends."""
        self.source.data = {"x": arrays.x, "y": arrays.y}


class DrawnPoints(Drawn):
    """Galaxies; the pointer names them."""

    columns = (*PointArrays._fields, "name")
    names: Mapping[int, str] = MappingProxyType({})  # by galaxy_id; who shows them puts the survey's here

    def draw(self) -> None:
        """One dot per galaxy, and its name beside the pointer."""
        dots = Scatter(x="x", y="y", size=POINT_SIZE, fill_color=theme.GREY, fill_alpha=0.7, line_color=None)
        drawn = self.add(self.mark.style, dots)
        self.plot.add_tools(HoverTool(renderers=[drawn], tooltips="@name", visible=False))

    def fill(self, arrays: PointArrays) -> None:
        """Show these galaxies, with their names."""
        self.source.data = arrays._asdict() | {"name": [self.names.get(int(i), str(i)) for i in arrays.galaxy_id]}


class DrawnLimits(Drawn):
    """The mu* down to which either sequence is complete, across the panel."""

    columns = ()

    def draw(self) -> None:
        """A line across for each sequence."""
        self.spans = []
        for style in ("complete, old ridge", "complete, young sequence"):
            span = Span(location=None, dimension="width", visible=False, **theme.line(style))
            self.plot.add_layout(span)
            self.spans.append(span)

    def fill(self, arrays: LimitArrays) -> None:
        """Show these limits; one that is not known is not drawn."""
        for span, place in zip(self.spans, arrays, strict=True):
            known = bool(np.isfinite(place))
            span.update(location=float(place) if known else None, visible=known)


DRAWN: dict[type[Mark], type[Drawn]] = {
    Contours: DrawnContours, Running: DrawnBand, Published: DrawnBand, Fit: DrawnBand, Peaks: DrawnPeaks,
    Valley: DrawnValley, Points: DrawnPoints, Limits: DrawnLimits,
}  # fmt: skip
