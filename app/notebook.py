"""Any figure of the catalogue as HoloViews elements, for notebooks.

>>> import holoviews as hv
>>> from app.notebook import figure
>>> hv.extension("bokeh")                                           # or "matplotlib"
>>> figure("5", "survey", log_M_star=(10.3, None))                  # doctest: +SKIP

Axes are dimensions with labels and units, so elements compose with ``+`` and ``*``, take ``.opts`` and are written by
``hv.save``, with either backend.
"""

from collections.abc import Callable
from pathlib import Path

import holoviews as hv
import numpy as np

from app.reference import published_curve
from app.settings import data_folder
from app.store import open_survey
from app.style import ink_shades, styles
from engine.adopted import LOG_M_STAR_BINS
from engine.errors import SettingsError
from engine.figures import axes
from engine.figures.arrays import (
    BandArrays,
    DensityArrays,
    LimitArrays,
    Limits4,
    LineArrays,
    MapArrays,
    PeakArrays,
    PointArrays,
    Regions,
    ValleyArrays,
    View,
)
from engine.figures.catalogue import FIGURES, Panel
from engine.figures.catalogue import figure as described
from engine.figures.compute import Arrays, Tools, compute
from engine.figures.cut import Cut, Range
from engine.figures.marks import (
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
from engine.figures.styles import Style, n_bins, style_names
from engine.figures.words import quantity
from engine.relations.green_valley import ValleyLine

DENSITY = hv.Dimension("density", label="density over the peak of the full sample")
SHARE = hv.Dimension("share", label="share of the column")
_CHOICES = ("sequence", "smoothing", "galaxies", "types", "valley")


def figure(
    key: str,
    survey: str | Path | Regions | None = None,
    *,
    weighting: str = "area/V'max",
    min_count: int = 50,
    edges: tuple[float, ...] = LOG_M_STAR_BINS,
    insets: bool = False,
    **cut: object,
) -> hv.Layout:
    """A figure of the paper for the regions of a cut: a layout of one overlay per panel.

    Parameters: key of the figure ("1" to "7", "A1", "B1"); survey, the folder of one (by default ``$GLOCAL_DATA``) or a
    table as ``engine.figures.table.Table``; min_count, regions that a bin or cell needs; edges of the bins of galaxy
    mass; insets, whether each inset follows as a panel of its own; and what is kept: ranges by column,
    ``log_M_star=(10.3, None)``, ``sequence="old ridge"``, ``smoothing="unsmoothed"``, ``galaxies=(12, 15)``,
    ``types=("S b",)``, ``valley="fitted"`` or (slope, intercept).
    Raises SettingsError for a figure or a column that does not exist, TableError for a folder without a survey.
    """
    if key not in FIGURES:
        raise SettingsError(f"there is no figure {key!r}; the paper's are {', '.join(FIGURES)}")
    table = open_survey(survey or data_folder()) if survey is None or isinstance(survey, str | Path) else survey
    shown = described(key, edges)
    view = View(weighting=weighting, min_count=min_count)
    arrays = compute(shown, table, read_cut(**cut), view, Tools(curves=published_curve))
    sketches = [Sketch(panel, table, n_bins(shown)) for panel in shown.panels]
    of_panels = [[arrays[panel.name, i] for i in range(len(panel.marks))] for panel in shown.panels]
    overlays = [sketch.plane(made) for sketch, made in zip(sketches, of_panels, strict=True)]
    if insets:
        overlays += [inset for sketch, made in zip(sketches, of_panels, strict=True) for inset in sketch.insets(made)]
    return hv.Layout(overlays).cols(shown.columns)


def read_cut(**cut: object) -> Cut:
    """The cut that the arguments of ``figure`` mean; raises SettingsError for an unknown name."""
    chosen = {name: _value(name, cut.pop(name)) for name in _CHOICES if name in cut}
    for name in cut:
        try:
            quantity(name)
        except KeyError:
            raise SettingsError(f"no column is called {name!r}; examples are log_M_star, sequence, radius_re") from None
    return Cut(ranges={name: Range(*limits) for name, limits in cut.items()}, **chosen)


def _value(name: str, value: object) -> object:
    if name == "valley" and not isinstance(value, str):
        return ValleyLine(*value)
    return tuple(value) if name in ("galaxies", "types") and value is not None else value


def dimension(name: str, table: Regions) -> hv.Dimension:
    """The axis of a quantity: its name in files, its label, its unit, and how far the paper's axis reaches."""
    which = quantity(name)
    return hv.Dimension(
        name, label=which.label, unit=which.bracket or None,
        soft_range=axes.limits(name, table),
    )  # fmt: skip


class Sketch:
    """Makes the elements of one panel."""

    def __init__(self, panel: Panel, table: Regions, bins: int):
        self.panel = panel
        self.table = table
        self.bins = bins
        self.x, self.y = (dimension(name, table) for name in (panel.x, panel.y))

    def plane(self, arrays: list[Arrays]) -> hv.Overlay:
        """What is drawn in the plane itself."""
        drawn = [
            self.element(mark, made) for mark, made in zip(self.panel.marks, arrays, strict=True) if not mark.inset
        ]
        return self.framed(hv.Overlay([element for elements in drawn for element in elements]))

    def insets(self, arrays: list[Arrays]) -> list[hv.Overlay]:
        """Each inset by itself."""
        marks = zip(self.panel.marks, arrays, strict=True)
        return [self.framed(hv.Overlay(self.element(mark, made))) for mark, made in marks if mark.inset]

    def element(self, mark: Mark, arrays: Arrays) -> list[hv.Element]:
        """The elements of one mark, in the order in which they are drawn."""
        return MADE[type(mark)](self, mark, arrays)

    def framed(self, overlay: hv.Overlay) -> hv.Overlay:
        """The overlay within the limits of the panel."""
        x0, x1, y0, y1 = axes.plane_limits(self.panel.x, self.panel.y, self.table)
        return overlay.relabel(self.panel.title).opts(hv.opts.Overlay(xlim=(x0, x1), ylim=(y0, y1)))

    def style(self, name: str) -> Style:
        """The style of that name."""
        return styles().of(name, max(self.bins, 1))

    def density(self, mark: Mark, arrays: DensityArrays) -> list[hv.Element]:
        """Shades of grey, logarithmic for densities."""
        of_columns = isinstance(mark, ColumnDensity)
        value = np.where(arrays.value > 0, arrays.value, np.nan)
        return [self._image(arrays.limits, value, SHARE if of_columns else DENSITY, list(ink_shades()))]

    def median_map(self, mark: MedianMap, arrays: MapArrays) -> list[hv.Element]:
        """Colours of a third quantity or of its scatter."""
        which = dimension(mark.z, self.table)
        if mark.shows == "scatter":
            which = hv.Dimension(f"{mark.z}_scatter", label=f"scatter of {which.label}", unit="dex")
        colours = list(ink_shades("scatter")) if mark.shows == "scatter" else styles().maps.get(mark.z, "viridis")
        image = self._image(arrays.limits, arrays.value, which.clone(range=arrays.z_limits), colours)
        return [image.opts(colorbar=True)]

    def contours(self, mark: Contours, arrays: LineArrays) -> list[hv.Element]:
        """Isodensity lines."""
        pieces = [{self.x.name: x, self.y.name: y} for x, y in zip(arrays.xs, arrays.ys, strict=True)]
        path = hv.Path(pieces, [self.x, self.y], label=_label(mark, self.style(mark.style)))
        return [path.opts(*_look("Path", self.style(mark.style)))]

    def band(self, mark: Mark, arrays: BandArrays) -> list[hv.Element]:
        """A median, and its percentiles unless it stands alone."""
        style = self.style(mark.style)
        edges = [] if getattr(mark, "median_only", False) else [arrays.low, arrays.high]
        thin = styles().percentile(style)
        lines = [self._curve(arrays.x, edge, thin, "") for edge in edges]
        return [*lines, self._curve(arrays.x, arrays.median, style, _label(mark, style))]

    def peaks(self, mark: Peaks, arrays: PeakArrays) -> list[hv.Element]:
        """Most frequent ages of either sequence."""
        named = zip(style_names(mark), (arrays.old, arrays.young), strict=True)
        return [self._curve(arrays.x, ages, self.style(name), self.style(name).label) for name, ages in named]

    def valley(self, mark: Valley, arrays: ValleyArrays) -> list[hv.Element]:
        """The green valley."""
        style = self.style(mark.style)
        return [self._curve(arrays.x, arrays.y, style, _label(mark, style))]

    def points(self, mark: Points, arrays: PointArrays) -> list[hv.Element]:
        """A point per galaxy, with its number."""
        columns = (arrays.x, arrays.y, arrays.galaxy_id)
        points = hv.Points(columns, [self.x, self.y], "galaxy_id", label=_label(mark, self.style(mark.style)))
        return [points.opts(hv.opts.Points(color=self.style(mark.style).colour))]

    def limits(self, mark: Limits, arrays: LimitArrays) -> list[hv.Element]:
        """Completeness of either sequence; it is drawn across the plane."""
        ends = np.array(axes.limits(self.panel.x, self.table))
        lines = []
        for name, log_mu_star in zip(style_names(mark), arrays, strict=True):
            style = self.style(name)
            lines.append(self._curve(ends, np.full(2, log_mu_star), style, style.label))
        return lines

    def _image(self, limits: Limits4, value: np.ndarray, which: hv.Dimension, colours: object) -> hv.Image:
        x0, x1, y0, y1 = limits
        image = hv.Image(value[::-1], bounds=(x0, y0, x1, y1), kdims=[self.x, self.y], vdims=[which])
        return image.opts(hv.opts.Image(cmap=colours, logz=which is DENSITY, clipping_colors={"NaN": "#ffffff00"}))

    def _curve(self, x: np.ndarray, y: np.ndarray, style: Style, label: str) -> hv.Curve:
        return hv.Curve((x, y), self.x, self.y, label=label).opts(*_look("Curve", style))


def _label(mark: Mark, style: Style) -> str:
    return mark.label or style.label


def _look(kind: str, style: Style) -> list[hv.Options]:
    """A style in the words of both backends."""
    bokeh = {"color": style.colour, "line_width": style.width, "line_dash": list(style.dash) or "solid"}
    dash = (0, tuple(part / style.width for part in style.dash)) if style.dash else "solid"
    matplotlib = {"color": style.colour, "linewidth": 0.7 * style.width, "linestyle": dash}
    return [
        hv.Options(kind, backend="bokeh", **bokeh),
        hv.Options(kind, backend="matplotlib", **matplotlib),
    ]


MADE: dict[type[Mark], Callable[[Sketch, Mark, Arrays], list[hv.Element]]] = {
    Density: Sketch.density, ColumnDensity: Sketch.density, MedianMap: Sketch.median_map, Contours: Sketch.contours,
    Running: Sketch.band, Published: Sketch.band, Fit: Sketch.band, Peaks: Sketch.peaks, Valley: Sketch.valley,
    Points: Sketch.points, Limits: Sketch.limits,
}  # fmt: skip
