"""One galaxy: its maps, the values of a spaxel, and where its regions lie in the sample."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import panel as pn
from matplotlib.figure import Figure as PrintedFigure

from app.pages import galaxy_files
from app.pages import galaxy_words as words
from app.pages.context import Context
from app.pages.galaxy_finder import GalaxyFinder
from app.pages.galaxy_layout import lay_out_body, lay_out_rail
from app.pages.galaxy_layout import words as html
from app.pages.galaxy_maps import MapsOfGalaxy, Opened
from app.pages.spaxel import SpaxelDetail
from app.paper.page import Note
from app.registry import PageEntry
from app.screen import map_data
from app.screen.galaxy_picker import GalaxyPicker
from app.screen.galaxy_planes import GalaxyPlanes
from app.screen.parts import Parts
from app.screen.zooms import Zooms
from engine.errors import TableError
from engine.relations.green_valley import is_old_ridge

DOUBLE_CLICK_S = 0.4  # between the clicks of a double one, at most
FILES_CHANGED = "the files of the survey have changed; reload the page"


class Tapped(NamedTuple):
    """When a map was last clicked [s], and what was picked before."""

    at: float
    spaxel: tuple[int, int] | None


class GalaxyPage:
    """What a visitor sees of ``selection.galaxy_id``; made once, then patched.

    ``rail``, ``heading`` and ``body`` are its parts; the shell puts them in their places.
    """

    galaxy: Opened | None = None

    def __init__(self, entry: PageEntry, context: Context) -> None:
        self.entry = entry
        self.survey = context.survey
        self.selection = context.selection
        self.current = context.current
        self._before_tap = Tapped(-np.inf, None)
        self.zooms = Zooms(entry.name, self.selection)
        parts = Parts()
        self.finder = GalaxyFinder(self.survey, self.selection)
        self.maps = MapsOfGalaxy(parts, self.survey, self.selection, self._tapped)
        self.planes = GalaxyPlanes(parts, self.survey, self.selection)
        self.picker = GalaxyPicker(parts, self.survey.galaxies, self.finder.open)
        self.detail = SpaxelDetail(parts, self.survey, self.selection)
        sky = self.maps.sky
        own = {"map_x": sky.x_range, "map_y": sky.y_range, "wave": self.detail.wave_range}
        self.zooms.follow(own | self.planes.ranges)
        self.facts, self.spaxel, self.heading, self.caption = (html() for _ in range(4))
        self.rail, self.body = lay_out_rail(self), lay_out_body(self)
        self.finder.open_one()
        self._show_galaxy()
        self._listen()
        _later(self.detail.prepare)

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Columns of the regions of the galaxy that is shown, (region,) each."""
        return self.galaxy.columns

    # --- what the visitor does

    def _listen(self) -> None:
        valley = ["valley", "valley_slope", "valley_intercept", "weighting"]
        self._follow(["galaxy_id"], self._show_galaxy)
        self._follow(["maps", "map_range"], self._show_maps)
        self._follow(["spaxel"], self._show_spaxel)
        self._follow(["detail"], self._turn)
        self._follow(valley, self._show_facts)
        self._follow(["show", *valley], self.planes.draw)
        self._follow(["zoom"], self._look)

    def _follow(self, names: list[str], show: Callable[[], None]) -> None:
        """Call ``show`` when one of these values changes, and send what it changes in one go.

        Without the hold, an event that arrives while bokeh still writes the last answer fails (_pending_writes).
        """

        def shown(*_events) -> None:
            with pn.io.hold():
                show()

        self.selection.param.watch(shown, names)

    def step(self, dx: int, dy: int, shift: bool) -> None:
        """Another galaxy, or with Shift another spaxel: what an arrow key asks for."""
        if not shift:
            self.finder.step(dx) if dx else None
        elif self.selection.spaxel is not None:
            x, y = self.selection.spaxel
            self.click_spaxel(x + dx, y + dy)

    def click_spaxel(self, x: float, y: float) -> None:
        """Select the spaxel under (x, y) of a map, or let it go if it is selected; elsewhere nothing happens."""
        here = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        if map_data.region_at(self.galaxy.frame, x, y) is not None or here in self.detail.lost:
            with pn.io.hold():  # figures and link in one message, and one painting
                self.selection.spaxel = None if here == self.selection.spaxel else here

    def _tapped(self, x: float, y: float) -> None:
        """A click picks a spaxel; the second one of a double click gives back what was picked before."""
        now, before = time.monotonic(), self._before_tap
        if now - before.at < DOUBLE_CLICK_S:
            with pn.io.hold():
                self.selection.spaxel = before.spaxel
            self._before_tap = Tapped(-np.inf, None)
            return
        self._before_tap = Tapped(now, self.selection.spaxel)
        self.click_spaxel(x, y)

    def _look(self) -> None:
        self.zooms.apply()
        self.maps.sky.draw_marks()
        self.planes.draw()

    # --- what the page shows

    def _show_galaxy(self) -> None:
        """Show the galaxy that was chosen, whole or not at all: one that cannot be read leaves the last one."""
        if self.galaxy is not None and self.selection.galaxy_id == self.galaxy.row.galaxy_id:
            return
        row = self.survey.galaxy_row(self.selection.galaxy_id)
        try:
            opened = self._read(row)
        except (OSError, ValueError, TableError) as error:
            self._keep_last(row, error)
            return
        if self.galaxy is not None:
            self.zooms.forget(lambda name: name.startswith("map_"))
        self.galaxy = opened
        self.detail.open_galaxy(row.galaxy_id)
        self.maps.look_at(opened)
        self.zooms.apply()
        self.maps.sky.draw_marks()
        self.picker.show(row.galaxy_id)
        self.planes.show_galaxy(opened.columns)
        self.maps.offer(opened.columns)
        self._show_maps()
        self._show_facts()
        self._show_spaxel()

    def _read(self, row: pd.Series | None) -> Opened:
        """A galaxy; raises TableError if the survey has none of that number or none of its regions."""
        if row is None:
            raise TableError(f"this survey has no galaxy {self.selection.galaxy_id}")
        columns = self.survey.galaxy_maps(row.galaxy_id)
        if not len(columns["x"]):
            raise TableError(f"{row['name']} has no regions in this survey")
        return Opened(row, columns, map_data.frame_of(columns["x"], columns["y"]))

    def _keep_last(self, row: pd.Series | None, error: Exception) -> None:
        what = "This galaxy" if row is None else str(row["name"])
        reason = str(error) if isinstance(error, TableError) else FILES_CHANGED
        if self.galaxy is None and self.selection.galaxy_id == self.finder.largest:
            raise error
        last = self.finder.largest if self.galaxy is None else int(self.galaxy.row.galaxy_id)
        self.selection.galaxy_id = last
        self.finder.say(f"{what} cannot be shown: {reason}.")
        self._show_galaxy()

    def _show_maps(self) -> None:
        self.maps.show(self.galaxy, self.detail.lost)
        self._show_profiles()

    def _show_profiles(self) -> None:
        """Fill the profiles if they are seen."""
        if self.detail.below == "profiles":
            self.maps.show_profiles(self.galaxy)

    def _is_old(self) -> np.ndarray:
        line = self.current.full.line
        return is_old_ridge(self.columns["log_mu_star"], self.columns["log_age_wr"], line)

    def _show_facts(self) -> None:
        row = self.galaxy.row
        known = np.isfinite(self.columns["log_mu_star"]) & np.isfinite(self.columns["log_age_wr"])
        fraction = float(np.mean(self._is_old()[known])) if known.any() else np.nan
        self.facts.object = words.rows_html(words.galaxy_facts(row, fraction))
        self.heading.object = words.heading(row, len(self.columns["x"]))

    def _turn(self) -> None:
        self.detail.turn()
        self._show_profiles()
        self._show_caption()

    def _show_caption(self) -> None:
        told = words.caption(self.galaxy.row, self.columns, self.detail.below, self.detail.has_spectra)
        self.caption.object = f"<p class='caption'>{told}</p>"

    def _show_spaxel(self) -> None:
        place, sky = self.selection.spaxel, self.maps.sky
        row = map_data.region_at(self.galaxy.frame, *place) if place is not None else None
        lost = self.detail.lost.get(place) if row is None else None
        sky.ring_at(*place) if row is not None or lost is not None else sky.ring_at()
        self.planes.ring_at(self.columns, row)
        self.detail.show(place if row is not None else None)
        self._show_caption()
        if row is None:
            self.spaxel.object = words.no_spaxel(place, lost)
            return
        is_old = bool(self._is_old()[row]) if np.isfinite(self.columns["log_age_wr"][row]) else None
        table = words.rows_html(words.spaxel_facts(self.columns, row))
        said = words.spaxel_sentence(self.columns, row, is_old)
        self.spaxel.object = f"<h2>Spaxel ({place[0]}, {place[1]})</h2>{table}<p class='quiet'>{said}</p>"

    # --- what is exported

    @property
    def title(self) -> str:
        """Name of the galaxy that is open."""
        return str(self.galaxy.row["name"])

    @property
    def file_stem(self) -> str:
        """Name of the files made of it."""
        return self.title

    @property
    def told(self) -> str:
        """The caption: facts of this galaxy, and how to read what is shown."""
        return galaxy_files.told(self)

    def paper(self, note: Note, columns: str = "two") -> PrintedFigure:
        """Maps and what stands below them, as seen, for one or two columns of the journal."""
        return galaxy_files.paper(self, note, columns)


def _later(work: Callable[[], None]) -> None:
    """Do it once what is being shown is on the screen."""
    document = pn.state.curdoc
    if document and pn.state.loaded:  # a page opened by its tab
        document.add_next_tick_callback(work)
    else:
        pn.state.onload(work)
