"""The shell: header, tabs, rail and pages in one template; what to say when there is no survey."""

from urllib.parse import urlencode

import panel as pn

from app import theme
from app.pages.relations import RelationsPage
from app.plots.plane_data import FIGURE_3
from app.rail import Rail, widget_style
from app.selection import PAGES, Selection
from app.settings import ASSETS, data_folder
from app.store import Survey, open_survey
from engine.errors import GlocalError

CAPTION = (
    "Ages split into an old ridge near 10<sup>9.8</sup> yr and a young sequence that rises with local density; "
    "metallicity follows one relation. Shades: density of regions on a log scale, peak of the full sample = 1, "
    "weighted as chosen; insets: each column by itself; thin lines: the full sample."
)
TAB_SCRIPT = "document.body.dataset.page = cb_obj.active == 0 ? 'relations' : 'galaxy'"
COPY_SCRIPT = "navigator.clipboard.writeText(window.location.href)"


def open_page() -> pn.Template:
    """The page of one visitor, in the state their link asks for; one plain sentence if there is no survey."""
    pn.extension(notifications=True, reconnect=True)
    try:
        survey = open_survey(data_folder())
    except GlocalError as error:
        return _apology(str(error))
    selection, dropped = Selection.from_query(_query())
    page = Shell(survey, selection).template()
    for sentence in dropped:
        pn.state.onload(lambda sentence=sentence: pn.state.notifications.warning(sentence))
    return page


class Shell:
    """Pages around one survey and one selection."""

    def __init__(self, survey: Survey, selection: Selection):
        self.survey, self.selection = survey, selection
        self.relations = RelationsPage(survey, selection)
        self.rail = Rail(survey, selection, self.relations)
        selection.param.watch(self._write_link, [name for name in selection.param if name != "name"])

    def template(self) -> pn.Template:
        """The whole page; every panel is a root of its own, so that nothing but CSS lays them out."""
        page = pn.Template((ASSETS / "style" / "page.html").read_text(encoding="utf-8"))
        for name, panel in (self.rail.panels | self._planes() | {"tabs": self._tabs()}).items():
            page.add_panel(name, panel)
        page.add_panel("relations_actions", self._actions())
        page.add_panel("galaxy_rail", pn.Column())
        page.add_panel("galaxy_main", pn.Column())
        words = {
            "page_css": (ASSETS / "style" / "page.css").read_text(encoding="utf-8"),
            "stamp": self.survey.stamp,
            "relations_title": self.relations.title,
            "relations_caption": CAPTION,
            "planes": [_plane_words(spec) for spec in FIGURE_3],
        }
        for name, word in words.items():
            page.add_variable(name, word)
        return page

    def _planes(self) -> dict[str, pn.viewable.Viewable]:
        return {_root(spec): self.relations.panes[spec.name] for spec in FIGURE_3}

    def _tabs(self) -> pn.widgets.RadioButtonGroup:
        options = {name.capitalize(): name for name in PAGES}
        look = {"stylesheets": [widget_style()], "css_classes": ["tabs"], "margin": 0}
        tabs = pn.widgets.RadioButtonGroup(options=options, value=self.selection.page, name="Pages", **look)
        tabs.jscallback(value=TAB_SCRIPT)
        tabs.link(self.selection, value="page")
        self.selection.param.watch(lambda event: tabs.param.update(value=event.new), "page")
        return tabs

    def _actions(self) -> pn.Row:
        look = {"stylesheets": [widget_style()], "css_classes": ["quiet"], "margin": 0}
        copy = pn.widgets.Button(name="Copy link", **look)
        copy.js_on_click(code=COPY_SCRIPT)
        return pn.Row(copy, margin=0)

    def _write_link(self, *_events) -> None:
        if pn.state.location is not None:
            pn.state.location.search = "?" + urlencode(self.selection.to_query())


def _query() -> dict[str, str]:
    """The words of the link, read before anything is built: panel's own sync comes too late for the first view."""
    arguments = pn.state.session_args or {}
    return {name: values[0].decode("utf-8", "replace") for name, values in arguments.items() if values}


def _root(spec) -> str:
    return "plane_" + spec.name.replace("-", "_")


def _plane_words(spec) -> dict[str, str]:
    x, y = theme.html_axis(spec.x), theme.html_axis(spec.y)
    return {"name": spec.name, "root": _root(spec), "x": x, "y": y, "words": f"{spec.y} against {spec.x}"}


def _apology(sentence: str) -> pn.Template:
    """A page that says what is missing and how to get it."""
    text = (ASSETS / "style" / "apology.html").read_text(encoding="utf-8")
    page = pn.Template(text)
    page.add_variable("page_css", (ASSETS / "style" / "page.css").read_text(encoding="utf-8"))
    page.add_variable("sentence", sentence)
    return page
