"""Relations: the six planes of ZG22 Fig. 3, of whatever is selected."""

import panel as pn

from app.compat import one_change
from app.screen.export import Note, plane_view, planes_figure, png_bytes
from app.screen.parts import Parts
from app.screen.plane import Plane, make_ranges
from app.screen.plane_data import FIGURE_3, LIMITS, Sample, contours, plane_data, select_sample, valley_line
from app.reference import gallazzi05
from app.selection import Selection
from app.store import Survey

SAMPLE_PARAMS = ["log_M_star", "log_mu_e", "sequence", "valley", "valley_slope", "valley_intercept", "smoothing",
                 "weighting"]  # fmt: skip
VIEW_PARAMS = ["zoom", "plane", "normalised"]
FILL = {"sizing_mode": "stretch_both", "margin": 0}
SETTLE_MS = 50  # a gesture sends a burst of views: the planes are counted once it has settled


class RelationsPage:
    """Six planes that follow a Selection; ``sample`` is what they show. They are made when the page is first opened.

    ``places`` are where the planes stand, by name; the shell puts them on the page.
    """

    name = "relations"
    title = "Local age and metallicity against mass"

    def __init__(self, survey: Survey, selection: Selection):
        self.survey, self.selection = survey, selection
        self.ranges = make_ranges(selection.zoom)
        self.planes: list[Plane] = []
        self.places = {spec.name: pn.Column(**FILL) for spec in FIGURE_3}
        if selection.plane not in self.places:
            selection.plane = ""
        self._settling = False
        self.sample: Sample = select_sample(survey, selection)
        self._open()
        selection.param.watch(self._open, ["page"])
        selection.param.watch(self._sample_changed, SAMPLE_PARAMS)
        selection.param.watch(self._redraw, VIEW_PARAMS)
        selection.param.watch(self._overlays, ["show"])

    def _open(self, *_events) -> None:
        """Make the planes, once this page is asked for."""
        if self.selection.page != self.name or all(len(place) for place in self.places.values()):
            return
        parts, listeners = Parts(), (self._view_changed, self._swap, self._enlarge)
        self.planes = [Plane(parts, spec, self.ranges, *listeners) for spec in FIGURE_3]
        for plane in self.planes:
            if plane.spec.published:
                plane.set_published(gallazzi05(plane.spec.y))
        self._overlays()
        self._reference()
        self._draw()
        with one_change():
            for plane in self.planes:
                self.places[plane.spec.name][:] = [pn.pane.Bokeh(plane.figure, **FILL)]

    def _sample_changed(self, *events) -> None:
        self.sample = select_sample(self.survey, self.selection)
        names = {event.name for event in events}
        if names & {"weighting", "valley", "valley_slope", "valley_intercept"}:
            self._reference()
        self._draw()

    def _redraw(self, *events) -> None:
        if any(event.name == "zoom" for event in events):
            for name, range_ in self.ranges.items():
                start, end = self.selection.zoom.get(name, LIMITS[name])
                if (range_.start, range_.end) != (start, end):
                    range_.update(start=start, end=end)
        self._draw()

    def shown(self) -> list[Plane]:
        """The planes on the screen: all, or the one shown large."""
        return [plane for plane in self.planes if self.selection.plane in ("", plane.spec.name)]

    def export_png(self, note: Note) -> bytes:
        """What is on the screen as a figure of 300 dpi."""
        views = [plane_view(self.survey, self.selection, plane.spec, plane.data) for plane in self.shown()]
        return png_bytes(planes_figure(views, note), note)

    def _draw(self) -> None:
        fineness = 2 if self.selection.plane else 1
        for plane in self.shown():
            data = plane_data(self.survey, self.sample, plane.spec, plane.view, fineness)
            plane.update(data, self.selection.normalised)

    def _reference(self) -> None:
        line = valley_line(self.selection.line(self.survey))
        for plane in self.planes:
            plane.set_contours(*contours(self.survey, plane.spec, self.selection.weighting))
            plane.set_valley(*line)

    def _overlays(self, *_events) -> None:
        for plane in self.planes:
            plane.show(self.selection.show)

    def _swap(self) -> None:
        with pn.io.hold():
            self.selection.normalised = not self.selection.normalised

    def _enlarge(self, name: str) -> None:
        self.selection.plane = "" if self.selection.plane == name else name

    def _view_changed(self, _event: object) -> None:
        if not self._settling:
            self._settling = True
            pn.state.curdoc.add_timeout_callback(self._settled, SETTLE_MS)

    def _settled(self) -> None:
        self._settling = False
        now = {name: (range_.start, range_.end) for name, range_ in self.ranges.items()}
        with pn.io.hold():
            self.selection.zoom = {name: view for name, view in now.items() if view != LIMITS[name]}
