"""Every mark in matplotlib: one function each, all with the same arguments."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke

from app.paper.look import MARKER_PT, grey_map, line_look
from app.style import styles
from app.theme import legend_entry
from engine.figures.arrays import (
    BandArrays,
    DensityArrays,
    LimitArrays,
    LineArrays,
    MapArrays,
    PeakArrays,
    PointArrays,
    ValleyArrays,
)
from engine.figures.compute import Arrays
from engine.figures.marks import (
    SCATTER,
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
from engine.figures.shades import column_shades, log_shades
from engine.figures.styles import Style, style_names

_HALO = 1.2  # pt of white on either side of black lines, so that they stand out from the shades


@dataclass(frozen=True)
class Pen:
    """What drawing needs beside the arrays: bins of mass that share the ramp, size of markers, strength of shades.

    ``hidden`` are entries of the legend that are not drawn.
    """

    n_bins: int = 4
    marker_pt: float = MARKER_PT
    fade: float = 1.0
    hidden: frozenset[str] = frozenset()

    def shows(self, style: str) -> bool:
        """Whether what has this style is drawn."""
        return legend_entry(style) not in self.hidden

    def style(self, name: str) -> Style:
        """The style of that name."""
        return styles().of(name, max(self.n_bins, 1))

    def line(self, style: Style) -> dict:
        """A style in the words of matplotlib."""
        return line_look(style, self.marker_pt)


def draw(ax: Axes, mark: Mark, arrays: Arrays, pen: Pen) -> None:
    """One mark into axes, unless it is hidden."""
    if pen.shows(mark.style):
        DRAWN[type(mark)](ax, mark, arrays, pen)


def _density(ax: Axes, mark: Density, arrays: DensityArrays, pen: Pen) -> None:
    _shades(ax, log_shades(arrays.value), arrays.limits, pen.fade)


def _column_density(ax: Axes, mark: ColumnDensity, arrays: DensityArrays, pen: Pen) -> None:
    _shades(ax, column_shades(arrays.value), arrays.limits, pen.fade)


def _shades(ax: Axes, shades: np.ndarray, limits: tuple, alpha: float) -> None:
    look = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "vmin": 0, "vmax": 255}
    ax.imshow(shades, extent=limits, cmap=grey_map(), alpha=alpha, **look)


def _median_map(ax: Axes, mark: MedianMap, arrays: MapArrays, pen: Pen) -> None:
    colours = grey_map("scatter") if mark.shows == SCATTER else styles().maps.get(mark.z, "viridis")
    low, high = arrays.z_limits
    look = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "vmin": low, "vmax": high}
    ax.imshow(arrays.value, extent=arrays.limits, cmap=colours, **look)


def _contours(ax: Axes, mark: Contours, arrays: LineArrays, pen: Pen) -> None:
    look = pen.line(pen.style(mark.style))
    for x, y in zip(arrays.xs, arrays.ys, strict=True):
        ax.plot(x, y, **look)


def _running(ax: Axes, mark: Running, arrays: BandArrays, pen: Pen) -> None:
    draw_band(ax, arrays, mark.style, pen, with_edges=not mark.median_only)


def _published(ax: Axes, mark: Published, arrays: BandArrays, pen: Pen) -> None:
    draw_band(ax, arrays, mark.style, pen)


def _fit(ax: Axes, mark: Fit, arrays: BandArrays, pen: Pen) -> None:
    draw_band(ax, arrays, mark.style, pen)


def draw_band(ax: Axes, band: BandArrays, style: str, pen: Pen, *, with_edges: bool = True) -> None:
    """A median between its percentiles."""
    look = pen.style(style)
    if with_edges:
        for edge in (band.low, band.high):
            _line(ax, band.x, edge, pen.line(styles().percentile(look)))
    _line(ax, band.x, band.median, pen.line(look))


def _peaks(ax: Axes, mark: Peaks, arrays: PeakArrays, pen: Pen) -> None:
    for name, ages in zip(style_names(mark), (arrays.old, arrays.young), strict=True):
        if pen.shows(name):
            _line(ax, arrays.x, ages, pen.line(pen.style(name)))


def _valley(ax: Axes, mark: Valley, arrays: ValleyArrays, pen: Pen) -> None:
    _line(ax, arrays.x, arrays.y, pen.line(pen.style(mark.style)))


def _points(ax: Axes, mark: Points, arrays: PointArrays, pen: Pen) -> None:
    style = pen.style(mark.style)
    ax.plot(arrays.x, arrays.y, style.marker, ms=2, mfc=style.colour, mec="none", alpha=0.75)


def _limits(ax: Axes, mark: Limits, arrays: LimitArrays, pen: Pen) -> None:
    for name, log_mu_star in zip(style_names(mark), arrays, strict=True):
        if np.isfinite(log_mu_star):
            look = pen.line(pen.style(name))
            ax.axhline(log_mu_star, **{key: look[key] for key in ("color", "lw", "ls")})


def _line(ax: Axes, x: np.ndarray, y: np.ndarray, line: dict) -> None:
    """A line with a white halo, and its markers on top: halos of markers would hide other lines."""
    halo = [Stroke(linewidth=line["lw"] + _HALO, foreground=styles().ground["halo"]), Normal()]
    ax.plot(x, y, path_effects=halo, **(line | {"marker": "none"}))
    if "marker" in line:
        ax.plot(x, y, **(line | {"ls": "none"}))


DRAWN: dict[type[Mark], Callable[[Axes, Mark, Arrays, Pen], None]] = {
    Density: _density, ColumnDensity: _column_density, MedianMap: _median_map, Contours: _contours,
    Running: _running, Published: _published, Fit: _fit, Peaks: _peaks, Valley: _valley, Points: _points,
    Limits: _limits,
}  # fmt: skip
