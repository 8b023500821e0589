"""The one plane of all pages: a figure made once, whose sources are replaced when the selection changes.

Bokeh image sources and not ``holoviews.rasterize``: the same update took 103 ms against 222 ms and a twentieth of the
bytes in a trial; ``glocal bench app`` measures both again on this machine.
"""

from collections.abc import Callable

import numpy as np
from bokeh.events import DoubleTap, RangesUpdate, Reset, Tap
from bokeh.models import ColumnDataSource, CustomJS, Image, Line, MultiLine, Quad, Range1d, Scatter

from app import theme
from app.screen.parts import Parts
from app.screen.plane_data import LIMITS, PlaneData, PlaneSpec, View
from app.reference import Curve
from app.selection import OVERLAYS

INSET = (0.585, 0.985, 0.025, 0.345)  # x0, x1, y0, y1 as parts of the frame: there the planes of Fig. 3 are empty
ENLARGE = """
const plane = document.querySelector(`[data-plane="${name}"]`)
plane.parentElement.classList.toggle("one", plane.classList.toggle("large"))
"""


def make_ranges(zoom: dict[str, tuple[float, float]]) -> dict[str, Range1d]:
    """One range per column, shared by every plane of a page: they zoom together."""
    ranges = {}
    for name, limits in LIMITS.items():
        start, end = zoom.get(name, limits)
        ranges[name] = Range1d(start, end, reset_start=limits[0], reset_end=limits[1])
    return ranges


class Plane:
    """One plane on the screen; ``data`` is what it shows.

    ``on_view`` hears of a new view, ``on_inset`` of a click on the inset, ``on_enlarge`` of a double click. Who does
    not listen to the inset has none.
    """

    data: PlaneData | None = None

    def __init__(
        self,
        parts: Parts,
        spec: PlaneSpec,
        ranges: dict[str, Range1d],
        on_view: Callable,
        on_inset: Callable | None = None,
        on_enlarge: Callable | None = None,
    ):
        self.parts, self.spec = parts, spec
        self.figure = parts.frame(ranges[spec.x], ranges[spec.y])
        self._on_inset = on_inset
        self._glyphs: dict[str, list] = {name: [] for name in OVERLAYS}
        self._sources: dict[str, ColumnDataSource] = {}
        self._add_image()
        self._add_lines()
        if on_inset is not None:
            self._add_inset()
        self.figure.on_event(RangesUpdate, on_view)
        self.figure.on_event(Reset, on_view)
        self.figure.on_event(DoubleTap, on_view)  # the box-zoom tool then undoes its zoom without telling
        self.figure.on_event(Tap, self._tap)
        if on_enlarge is not None:
            self.figure.js_on_event(DoubleTap, CustomJS(args={"name": spec.name}, code=ENLARGE))
            self.figure.on_event(DoubleTap, lambda _: on_enlarge(spec.name))

    @property
    def view(self) -> View:
        """Limits now on the screen."""
        x, y = self.figure.x_range, self.figure.y_range
        return x.start, x.end, y.start, y.end

    def update(self, data: PlaneData, swapped: bool) -> None:
        """Show another sample, or another view of it; ``swapped`` puts the normalised columns in the plane."""
        self.data = data
        main, inset = (data.normalised, data.image) if swapped else (data.image, data.normalised)
        x0, x1, y0, y1 = data.view
        self._sources["image"].data = {"image": [main], "x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}
        if "inset" in self._sources:
            self._sources["inset"].data = {"image": [inset]}
        if data.running is not None:
            low, median, high = data.running.values
            self._sources["running"].data = {"x": data.running.centre, "low": low, "median": median, "high": high}
        if data.peaks is not None:
            self._sources["peaks"].data = data.peaks._asdict()

    def set_contours(self, xs: list[np.ndarray], ys: list[np.ndarray]) -> None:
        """The frame of reference: isodensity lines of the full sample."""
        self._sources["contours"].data = {"xs": xs, "ys": ys}

    def set_valley(self, x: list[float], y: list[float]) -> None:
        """The green valley, where this plane has one."""
        if self.spec.valley:
            self._sources["valley"].data = {"x": x, "y": y}

    def set_published(self, curve: Curve) -> None:
        """Median and percentiles of a published relation."""
        self._sources["published"].data = curve._asdict()

    def fade(self, alpha: float) -> None:
        """Let the density step back behind what a page draws over it."""
        self.figure.select_one({"name": "image"}).glyph.global_alpha = alpha

    def show(self, overlays: list[str]) -> None:
        """Show these overlays and hide the others."""
        for name, glyphs in self._glyphs.items():
            for glyph in glyphs:
                glyph.visible = name in overlays

    def _source(self, name: str, *columns: str) -> ColumnDataSource:
        self._sources[name] = self.parts.source({column: [] for column in columns})
        return self._sources[name]

    def _add_image(self) -> None:
        source = self._source("image", "image", "x", "y", "dw", "dh")
        image = Image(image="image", x="x", y="y", dw="dw", dh="dh", color_mapper=self.parts.ink)
        self.parts.draw(self.figure, image, source, level="image", name="image")

    def _add_lines(self) -> None:
        contours = self._source("contours", "xs", "ys")
        lines = MultiLine(xs="xs", ys="ys", line_color=theme.CONTOUR, line_width=0.8)
        self._glyphs["contours"].append(self.parts.draw(self.figure, lines, contours))
        if self.spec.published:
            self._add_published()
        if self.spec.valley:
            self._line("green valley", self._source("valley", "x", "y"), "x", "y", theme.GREEN_VALLEY)
        if self.spec.median:
            source = self._source("running", "x", "low", "median", "high")
            for which, style in (("low", "PERCENTILE"), ("high", "PERCENTILE"), ("median", "MEDIAN")):
                self._line("median", source, "x", which, getattr(theme, style))
        if self.spec.peaks:
            source = self._source("peaks", "centre", "old", "young")
            self._line("old ridge", source, "centre", "old", theme.OLD_RIDGE)
            self._line("young sequence", source, "centre", "young", theme.YOUNG_SEQUENCE)

    def _add_published(self) -> None:
        source = self._source("published", "x", "median", "low", "high")
        for which in ("low", "high"):
            self._line("Gallazzi+05", source, "x", which, theme.PUBLISHED | {"line_dash": [5, 4], "line_width": 1.2})
        self._line("Gallazzi+05", source, "x", "median", theme.PUBLISHED)
        colour = theme.PUBLISHED["line_color"]
        points = Scatter(x="x", y="median", size=4.5, fill_color="white", line_color=colour, line_width=1.2)
        self._glyphs["Gallazzi+05"].append(self.parts.draw(self.figure, points, source))

    def _line(self, overlay: str, source: ColumnDataSource, x: str, y: str, style: dict) -> None:
        halo = theme.HALO | {"line_width": style["line_width"] + 2.2}
        for look in (halo, style):
            line = Line(x=x, y=y, line_cap="butt", **look)
            self._glyphs[overlay].append(self.parts.draw(self.figure, line, source))

    def _add_inset(self) -> None:
        """The other normalisation in a corner of the frame, in coordinates of its own that no zoom moves."""
        still = {"inset": self.parts.still}
        self.figure.update(extra_x_ranges=still, extra_y_ranges=still)
        x0, x1, y0, y1 = INSET
        box = {"left": x0, "right": x1, "bottom": y0, "top": y1}
        paper = Quad(**box, fill_color="white", line_color=None)
        image = Image(image="image", x=x0, y=y0, dw=x1 - x0, dh=y1 - y0, color_mapper=self.parts.ink)
        edge = Quad(**box, fill_color=None, line_color=theme.INK, line_width=0.8)
        source, where = self._source("inset", "image"), {"x_range_name": "inset", "y_range_name": "inset"}
        for glyph in (paper, image, edge):
            self._glyphs["insets"].append(self.parts.draw(self.figure, glyph, source, level="overlay", **where))

    def _tap(self, event: Tap) -> None:
        x0, x1, y0, y1 = self.view
        across, up = (event.x - x0) / (x1 - x0), (event.y - y0) / (y1 - y0)
        if (
            self._on_inset
            and self._glyphs["insets"][0].visible
            and INSET[0] < across < INSET[1]
            and INSET[2] < up < INSET[3]
        ):
            self._on_inset()
