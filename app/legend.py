"""The legend of the rail: the marks of the figure that is shown, each with its line, to show or to hide."""

from collections.abc import Callable
from urllib.parse import quote

from app import theme
from app.compat import CheckButtons
from app.registry import BY_NAME, figure_key
from app.selection import Selection
from app.values import INSETS, OVERLAYS
from engine.figures.catalogue import FIGURES, Figure
from engine.figures.marks import ColumnDensity
from engine.figures.styles import style_names


class Legend:
    """``buttons`` tells and takes what is shown; an entry that the figure does not draw is not there."""

    def __init__(self, selection: Selection, choose: Callable[[str, object], None], **look: object):
        self.selection = selection
        look["stylesheets"] = [*look["stylesheets"], legend_style()]
        self.buttons = CheckButtons(
            options=list(OVERLAYS), value=list(selection.show), label="Show", css_classes=["legend"], **look
        )
        self.buttons.param.watch(lambda event: choose("show", event.new), "value")
        selection.param.watch(lambda event: self.buttons.param.update(value=event.new), "show")
        selection.param.watch(self._follow, ["page", "figures"])
        self._follow()

    def _follow(self, *_events: object) -> None:
        figure = shown_figure(self.selection)
        if figure is not None:
            self.buttons.css_classes = ["legend", *(_without(entry) for entry in OVERLAYS if not draws(figure, entry))]


def shown_figure(selection: Selection) -> Figure | None:
    """The figure that is on the screen; None where the page shows none of the catalogue."""
    page = BY_NAME[selection.page]
    return FIGURES[figure_key(page.name, selection.figures)] if page.figures else None


def draws(figure: Figure, entry: str) -> bool:
    """Whether a figure draws marks that an entry of the legend shows or hides."""
    marks = [mark for panel in figure.panels for mark in panel.marks]
    if entry == INSETS:
        return any(mark.inset for mark in marks)
    return entry in {theme.legend_entry(style) for mark in marks for style in style_names(mark) if not mark.inset}


def has_columns(figure: Figure) -> bool:
    """Whether the shades of a figure can be those of each column by itself."""
    return any(isinstance(mark, ColumnDensity) for panel in figure.panels for mark in panel.marks)


def legend_style() -> str:
    """Style sheet of the entries: each with a piece of its line, and a class that takes it away."""
    rules = []
    for place, entry in enumerate(OVERLAYS, start=1):
        button = f".bk-btn:nth-child({place})"
        if entry != INSETS:
            drawing = quote(theme.swatch(entry))
            rules.append(
                f':host(.legend) {button}::before {{ background-image: url("data:image/svg+xml,{drawing}"); }}'
            )
        rules.append(f":host(.{_without(entry)}) {button} {{ display: none !important; }}")
    return "\n".join(rules)


def _without(entry: str) -> str:
    """The class of a legend that has no such entry."""
    return f"without-{OVERLAYS.index(entry) + 1}"
