"""Which galaxy: the search for a name, the steps to its neighbours, and what to say when there is none."""

from html import escape

import numpy as np
import panel as pn

from app.pages import galaxy_words
from app.pages.galaxy_layout import style
from app.pages.galaxy_layout import words as html
from app.selection import Selection
from app.store import Survey

STEPS = (("‹ previous", -1), ("next ›", 1))


class GalaxyFinder:
    """``search``, ``steps`` and ``message`` are the widgets; what they find becomes ``selection.galaxy_id``."""

    def __init__(self, survey: Survey, selection: Selection) -> None:
        self.survey, self.selection = survey, selection
        self.ids: list[int] = survey.galaxies["galaxy_id"].tolist()
        self.search = pn.widgets.AutocompleteInput(
            label="Galaxy", options=galaxy_words.search_words(survey.galaxies), placeholder="name or CALIFA number",
            case_sensitive=False, restrict=False, search_strategy="includes", min_characters=1, stylesheets=style(),
            margin=0, sizing_mode="stretch_width",
        )  # fmt: skip
        self.search.param.watch(lambda event: self.find(event.new), "value")
        self.steps = [self._button(*step) for step in STEPS]
        self.message = html()

    @property
    def largest(self) -> int:
        """galaxy_id of the galaxy with most regions: what is shown first."""
        return self.ids[int(np.argmax(self.survey.galaxies["n_regions"]))]

    def open(self, galaxy_id: int) -> None:
        """Choose a galaxy."""
        self.say("")
        with pn.io.hold():
            self.selection.param.update(galaxy_id=galaxy_id, spaxel=None)

    def open_one(self) -> None:
        """Without a choice, or with an unknown one, the largest galaxy."""
        unknown = self.selection.galaxy_id
        if unknown in self.ids:
            return
        self.open(self.largest)
        if unknown is not None:
            self.say(f"This survey has no galaxy {unknown}.")

    def find(self, typed: str) -> None:
        """Open the galaxy of that name or number."""
        if not typed:
            return
        found = galaxy_words.find_galaxy(self.survey.galaxies, typed)
        if found is None:
            self.say(f"No galaxy of this survey is called “{typed}”.")
            return
        with pn.io.hold():  # the empty field comes with the galaxy, and not over what is typed next
            self.open(found)
            self.search.value = ""  # so that the same galaxy can be searched for again

    def step(self, by: int) -> None:
        """So many galaxies on, round the table."""
        self.open(self.ids[(self.ids.index(self.selection.galaxy_id) + by) % len(self.ids)])

    def say(self, sentence: str) -> None:
        """One sentence under the search, or none."""
        self.message.object = f"<p class='warning' role='status'>{escape(sentence)}</p>" if sentence else ""

    def _button(self, label: str, by: int) -> pn.widgets.Button:
        button = pn.widgets.Button(
            label=label, stylesheets=style(), css_classes=["step"], margin=(0, 4, 0, 0), sizing_mode="stretch_width"
        )
        button.on_click(lambda _: self.step(by))
        return button
