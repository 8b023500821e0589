"""A page that shows any figure of the catalogue, for whatever is selected."""

from functools import lru_cache, partial

import numpy as np
import panel as pn
from bokeh.models import Range1d
from matplotlib.figure import Figure as PrintedFigure

from app import theme
from app.compat import Words, one_change
from app.looks import asset
from app.pages.context import Context
from app.pages.empty import why_empty
from app.pages.switches import Switches
from app.reference import gallazzi05
from app.registry import PageEntry, figure_key
from app.screen import fills
from app.screen.board import Board
from app.screen.export import Note, PlaneView, planes_figure
from app.screen.lines import DrawnPoints
from app.screen.parts import Parts
from app.screen.plane import Hands, PanelView
from app.values import OVERLAYS
from engine.figures import axes
from engine.figures.arrays import BandArrays, View
from engine.figures.catalogue import BINNED, FIGURES, Figure, Panel, figure
from engine.figures.compute import Tools, compute_mark
from engine.figures.marks import SCATTER, MedianMap, Points
from engine.figures.sample import Sample

FILL = {"sizing_mode": "stretch_both", "margin": 0}
SETTLE_MS = 50  # a gesture sends a burst of views: the planes are counted once it has settled
REACH = 0.04  # part of a panel's side within which a click finds a galaxy: choice
DEEPEST = 2e-4  # part of an axis below which no zoom goes: cells would be finer than the table's digits


@lru_cache
def published(source: str, x: str, y: str) -> BandArrays | None:
    """A published relation, if it is known."""
    if (source, x) != ("Gallazzi+05", "log_M_star"):
        return None
    curve = gallazzi05(y)
    return BandArrays(curve.x, curve.low, curve.median, curve.high)


TOOLS = Tools(count=fills.count, curves=published)


def numbers_words(sample: Sample) -> str:
    """The numbers of a figure, as text that follows the selection."""
    regions, galaxies = theme.thousands(sample.n_regions), theme.thousands(sample.n_galaxies)
    return f"{regions} regions of {galaxies} galaxies."


class FigurePage:
    """The figures of one page of the registry; each is made when it is first shown.

    ``body`` is what the shell puts on the page. While the page is not on the screen nothing is drawn.
    """

    def __init__(self, entry: PageEntry, context: Context):
        self.entry = entry
        self.survey, self.selection, self.current = context
        self.parts = Parts()
        self.ranges: dict[str, Range1d] = {}
        self.boards: dict[str, Board] = {}
        self._stale: set[str] = set()
        self._settling = False
        self.words = Words("", stylesheets=[asset("style/words.css")], margin=0, sizing_mode="stretch_width")
        self.place = pn.Column(**FILL)
        self.switches = Switches(entry, self.selection)
        self.body = pn.Column(self.switches.row, self.place, self.words, **FILL)
        self.show_page()
        self._listen()

    @property
    def key(self) -> str:
        """Key of the figure that is shown."""
        return figure_key(self.entry.name, self.selection.figures)

    @property
    def board(self) -> Board:
        """The figure that is shown."""
        return self.boards[self.key]

    @property
    def figure(self) -> Figure:
        """What is shown, with the bins of mass the visitor chose."""
        return figure(self.key, self.selection.edges) if self.key in BINNED else FIGURES[self.key]

    @property
    def on_screen(self) -> bool:
        """Whether this page is the one that is seen."""
        return self.selection.page == self.entry.name

    def view(self) -> View:
        """How the figure is looked at."""
        return View(self.zoom(), self.selection.weighting, 2 if self._large() else 1, self.selection.min_count)

    def zoom(self) -> dict[str, tuple[float, float]]:
        """Zoomed axes of this page, by column."""
        prefix = f"{self.entry.name}."
        return {key.removeprefix(prefix): w for key, w in self.selection.zoom.items() if key.startswith(prefix)}

    def show_page(self) -> None:
        """Make what is missing and draw what is stale, now that the page is seen."""
        if not self.on_screen:
            return
        if self.key not in self.boards:
            self._make(self.key)
        if self.key in self._stale:
            self._draw()
        if [pane.object for pane in self.place] != [self.board.model]:
            with one_change():
                self._put(self.board)

    # --- what is exported

    @property
    def title(self) -> str:
        """The question the figure answers."""
        return self.figure.title

    @property
    def file_stem(self) -> str:
        """Name of the files made of it."""
        return self.entry.name if self.key == self.entry.keys[0] else f"{self.entry.name}-{self.key}"

    @property
    def told(self) -> str:
        """What to look for, without tags."""
        return theme.plain(self.figure.caption.replace("<sup>", "^"))

    def paper(self, note: Note) -> PrintedFigure:
        """What is on the screen, on paper."""
        hidden, swapped = frozenset(set(OVERLAYS) - set(self.selection.show)), self._swapped()
        views = [
            PlaneView(view.panel, self._arrays(view.panel), view.view, hidden, swapped) for view in self.board.shown()
        ]
        return planes_figure(views, note, self.figure.columns)

    # --- what changes

    def _listen(self) -> None:
        watch = self.selection.param.watch
        self.current.listen(self._changed)
        watch(lambda *_: self.show_page(), ["page", "figures"])
        watch(lambda *_: self._changed(), ["normalised", "shows", "min_count", "edges"])
        watch(lambda *_: self._look(), ["zoom", "plane"])
        watch(lambda *_: self._toggle(), ["show"])

    def _changed(self) -> None:
        self._stale = set(self.boards)
        self.show_page()

    def _look(self) -> None:
        for name, window in self._windows().items():
            range_ = self.ranges[name]
            if (range_.start, range_.end) != window:
                range_.update(start=window[0], end=window[1])
        self._changed()

    def _toggle(self) -> None:
        for board in self.boards.values():
            for view in board.panels:
                view.toggle(self.selection.show, OVERLAYS)

    # --- what is drawn

    def _make(self, key: str) -> None:
        figure_ = self.figure
        for panel in figure_.panels:
            for name in (panel.x, panel.y):
                self.ranges.setdefault(name, self._range(name))
        self.boards[key] = Board(self.parts, figure_, self.ranges, self._hands)
        names = self.survey.once("galaxy names", self._names)
        for view in self.boards[key].panels:
            view.toggle(self.selection.show, OVERLAYS)
            for drawn in view.drawn.values():
                if isinstance(drawn, DrawnPoints):
                    drawn.names = names
        self._stale.add(key)

    def _put(self, board: Board) -> None:
        self.place[:] = [pn.pane.Bokeh(board.model, **FILL)]

    def _names(self) -> dict[int, str]:
        galaxies = self.survey.galaxies
        return dict(zip(galaxies["galaxy_id"].astype(int), galaxies["name"].astype(str), strict=True))

    def _range(self, name: str) -> Range1d:
        low, high = axes.limits(name, self.survey)
        start, end = self.zoom().get(name, (low, high))
        return Range1d(start, end, reset_start=low, reset_end=high, min_interval=DEEPEST * (high - low))

    def _windows(self) -> dict[str, tuple[float, float]]:
        zoom = self.zoom()
        return {name: zoom.get(name, axes.limits(name, self.survey)) for name in self.ranges}

    def _draw(self) -> None:
        board, figure_ = self.board, self.figure
        if board.figure is not figure_:
            board.refigure(figure_)
        board.enlarge(self._large())
        board.show({view.panel.name: self._arrays(view.panel) for view in board.shown()}, self._swapped())
        sample, zoom = self.current.sample, self.zoom()
        board.say({view.panel.name: why_empty(self.survey, sample, view.panel, zoom) for view in board.shown()})
        self.words.object = f'<p class="numbers">{numbers_words(sample)}</p><p class="caption">{figure_.caption}</p>'
        self._stale.discard(self.key)

    def _arrays(self, panel: Panel) -> dict[int, object]:
        sample, view = self.current.sample, self.view()
        return {i: compute_mark(mark, panel, sample, view, TOOLS) for i, mark in enumerate(panel.marks)}

    def _large(self) -> str:
        names = {panel.name for panel in self.figure.panels}
        return self.selection.plane if self.selection.plane in names else ""

    def _swapped(self) -> bool:
        of_medians = any(isinstance(mark, MedianMap) for panel in self.figure.panels for mark in panel.marks)
        return self.selection.shows == SCATTER if of_medians else self.selection.normalised

    # --- what the hand does

    def _hands(self, panel: Panel) -> Hands:
        taps = any(isinstance(mark, Points) for mark in panel.marks)
        return Hands(
            self._view_changed, partial(self._tap, panel) if taps else None, self._swap,
            partial(self._enlarge, panel.name),
        )  # fmt: skip

    def _swap(self) -> None:
        with pn.io.hold():
            if any(isinstance(mark, MedianMap) for panel in self.figure.panels for mark in panel.marks):
                self.selection.shows = "median" if self.selection.shows == SCATTER else SCATTER
            else:
                self.selection.normalised = not self.selection.normalised

    def _enlarge(self, name: str) -> None:
        with pn.io.hold():
            self.selection.plane = "" if self.selection.plane == name else name

    def _tap(self, panel: Panel, x: float, y: float) -> None:
        view: PanelView = next(view for view in self.board.panels if view.panel.name == panel.name)
        source = next(drawn.source.data for drawn in view.drawn.values() if isinstance(drawn, DrawnPoints))
        x0, x1, y0, y1 = view.view
        distance = np.hypot((np.asarray(source["x"]) - x) / (x1 - x0), (np.asarray(source["y"]) - y) / (y1 - y0))
        if distance.size and distance.min() < REACH:
            with pn.io.hold():
                found = int(source["galaxy_id"][int(distance.argmin())])
                self.selection.param.update(galaxy_id=found, spaxel=None, page="galaxy")

    def _view_changed(self, _event: object) -> None:
        if not self._settling:
            self._settling = True
            pn.state.curdoc.add_timeout_callback(self._settled, SETTLE_MS)

    def _settled(self) -> None:
        self._settling = False
        others = {key: w for key, w in self.selection.zoom.items() if not key.startswith(f"{self.entry.name}.")}
        zoom = self.zoom()
        for name, range_ in self.ranges.items():
            full = axes.limits(name, self.survey)
            window = (float(range_.start), float(range_.end))
            zoom[name] = window
            if window == full or not window[0] < window[1]:
                del zoom[name]
        with pn.io.hold():
            self.selection.zoom = others | {f"{self.entry.name}.{name}": window for name, window in zoom.items()}
