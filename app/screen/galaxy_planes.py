"""The regions of one galaxy over the density of the whole sample: age and metallicity against mass density."""

import numpy as np
from bokeh.models import Scatter

from app.screen import fills
from app.screen.parts import RING, Parts
from app.screen.plane import Hands, PanelView
from app.screen.seen import FADE, PlaneView
from app.screen.zooms import axis_range
from app.selection import Selection
from app.store import Survey
from app.values import OVERLAYS
from engine.figures import axes
from engine.figures.arrays import View
from engine.figures.catalogue import AGE, MU_STAR, Panel, Z
from engine.figures.compute import Tools, compute_mark
from engine.figures.marks import Contours, Density, Valley
from engine.figures.sample import full_sample

PANELS = (Panel(MU_STAR, AGE, (Density(), Contours(), Valley())), Panel(MU_STAR, Z, (Density(), Contours())))
TOOLS = Tools(count=fills.count)


class GalaxyPlanes:
    """Two planes; ``show_galaxy`` and ``ring_at`` patch what lies over them."""

    def __init__(self, parts: Parts, survey: Survey, selection: Selection) -> None:
        self.survey, self.selection = survey, selection
        self.ranges = {name: axis_range(axes.limits(name, survey)) for name in (MU_STAR, AGE, Z)}
        self.planes = [PanelView(parts, panel, self.ranges, Hands()) for panel in PANELS]
        self.points = [parts.source({"x": [], "y": []}) for _ in PANELS]
        self.rings = [parts.source({"x": [], "y": []}) for _ in PANELS]
        self.arrays: list[dict[int, object]] = []
        for plane, points, ring in zip(self.planes, self.points, self.rings, strict=True):
            plane.fade(FADE)
            dots = Scatter(x="x", y="y", size=2.2, fill_color=RING, fill_alpha=0.5, line_color=None)
            parts.draw(plane.figure, dots, points)
            parts.draw_ring(plane.figure, ring, 14)
        self.draw()

    def draw(self) -> None:
        """Count the whole survey, under the weighting chosen, in the views now on the screen."""
        sample = full_sample(self.survey, self.selection.weighting, self.selection.valley_asked())
        view = View(self.windows(), self.selection.weighting)
        self.arrays = [
            {i: compute_mark(mark, panel, sample, view, TOOLS) for i, mark in enumerate(panel.marks)}
            for panel in PANELS
        ]
        for plane, arrays in zip(self.planes, self.arrays, strict=True):
            plane.show(arrays, swapped=False)
            plane.toggle(self.selection.show, OVERLAYS)

    def windows(self) -> dict[str, tuple[float, float]]:
        """Ends of the axes that are zoomed, by column."""
        now = {name: (float(range_.start), float(range_.end)) for name, range_ in self.ranges.items()}
        return {name: window for name, window in now.items() if window != axes.limits(name, self.survey)}

    def views(self, columns: dict[str, np.ndarray]) -> list[PlaneView]:
        """The planes as seen, for export."""
        seen, hidden = [], frozenset(set(OVERLAYS) - set(self.selection.show))
        for plane, arrays, ring in zip(self.planes, self.arrays, self.rings, strict=True):
            points = columns[plane.panel.x], columns[plane.panel.y]
            place = (float(ring.data["x"][0]), float(ring.data["y"][0])) if len(ring.data["x"]) else None
            seen.append(PlaneView(plane.panel, arrays, plane.view, hidden, points=points, ring=place))
        return seen

    def show_galaxy(self, columns: dict[str, np.ndarray]) -> None:
        """Put the regions of a galaxy over the sample."""
        for plane, points in zip(self.planes, self.points, strict=True):
            points.data = {"x": columns[plane.panel.x], "y": columns[plane.panel.y]}

    def ring_at(self, columns: dict[str, np.ndarray], row: int | None) -> None:
        """Ring the place of one region, or of none."""
        rows = [] if row is None else [row]
        for plane, ring in zip(self.planes, self.rings, strict=True):
            ring.data = {"x": columns[plane.panel.x][rows], "y": columns[plane.panel.y][rows]}
