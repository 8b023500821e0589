"""One panel of any figure on the screen: made once, its sources replaced when the selection changes.

Bokeh sources and not HoloViews: patching them was measured 5 to 10 times faster for live planes; ``glocal bench app``
measures both again on this machine.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bokeh.events import DoubleTap, MouseLeave, MouseMove, RangesUpdate, Tap
from bokeh.models import ColorBar, ColumnDataSource, CustomJS, GlyphRenderer, Image, Quad, Range1d

from app import theme
from app.screen.fills import Fill, fill_of, fills
from app.screen.lines import DRAWN, Drawn
from app.screen.parts import Parts
from engine.figures.catalogue import Panel
from engine.figures.marks import MedianMap
from engine.figures.shades import DECADES

READ = """
const number = (value) => value.toFixed(2).replace("-", "−")
const words = [`${x} ${number(cb_obj.x)}`, `${y} ${number(cb_obj.y)}`]
const { image, kind, x: [x0], y: [y0], dw: [width], dh: [height] } = source.data
if (image.length) {
  const [rows, columns] = image[0].shape
  const i = Math.floor((cb_obj.x - x0) / width * columns), j = Math.floor((cb_obj.y - y0) / height * rows)
  const cell = i >= 0 && i < columns && j >= 0 && j < rows ? image[0][j * columns + i] : NaN
  const density = 10 ** (decades * ((cell - 1) / 254 - 1))
  if (kind[0] === "density" && cell > 0) words.push(`density ${density.toPrecision(2)} of the peak`)
  else if (kind[0] !== "density" && kind[0] !== "share" && isFinite(cell)) words.push(`${kind[0]} ${number(cell)}`)
}
glocal.read(words.join(" · "))
"""  # what lies under the pointer
BELOW = (0.585, 0.985, 0.025, 0.345)  # x0, x1, y0, y1 as parts of the frame: there the planes of Fig. 3 are empty
ABOVE = (0.02, 0.37, 0.68, 0.98)  # and there those of Fig. 5
IMAGE_COLUMNS = ("image", "x", "y", "dw", "dh", "kind")


@dataclass
class Hands:
    """What a panel calls: of a click (x, y), a click on its inset, and a double click."""

    tap: Callable[[float, float], None] | None = None
    inset: Callable[[], None] | None = None
    enlarge: Callable[[], None] | None = None


@dataclass
class Filling:
    """A mark that fills the panel or its inset, its place among the marks, and what it shows."""

    place: int
    inset: bool
    fill: Fill | None = field(default=None)


class PanelView:
    """One panel; ``show`` gives it the arrays of its marks, in their order."""

    def __init__(self, parts: Parts, panel: Panel, ranges: dict[str, Range1d], hands: Hands):
        self.parts, self.panel, self.hands = parts, panel, hands
        self.figure = parts.frame(ranges[panel.x], ranges[panel.y])
        self.fillings = [Filling(i, mark.inset) for i, mark in enumerate(panel.marks) if fills(mark)]
        self.image = self._add_image() if any(not f.inset for f in self.fillings) else None
        of_medians = any(isinstance(mark, MedianMap) for mark in panel.marks)
        self.bar: ColorBar | None = parts.colour_bar(self.figure) if of_medians else None
        self.drawn: dict[int, Drawn] = {
            i: DRAWN[type(mark)](parts, self.figure, mark) for i, mark in enumerate(panel.marks) if not fills(mark)
        }
        self.inset: list[GlyphRenderer] = []
        self.corner = ABOVE if of_medians else BELOW
        if hands.inset is not None and any(f.inset for f in self.fillings):
            self._add_inset()
        self._listen()

    @property
    def image_source(self) -> ColumnDataSource:
        """Source of the picture that fills the panel."""
        return self.image.data_source

    @property
    def view(self) -> tuple[float, float, float, float]:
        """Limits now on the screen."""
        x, y = self.figure.x_range, self.figure.y_range
        return x.start, x.end, y.start, y.end

    def show(self, arrays: dict[int, object], swapped: bool) -> None:
        """Show these arrays, by place of the mark; ``swapped``: what fills the inset, if any, fills the panel."""
        swapped = swapped and any(filling.inset for filling in self.fillings)
        for filling in self.fillings:
            if filling.place in arrays:
                filling.fill = fill_of(self.panel.marks[filling.place], arrays[filling.place])
        for filling in self.fillings:
            if filling.fill is not None:
                (self._fill_inset if filling.inset != swapped else self._fill_panel)(filling.fill)
        for place, drawn in self.drawn.items():
            if place in arrays:
                drawn.show(arrays[place])

    def toggle(self, shown: list[str], legend: tuple[str, ...]) -> None:
        """Hide what the legend hides; what it does not name is always there."""
        hidden = set(legend) - set(shown)
        for drawn in self.drawn.values():
            for entry, glyphs in drawn.glyphs.items():
                for glyph in glyphs:
                    glyph.visible = entry not in hidden
        for glyph in self.inset:
            glyph.visible = "insets" not in hidden

    def fade(self, alpha: float) -> None:
        """Let the density step back behind what a page draws over it."""
        self.image.glyph.global_alpha = alpha

    def in_inset(self, x: float, y: float) -> bool:
        """Whether a place in the units of the axes lies in the inset that is shown."""
        if not self.inset or not self.inset[0].visible:
            return False
        x0, x1, y0, y1 = self.view
        across, up = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        left, right, bottom, top = self.corner
        return left < across < right and bottom < up < top

    def _fill_panel(self, fill: Fill) -> None:
        x0, x1, y0, y1 = fill.limits
        place = {"x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0], "kind": [fill.kind]}
        self.image.data_source.data = {"image": [fill.image]} | place
        self._colour(self.image, fill)
        if self.bar is not None:
            self.bar.color_mapper = self.image.glyph.color_mapper

    def _fill_inset(self, fill: Fill) -> None:
        if self.inset:
            self.inset[1].data_source.data = {"image": [fill.image]}
            self._colour(self.inset[1], fill)

    def _colour(self, renderer: GlyphRenderer, fill: Fill) -> None:
        mapper = self.parts.mapper(fill.colours, fill.ends)
        if renderer.glyph.color_mapper is not mapper:
            renderer.glyph.color_mapper = mapper

    def _add_image(self) -> GlyphRenderer:
        source = self.parts.source({column: [] for column in IMAGE_COLUMNS})
        image = Image(image="image", x="x", y="y", dw="dw", dh="dh", color_mapper=self.parts.ink)
        return self.parts.draw(self.figure, image, source, level="image", name="image")

    def _add_inset(self) -> None:
        """The panel's other picture in a corner of the frame, in coordinates of its own that no zoom moves."""
        still = {"inset": self.parts.still}
        self.figure.update(extra_x_ranges=still, extra_y_ranges=still)
        x0, x1, y0, y1 = self.corner
        box = {"left": x0, "right": x1, "bottom": y0, "top": y1}
        paper = Quad(**box, fill_color=theme.PAPER, line_color=None)
        image = Image(image="image", x=x0, y=y0, dw=x1 - x0, dh=y1 - y0, color_mapper=self.parts.ink)
        edge = Quad(**box, fill_color=None, line_color=theme.INK, line_width=0.8)
        source, where = self.parts.source({"image": []}), {"x_range_name": "inset", "y_range_name": "inset"}
        for glyph in (paper, image, edge):
            self.inset.append(self.parts.draw(self.figure, glyph, source, level="overlay", **where))

    def _listen(self) -> None:
        self.figure.js_on_event(RangesUpdate, self.parts.forget_zooms)
        if self.image is not None:
            labels = {"x": theme.html_label(self.panel.x), "y": theme.html_label(self.panel.y)}
            read = CustomJS(args={"source": self.image_source, "decades": DECADES} | labels, code=READ)
            self.figure.js_on_event(MouseMove, read)
            self.figure.js_on_event(MouseLeave, self.parts.read_nothing)
        if self.hands.inset is not None or self.hands.tap is not None:
            self.figure.on_event(Tap, self._tap)
        if self.hands.enlarge is not None:
            self.figure.on_event(DoubleTap, lambda _: self.hands.enlarge())

    def _tap(self, event: Tap) -> None:
        if self.hands.inset is not None and self.in_inset(event.x, event.y):
            self.hands.inset()
        elif self.hands.tap is not None:
            self.hands.tap(event.x, event.y)
