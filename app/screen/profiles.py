"""Quantities of one galaxy against the distance from its centre: its regions, their median and 16-84 percentiles."""

from typing import NamedTuple

import numpy as np
from bokeh.models import Line, Range1d, Scatter

from app import theme
from app.screen import map_data
from app.screen.galaxy_picker import padded
from app.screen.parts import Parts
from app.screen.seen import ProfileView
from engine.figures.arrays import BandArrays
from engine.galaxy.structure import ellipse_of, elliptical_radius
from engine.relations.running import presort, running_quantiles
from engine.stats import PERCENTILES
from engine.types import FloatArray

BIN_RE = 0.2  # choice: width of a bin [half-light radii]
LEAST = 5  # choice: regions below which a bin has no median
DOT = 2.4  # px
NO_ELLIPSE = "The half-light ellipse of this galaxy is not known."


class Profile(NamedTuple):
    """One quantity against radius: its regions, (region,) each, and the running median with percentiles."""

    radius: FloatArray  # half-light radii
    values: FloatArray
    band: BandArrays


def radii(columns: dict[str, np.ndarray], galaxy: dict) -> FloatArray | None:
    """Distances of regions from the centre along the half-light ellipse, in its radii, (region,); None if unknown."""
    ellipse = ellipse_of(galaxy)
    side = float(galaxy.get("spaxel_arcsec", np.nan))
    if ellipse is None or not (ellipse.semi_major > 0 and ellipse.axis_ratio > 0 and np.isfinite(side)):
        return None
    return elliptical_radius(columns["x"], columns["y"], ellipse, side) / ellipse.semi_major


def profile(radius: FloatArray, values: FloatArray, weight: FloatArray) -> Profile:
    """The regions, and their weighted median and 16th and 84th percentiles in bins of radius."""
    edges = np.arange(0.0, np.nanmax(radius, initial=0.0) + BIN_RE, BIN_RE)
    if edges.size < 2:
        edges = np.array([0.0, BIN_RE])
    found = running_quantiles(radius, values, weight, edges, PERCENTILES, presort(values), min_count=LEAST)
    return Profile(radius, values, BandArrays(found.centre, *found.values))


class Profiles:
    """As many figures as there are maps; ``show`` fills them with the quantities of the maps."""

    def __init__(self, parts: Parts, n: int) -> None:
        self.parts = parts
        self.across = Range1d(0, 1)
        self.up = [Range1d(0, 1) for _ in range(n)]
        self.figures = [parts.frame(self.across, up) for up in self.up]
        self.points = [parts.source({"x": [], "y": []}) for _ in range(n)]
        self.bands = [parts.source({name: [] for name in BandArrays._fields}) for _ in range(n)]
        self.reasons = [""] * n
        for plot, points, band in zip(self.figures, self.points, self.bands, strict=True):
            plot.min_border_left = 44
            dots = Scatter(x="x", y="y", size=DOT, fill_color=theme.GREY, fill_alpha=0.45, line_color=None)
            parts.draw(plot, dots, points)
            for which in ("low", "high", "median"):
                look = theme.line("median", percentile=which != "median")
                for each in (theme.HALO | {"line_width": look["line_width"] + 2.2}, look):
                    parts.draw(plot, Line(x="x", y=which, **each), band)

    def show(self, columns: dict[str, np.ndarray], galaxy: dict, names: list[str]) -> list[str]:
        """Fill the figures; returns a sentence for each that has nothing to show, empty for the others."""
        radius = radii(columns, galaxy)
        if radius is not None:
            self.across.update(start=0.0, end=float(np.ceil(10 * np.nanmax(radius, initial=0.1)) / 10))
        self.reasons = [self._show(place, columns, radius, name) for place, name in enumerate(names)]
        return self.reasons

    def views(self, names: list[str]) -> list[ProfileView]:
        """The profiles as seen, for export."""
        seen = []
        for name, up, points, band, reason in zip(names, self.up, self.points, self.bands, self.reasons, strict=True):
            window = (self.across.start, self.across.end, up.start, up.end)
            x, y = points.data["x"], points.data["y"]
            arrays = BandArrays(*(np.asarray(band.data[field], float) for field in BandArrays._fields))
            seen.append(ProfileView(map_data.quantity(name).tex_axis, x, y, arrays, window, reason))
        return seen

    def _show(self, place: int, columns: dict[str, np.ndarray], radius: FloatArray | None, name: str) -> str:
        there = map_data.has_values(columns, name)
        if radius is None or not there:
            self.points[place].data = {"x": [], "y": []}
            self.bands[place].data = {field: [] for field in BandArrays._fields}
            return NO_ELLIPSE if radius is None else f"This table has no {map_data.quantity(name).axis}."
        values = map_data.values_of(columns, name)
        found = profile(radius, values, columns["weight"])
        start, end = padded(values)
        self.up[place].update(start=start, end=end)
        self.points[place].data = {"x": np.float32(found.radius), "y": np.float32(found.values)}
        self.bands[place].data = found.band._asdict()
        return ""
