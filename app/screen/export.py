"""Figures for papers and talks from the same arrays as the screen: matplotlib without pyplot, safe in threads."""

import re
import textwrap
from io import BytesIO
from typing import NamedTuple

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app import theme
from app.screen.fills import INK as INK_NAME
from app.screen.fills import Fill, fill_of, fills
from app.screen.map_data import FOOT, LEVEL, LEVEL_LIMITS, Picture, SkyMarks
from app.screen.maps import FOOT_ALPHA, colours_of
from app.screen.parts import RING
from app.screen.plane import BELOW as INSET
from app.screen.spectrum_export import SPECTRUM_HEIGHT, place_spectrum
from app.spectra import SpaxelSpectrum
from engine.columns import column
from engine.figures.arrays import BandArrays, LimitArrays, LineArrays, PeakArrays, PointArrays, ValleyArrays
from engine.figures.catalogue import Panel
from engine.figures.marks import Mark
from engine.figures.styles import style_names

DPI = 300
PAGE_WIDTH = 7.0  # in; MNRAS text width, 504 pt
FONT, SMALL = 8, 7  # pt
LINE = 0.135  # in; one line of the caption
HEAD = 0.28  # in; title and stamp
MAP_GAP = 0.08  # in
CAPTION_COLUMNS = 132  # characters of SMALL text across the page
INK = theme.INK
PT_PER_PX = 0.5  # a plane is 270 px wide on the screen and 1.8 in on paper
FADE = 0.5  # strength of the density behind the regions of one galaxy
PLANE_HEIGHTS = {1: 4.8, 2: 2.6, 3: 1.9}  # in, by planes beside each other


class Note(NamedTuple):
    """The words that go with a figure. ``stamp`` is empty for measured data; ``link`` restores the view."""

    title: str
    caption: str
    stamp: str
    link: str
    software: str


def png_bytes(figure: Figure, note: Note) -> bytes:
    """The figure as a PNG file of 300 dpi that tells what it shows, whether it is a mock, and where to see it again."""
    stamped = f"{note.stamp}. {note.caption}" if note.stamp else note.caption
    told = {"Title": f"{note.title} ({note.stamp})" if note.stamp else note.title}
    told |= {"Software": note.software, "Description": f"{stamped} View: {note.link}", "Source": note.link}
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata=told)
    return file.getvalue()


def file_name(what: str, mock: bool) -> str:
    """Name of the file of a figure: what it shows, and mock where it is one."""
    words = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")
    return f"glocal-{words}{'-mock' if mock and 'mock' not in words else ''}.png"


def page(note: Note, body_height: float) -> tuple[Figure, float]:
    """An empty page of MNRAS width with title, stamp and caption; and the height of its foot [in]."""
    lines = textwrap.wrap(note.caption, CAPTION_COLUMNS, break_on_hyphens=False)
    foot = (len(lines) + 0.8) * LINE
    height = HEAD + body_height + foot
    figure = Figure(figsize=(PAGE_WIDTH, round(height * DPI) / DPI), facecolor="white")
    top = 1 - 0.08 / height
    figure.text(0.01, top, note.title, size=FONT + 1, weight="bold", color=INK, va="top")
    if note.stamp:
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": theme.MOCK, "linewidth": 0.8}
        figure.text(0.985, top, note.stamp, size=SMALL, color=theme.MOCK, ha="right", va="top", bbox=box)
    for i, line in enumerate(reversed(lines)):
        figure.text(0.01, (0.3 + i) * LINE / height, line, size=SMALL, color=INK, va="bottom")
    return figure, foot


class MapsView(NamedTuple):
    """Everything on the map row of the galaxy page: the maps shown, the sky window and what is drawn over it."""

    pictures: list[Picture]
    window: tuple[float, float, float, float]
    marks: SkyMarks
    ellipse: tuple | None
    ring: tuple[float, float] | None


def maps_figure(view: MapsView, note: Note) -> Figure:
    """The maps of one galaxy beside each other, as seen: same window, colours, limits and ring."""
    figure, foot = page(note, maps_height(view))
    place_maps(figure, view, foot)
    return figure


def maps_height(view: MapsView) -> float:
    """What the row of maps needs, with titles [in]."""
    return _map_side(view) + 0.34 if view.pictures else 0.0


def place_maps(figure: Figure, view: MapsView, bottom: float) -> None:
    """The row of maps on a page, from ``bottom`` [in]."""
    height, side = figure.get_figheight(), _map_side(view)
    for i, picture in enumerate(view.pictures):
        left = 0.08 + i * (side + MAP_GAP)
        box = (left / PAGE_WIDTH, (bottom + 0.06) / height, side / PAGE_WIDTH, side / height)
        draw_map(figure.add_axes(box), picture, view)


def _map_side(view: MapsView) -> float:
    n = max(len(view.pictures), 1)
    return min((PAGE_WIDTH - 0.16 - MAP_GAP * (n - 1)) / n, 3.4)


def draw_map(ax, picture: Picture, view: MapsView) -> None:
    """One map into matplotlib axes, with scale bar, compass, ring and colour bar."""
    frame, what = picture.frame, picture.quantity
    n_y, n_x = picture.values.shape
    extent = (frame.x0 - 0.5, frame.x0 + n_x - 0.5, frame.y0 - 0.5, frame.y0 + n_y - 0.5)
    colours = ListedColormap(colours_of(what.name, what.centred))
    norm = BoundaryNorm(np.arange(LEVEL_LIMITS[0], LEVEL_LIMITS[1] + 1), colours.N) if what.name == LEVEL else None
    image = ax.imshow(
        picture.values, origin="lower", extent=extent, cmap=colours, norm=norm or Normalize(*picture.limits),
        interpolation="nearest",
    )  # fmt: skip
    ax.set(xlim=view.window[:2], ylim=view.window[2:], xticks=[], yticks=[], facecolor=theme.NO_DATA)
    ax.set_title(what.tex_axis, size=FONT, color=INK, pad=4)
    _draw_marks(ax, view)
    _draw_colour_bar(ax, image, what.name)


def _draw_marks(ax, view: MapsView) -> None:
    marks, (cx, cy) = view.marks, view.marks.corner
    ax.axhspan(0, FOOT, color=theme.NO_DATA, alpha=FOOT_ALPHA, lw=0, zorder=1, transform=ax.transAxes)
    ax.plot(*marks.bar, color=INK, lw=1.6, solid_capstyle="butt")
    ax.annotate(marks.bar_label, (marks.bar[0][0], marks.bar[1][0]), (0, 2.5), textcoords="offset points", size=6)
    ax.plot([marks.north[0], cx, marks.east[0]], [marks.north[1], cy, marks.east[1]], color=INK, lw=0.7)
    for (x, y), word, where in ((marks.north, "N", (0, 1.5)), (marks.east, "E", (-3.5, -2.5))):
        ax.annotate(word, (x, y), where, textcoords="offset points", size=6, ha="center", va="bottom")
    if view.ellipse is not None:
        ax.plot(*view.ellipse, color="white", lw=1.6, alpha=0.6)
        ax.plot(*view.ellipse, color=INK, lw=0.6, ls=(0, (4, 3)))
    if view.ring is not None:
        _ring(ax, *view.ring)


def _draw_colour_bar(ax, image, name: str) -> None:
    inset = ax.inset_axes((0.6, 0.085, 0.35, 0.03))
    bar = ax.figure.colorbar(image, cax=inset, orientation="horizontal")
    bar.outline.set_linewidth(0.5)
    bar.set_ticks([1, 2, 3, 4, 5] if name == LEVEL else MaxNLocator(3).tick_values(*image.get_clim()))
    bar.minorticks_off()
    inset.tick_params(labelsize=5.5, length=1.5, width=0.5, pad=1.5, colors=INK)
    inset.set_xlim(image.get_clim())


class PlaneView(NamedTuple):
    """One panel as a visitor sees it: arrays by place of the mark, and the overlays that are shown.

    points: x and y of one galaxy's regions over it; ring: the one that was picked.
    """

    panel: Panel
    arrays: dict[int, object]
    window: tuple[float, float, float, float]
    hidden: frozenset[str] = frozenset()
    swapped: bool = False
    points: tuple | None = None
    ring: tuple[float, float] | None = None


def spaxel_figure(maps: MapsView, spectrum: SpaxelSpectrum, note: Note) -> Figure:
    """A galaxy's maps and, below them, the spectrum and the posteriors of the spaxel with the ring."""
    figure, foot = page(note, maps_height(maps) + SPECTRUM_HEIGHT)
    place_maps(figure, maps, foot + SPECTRUM_HEIGHT)
    place_spectrum(figure, spectrum, foot)
    return figure


def galaxy_figure(maps: MapsView, planes: list[PlaneView], note: Note) -> Figure:
    """A galaxy's maps and, below them, its regions over the sample."""
    planes_height = PLANE_HEIGHTS[2] if planes else 0.0
    figure, foot = page(note, maps_height(maps) + planes_height)
    place_maps(figure, maps, foot + planes_height)
    place_planes(figure, planes, foot, 2)
    return figure


def place_planes(figure: Figure, views: list[PlaneView], bottom: float, columns: int) -> None:
    """Planes on a page, so many beside each other, from ``bottom`` [in]."""
    rows, width, height = -(-len(views) // columns), PAGE_WIDTH / columns, PLANE_HEIGHTS[columns]
    total = figure.get_figheight()
    for i, view in enumerate(views):
        row, place = divmod(i, columns)
        left, low = place * width + 0.46, bottom + (rows - 1 - row) * height + 0.4
        box = (left / PAGE_WIDTH, low / total, (width - 0.56) / PAGE_WIDTH, (height - 0.46) / total)
        draw_plane(figure.add_axes(box), view)


def draw_plane(ax, view: PlaneView) -> None:
    """One plane into matplotlib axes, with an inset if insets are shown."""
    fade = 1.0 if view.points is None else FADE
    for place, mark in enumerate(view.panel.marks):
        if fills(mark):
            picture = fill_of(mark, view.arrays[place])
            if mark.inset == view.swapped:
                _shades(ax, picture, fade)
            elif "insets" not in view.hidden:
                inset = ax.inset_axes((INSET[0], INSET[2], INSET[1] - INSET[0], INSET[3] - INSET[2]))
                _shades(inset, picture)
                inset.set(xticks=[], yticks=[])
        elif theme.legend_entry(mark.style) not in view.hidden:
            _draw_mark(ax, mark, view.arrays[place], view.hidden)
    if view.points is not None:
        ax.plot(*view.points, ".", ms=1.8, mec="none", mfc=RING, alpha=0.6)
    if view.ring is not None:
        _ring(ax, *view.ring)
    ax.set(xlim=view.window[:2], ylim=view.window[2:])
    ax.set_xlabel(column(view.panel.x).tex_axis, size=FONT, color=INK, labelpad=2)
    ax.set_ylabel(column(view.panel.y).tex_axis, size=FONT, color=INK, labelpad=2)
    ax.tick_params(which="both", direction="in", top=True, right=True, labelsize=SMALL, length=3, width=0.6)


def _shades(ax, fill: Fill, alpha: float = 1.0) -> None:
    colours = ["#ffffff", *theme.ink_palette()] if fill.colours == INK_NAME else theme.palette(fill.colours)
    low, high = (0, 255) if fill.colours == INK_NAME else fill.ends
    options = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    ax.imshow(fill.image, extent=fill.limits, cmap=ListedColormap(colours), vmin=low, vmax=high, alpha=alpha, **options)


def _draw_mark(ax, mark: Mark, arrays: object, hidden: frozenset[str]) -> None:
    if isinstance(arrays, LineArrays):
        for x, y in zip(arrays.xs, arrays.ys, strict=True):
            ax.plot(x, y, color=theme.CONTOUR, lw=0.4)
    elif isinstance(arrays, BandArrays):
        _band(ax, mark, arrays)
    elif isinstance(arrays, ValleyArrays):
        _line(ax, arrays.x, arrays.y, theme.line(mark.style))
    elif isinstance(arrays, PointArrays):
        ax.plot(arrays.x, arrays.y, ".", ms=3, mec="none", mfc=theme.GREY)
    else:
        _pair(ax, mark, arrays, hidden)


def _pair(ax, mark: Mark, arrays: PeakArrays | LimitArrays, hidden: frozenset[str]) -> None:
    for style, values in zip(style_names(mark), arrays[-2:], strict=True):
        if style in hidden:
            continue
        if isinstance(arrays, PeakArrays):
            _line(ax, arrays.x, values, theme.line(style))
        else:
            ax.axhline(values, color=theme.line(style)["line_color"], lw=0.7)


def _band(ax, mark: Mark, arrays: BandArrays) -> None:
    names = ["median"] if getattr(mark, "median_only", False) else ["low", "high", "median"]
    for name in names:
        look = theme.line(mark.style, percentile=name != "median")
        values = getattr(arrays, name)
        _line(ax, arrays.x, values, theme.HALO | {"line_width": look["line_width"] + 2})
        _line(ax, arrays.x, values, look, marker="o" if mark.style == "Gallazzi+05" and name == "median" else None)


def _line(ax, x, y, style: dict, dash: str | list = "", marker: str | None = None) -> None:
    """A line of the screen's style; its pixels become points."""
    dash, width = dash or style.get("line_dash", "solid"), style["line_width"]
    pattern = dash if isinstance(dash, str) else (0, [length / width for length in dash])
    ax.plot(
        x, y, color=style["line_color"], lw=width * PT_PER_PX, ls=pattern, alpha=style.get("line_alpha", 1.0),
        marker=marker, ms=3, mfc="white", mew=0.7,
    )  # fmt: skip


def _ring(ax, x: float, y: float) -> None:
    for colour, width in (("white", 2.4), (RING, 1.2)):
        ax.plot(x, y, "o", ms=8, mfc="none", mec=colour, mew=width)
