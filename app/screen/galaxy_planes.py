"""The regions of one galaxy over the density of the whole sample: age and metallicity against mass density."""

import numpy as np
from bokeh.events import DoubleTap
from bokeh.models import Scatter

from app.screen.export import FADE, PlaneView, plane_view
from app.screen.parts import RING, Parts
from app.screen.plane import Plane, make_ranges
from app.screen.plane_data import LIMITS, PlaneData, PlaneSpec, Sample, contours, plane_data, select_sample, valley_line
from app.selection import Selection
from app.store import Survey

SPECS = (PlaneSpec("log_mu_star", "log_age_wr", valley=True), PlaneSpec("log_mu_star", "log_Z_wr"))
OVERLAYS = ("contours", "green valley")  # of the legend, those that also make sense here


class GalaxyPlanes:
    """Two planes; ``show_galaxy`` and ``ring_at`` patch what lies over them. ``changed`` hears of a new view."""

    def __init__(self, parts: Parts, survey: Survey, selection: Selection, changed) -> None:
        self.survey, self.selection = survey, selection
        self.ranges = make_ranges({})
        self.planes = [Plane(parts, spec, self.ranges, changed) for spec in SPECS]
        self.points = [parts.source({"x": [], "y": []}) for _ in SPECS]
        self.rings = [parts.source({"x": [], "y": []}) for _ in SPECS]
        self.data: list[PlaneData] = []
        for plane, points, ring in zip(self.planes, self.points, self.rings, strict=True):
            plane.fade(FADE)
            plane.figure.on_event(DoubleTap, lambda _: self.look_home())
            dots = Scatter(x="x", y="y", size=2.2, fill_color=RING, fill_alpha=0.5, line_color=None)
            parts.draw(plane.figure, dots, points)
            parts.draw_ring(plane.figure, ring, 14)
        self.draw()

    def sample(self) -> Sample:
        """The whole survey, under the weighting chosen."""
        return select_sample(self.survey, Selection(weighting=self.selection.weighting))

    def draw(self) -> None:
        """Count the sample in the views now on the screen."""
        sample, line = self.sample(), valley_line(self.selection.line(self.survey))
        self.data = [plane_data(self.survey, sample, plane.spec, plane.view) for plane in self.planes]
        for plane, data in zip(self.planes, self.data, strict=True):
            plane.update(data, swapped=False)
            plane.set_contours(*contours(self.survey, plane.spec, self.selection.weighting))
            plane.set_valley(*line)
            plane.show(self.overlays())

    def look_home(self) -> None:
        """Show the full planes again."""
        for name, (start, end) in LIMITS.items():
            self.ranges[name].update(start=start, end=end)
        self.draw()

    def overlays(self) -> list[str]:
        """What the legend shows of what makes sense here."""
        return [name for name in OVERLAYS if name in self.selection.show]

    def views(self, columns: dict[str, np.ndarray]) -> list[PlaneView]:
        """The planes as seen, for export."""
        seen = []
        for plane, data, ring in zip(self.planes, self.data, self.rings, strict=True):
            view = plane_view(self.survey, self.selection, plane.spec, data)
            points = columns[plane.spec.x], columns[plane.spec.y]
            place = (float(ring.data["x"][0]), float(ring.data["y"][0])) if len(ring.data["x"]) else None
            show = tuple(self.overlays())
            seen.append(view._replace(show=show, normalised=False, points=points, ring=place))
        return seen

    def show_galaxy(self, columns: dict[str, np.ndarray]) -> None:
        """Put the regions of a galaxy over the sample."""
        for plane, points in zip(self.planes, self.points, strict=True):
            points.data = {"x": columns[plane.spec.x], "y": columns[plane.spec.y]}

    def ring_at(self, columns: dict[str, np.ndarray], row: int | None) -> None:
        """Ring the place of one region, or of none."""
        rows = [] if row is None else [row]
        for plane, ring in zip(self.planes, self.rings, strict=True):
            ring.data = {"x": columns[plane.spec.x][rows], "y": columns[plane.spec.y][rows]}
