"""Maps of a galaxy in matplotlib, as they are seen on the screen."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app import theme
from app.paper.page import FONT, INK, PAGE_WIDTH, Note, page
from app.screen.map_data import FOOT, LEVEL, LEVEL_LIMITS, Picture
from app.screen.map_look import FOOT_ALPHA, colours_of
from app.screen.seen import MapsView

MAP_GAP = 0.08  # in


def maps_figure(view: MapsView, note: Note) -> Figure:
    """The maps of one galaxy side by side, as seen: same window, colours, limits and ring."""
    figure, foot = page(note, maps_height(view))
    place_maps(figure, view, foot)
    return figure


def maps_height(view: MapsView) -> float:
    """What the row of maps needs, with titles [in]."""
    return _map_side(view) + 0.34 if view.pictures else 0.0


def place_maps(figure: Figure, view: MapsView, bottom: float) -> None:
    """The row of maps on a page, from ``bottom`` [in]."""
    height = figure.get_figheight()
    side = _map_side(view)
    for i, picture in enumerate(view.pictures):
        left = 0.08 + i * (side + MAP_GAP)
        box = (left / PAGE_WIDTH, (bottom + 0.06) / height, side / PAGE_WIDTH, side / height)
        draw_map(figure.add_axes(box), picture, view)


def _map_side(view: MapsView) -> float:
    n = max(len(view.pictures), 1)
    return min((PAGE_WIDTH - 0.16 - MAP_GAP * (n - 1)) / n, 3.4)


def draw_map(ax: Axes, picture: Picture, view: MapsView) -> None:
    """One map into matplotlib axes, with scale bar, compass, ring and colour bar."""
    frame = picture.frame
    what = picture.quantity
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


def _draw_marks(ax: Axes, view: MapsView) -> None:
    marks = view.marks
    (cx, cy) = view.marks.corner
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
        draw_ring(ax, *view.ring)


def _draw_colour_bar(ax, image, name: str) -> None:
    inset = ax.inset_axes((0.6, 0.085, 0.35, 0.03))
    bar = ax.figure.colorbar(image, cax=inset, orientation="horizontal")
    bar.outline.set_linewidth(0.5)
    bar.set_ticks([1, 2, 3, 4, 5] if name == LEVEL else MaxNLocator(3).tick_values(*image.get_clim()))
    bar.minorticks_off()
    inset.tick_params(labelsize=5.5, length=1.5, width=0.5, pad=1.5, colors=INK)
    inset.set_xlim(image.get_clim())


def draw_ring(ax: Axes, x: float, y: float) -> None:
    """A ring round what is picked."""
    for colour, width in (("white", 2.4), (theme.STYLES.of("old ridge").colour, 1.2)):
        ax.plot(x, y, "o", ms=8, mfc="none", mec=colour, mew=width)
