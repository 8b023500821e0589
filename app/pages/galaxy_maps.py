"""The row of maps of one galaxy, each with its chooser, and the profiles of the same quantities."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import panel as pn
import pyarrow.parquet as pq

from app.pages import galaxy_words
from app.pages.galaxy_layout import style
from app.pages.galaxy_layout import words as html
from app.screen import map_data
from app.screen.map_data import MINUS_TRUE, Frame
from app.screen.maps import MapPanel, SkyWindow, html_title
from app.screen.parts import Parts
from app.screen.profiles import Profiles
from app.screen.seen import MapsView
from app.selection import Selection
from app.store import Survey
from app.values import MAPS
from engine.columns import REGIONS_FILE


class Opened(NamedTuple):
    """A galaxy that could be read: its row of the galaxy table, its regions' columns (region,), where they lie."""

    row: pd.Series
    columns: dict[str, np.ndarray]
    frame: Frame


class MapsOfGalaxy:
    """Maps of what ``selection.maps`` names; ``pick`` hears of the place of a click."""

    def __init__(
        self, parts: Parts, survey: Survey, selection: Selection, pick: Callable[[float, float], None]
    ) -> None:
        self.survey, self.selection = survey, selection
        self.sky = SkyWindow(parts)
        self.panels = [MapPanel(self.sky, pick) for _ in MAPS]
        self.titles = [html(css_classes=["over"], height=26) for _ in MAPS]
        self.choosers = [self._chooser(place) for place in range(len(MAPS))]
        self.span = pn.widgets.RadioButtonGroup(
            label="Colours span", options={"the survey": "survey", "this galaxy": "galaxy"},
            value=selection.map_range, stylesheets=style(), margin=0, sizing_mode="stretch_width",
        )  # fmt: skip
        self.span.link(selection, value="map_range")
        self.profiles = Profiles(parts, len(MAPS))
        self.profile_words = [html(height=20) for _ in MAPS]
        self._forget_unknown()

    def look_at(self, galaxy: Opened) -> None:
        """Show the part of the sky where a galaxy lies."""
        pc_per_spaxel = float(galaxy.row.pc_per_arcsec * galaxy.row.spaxel_arcsec)
        facts = dict(galaxy.row)
        self.sky.look_at(map_data.square_window(galaxy.frame), pc_per_spaxel, map_data.map_axes(facts))
        self.sky.outline(map_data.half_light_ellipse(facts))

    def offer(self, columns: dict[str, np.ndarray]) -> None:
        """Offer what this galaxy has, and what was chosen in any case."""
        offered = map_data.quantities(columns)
        for chooser, name in zip(self.choosers, self.selection.maps, strict=True):
            missing = [] if name in {q.name for q in offered} else [map_data.quantity(name)]
            chooser.param.update(options={q.axis: q.name for q in [*offered, *missing]}, value=name)

    def show(self, galaxy: Opened, lost: dict[tuple[int, int], int]) -> None:
        """Fill all maps; ``lost`` are the flags of spaxels that were not kept."""
        reasons = galaxy_words.reasons(galaxy.row.origin)
        for panel, title, name in zip(self.panels, self.titles, self.selection.maps, strict=True):
            title.object = f"<div class='title'>{html_title(name)}</div>"
            if map_data.has_values(galaxy.columns, name):
                limits = self._limits(galaxy.columns, name)
                shown = map_data.picture(galaxy.columns, galaxy.frame, name, limits)
                shown, kinds = map_data.tell_lost(shown, lost)
                panel.show(shown, (*reasons, *map(galaxy_words.lost_words, kinds)))
            else:
                panel.say(f"This table has no {map_data.quantity(name).axis}.")

    def show_profiles(self, galaxy: Opened) -> None:
        """Fill the profiles of the same quantities."""
        names = self.selection.maps
        reasons = self.profiles.show(galaxy.columns, dict(galaxy.row), names)
        for words, name, reason in zip(self.profile_words, names, reasons, strict=True):
            words.object = f"<div class='title'>{reason or html_title(name)}</div>"

    def view(self, galaxy: Opened) -> MapsView:
        """The maps as seen, for export."""
        pictures = [panel.picture for panel in self.panels if panel.picture is not None]
        ellipse = map_data.half_light_ellipse(dict(galaxy.row))
        return MapsView(pictures, self.sky.window, self.sky.marks, ellipse, self.selection.spaxel)

    def _chooser(self, place: int) -> pn.widgets.Select:
        chooser = pn.widgets.Select(
            label=f"Map {place + 1}", css_classes=["bare"], stylesheets=style(), margin=0, sizing_mode="stretch_width"
        )
        chooser.param.watch(lambda event: self._choose(place, event.new), "value")
        return chooser

    def _choose(self, place: int, name: str) -> None:
        if name and name != self.selection.maps[place]:
            self.selection.maps = [name if i == place else old for i, old in enumerate(self.selection.maps)]

    def _forget_unknown(self) -> None:
        """A link may name quantities that no survey has: the default stands in."""
        pairs = zip(self.selection.maps, MAPS, strict=True)
        self.selection.maps = [name if map_data.is_quantity(name) else default for name, default in pairs]

    def _limits(self, columns: dict[str, np.ndarray], name: str) -> tuple[float, float]:
        if self.selection.map_range == "galaxy":
            return map_data.colour_limits(map_data.values_of(columns, name), name)
        return survey_limits(self.survey, name)


def survey_limits(survey: Survey, name: str) -> tuple[float, float]:
    """Colour limits of a quantity that hold for every galaxy of the survey."""

    def limits() -> tuple[float, float]:
        measured = name.removesuffix(MINUS_TRUE)
        needed = [measured, f"true_{measured}"] if name.endswith(MINUS_TRUE) else [name]
        table = pq.read_table(survey.folder / REGIONS_FILE, columns=needed)
        columns = {key: table.column(key).to_numpy() for key in needed}
        return map_data.colour_limits(map_data.values_of(columns, name), name)

    return survey.once(("map limits", name), limits)
