"""A page that shows any figure of the catalogue, for whatever is selected."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import panel as pn

from app.compat import FigurePane, WordsPane, one_change
from app.looks import asset
from app.pages.context import Context
from app.pages.empty import is_dense, why_empty, why_no_cell
from app.pages.figure_numbers import key_words, numbers_words
from app.pages.place import Place, galaxies_at, place_at, words_of
from app.pages.switches import Switches
from app.paper.shown import Shown
from app.reference import published_curve
from app.registry import PageEntry, figure_key
from app.screen import fills
from app.screen.board import Board
from app.screen.lines import DrawnPoints
from app.screen.parts import Parts
from app.screen.plane import Hands, PanelView
from app.screen.zooms import Zooms, axis_range
from app.values import OVERLAYS
from engine.figures import axes
from engine.figures.arrays import View
from engine.figures.catalogue import BINNED, FIGURES, Figure, Panel, figure
from engine.figures.compute import Tools, compute_mark
from engine.figures.marks import SCATTER, MedianMap

FILL = {"sizing_mode": "stretch_both", "margin": 0}
REACH = 0.04  # part of a panel's side within which a click finds a galaxy: choice


TOOLS = Tools(count=fills.count, curves=published_curve)


class FigurePage:
    """The figures of one page of the registry; each is made when it is first shown.

    ``body`` is what the shell puts on the page. While the page is not on the screen nothing is drawn.
    """

    def __init__(self, entry: PageEntry, context: Context):
        self.entry = entry
        self.survey = context.survey
        self.selection = context.selection
        self.current = context.current
        self.tell = context.tell
        self.parts = Parts()
        self.boards: dict[str, Board] = {}
        self._stale: set[str] = set()
        self.zooms = Zooms(entry.name, self.selection)
        self.words = WordsPane("", stylesheets=[asset("style/words.css")], margin=0, sizing_mode="stretch_width")
        self.place = pn.Column(**FILL)
        self.switches = Switches(entry, self.selection)
        self.body = pn.Column(
            self.switches.row, self.place, self.words, stylesheets=[asset("style/narrow.css")], **FILL
        )
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
        return View(self.zooms.windows(), self.selection.weighting, 2 if self._large() else 1, self.selection.min_count)

    def show_page(self) -> None:
        """Make what is missing and draw what is stale, now that the page is seen."""
        if not self.on_screen:
            return
        if self.key not in self.boards:
            self._make(self.key)
        if self.key in self._stale:
            self._draw()
        self._caption()
        if [pane.object for pane in self.place] != [self.board.model]:
            with one_change():
                self._put(self.board)

    # --- what is exported

    def shown(self, link: str) -> Shown:
        """What is on the screen, for files: the figure or the one panel of it, cut and view."""
        panels = tuple(view.panel for view in self.board.shown())
        figure_ = replace(self.figure, panels=panels, columns=min(self.figure.columns, len(panels)))
        hidden = frozenset(OVERLAYS).difference(self.selection.show)
        cut, edges = self.selection.cut(), self.selection.edges
        return Shown(figure_, self.survey, cut, self.view(), edges, link, hidden, self._swapped())

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
        self.zooms.apply()
        self._changed()

    def _toggle(self) -> None:
        for board in self.boards.values():
            for view in board.panels:
                view.toggle(self.selection.show, OVERLAYS)

    # --- what is drawn

    def _make(self, key: str) -> None:
        figure_ = self.figure
        axes_of_figure = {name for panel in figure_.panels for name in (panel.x, panel.y)}
        new = sorted(axes_of_figure - self.zooms.ranges.keys())
        windows = self.zooms.windows()
        self.zooms.follow({name: axis_range(axes.limits(name, self.survey), windows.get(name)) for name in new})
        self.boards[key] = Board(self.parts, figure_, self.zooms.ranges, self._hands)
        names = self.survey.once("galaxy names", self._names)
        for view in self.boards[key].panels:
            view.toggle(self.selection.show, OVERLAYS)
            for drawn in view.drawn.values():
                if isinstance(drawn, DrawnPoints):
                    drawn.names = names
        self._stale.add(key)

    def _put(self, board: Board) -> None:
        self.place[:] = [FigurePane(board.model, **FILL)]

    def _names(self) -> dict[int, str]:
        galaxies = self.survey.galaxies
        return dict(zip(galaxies["galaxy_id"].astype(int), galaxies["name"].astype(str), strict=True))

    def _draw(self) -> None:
        board, figure_ = self.board, self.figure
        if board.figure is not figure_:
            board.refigure(figure_)
        board.enlarge(self._large())
        arrays = {view.panel.name: self._arrays(view.panel) for view in board.shown()}
        board.show(arrays, self._swapped())
        board.say({view.panel.name: self._empty(view.panel, arrays[view.panel.name]) for view in board.shown()})
        self._stale.discard(self.key)

    def _caption(self) -> None:
        """Numbers and caption of the figure that is shown, also of one that was drawn before."""
        figure_ = self.figure
        numbers = f'<p class="numbers"><span>{self._numbers()}</span><span>{key_words(figure_)}</span></p>'
        self.words.object = f'{numbers}<p class="caption">{figure_.caption}</p>'

    def _arrays(self, panel: Panel) -> dict[int, object]:
        sample, view = self.current.sample, self.view()
        return {
            i: self._recent((panel, i), partial(compute_mark, mark, panel, sample, view, TOOLS))
            for i, mark in enumerate(panel.marks)
        }

    def _empty(self, panel: Panel, arrays: dict[int, object]) -> str:
        if is_dense(panel, arrays):
            return ""
        sample, zoom = self.current.sample, self.zooms.windows()
        why = self._recent(("empty", panel), lambda: why_empty(self.survey, sample, panel, zoom))
        return why or why_no_cell(arrays.values(), self.selection.min_count)

    def _numbers(self) -> str:
        return self._recent(("numbers", self.figure), lambda: numbers_words(self.figure, self.current.sample))

    def _recent(self, what: object, make: Callable[[], object]) -> object:
        """What follows from cut and view alone: other visitors who choose the same find it made."""
        sample, view = self.current.sample, self.view()
        state = (sample.cut, tuple(sorted(view.zoom.items())), view.weighting, view.fineness, view.min_count)
        return self.survey.recent((what, state), make)

    def _large(self) -> str:
        names = {panel.name for panel in self.figure.panels}
        return self.selection.plane if self.selection.plane in names else ""

    def _swapped(self) -> bool:
        return self.selection.shows == SCATTER if self._of_medians() else self.selection.normalised

    def _of_medians(self) -> bool:
        return any(isinstance(mark, MedianMap) for panel in self.figure.panels for mark in panel.marks)

    # --- what the hand does

    def _hands(self, panel: Panel) -> Hands:
        return Hands(partial(self._tap, panel), self._swap, partial(self._enlarge, panel.name))

    def _swap(self) -> None:
        with pn.io.hold():
            if self._of_medians():
                self.selection.shows = "median" if self.selection.shows == SCATTER else SCATTER
            else:
                self.selection.normalised = not self.selection.normalised

    def _enlarge(self, name: str) -> None:
        with pn.io.hold():
            self.selection.plane = "" if self.selection.plane == name else name
        self.tell(place=None)  # of the first of both clicks

    def _tap(self, panel: Panel, x: float, y: float) -> None:
        view: PanelView = next(view for view in self.board.panels if view.panel.name == panel.name)
        points = next((drawn for drawn in view.drawn.values() if isinstance(drawn, DrawnPoints)), None)
        if points is None:
            self._list(view, x, y)
        else:
            self._open_nearest(view, points, x, y)

    def _list(self, view: PanelView, x: float, y: float) -> None:
        """List the galaxies of the place that was clicked, beside it."""
        x0, x1, y0, y1 = view.view
        place = place_at(view.panel, self.survey, (x, y), Place((x0, x1), (y0, y1)))
        found = galaxies_at(self.current.sample, view.panel, place)
        self.tell(place=words_of(found, view.panel, place, self.survey))

    def _open_nearest(self, view: PanelView, points: DrawnPoints, x: float, y: float) -> None:
        source, (x0, x1, y0, y1) = points.source.data, view.view
        distance = np.hypot((np.asarray(source["x"]) - x) / (x1 - x0), (np.asarray(source["y"]) - y) / (y1 - y0))
        if distance.size and distance.min() < REACH:
            with pn.io.hold():
                found = int(source["galaxy_id"][int(distance.argmin())])
                self.selection.param.update(galaxy_id=found, spaxel=None, page="galaxy")
