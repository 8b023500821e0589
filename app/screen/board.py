"""All panels of one figure, side by side: a grid of planes with the words round them."""

from collections.abc import Callable
from html import escape

from bokeh.models import Column, Div, Range1d

from app import theme
from app.screen.parts import Parts
from app.screen.plane import Hands, PanelView
from app.settings import ASSETS
from engine.figures.catalogue import Figure, Panel
from engine.figures.marks import MedianMap, Running


class Board:
    """A figure of the catalogue on the screen; ``model`` is what Bokeh lays out.

    One pane of words holds all labels, keys and messages: it lies under the planes, in the same grid.
    """

    def __init__(
        self, parts: Parts, figure: Figure, ranges: dict[str, Range1d], hands_of: Callable[[Panel], Hands]
    ) -> None:
        self.figure = figure
        self.large = ""
        self.swapped = False
        self.messages: dict[str, str] = {}
        self.panels = [PanelView(parts, panel, ranges, hands_of(panel)) for panel in figure.panels]
        style = (ASSETS / "style" / "board.css").read_text(encoding="utf-8")
        self._words = Div(text="", stylesheets=[style], css_classes=["words"], disable_math=True)
        self.model = Column(
            children=[self._words, *(view.figure for view in self.panels)],
            stylesheets=[style],
            sizing_mode="stretch_both",
        )
        self._lay_out()

    def refigure(self, figure: Figure) -> None:
        """The same figure with other parts, as when bins of mass are moved."""
        self.figure = figure
        for view, panel in zip(self.panels, figure.panels, strict=True):
            view.panel = panel
        self._lay_out()

    def enlarge(self, name: str) -> None:
        """Show one panel alone, or all for an empty name."""
        if name != self.large:
            self.large = name
            for view in self.panels:
                view.figure.visible = view in self.shown()
            self._lay_out()

    def say(self, messages: dict[str, str]) -> None:
        """Put one sentence into each of these panels, by name."""
        if messages != self.messages:
            self.messages = messages
            self._lay_out()

    def show(self, arrays: dict[str, dict[int, object]], swapped: bool) -> None:
        """Show these arrays, by name of the panel and place of the mark; ``swapped``: insets in the panels' place."""
        for view in self.shown():
            view.show(arrays[view.panel.name], swapped)
        if swapped != self.swapped:
            self.swapped = swapped
            self._lay_out()

    def shown(self) -> list[PanelView]:
        """The panels on the screen: all, or the one shown large."""
        return [view for view in self.panels if self.large in ("", view.panel.name)]

    def _lay_out(self) -> None:
        views = self.shown()
        columns = min(self.figure.columns, len(views))
        kinds = ["board", f"columns-{columns}"]
        if any(view.panel.title for view in views):
            kinds.append("titled")
        if any(_colour(view.panel) for view in views):
            kinds.append("coloured")
        if self.model.css_classes != kinds:
            self.model.css_classes = kinds
        self._words.css_classes = ["words", *kinds]
        self._words.text = "".join(self._cell(view.panel) for view in views)

    def _cell(self, panel: Panel) -> str:
        """Labels, key and message of one panel."""
        x, y = theme.html_axis(panel.x), theme.html_axis(panel.y)
        colour, message = _colour(panel), self.messages.get(panel.name, "")
        parts = [
            f'<div class="title">{escape(panel.title)}</div>' if panel.title else "",
            f'<div class="y-label">{y}</div><div class="x-label">{x}</div>',
            f'<div class="z-label">{_colour_words(colour, self.swapped)}</div>' if colour else "",
            _key(panel),
            f'<p class="message" role="status">{escape(message)}</p>' if message else "",
        ]
        label = f"{theme.plain(y)} against {theme.plain(x)}"
        return f'<div class="cell" role="group" aria-label="{label}">{"".join(parts)}</div>'


def _colour(panel: Panel) -> MedianMap | None:
    """The mark whose colours need a scale."""
    return next((mark for mark in panel.marks if isinstance(mark, MedianMap) and not mark.inset), None)


def _colour_words(mark: MedianMap, scatter: bool) -> str:
    """What the colours of a panel mean."""
    return f"scatter of {theme.html_label(mark.z)} [dex]" if scatter else theme.html_axis(mark.z)


def _key(panel: Panel) -> str:
    """Lines that the rail's legend does not name."""
    named = [(mark.style, mark.label) for mark in panel.marks if isinstance(mark, Running) and mark.label]
    rows = (f"<li>{theme.swatch(style)}{escape(label)}</li>" for style, label in named)
    return f'<ul class="key">{"".join(rows)}</ul>' if named else ""
