"""One galaxy on a page: its maps, and below them a spectrum, its regions over the sample, or its profiles."""

from collections.abc import Callable
from typing import TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app import theme
from app.paper.look import WIDTHS
from app.paper.maps import draw_ring, maps_rows
from app.paper.marks import Pen, draw, draw_band
from app.paper.page import Note, Row, axes_at, page
from app.paper.spectrum import posteriors_rows, spectrum_row
from app.screen.seen import FADE, MapsView, PlaneView, ProfileView
from app.spectra import SpaxelSpectrum
from engine.figures.words import quantity

LEFT, RIGHT, TOP, FOOT = 0.52, 0.1, 0.1, 0.38  # in; round a frame
ASPECT = {"one": 0.95, "two": 0.62}  # choice: height of a frame over the width it has with its labels
ACROSS = 2  # frames beside each other
POINT_PT = 1.8
Drawn = TypeVar("Drawn", PlaneView, ProfileView)


def spaxel_figure(maps: MapsView, spectrum: SpaxelSpectrum, note: Note, columns: str = "two") -> Figure:
    """A galaxy's maps and, below them, the spectrum and the posteriors of the spaxel with the ring."""
    rows = [*maps_rows(maps, columns), spectrum_row(spectrum, columns), *posteriors_rows(spectrum, columns)]
    return page(note, rows, columns)


def galaxy_figure(maps: MapsView, planes: list[PlaneView], note: Note, columns: str = "two") -> Figure:
    """A galaxy's maps and, below them, its regions over the sample."""
    return page(note, [*maps_rows(maps, columns), *_rows(planes, draw_plane, columns)], columns)


def profiles_figure(maps: MapsView, profiles: list[ProfileView], note: Note, columns: str = "two") -> Figure:
    """A galaxy's maps and, below them, their quantities against the distance from the centre."""
    return page(note, [*maps_rows(maps, columns), *_rows(profiles, draw_profile, columns)], columns)


def _rows(views: list[Drawn], draw_one: Callable[[Axes, Drawn], None], columns: str) -> list[Row]:
    """Frames beside each other, ACROSS in a row."""
    each = WIDTHS[columns] / ACROSS
    height = ASPECT[columns] * each

    def row_of(some: list[Drawn]) -> Row:
        def draw_row(figure: Figure, bottom: float) -> None:
            for i, view in enumerate(some):
                ax = axes_at(figure, i * each + LEFT, bottom + FOOT, each - LEFT - RIGHT, height - FOOT - TOP)
                draw_one(ax, view)

        return Row(height, draw_row)

    return [row_of(views[i : i + ACROSS]) for i in range(0, len(views), ACROSS)]


def draw_plane(ax: Axes, view: PlaneView) -> None:
    """One plane with the marks that are shown, the regions of the galaxy and the one that was picked."""
    pen = Pen(fade=FADE, hidden=view.hidden)
    for place, mark in enumerate(view.panel.marks):
        draw(ax, mark, view.arrays[place], pen)
    if view.points is not None:
        colour = theme.STYLES.of("old ridge").colour
        ax.plot(*view.points, ".", ms=POINT_PT, mec="none", mfc=colour, alpha=0.6)
    if view.ring is not None:
        draw_ring(ax, *view.ring)
    ax.set(xlim=view.window[:2], ylim=view.window[2:])
    ax.set_xlabel(quantity(view.panel.x).tex_axis, color=theme.INK)
    ax.set_ylabel(quantity(view.panel.y).tex_axis, color=theme.INK)


def draw_profile(ax: Axes, view: ProfileView) -> None:
    """Regions against radius with their running median and percentiles, or why there are none."""
    ax.plot(view.radius, view.values, ".", ms=POINT_PT, mec="none", mfc=theme.GREY, alpha=0.5)
    draw_band(ax, view.band, "median", Pen())
    if view.reason:
        ax.text(0.5, 0.5, view.reason, ha="center", va="center", color=theme.GREY, transform=ax.transAxes)
    ax.set(xlim=view.window[:2], ylim=view.window[2:])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel(r"$R\,/\,R_\mathrm{e}$", color=theme.INK)
    ax.set_ylabel(view.tex_axis, color=theme.INK)
