"""One galaxy on a page: its maps, and below them a spectrum or its regions over the sample."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app import theme
from app.paper.maps import draw_ring, maps_height, place_maps
from app.paper.marks import Pen, draw
from app.paper.page import PAGE_WIDTH, Note, page
from app.paper.spectrum import SPECTRUM_HEIGHT, place_spectrum
from app.screen.seen import FADE, MapsView, PlaneView
from app.spectra import SpaxelSpectrum
from engine.figures.words import quantity

PLANES_HEIGHT = 2.6  # in
POINT_PT = 1.8


def spaxel_figure(maps: MapsView, spectrum: SpaxelSpectrum, note: Note) -> Figure:
    """A galaxy's maps and, below them, the spectrum and the posteriors of the spaxel with the ring."""
    figure, foot = page(note, maps_height(maps) + SPECTRUM_HEIGHT)
    place_maps(figure, maps, foot + SPECTRUM_HEIGHT)
    place_spectrum(figure, spectrum, foot)
    return figure


def galaxy_figure(maps: MapsView, planes: list[PlaneView], note: Note) -> Figure:
    """A galaxy's maps and, below them, its regions over the sample."""
    planes_height = PLANES_HEIGHT if planes else 0.0
    figure, foot = page(note, maps_height(maps) + planes_height)
    place_maps(figure, maps, foot + planes_height)
    place_planes(figure, planes, foot)
    return figure


def place_planes(figure: Figure, views: list[PlaneView], bottom: float) -> None:
    """Planes side by side on a page, from ``bottom`` [in]."""
    width = PAGE_WIDTH / max(len(views), 1)
    total = figure.get_figheight()
    for i, view in enumerate(views):
        left = i * width + 0.5
        low = bottom + 0.4
        box = (left / PAGE_WIDTH, low / total, (width - 0.6) / PAGE_WIDTH, (PLANES_HEIGHT - 0.46) / total)
        draw_plane(figure.add_axes(box), view)


def draw_plane(ax: Axes, view: PlaneView) -> None:
    """One plane with the marks that are shown, the regions of the galaxy and the one that was picked."""
    pen = Pen(fade=FADE)
    for place, mark in enumerate(view.panel.marks):
        if theme.legend_entry(mark.style) not in view.hidden:
            draw(ax, mark, view.arrays[place], pen)
    if view.points is not None:
        colour = theme.STYLES.of("old ridge").colour
        ax.plot(*view.points, ".", ms=POINT_PT, mec="none", mfc=colour, alpha=0.6)
    if view.ring is not None:
        draw_ring(ax, *view.ring)
    ax.set(xlim=view.window[:2], ylim=view.window[2:])
    ax.set_xlabel(quantity(view.panel.x).tex_axis, color=theme.INK)
    ax.set_ylabel(quantity(view.panel.y).tex_axis, color=theme.INK)
