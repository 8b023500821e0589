"""Where the parts of the galaxy page stand: the rail, and the body of maps, planes and caption."""

import panel as pn

from app import theme
from app.compat import FigurePane, WordsPane
from app.looks import asset
from app.screen.galaxy_picker import X, Y
from app.settings import ASSETS

PLANES_HEIGHT = 262  # px, so that maps and planes fit a screen of 1366x768


def style() -> list[str]:
    """Style sheets of panels, which live in shadow roots and see no other."""
    return [(ASSETS / "style" / name).read_text(encoding="utf-8") for name in ("widgets.css", "galaxy.css")]


def words(text: str = "", **options) -> WordsPane:
    """A pane of words in the page's own style."""
    return WordsPane(text, stylesheets=style(), **({"margin": 0, "sizing_mode": "stretch_width"} | options))


def lay_out_rail(page) -> pn.Column:
    """Search, steps, facts of the galaxy and of the spaxel, range of the colours."""
    finder = page.finder
    steps = pn.Row(*finder.steps, sizing_mode="stretch_width", margin=(6, 0, 8, 0))
    span = words("<h2>Colours span</h2>")
    parts = [finder.search, finder.message, steps, page.facts, page.spaxel, span, page.maps.span]
    return pn.Column(*parts, sizing_mode="stretch_width", margin=0)


def lay_out_body(page) -> pn.Column:
    """The row of maps, the row of planes and the caption."""
    row = page.maps
    maps = [
        pn.Column(
            title, chooser, figure_pane(panel.figure, "scale_width"), sizing_mode="stretch_width", margin=_gap(i, 4)
        )
        for i, (title, chooser, panel) in enumerate(zip(row.titles, row.choosers, row.panels, strict=True))
    ]
    figures = [(plane.figure, plane.panel.x, plane.panel.y) for plane in page.planes.planes]
    figures.append((page.picker.figure, X, Y))
    planes = [labelled(figure, x, y, margin=_gap(i, 3)) for i, (figure, x, y) in enumerate(figures)]
    wide = {"sizing_mode": "stretch_width", "margin": (6, 0, 0, 0)}
    folds = wide | {"stylesheets": [asset("style/rows.css")]}
    below = page.detail.put_aside(sample=pn.Row(*planes, **folds), profiles=pn.Row(*profiles_of(page), **folds))
    rows = [pn.Row(*maps, **folds), page.detail.head, *below, page.detail.row]
    return pn.Column(*rows, page.caption, **wide | {"margin": 0, "stylesheets": [asset("style/narrow.css")]})


def profiles_of(page) -> list[pn.Column]:
    """One plane per map: its quantity against the distance from the centre."""
    across = "<div class='x-label'>R / R<sub>e</sub></div>"
    size = {"sizing_mode": "stretch_width", "height": PLANES_HEIGHT}
    figures = page.maps.profiles.figures
    return [
        pn.Column(
            page.maps.profile_words[i], figure_pane(plot, "stretch_both"), words(across), margin=_gap(i, 4), **size
        )
        for i, plot in enumerate(figures)
    ]


def labelled(figure, x: str, y: str, **options) -> pn.Row:
    """A plane with its axis labels beside it, set in the page's own type."""
    up = words(f"<div class='y-label'>{theme.html_axis(y)}</div>", width=18, sizing_mode="stretch_height")
    across = words(f"<div class='x-label'>{theme.html_axis(x)}</div>")
    plane = figure_pane(figure, "stretch_both")
    column = pn.Column(plane, across, sizing_mode="stretch_both", margin=0)
    size = (
        {"sizing_mode": "stretch_height"}
        if "width" in options
        else {"sizing_mode": "stretch_width", "height": PLANES_HEIGHT}
    )
    return pn.Row(up, column, **size, **options)


def figure_pane(figure, sizing_mode: str, **options) -> FigurePane:
    """A figure that fills its place."""
    return FigurePane(figure, sizing_mode=sizing_mode, margin=0, **options)


def _gap(place: int, n: int, px: int = 14) -> tuple[int, int, int, int]:
    """Margin on the right of all but the last."""
    return 0, px if place < n - 1 else 0, 0, 0
