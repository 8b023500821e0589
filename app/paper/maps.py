"""Maps of a galaxy in matplotlib, as they are seen on the screen."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from app import theme
from app.paper.look import FONT, WIDTHS
from app.paper.page import EDGE, INK, Row, axes_at
from app.screen.map_data import FOOT, LEVEL, LEVEL_LIMITS, Picture
from app.screen.map_look import FOOT_ALPHA, colours_of
from app.screen.seen import MapsView

MAP_GAP = 0.1  # in
TITLE = 0.2  # in
BAR, BAR_GAP, BAR_NUMBERS = 0.06, 0.05, 0.2  # in; the scale of colours below a map
LARGEST = 3.4  # in
ACROSS = {"one": 2, "two": 4}  # maps beside each other


def maps_rows(view: MapsView, columns: str = "two") -> list[Row]:
    """The maps beside each other, each with the scale of its colours below it."""
    across = min(len(view.pictures), ACROSS[columns])
    if not across:
        return []
    side = min((WIDTHS[columns] - 2 * EDGE - MAP_GAP * (across - 1)) / across, LARGEST)
    places = range(0, len(view.pictures), across)
    return [_maps_row(view, view.pictures[i : i + across], side) for i in places]


def _maps_row(view: MapsView, pictures: Sequence[Picture], side: float) -> Row:
    def draw(figure: Figure, bottom: float) -> None:
        low = bottom + BAR_NUMBERS
        for i, picture in enumerate(pictures):
            left = EDGE + i * (side + MAP_GAP)
            image = draw_map(axes_at(figure, left, low + BAR + BAR_GAP, side, side), picture, view)
            draw_colour_bar(axes_at(figure, left, low, side, BAR), image, picture.quantity.name)

    return Row(TITLE + side + BAR_GAP + BAR + BAR_NUMBERS, draw)


def draw_map(ax: Axes, picture: Picture, view: MapsView) -> AxesImage:
    """One map into matplotlib axes, with scale bar, compass and ring."""
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
    return image


def _draw_marks(ax: Axes, view: MapsView) -> None:
    marks = view.marks
    (cx, cy) = view.marks.corner
    ax.axhspan(0, FOOT, color=theme.NO_DATA, alpha=FOOT_ALPHA, lw=0, zorder=1, transform=ax.transAxes)
    ax.plot(*marks.bar, color=INK, lw=1.6, solid_capstyle="butt")
    look = {"textcoords": "offset points", "size": FONT}
    ax.annotate(marks.bar_label, (marks.bar[0][0], marks.bar[1][0]), (0, 2.5), **look)
    ax.plot([marks.north[0], cx, marks.east[0]], [marks.north[1], cy, marks.east[1]], color=INK, lw=0.7)
    for (x, y), word, where in ((marks.north, "N", (0, 1.5)), (marks.east, "E", (-4.5, -3.0))):
        ax.annotate(word, (x, y), where, ha="center", va="bottom", **look)
    if view.ellipse is not None:
        ax.plot(*view.ellipse, color="white", lw=1.6, alpha=0.6)
        ax.plot(*view.ellipse, color=INK, lw=0.6, ls=(0, (4, 3)))
    if view.ring is not None:
        draw_ring(ax, *view.ring)


def draw_colour_bar(ax: Axes, image: AxesImage, name: str) -> None:
    """The scale of a map's colours; numbers at its ends stay within it."""
    bar = ax.figure.colorbar(image, cax=ax, orientation="horizontal")
    bar.outline.set_linewidth(0.5)
    low, high = image.get_clim()
    ticks = [1, 2, 3, 4, 5] if name == LEVEL else _ticks(low, high)
    bar.set_ticks(ticks)
    bar.minorticks_off()
    ax.tick_params(which="both", direction="out", top=False, length=2, width=0.5, pad=1.5, colors=INK)
    ax.set_xlim(low, high)
    margin = 0.08 * (high - low)
    for tick, label in zip(bar.get_ticks(), ax.get_xticklabels(), strict=True):
        at_end = "left" if tick < low + margin else "right" if tick > high - margin else "center"
        label.set_horizontalalignment("center" if name == LEVEL else at_end)


def _ticks(low: float, high: float) -> list[float]:
    """A few round numbers within two ends: two at least."""
    for n in (3, 4, 6, 9):
        ticks = [tick for tick in MaxNLocator(n, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]
        if len(ticks) > 1:
            return ticks
    return [low, high]


def draw_ring(ax: Axes, x: float, y: float) -> None:
    """A ring round what is picked."""
    for colour, width in (("white", 2.4), (theme.STYLES.of("old ridge").colour, 1.2)):
        ax.plot(x, y, "o", ms=8, mfc="none", mec=colour, mew=width)
