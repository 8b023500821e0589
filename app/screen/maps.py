"""Maps of one galaxy on the screen: Bokeh figures that are made once and patched in place."""

import textwrap
from collections.abc import Callable

import numpy as np
from bokeh.core.properties import value
from bokeh.events import RangesUpdate, Tap
from bokeh.models import (
    BasicTicker,
    BoxZoomTool,
    ColorBar,
    CustomJSHover,
    HoverTool,
    Image,
    Label,
    Line,
    LinearColorMapper,
    MultiLine,
    Quad,
    Range1d,
    Text,
    WheelZoomTool,
)

from app import theme
from app.screen.map_data import FOOT, LEVEL, MINUS_TRUE, NORTH_UP, MapAxes, Picture, SkyMarks, sky_marks
from app.screen.map_look import FOOT_ALPHA, LEVEL_GREYS, colours_of
from app.screen.parts import Parts

BAR = 76  # px; width of a scale of colours, which leaves room for the compass in a map of 160 px
LEAST_WINDOW = 2.0  # spaxels; no zoom goes closer
REASONS = (  # in the order of map_data: VALUE, NO_REGION, NOT_MEASURED, NO_VALUE
    "",
    "not kept: outside the galaxy's map, fainter than the surface-brightness cut, S/N too low, or masked",
    "kept, but no model fits: not measured",
    "no value in the table",
)
HOVER = """
const d = source.data, i = special_vars.image_index.flat_index
const n = (v) => Math.abs(v) >= 1e5 ? v.toExponential(2) : v.toFixed(d.decimals[0]).replace("-", "−")
const what = d.there[0][i], error = d.errors[0][i]
return what > 0 ? "— " + d.reasons[0][what] : n(d.values[0][i]) + (isFinite(error) ? " ± " + n(error) : "")
"""


def html_title(name: str, unit: bool = True) -> str:
    """Words of a quantity over its map, with real subscripts."""
    if name.endswith(MINUS_TRUE):
        return f"{theme.html_label(name.removesuffix(MINUS_TRUE))}, measured − true{' [dex]' if unit else ''}"
    return theme.html_axis(name) if unit else theme.html_label(name)


def decimals_for(limits: tuple[float, float]) -> int:
    """Digits after the point that resolve a hundredth of the colour range."""
    return int(np.clip(np.ceil(2 - np.log10(limits[1] - limits[0])), 0, 4))


class SkyWindow:
    """What all maps of a galaxy share: the window on the sky, scale bar, compass, ellipse and the ring of a pick."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.x_range, self.y_range = Range1d(0, 1), Range1d(0, 1)
        self.pc_per_spaxel = 1.0
        self.axes = NORTH_UP
        empty = {"x": [], "y": []}
        self.ring, self.ellipse = parts.source(empty), parts.source(empty)
        self.foot = parts.source({"left": [], "right": [], "bottom": [], "top": []})
        self.lines = parts.source({"xs": [], "ys": [], "width": []})
        self.words = parts.source(empty | {"text": [], "align": []})

    @property
    def window(self) -> tuple[float, float, float, float]:
        """left, right, bottom, top [spaxel], as the visitor sees it now."""
        return self.x_range.start, self.x_range.end, self.y_range.start, self.y_range.end

    @property
    def marks(self) -> SkyMarks:
        """Scale bar and compass of the window."""
        return sky_marks(self.window, self.pc_per_spaxel, self.axes)

    def look_at(
        self, window: tuple[float, float, float, float], pc_per_spaxel: float, axes: MapAxes = NORTH_UP
    ) -> None:
        """Show this part of the sky: the whole galaxy."""
        self.pc_per_spaxel = pc_per_spaxel
        self.axes = axes
        for range_, (start, end) in ((self.x_range, window[:2]), (self.y_range, window[2:])):
            range_.update(start=start, end=end, reset_start=start, reset_end=end, min_interval=LEAST_WINDOW)
        self.draw_marks()

    def draw_marks(self) -> None:
        """Draw scale bar and compass into the window as it is now."""
        marks = self.marks
        (cx, cy), (nx, ny), (ex, ey) = marks.corner, marks.north, marks.east
        x, y = marks.bar
        left, right, bottom, top = self.window
        foot = {"left": left, "right": right, "bottom": bottom, "top": bottom + FOOT * (top - bottom)}
        self.foot.data = {name: [end] for name, end in foot.items()}
        self.lines.data = {"xs": [list(x), [nx, cx, ex]], "ys": [list(y), [ny, cy, ey]], "width": [3, 1.2]}
        self.words.data = {
            "x": [x[0], nx, ex],
            "y": [y[0], ny, ey],
            "text": [marks.bar_label, "N", "E"],
            "align": ["left", "center", "right"],
        }

    def ring_at(self, x: float | None = None, y: float | None = None) -> None:
        """Put the ring round a spaxel, or take it away."""
        self.ring.data = {"x": [], "y": []} if x is None else {"x": [x], "y": [y]}

    def outline(self, ellipse: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Draw the half-light ellipse, or none."""
        x, y = ellipse if ellipse is not None else ([], [])
        self.ellipse.data = {"x": x, "y": y}


class MapPanel:
    """One map; ``pick`` is called with the x and y [spaxel] of a click."""

    def __init__(self, sky: SkyWindow, pick: Callable[[float, float], None]) -> None:
        self.picture: Picture | None = None
        self.source = sky.parts.source(_nothing())
        self._colours = LEVEL_GREYS
        self.mapper = LinearColorMapper(palette=LEVEL_GREYS, low=0, high=1, nan_color=theme.NO_DATA)
        self.figure = _empty_figure(sky)
        image = Image(image="values", x="x", y="y", dw="dw", dh="dh", color_mapper=self.mapper)
        image = sky.parts.draw(self.figure, image, self.source, level="image")
        self._draw_marks(sky)
        self.bar = _colour_bar(self.mapper)
        self.sentence = _sentence()
        self.figure.add_layout(self.bar)
        self.figure.add_layout(self.sentence)
        # told of "there" and not of "values": of NaN bokeh says NaN without asking
        told = CustomJSHover(args={"source": self.source}, code=HOVER)
        tooltips = f"<div style='font: 12px {theme.FONT}; max-width: 260px'>@label{{safe}} &nbsp;@there{{custom}}</div>"
        self.figure.add_tools(
            HoverTool(renderers=[image], tooltips=tooltips, formatters={"@there": told}, visible=False)
        )
        self.figure.on_event(Tap, lambda event: pick(event.x, event.y))
        self.figure.js_on_event(RangesUpdate, sky.parts.forget_zooms)

    def show(self, picture: Picture, reasons: tuple[str, ...] = REASONS) -> None:
        """Put another map into the panel, in one patch of its source."""
        self.picture = picture
        self._empty(False)
        n_y, n_x = picture.values.shape
        what, (low, high) = picture.quantity, picture.limits
        colours = colours_of(what.name, what.centred)
        if colours != self._colours:  # 256 words that need not travel for every galaxy
            self.mapper.palette = self._colours = colours
        self.mapper.update(low=low, high=high)
        self.source.data = {
            "values": [picture.values], "errors": [picture.errors], "there": [picture.there],
            "x": [picture.frame.x0 - 0.5], "y": [picture.frame.y0 - 0.5], "dw": [n_x], "dh": [n_y],
            "label": [html_title(what.name, unit=False)], "reasons": [list(reasons)],
            "decimals": [0 if what.name == LEVEL else decimals_for(picture.limits)],
        }  # fmt: skip

    def say(self, sentence: str) -> None:
        """One sentence where the map would be, for a quantity this galaxy does not have."""
        self.picture = None
        self.source.data = _nothing()
        self.sentence.text = "\n".join(textwrap.wrap(sentence, 28))
        self._empty(True)

    def _empty(self, empty: bool) -> None:
        self.sentence.visible = empty
        for part in (self.bar, *self.figure.renderers):
            part.visible = not empty

    def _draw_marks(self, sky: SkyWindow) -> None:
        plot, ink, draw = self.figure, theme.INK, sky.parts.draw
        foot = Quad(left="left", right="right", bottom="bottom", top="top", line_color=None,
                    fill_color=theme.NO_DATA, fill_alpha=FOOT_ALPHA)  # fmt: skip
        draw(plot, foot, sky.foot, level="underlay")
        draw(plot, Line(x="x", y="y", line_color="white", line_width=2.5, line_alpha=0.6), sky.ellipse)
        draw(plot, Line(x="x", y="y", line_color=ink, line_width=1, line_dash="dashed"), sky.ellipse)
        draw(plot, MultiLine(xs="xs", ys="ys", line_color=ink, line_width="width"), sky.lines)
        words = Text(x="x", y="y", text="text", text_align="align", y_offset=-3, text_color=ink,
                     text_font_size="11px", text_font=value(theme.FONT))  # fmt: skip
        draw(plot, words, sky.words)
        sky.parts.draw_ring(plot, sky.ring, 16)


def _nothing() -> dict:
    names = ("values", "errors", "there", "x", "y", "dw", "dh", "label", "reasons", "decimals")
    return {name: [] for name in names}


def _empty_figure(sky: SkyWindow):
    wheel = WheelZoomTool()
    plot = sky.parts.figure(
        sky.x_range, sky.y_range, tools=[BoxZoomTool(match_aspect=True), wheel], sizing_mode="scale_width",
        aspect_ratio=1, min_border=0, background_fill_color=theme.NO_DATA, outline_line_color=theme.RULE,
    )  # fmt: skip
    plot.toolbar.active_scroll = wheel
    return plot


def _sentence() -> Label:
    return Label(
        x=0.5, y=0.5, x_units="screen", y_units="screen", text="", visible=False, text_color=theme.GREY,
        text_font=theme.FONT, text_font_size="12px", x_offset=18, y_offset=110,
    )  # fmt: skip


def _colour_bar(mapper: LinearColorMapper) -> ColorBar:
    return ColorBar(
        color_mapper=mapper, orientation="horizontal", location="bottom_right", width=BAR, height=7, padding=4,
        margin=2, background_fill_alpha=0, ticker=BasicTicker(desired_num_ticks=3, num_minor_ticks=0),
        major_label_text_font_size="10px", major_label_text_font=theme.FONT,
        major_label_text_color=theme.INK, bar_line_color=theme.INK,
        major_tick_line_color=theme.INK, major_tick_in=0, major_tick_out=3, label_standoff=3,
    )  # fmt: skip
