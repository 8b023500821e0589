"""What the figures of a page are made of. Each Bokeh model costs server and browser about a millisecond at opening."""

from functools import cached_property

from bokeh.models import (
    BasicTicker,
    BoxZoomTool,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    Glyph,
    GlyphRenderer,
    LinearAxis,
    LinearColorMapper,
    LinearScale,
    NoOverlap,
    Range1d,
    ResetTool,
    Scatter,
    WheelZoomTool,
)
from bokeh.plotting import figure

from app import theme
from app.compat import FORGET_ZOOMS, Sources
from app.screen.fills import INK

RING = theme.STYLES.of("old ridge").colour
DESIRED_TICKS = 5
LABEL_GAP = 7  # px between numbers of an axis; those that come closer are left out
LOD_TIMEOUT_MS = 100  # the default of 500 ms would be most of the time a zoom takes
TICK_WORDS = """
let digits = 1
const even = (value) => Math.abs(value - Math.round(value)) < 1e-6
while (digits < 6 && !ticks.every((value) => even(value * 10 ** digits))) digits += 1
return tick.toFixed(digits).replace("-", "−")
"""


class Parts:
    """Models that all figures of one page share: they hold no state, or one that nothing here changes.

    Bokeh's own ``figure.line`` and the like make again, for every glyph, what lies here, and two more glyphs for
    selections and legends, which these figures do not have.
    """

    def __init__(self) -> None:
        self.scale, self.labels = LinearScale(), NoOverlap(min_distance=LABEL_GAP)
        self.tick_words = CustomJSTickFormatter(code=TICK_WORDS)
        self.no_words = CustomJSTickFormatter(code="return ''")
        self._sources = Sources()
        self._tickers: dict[int, BasicTicker] = {}
        self._mappers: dict[tuple, LinearColorMapper] = {}

    @cached_property
    def ink(self) -> LinearColorMapper:
        """The ink ramp of densities: shade 0 is paper."""
        return LinearColorMapper(palette=theme.ink_palette(), low=1, high=255, low_color=theme.PAPER)

    def mapper(self, colours: str, ends: tuple[float, float]) -> LinearColorMapper:
        """Colours of a picture by their name, between two ends; one mapper for all pictures that share both."""
        if colours == INK:
            return self.ink
        if (colours, ends) not in self._mappers:
            low, high = ends
            self._mappers[colours, ends] = LinearColorMapper(
                palette=theme.palette(colours), low=low, high=high, nan_color=theme.PAPER
            )
        return self._mappers[colours, ends]

    @cached_property
    def forget_zooms(self) -> CustomJS:
        """Bokeh's box zoom undoes itself on a double click, which here means another thing."""
        return CustomJS(code=FORGET_ZOOMS)

    @cached_property
    def read_nothing(self) -> CustomJS:
        """The pointer has left."""
        return CustomJS(code="glocal.read('')")

    @cached_property
    def still(self) -> Range1d:
        """A range from 0 to 1 that springs back when a tool moves it."""
        still = Range1d(0, 1)
        back = CustomJS(code="if (cb_obj.start != 0 || cb_obj.end != 1) cb_obj.setv({start: 0, end: 1})")
        still.js_on_change("start", back)
        still.js_on_change("end", back)
        return still

    def source(self, columns: dict) -> ColumnDataSource:
        """A source of which nothing is ever picked."""
        return self._sources.source(columns)

    def ticker(self, desired: int = DESIRED_TICKS) -> BasicTicker:
        """About so many ticks."""
        if desired not in self._tickers:
            self._tickers[desired] = BasicTicker(desired_num_ticks=desired)
        return self._tickers[desired]

    def draw(self, plot: figure, glyph: Glyph, source: ColumnDataSource, **look) -> GlyphRenderer:
        """Add a glyph to a figure."""
        renderer = GlyphRenderer(data_source=source, glyph=glyph, view=self._sources.view(source), **look)
        plot.renderers.append(renderer)
        return renderer

    def draw_ring(self, plot: figure, source: ColumnDataSource, size: float) -> None:
        """Ring what was chosen, with a white halo."""
        for colour, width in (("white", 5), (RING, 2.5)):
            ring = Scatter(x="x", y="y", size=size, fill_color=None, line_color=colour, line_width=width)
            self.draw(plot, ring, source)

    def figure(self, x_range: Range1d, y_range: Range1d, **look) -> figure:
        """A figure without axes, grid, title and toolbar."""
        plot = figure(
            x_range=x_range, y_range=y_range, x_axis_type=None, y_axis_type=None, title=None, toolbar_location=None,
            **look,
        )  # fmt: skip
        plot.update(x_scale=self.scale, y_scale=self.scale)
        return plot

    def frame(self, x_range: Range1d, y_range: Range1d, *, zooms: bool = True, y_axis: bool = True) -> figure:
        """An empty frame as the journals have it: ticks inward on all sides, no grid, tools on gestures only.

        The paper is filled in since Bokeh 3.9 otherwise strokes, with the outline, what it painted last.
        """
        tools = [BoxZoomTool(), WheelZoomTool(), ResetTool()] if zooms else []
        plot = self.figure(
            x_range, y_range, tools=tools, sizing_mode="stretch_both", min_border=4, min_border_left=40,
            min_border_bottom=22, min_border_right=10, min_border_top=6, lod_timeout=LOD_TIMEOUT_MS,
            background_fill_color=theme.PAPER, border_fill_color=None, output_backend="canvas",
            outline_line_color=theme.INK, outline_line_width=1, min_width=160, min_height=120,
        )  # fmt: skip
        if zooms:
            plot.toolbar.active_drag, plot.toolbar.active_scroll = tools[:2]
        for place in ("below", "left") if y_axis else ("below",):
            plot.add_layout(self._axis(), place)
        for place in ("above", "right") if y_axis else ("above",):
            plot.add_layout(self._bare_axis(), place)
        return plot

    def colour_bar(self, plot: figure) -> ColorBar:
        """A slim scale of colours to the right of a frame."""
        bar = ColorBar(
            color_mapper=self.ink, width=9, padding=5, margin=0, label_standoff=4, background_fill_color=None,
            ticker=self.ticker(4), formatter=self.tick_words, major_label_text_font=theme.FONT,
            major_label_text_font_size="11px", major_label_text_color=theme.INK, bar_line_color=theme.INK,
            major_tick_line_color=theme.INK, major_tick_in=0, major_tick_out=3,
        )  # fmt: skip
        plot.add_layout(bar, "right")
        return bar

    def _axis(self) -> LinearAxis:
        look = {"major_label_standoff": 6, "major_label_text_font_size": "11.5px", "major_label_text_color": theme.INK}
        return LinearAxis(formatter=self.tick_words, **self._ticks, **look)

    def _bare_axis(self) -> LinearAxis:
        look = {"major_label_standoff": 0, "major_label_text_font_size": "0px", "major_label_text_color": None}
        return LinearAxis(formatter=self.no_words, axis_label_standoff=0, **self._ticks, **look)

    @property
    def _ticks(self) -> dict:
        return {
            "ticker": self.ticker(), "major_label_policy": self.labels, "major_label_text_font": theme.FONT,
            "major_tick_in": 6, "major_tick_out": 0, "minor_tick_in": 3, "minor_tick_out": 0, "axis_line_color": None,
            "major_tick_line_color": theme.INK, "minor_tick_line_color": theme.INK,
        }  # fmt: skip
