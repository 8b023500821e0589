"""The quiet line under a heading: which figure of the page, median or scatter, and how many regions a bin needs."""

import panel as pn

from app.compat import Buttons
from app.looks import widget_style
from app.registry import PageEntry, figure_key
from app.selection import Selection
from app.values import BY_NAME
from engine.figures.catalogue import BINNED, FIGURES
from engine.figures.marks import MEDIAN, SCATTER, MedianMap

LEAST = {"start": 1, "end": 10_000, "step": 10, "width": 200}


class Switches:
    """``row`` holds the widgets of one page; each is tied to a value of the selection."""

    def __init__(self, entry: PageEntry, selection: Selection):
        self.entry, self.selection = entry, selection
        look = {"stylesheets": [widget_style()], "margin": (0, 26, 0, 0)}
        widgets = []
        if len(entry.figures) > 1:
            widgets.append(self._figures(look))
        if any(
            isinstance(mark, MedianMap) for key in entry.keys for panel in FIGURES[key].panels for mark in panel.marks
        ):
            widgets += [self._shows(look), self._least(look)]
        if set(entry.keys) & set(BINNED):
            widgets += [self._edge(place, look) for place in range(len(BY_NAME["edges"].default))]
        self.row = pn.Row(*widgets, margin=0, sizing_mode="stretch_width", css_classes=["switches"],
                          visible=bool(widgets), stylesheets=[widget_style()])  # fmt: skip

    def _figures(self, look: dict) -> Buttons:
        options = {words: key for key, words in self.entry.figures}
        chosen = figure_key(self.entry.name, self.selection.figures)
        buttons = Buttons(options=options, value=chosen, label="Figure", css_classes=["quiet"], **look)

        def choose(event) -> None:
            others = [key for key in self.selection.figures if key not in self.entry.keys]
            self._set("figures", [*others, event.new])

        buttons.param.watch(choose, "value")
        self.selection.param.watch(
            lambda _: buttons.param.update(value=figure_key(self.entry.name, self.selection.figures)), "figures"
        )
        return buttons

    def _shows(self, look: dict) -> Buttons:
        buttons = Buttons(options=[MEDIAN, SCATTER], value=self.selection.shows, label="Colours show",
                          css_classes=["quiet"], **look)  # fmt: skip
        buttons.param.watch(lambda event: self._set("shows", event.new), "value")
        self.selection.param.watch(lambda event: buttons.param.update(value=event.new), "shows")
        return buttons

    def _least(self, look: dict) -> pn.widgets.IntInput:
        field = pn.widgets.IntInput(value=self.selection.min_count, label="regions a bin, at least",
                                    css_classes=["inline"], **LEAST, **look)  # fmt: skip
        field.param.watch(lambda event: self._typed("min_count", event), "value")
        self.selection.param.watch(lambda event: field.param.update(value=event.new), "min_count")
        return field

    def _edge(self, place: int, look: dict) -> pn.widgets.FloatInput:
        """One edge of the bins of mass; it stays between its neighbours."""
        field = pn.widgets.FloatInput(
            value=self.selection.edges[place], label="and" if place else "edges of the bins of log M∗", step=0.05,
            format="0.00", width=200 if not place else 110, css_classes=["inline"], **look,
        )  # fmt: skip

        def move(event) -> None:
            edges = [*self.selection.edges[:place], event.new, *self.selection.edges[place + 1 :]]
            if event.new is not None and edges == sorted(set(edges)):
                self._set("edges", tuple(edges))
            else:
                field.value = self.selection.edges[place]

        field.param.watch(move, "value")
        self.selection.param.watch(lambda event: field.param.update(value=event.new[place]), "edges")
        return field

    def _typed(self, name: str, event) -> None:
        """Take a number that was typed; an emptied field takes back the number in force."""
        if event.new is None:
            event.obj.value = getattr(self.selection, name)
        else:
            self._set(name, event.new)

    def _set(self, name: str, value: object) -> None:
        with pn.io.hold():
            setattr(self.selection, name, value)
