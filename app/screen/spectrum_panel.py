"""One spaxel on the screen: spectrum, what was fitted, residual and posteriors; made once, then patched."""

import numpy as np
from bokeh.core.properties import value
from bokeh.events import RangesUpdate
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    Image,
    Line,
    LinearColorMapper,
    MultiLine,
    Quad,
    Range1d,
    Segment,
    Span,
    Text,
    VArea,
)
from bokeh.plotting import figure

from app import theme
from app.screen import spectrum_data as data
from app.screen.parts import RING, Parts
from app.screen.spectrum_look import (
    BAND_ALPHA,
    BANDS,
    ERROR_ALPHA,
    GAS,
    NAME_STEP,
    NAMES,
    OBSERVED,
    STARS,
)
from app.screen.zooms import home
from app.spectra import ESTIMATES, PLANE, SpaxelSpectrum

WAVE_HOME = (3690.0, 7150.0)  # Angstrom; until a spectrum says otherwise
LEAST_WINDOW = 20.0  # Angstrom; no zoom goes closer
RESIDUAL_HEIGHT = 82  # px
LEFT = 44  # px; the same for spectrum and residual, so that they stand under each other


def make_wave_range() -> Range1d:
    """The axis of wavelengths, at home over a whole spectrum."""
    return Range1d(*WAVE_HOME, reset_start=WAVE_HOME[0], reset_end=WAVE_HOME[1], min_interval=LEAST_WINDOW)


class SpectrumPanel:
    """Figures ``spectrum``, ``residual``, ``curves`` (by name) and ``plane``; ``show`` fills them from one spaxel."""

    shown: SpaxelSpectrum | None = None

    def __init__(self, parts: Parts, wave_range: Range1d) -> None:
        self.parts = parts
        self.wave_range = wave_range
        self.flux_range, self.residual_range = Range1d(0, 1), Range1d(-1, 1)
        self.ranges = {name: Range1d(0, 1) for name in ESTIMATES}
        pixels = ("wave", "flux", "low", "high", "stellar", "gas", "residual", "minus", "plus")
        self.pixels = parts.source({name: [] for name in pixels})
        self.names = parts.source({"wave": [], "flux": [], "text": [], "colour": []})
        self.bands = parts.source(dict(zip(("low", "high"), data.bands(), strict=True)))
        self.spectrum, self.residual = self._draw_spectrum(), self._draw_residual()
        self.posteriors = {name: self._posterior_sources() for name in ESTIMATES}
        self.curves = {name: self._draw_curve(name) for name in ESTIMATES}
        self.image = parts.source({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.contours = [parts.source({"xs": [], "ys": []}) for _ in data.LEVELS]
        self.cross = [Span(location=0, dimension=way, line_color=RING, line_width=1.5) for way in ("height", "width")]
        self.plane = self._draw_plane()

    def show(self, spectrum: SpaxelSpectrum) -> None:
        """Put another spaxel into all figures."""
        self.shown = spectrum
        low, high = data.error_band(spectrum)
        self.pixels.data = _single(
            wave=spectrum.wave, flux=spectrum.flux, low=low, high=high, stellar=spectrum.stellar, gas=spectrum.gas,
            residual=spectrum.residual, minus=-np.nan_to_num(spectrum.flux_err), plus=np.nan_to_num(spectrum.flux_err),
        )  # fmt: skip
        self._frame_it()
        for name in ESTIMATES:
            self._show_posterior(name)
        self._show_plane()

    def _frame_it(self) -> None:
        """Axes that hold this spectrum; a window of wavelengths that was zoomed stays from spaxel to spaxel."""
        bottom, top = data.flux_limits(self.shown)
        limit = data.residual_limit(self.shown)
        whole = float(self.shown.wave[0]), float(self.shown.wave[-1])
        was_home = (self.wave_range.start, self.wave_range.end) == home(self.wave_range)
        self.wave_range.update(reset_start=whole[0], reset_end=whole[1])
        if was_home:
            self.wave_range.update(start=whole[0], end=whole[1])
        self.flux_range.update(start=bottom, end=top)
        self.residual_range.update(start=-limit, end=limit)
        self._place_names(bottom, top)

    def _place_names(self, bottom: float, top: float) -> None:
        bands, lines = data.band_words(), data.line_words()
        step = NAME_STEP * (top - bottom)
        above = [top - (row + 0.15) * step for row in bands.row]
        below = [bottom + 1.1 * step] * len(lines.wave)
        self.names.data = {
            "wave": bands.wave + lines.wave, "flux": above + below, "text": bands.text + lines.text,
            "colour": [NAMES] * len(above) + [GAS] * len(below),
        }  # fmt: skip

    def _show_posterior(self, name: str) -> None:
        posterior, (line, area, marks) = self.shown.posteriors[name], self.posteriors[name]
        start, end = data.axis_of(name, posterior)
        self.ranges[name].update(start=start, end=end)
        x, y = data.curve(posterior)
        line.data = _single(x=x, y=y)
        at, up = data.between(posterior)
        area.data = _single(x=at, y=up)
        at = [posterior.median] if np.isfinite(posterior.median) else []
        marks.data = {"x": at, "y": [float(np.interp(place, x, y)) for place in at]}

    def _show_plane(self) -> None:
        ages, metals = self.shown.plane_edges
        self.image.data = {
            "image": [data.shades(self.shown)], "x": [ages[0]], "y": [metals[0]],
            "dw": [ages[-1] - ages[0]], "dh": [metals[-1] - metals[0]],
        }  # fmt: skip
        for source, (xs, ys) in zip(self.contours, data.plane_contours(self.shown), strict=True):
            source.data = {"xs": xs, "ys": ys}
        for span, place in zip(self.cross, data.medians(self.shown), strict=True):
            span.update(location=place if np.isfinite(place) else None, visible=bool(np.isfinite(place)))

    def _draw_spectrum(self) -> figure:
        plot = self.parts.frame(self.wave_range, self.flux_range)
        plot.update(min_border_left=LEFT, min_border_bottom=3, min_height=80)
        plot.xaxis.major_label_text_font_size = "0px"
        self._shade_bands(plot)
        plot.add_layout(Span(location=0, dimension="width", line_color=theme.RULE, line_width=1))
        for glyph in (
            VArea(x="wave", y1="low", y2="high", fill_color=OBSERVED, fill_alpha=ERROR_ALPHA),
            Line(x="wave", y="flux", line_color=theme.INK, line_width=0.8, line_alpha=0.85),
            Line(x="wave", y="stellar", line_color=STARS, line_width=1.5),
            Line(x="wave", y="gas", line_color=GAS, line_width=1.3),
        ):
            self.parts.draw(plot, glyph, self.pixels)
        names = Text(
            x="wave", y="flux", text="text", text_align="center", text_baseline="top", text_color="colour",
            text_font_size="10.5px", text_font=value(theme.FONT),
        )  # fmt: skip
        self.parts.draw(plot, names, self.names)
        plot.js_on_event(RangesUpdate, self.parts.forget_zooms)
        return plot

    def _draw_residual(self) -> figure:
        plot = self.parts.frame(self.wave_range, self.residual_range)
        plot.update(min_border_left=LEFT, min_border_top=3, min_height=40, sizing_mode="stretch_width")
        plot.height = RESIDUAL_HEIGHT
        plot.below[0].formatter = CustomJSTickFormatter(code="return tick.toFixed(0)")
        plot.yaxis[0].ticker = self.parts.ticker(3)
        self._shade_bands(plot)
        error = VArea(x="wave", y1="minus", y2="plus", fill_color=OBSERVED, fill_alpha=ERROR_ALPHA)
        residual = Line(x="wave", y="residual", line_color=theme.INK, line_width=0.8, line_alpha=0.85)
        for glyph in (error, residual):
            self.parts.draw(plot, glyph, self.pixels)
        plot.add_layout(Span(location=0, dimension="width", line_color=STARS, line_width=1))
        plot.js_on_event(RangesUpdate, self.parts.forget_zooms)
        return plot

    def _draw_curve(self, name: str) -> figure:
        plot = self.parts.frame(self.ranges[name], Range1d(0, 1.12), zooms=False, y_axis=False)
        plot.update(min_border_left=8, min_border_right=8, min_border_top=2, min_height=40, min_width=90)
        plot.below[0].ticker = self.parts.ticker(4)
        line, area, marks = self.posteriors[name]
        draw = self.parts.draw
        draw(plot, VArea(x="x", y1=0, y2="y", fill_color=OBSERVED, fill_alpha=ERROR_ALPHA), area)
        draw(plot, Line(x="x", y="y", line_color=theme.INK, line_width=1.4), line)
        draw(plot, Segment(x0="x", y0=0, x1="x", y1="y", line_color=RING, line_width=2), marks)
        return plot

    def _draw_plane(self) -> figure:
        age, metals = PLANE
        plot = self.parts.frame(self.ranges[age], self.ranges[metals], zooms=False)
        plot.min_border_left = 38
        mapper = LinearColorMapper(palette=["#ffffff", *theme.ink_palette()], low=0, high=255)
        image = Image(image="image", x="x", y="y", dw="dw", dh="dh", color_mapper=mapper)
        self.parts.draw(plot, image, self.image, level="image")
        for source, dash in zip(self.contours, ("solid", [5, 3]), strict=True):
            halo = MultiLine(xs="xs", ys="ys", line_color="white", line_width=3, line_alpha=0.7)
            line = MultiLine(xs="xs", ys="ys", line_color=theme.INK, line_width=1.2, line_dash=dash)
            for glyph in (halo, line):
                self.parts.draw(plot, glyph, source)
        for span in self.cross:
            plot.add_layout(span)
        for axis in (*plot.xaxis, *plot.yaxis):
            axis.ticker = self.parts.ticker(4)
        return plot

    def _shade_bands(self, plot: figure) -> None:
        """Shade the bands over the whole height of the frame, in a range of its own that no zoom moves."""
        plot.extra_y_ranges = {"frame": self.parts.still}
        look = {"fill_color": BANDS, "fill_alpha": BAND_ALPHA, "line_color": None}
        strips = Quad(left="low", right="high", bottom=0, top=1, **look)
        self.parts.draw(plot, strips, self.bands, level="annotation", y_range_name="frame")

    def _posterior_sources(self) -> tuple[ColumnDataSource, ColumnDataSource, ColumnDataSource]:
        """Curve, its part between the percentiles, and its median."""
        return tuple(self.parts.source({"x": [], "y": []}) for _ in range(3))


def _single(**columns: np.ndarray) -> dict[str, np.ndarray]:
    """Columns as float32: half the bytes to the browser."""
    return {name: np.asarray(values, dtype=np.float32) for name, values in columns.items()}
