"""One galaxy: its maps, the values of a spaxel, and where its regions lie in the sample."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import panel as pn
import pyarrow.parquet as pq
from matplotlib.figure import Figure as PrintedFigure

from app import theme
from app.pages import galaxy_words as words
from app.pages.context import Context
from app.pages.galaxy_layout import lay_out_body, lay_out_rail, style
from app.pages.galaxy_layout import words as html
from app.pages.spaxel import SpaxelDetail
from app.paper.galaxy import galaxy_figure, spaxel_figure
from app.paper.page import Note
from app.registry import PageEntry
from app.screen import map_data
from app.screen.galaxy_picker import GalaxyPicker
from app.screen.galaxy_planes import GalaxyPlanes
from app.screen.map_data import MINUS_TRUE
from app.screen.maps import MapPanel, Sky, html_title
from app.screen.parts import Parts
from app.screen.profiles import Profiles
from app.screen.seen import MapsView
from app.screen.zooms import Zooms
from app.store import Survey
from app.values import MAPS
from engine.columns import REGIONS_FILE
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

    def __init__(self, entry: PageEntry, context: Context) -> None:
        self.entry = entry
        self.survey, self.selection, self.current = context
        self.columns: dict[str, np.ndarray] = {}
        self.frame: map_data.Frame | None = None
        self._shown: int | None = None
        self._before_tap = Tapped(-np.inf, None)
        self.zooms = Zooms(entry.name, self.selection, {})
        parts = Parts()
        self.sky = Sky(parts)
        self.panels = [MapPanel(self.sky, self._tapped, self.zooms.changed) for _ in MAPS]
        self.planes = GalaxyPlanes(parts, self.survey, self.selection, self.zooms.changed)
        self.picker = GalaxyPicker(parts, self.survey.galaxies, self._open)
        self.profiles = Profiles(parts, len(MAPS))
        self.detail = SpaxelDetail(parts, self.survey, self.selection, self.zooms.changed)
        self.zooms.ranges |= {"map_x": self.sky.x_range, "map_y": self.sky.y_range, "wave": self.detail.wave_range}
        self.zooms.ranges |= self.planes.ranges
        self._make_widgets()
        self.rail, self.body = lay_out_rail(self), lay_out_body(self)
        self._forget_unknown_maps()
        self._open_a_galaxy()
        self._show_galaxy()
        self._listen()
        _later(self.detail.prepare)

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

    def _make_widgets(self) -> None:
        look = {"stylesheets": style(), "margin": 0, "sizing_mode": "stretch_width"}
        self.search = pn.widgets.AutocompleteInput(
            label="Galaxy", options=words.search_words(self.survey.galaxies), placeholder="name or CALIFA number",
            case_sensitive=False, restrict=False, search_strategy="includes", min_characters=1, **look,
        )  # fmt: skip
        self.search.param.watch(lambda event: self._search(event.new), "value")
        self.before, self.after = (self._step_button(*step) for step in (("‹ previous", -1), ("next ›", 1)))
        self.choosers = [self._chooser(place, look) for place in range(len(MAPS))]
        self.titles = [html(css_classes=["over"], height=26) for _ in MAPS]
        self.ranges = pn.widgets.RadioButtonGroup(
            label="Colours span", options={"the survey": "survey", "this galaxy": "galaxy"},
            value=self.selection.map_range, **look,
        )  # fmt: skip
        self.ranges.link(self.selection, value="map_range")
        self.profile_words = [html(height=20) for _ in MAPS]
        self.facts, self.spaxel, self.heading, self.caption, self.message = (html() for _ in range(5))

    def _step_button(self, label: str, by: int) -> pn.widgets.Button:
        button = pn.widgets.Button(
            label=label, stylesheets=style(), css_classes=["step"], margin=(0, 4, 0, 0), sizing_mode="stretch_width"
        )
        button.on_click(lambda _: self._step(by))
        return button

    def _chooser(self, place: int, look: dict) -> pn.widgets.Select:
        chooser = pn.widgets.Select(label=f"Map {place + 1}", css_classes=["bare"], **look)
        chooser.param.watch(lambda event: self._choose(place, event.new), "value")
        return chooser

    def _choose(self, place: int, name: str) -> None:
        if name and name != self.selection.maps[place]:
            self.selection.maps = [name if i == place else old for i, old in enumerate(self.selection.maps)]

    def _search(self, typed: str) -> None:
        if not typed:
            return
        found = words.find_galaxy(self.survey.galaxies, typed)
        self._say("" if found is not None else f"No galaxy of this survey is called “{typed}”.")
        if found is not None:
            self._open(found)
            self.search.value = ""  # so that the same galaxy can be searched for again

    def _say(self, sentence: str) -> None:
        self.message.object = f"<p class='warning' role='status'>{words.escape(sentence)}</p>" if sentence else ""

    def _open(self, galaxy_id: int) -> None:
        self._say("")
        with pn.io.hold():
            self.selection.param.update(galaxy_id=galaxy_id, spaxel=None)

    def _open_a_galaxy(self) -> None:
        """Without a choice, or with an unknown one, the galaxy with most regions."""
        ids = self.survey.galaxies["galaxy_id"].tolist()
        if self.selection.galaxy_id in ids:
            return
        unknown = self.selection.galaxy_id
        self._open(self._largest())
        if unknown is not None:
            self._say(f"This survey has no galaxy {unknown}.")

    def _largest(self) -> int:
        """galaxy_id of the galaxy with most regions."""
        galaxies = self.survey.galaxies
        return int(galaxies["galaxy_id"].iloc[int(np.argmax(galaxies["n_regions"]))])

    def _forget_unknown_maps(self) -> None:
        """A link may name quantities that no survey has: the default stands in."""
        pairs = zip(self.selection.maps, MAPS, strict=True)
        self.selection.maps = [name if map_data.is_quantity(name) else default for name, default in pairs]

    def _step(self, by: int) -> None:
        ids = self.survey.galaxies["galaxy_id"].tolist()
        self._open(ids[(ids.index(self.selection.galaxy_id) + by) % len(ids)])

    def step(self, dx: int, dy: int, shift: bool) -> None:
        """Another galaxy, or with Shift another spaxel: what an arrow key asks for."""
        if not shift:
            self._step(dx) if dx else None
        elif self.selection.spaxel is not None:
            x, y = self.selection.spaxel
            self.click_spaxel(x + dx, y + dy)

    def click_spaxel(self, x: float, y: float) -> None:
        """Select the spaxel under (x, y) of a map, or let it go if it is selected; elsewhere nothing happens."""
        here = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        if map_data.region_at(self.frame, x, y) is not None or here in self.detail.lost:
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
        self.sky.draw_marks()
        self.planes.draw()

    # --- what the page shows

    def _show_galaxy(self) -> None:
        """Show the galaxy that was chosen, whole or not at all: one that cannot be read leaves the last one."""
        if self.selection.galaxy_id == self._shown:
            return
        galaxy = self.survey.galaxy_row(self.selection.galaxy_id)
        try:
            columns = self._read(galaxy)
        except (OSError, ValueError, TableError) as error:
            self._keep_last(galaxy, error)
            return
        if self._shown is not None:
            self.zooms.forget(lambda name: name.startswith("map_"))
        self._shown, self.columns = int(galaxy.galaxy_id), columns
        self.frame = map_data.frame_of(columns["x"], columns["y"])
        self.detail.open_galaxy(galaxy.galaxy_id)
        pc_per_spaxel = float(galaxy.pc_per_arcsec * galaxy.spaxel_arcsec)
        self.sky.look_at(map_data.square_window(self.frame), pc_per_spaxel, map_data.axis_angles(dict(galaxy)))
        self.zooms.apply()
        self.sky.draw_marks()
        self.sky.outline(map_data.half_light_ellipse(dict(galaxy)))
        self.picker.show(galaxy.galaxy_id)
        self.planes.show_galaxy(columns)
        self._offer_quantities()
        self._show_maps()
        self._show_facts()
        self._show_spaxel()

    def _read(self, galaxy: pd.Series | None) -> dict[str, np.ndarray]:
        """All columns of a galaxy; raises TableError if the survey has none of that number or none of its regions."""
        if galaxy is None:
            raise TableError(f"this survey has no galaxy {self.selection.galaxy_id}")
        columns = self.survey.galaxy_maps(galaxy.galaxy_id)
        if not len(columns["x"]):
            raise TableError(f"{galaxy['name']} has no regions in this survey")
        return columns

    def _keep_last(self, galaxy: pd.Series | None, error: Exception) -> None:
        what = "This galaxy" if galaxy is None else str(galaxy["name"])
        reason = str(error) if isinstance(error, TableError) else FILES_CHANGED
        if self._shown is None and self.selection.galaxy_id == self._largest():
            raise error
        self.selection.galaxy_id = self._largest() if self._shown is None else self._shown
        self._say(f"{what} cannot be shown: {reason}.")
        self._show_galaxy()

    def _galaxy(self) -> pd.Series:
        """Row of the galaxy that is shown."""
        return self.survey.galaxy_row(self._shown)

    def _offer_quantities(self) -> None:
        offered = map_data.quantities(self.columns)
        for chooser, name in zip(self.choosers, self.selection.maps, strict=True):
            missing = [] if name in {q.name for q in offered} else [map_data.quantity(name)]
            chooser.param.update(options={q.axis: q.name for q in [*offered, *missing]}, value=name)

    def _show_maps(self) -> None:
        reasons = words.reasons(self._galaxy().origin)
        for panel, title, name in zip(self.panels, self.titles, self.selection.maps, strict=True):
            title.object = f"<div class='title'>{html_title(name)}</div>"
            if map_data.has_values(self.columns, name):
                shown = map_data.picture(self.columns, self.frame, name, self._limits(name))
                shown, kinds = map_data.tell_lost(shown, self.detail.lost)
                panel.show(shown, (*reasons, *map(words.lost_words, kinds)))
            else:
                panel.say(f"This table has no {map_data.quantity(name).axis}.")
        self._show_profiles()

    def _show_profiles(self) -> None:
        """Fill the profiles if they are seen."""
        if self.detail.below == "profiles":
            reasons = self.profiles.show(self.columns, dict(self._galaxy()), self.selection.maps)
            for words_, name, reason in zip(self.profile_words, self.selection.maps, reasons, strict=True):
                words_.object = f"<div class='title'>{reason or html_title(name)}</div>"

    def _limits(self, name: str) -> tuple[float, float]:
        if self.selection.map_range == "galaxy":
            return map_data.colour_limits(map_data.values_of(self.columns, name), name)
        return survey_limits(self.survey, name)

    def _is_old(self) -> np.ndarray:
        line = self.current.full.line
        return is_old_ridge(self.columns["log_mu_star"], self.columns["log_age_wr"], line)

    def _show_facts(self) -> None:
        galaxy = self._galaxy()
        known = np.isfinite(self.columns["log_mu_star"]) & np.isfinite(self.columns["log_age_wr"])
        fraction = float(np.mean(self._is_old()[known])) if known.any() else np.nan
        self.facts.object = words.rows_html(words.galaxy_facts(galaxy, fraction))
        self.heading.object = words.heading(galaxy, len(self.columns["x"]))

    def _turn(self) -> None:
        self.detail.turn()
        self._show_profiles()
        self._show_caption()

    def _show_caption(self) -> None:
        told = words.caption(self._galaxy(), self.columns, self.detail.below, self.detail.has_spectra)
        self.caption.object = f"<p class='caption'>{told}</p>"

    def _show_spaxel(self) -> None:
        place = self.selection.spaxel
        row = map_data.region_at(self.frame, *place) if place is not None else None
        lost = self.detail.lost.get(place) if row is None else None
        self.sky.ring_at(*place) if row is not None or lost is not None else self.sky.ring_at()
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
        return str(self._galaxy()["name"])

    @property
    def file_stem(self) -> str:
        """Name of the files made of it."""
        return self.title

    @property
    def told(self) -> str:
        """The caption: facts of this galaxy, and how to read what is shown."""
        galaxy = self._galaxy()
        n = theme.thousands(len(self.columns["x"]))
        span = "the survey" if self.selection.map_range == "survey" else "this galaxy"
        spaxel = "Spaxel ({}, {}). ".format(*self.detail.place) if self.detail.seen else ""
        facts = f"{spaxel}{n} regions; log M∗ {galaxy.log_M_star:.2f}, redshift {galaxy.redshift:.4f}. "
        facts += f"Colours span {span}, 1st to 99th percentile."
        return f"{facts} {words.printed_caption(galaxy, self.columns, self.detail.below)}"

    def paper(self, note: Note) -> PrintedFigure:
        """Maps and what stands below them, as seen."""
        if self.detail.seen:
            return spaxel_figure(self.maps_view(), self.detail.spectrum, note)
        return galaxy_figure(self.maps_view(), self.planes.views(self.columns), note)

    def maps_view(self) -> MapsView:
        """The maps as seen."""
        pictures = [panel.picture for panel in self.panels if panel.picture is not None]
        ellipse = map_data.half_light_ellipse(dict(self._galaxy()))
        return MapsView(pictures, self.sky.window, self.sky.marks, ellipse, self.selection.spaxel)


def survey_limits(survey: Survey, name: str) -> tuple[float, float]:
    """Colour limits of a quantity that hold for every galaxy of the survey."""

    def limits() -> tuple[float, float]:
        measured = name.removesuffix(MINUS_TRUE)
        needed = [measured, f"true_{measured}"] if name.endswith(MINUS_TRUE) else [name]
        table = pq.read_table(survey.folder / REGIONS_FILE, columns=needed)
        columns = {key: table.column(key).to_numpy() for key in needed}
        return map_data.colour_limits(map_data.values_of(columns, name), name)

    return survey.once(("map limits", name), limits)


def _later(work: Callable[[], None]) -> None:
    """Do it once what is being shown is on the screen."""
    document = pn.state.curdoc
    if document and pn.state.loaded:  # a page opened by its tab
        document.add_next_tick_callback(work)
    else:
        pn.state.onload(work)
