"""A figure of the catalogue as a matplotlib figure of the width of one or two columns of the journal."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Page
from matplotlib.ticker import AutoMinorLocator, MaxNLocator

from app.paper.key import draw_key, key_height
from app.paper.layout import BAR, TITLE, Layout, PanelPlace, has_map, lay_out
from app.paper.look import FONT, MARKER_PT, NARROW_MARKER_PT, grey_map
from app.paper.marks import Pen, draw
from app.paper.shown import Shown
from app.style import styles
from engine.figures import axes
from engine.figures.arrays import DensityArrays, MapArrays
from engine.figures.catalogue import Panel
from engine.figures.compute import Arrays
from engine.figures.marks import SCATTER, ColumnDensity, Density, Mark, MedianMap
from engine.figures.planes import cell_centres
from engine.figures.styles import n_bins
from engine.figures.words import quantity
from engine.types import FloatArray

FILLS = (Density, ColumnDensity, MedianMap)
INSETS = "insets"  # their entry in the legend
INSET_SIZE = (0.37, 0.31)  # parts of the panel
INSET_EDGE = 0.02
_MEDIAN_BAR = (0.0, 0.62)  # where the bars of colours begin and how wide they are, parts of the panel
_SCATTER_BAR = (0.72, 0.28)
N_TICKS = 5
NARROW = 1.6  # in; where a panel has no room for long words


class Corner(NamedTuple):
    """Lower left end of an inset, in parts of its panel."""

    left: float
    low: float


def draw_figure(shown: Shown, columns: str = "two") -> Page:
    """The figure on a page of "one" or "two" columns, with a key of its lines and shades below."""
    layout = lay_out(shown.figure, columns, bool(shown.stamp))
    foot = key_height(shown, layout.width)
    page = Page(figsize=(layout.width, round(layout.height + foot, 3)))
    is_narrow = layout.places[0].width < NARROW
    pen = Pen(n_bins(shown.figure), NARROW_MARKER_PT if is_narrow else MARKER_PT, hidden=shown.hidden)
    corner = emptiest_corner(shown)
    for place in layout.places:
        _draw_panel(page, place, shown, pen, corner)
    if shown.stamp:
        _draw_stamp(page, shown.stamp, layout)
    draw_key(page, shown, pen, foot)
    return page


def _draw_panel(page: Page, place: PanelPlace, shown: Shown, pen: Pen, corner: Corner) -> None:
    panel = place.panel
    ax = page.add_axes(_box(page, place.left, place.top, place.width, place.height))
    x0, x1, y0, y1 = axes.plane_limits(panel.x, panel.y, shown.survey, shown.view)
    marks = [(mark, shown.arrays[panel.name, i]) for i, mark in enumerate(panel.marks)]
    insets = inset_marks(shown, panel)
    for mark, arrays in marks:
        if mark not in insets:
            draw(ax, mark, arrays, pen)
    ax.set(xlim=(x0, x1), ylim=(y0, y1))
    _label(ax, place)
    _draw_bars(page, place, marks)
    for mark, arrays in marks:
        if mark in insets and INSETS not in shown.hidden:
            _draw_inset(ax, mark, arrays, corner, pen)


def inset_marks(shown: Shown, panel: Panel) -> list[Mark]:
    """Marks in the corner of a panel: those meant for it, or what else fills the panel if both are swapped."""
    insets = [mark for mark in panel.marks if mark.inset]
    if not (insets and shown.swapped):
        return insets
    return [mark for mark in panel.marks if isinstance(mark, FILLS) and not mark.inset]


def _label(ax: Axes, place: PanelPlace) -> None:
    ax.set_xlabel(quantity(place.panel.x).tex_axis)
    if place.shows_y:
        ax.set_ylabel(quantity(place.panel.y).tex_axis)
    ax.tick_params(labelleft=place.shows_y)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(N_TICKS if place.width > NARROW else N_TICKS - 1, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(AutoMinorLocator())
    if place.shows_title:
        ax.set_title(place.panel.title, loc="left")


def _draw_bars(page: Page, place: PanelPlace, marks: list) -> None:
    """Bars of colours above a panel: of the map of medians, and of the scatter in its inset."""
    maps = [(mark, arrays) for mark, arrays in marks if isinstance(mark, MedianMap)]
    if not has_map(place.panel):
        return
    top = place.top - (TITLE if place.panel.title else 0.0) - BAR - 0.04
    for mark, arrays in maps:
        left, width = _SCATTER_BAR if mark.shows == SCATTER else _MEDIAN_BAR
        ax = page.add_axes(_box(page, place.left + left * place.width, top, width * place.width, BAR))
        _draw_bar(ax, mark, arrays.z_limits, place.width < NARROW)


def _draw_bar(ax: Axes, mark: MedianMap, z_limits: tuple[float, float], is_narrow: bool) -> None:
    """One bar with its numbers and words above it; numbers at its ends stay within it."""
    shows_scatter = mark.shows == SCATTER
    colours = grey_map("scatter") if shows_scatter else styles().maps.get(mark.z, "viridis")
    bar = ax.figure.colorbar(ScalarMappable(Normalize(*z_limits), colours), cax=ax, orientation="horizontal")
    bar.outline.set_linewidth(0.5)
    n_ticks = 2 if is_narrow else 3
    ticks = z_limits if shows_scatter else MaxNLocator(n_ticks, steps=[1, 2, 4, 5, 10]).tick_values(*z_limits)
    bar.set_ticks([tick for tick in ticks if z_limits[0] <= tick <= z_limits[1]])
    bar.ax.minorticks_off()
    ax.xaxis.set_ticks_position("top")
    ax.xaxis.set_label_position("top")
    ax.tick_params(which="both", direction="out", top=True, bottom=False, length=2, pad=1.5)
    for tick, label in zip(bar.get_ticks(), ax.get_xticklabels(), strict=True):
        at = np.searchsorted([z_limits[0], z_limits[1]], tick, side="right")
        label.set_horizontalalignment("left" if tick == z_limits[0] else "right" if at == 2 else "center")
    ax.set_xlabel(_bar_words(mark, is_narrow), loc="right" if shows_scatter else "left", labelpad=2)


def _bar_words(mark: MedianMap, is_narrow: bool) -> str:
    if mark.shows == SCATTER:
        return "scatter" if is_narrow else "scatter [dex]"
    which = quantity(mark.z)
    return which.tex if is_narrow and len(which.bracket) > 2 else which.tex_axis


def _draw_inset(ax: Axes, mark: Mark, arrays: Arrays, corner: Corner, pen: Pen) -> None:
    """A mark in a corner of its panel, on the same axes."""
    width, height = INSET_SIZE
    inset = ax.inset_axes((corner.left, corner.low, width, height))
    draw(inset, mark, arrays, pen)
    inset.set(xlim=ax.get_xlim(), ylim=ax.get_ylim(), xticks=[], yticks=[])
    inset.minorticks_off()


def emptiest_corner(shown: Shown) -> Corner:
    """Where insets hide least: the corner in which the panels with insets have least, all together."""
    width, height = INSET_SIZE
    lefts = (1.0 - INSET_EDGE - width, INSET_EDGE)
    lows = (INSET_EDGE, 1.0 - INSET_EDGE - height)
    panels = [panel for panel in shown.figure.panels if any(mark.inset for mark in panel.marks)]
    corners = [Corner(left, low) for low in lows for left in lefts]
    return min(corners, key=lambda corner: sum(_hidden(shown, panel, corner) for panel in panels))


def _hidden(shown: Shown, panel: Panel, corner: Corner) -> float:
    """How much of what fills a panel lies under an inset: the share of its cells, faint ones less."""
    insets = inset_marks(shown, panel)
    filling = next(shown.arrays[panel.name, i] for i, mark in enumerate(panel.marks) if mark not in insets)
    if not isinstance(filling, DensityArrays | MapArrays):
        return 0.0
    taken = _taken(filling)
    n_y, n_x = taken.shape
    x, y = cell_centres(filling.limits, (n_x, n_y))
    left, right, bottom, top = axes.plane_limits(panel.x, panel.y, shown.survey, shown.view)
    across = (x - left) / (right - left) - corner.left
    up = (y - bottom) / (top - bottom) - corner.low
    under = np.ix_((up >= 0) & (up <= INSET_SIZE[1]), (across >= 0) & (across <= INSET_SIZE[0]))
    total = taken.sum()
    return float(taken[under].sum() / total) if total else 0.0


def _taken(filling: DensityArrays | MapArrays) -> FloatArray:
    """How much each cell (y, x) shows: all of a map that is known, the root of a density."""
    if isinstance(filling, MapArrays):
        return np.isfinite(filling.value).astype(float)
    return np.sqrt(np.clip(np.nan_to_num(filling.value), 0.0, None))


def _draw_stamp(page: Page, stamp: str, layout: Layout) -> None:
    colour = styles().ground["mock"]
    height = page.get_figheight()
    right = max(place.left + place.width for place in layout.places)
    page.text(right / layout.width, 1 - 0.04 / height, stamp, size=FONT, color=colour, ha="right", va="top")


def _box(page: Page, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Inches from the left and the top as parts of the page."""
    page_width, page_height = page.get_size_inches()
    return left / page_width, 1.0 - (top + height) / page_height, width / page_width, height / page_height
