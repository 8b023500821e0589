"""The shell: header, tabs, rail and pages in one template; what to say when there is no survey."""

import re
from io import BytesIO
from urllib.parse import urlencode

import panel as pn
from bokeh.document import Document

from app import theme
from app.capacity import FULL, is_full
from app.failures import report, report_on_page
from app.metrics import time_updates
from app.notice import notice_line
from app.pages.galaxy import GalaxyPage
from app.pages.relations import RelationsPage
from app.panes import one_change
from app.plots.export import Note, file_name
from app.plots.plane_data import FIGURE_3
from app.rail import Rail, widget_style
from app.selection import PAGES, Selection
from app.settings import ASSETS, data_folder
from app.store import Survey, open_survey
from app.words import selection_words
from engine.errors import GlocalError

TAB_SCRIPT = "document.body.dataset.page = cb_obj.active == 0 ? 'relations' : 'galaxy'"
GALAXY_PARTS = ("rail", "heading", "body")  # filled when a galaxy is first opened
COPY_SCRIPT = """
navigator.clipboard.writeText(window.location.href)
const before = button.label
button.label = "Copied"
setTimeout(() => { button.label = before }, 1200)
"""


def open_page() -> pn.Template:
    """The page of one visitor, in the state their link asks for; one plain sentence if there is no survey."""
    pn.extension(reconnect=True, exception_handler=report_on_page)
    if is_full():
        return _message(*FULL, again_s=15)
    try:
        survey = open_survey(data_folder())
    except GlocalError as error:
        return _apology(str(error))
    try:
        return _page(survey)
    except Exception as error:
        return _message("This page could not be opened", report(error))


def _page(survey: Survey) -> pn.Template:
    query = _query()
    table = query.pop("table", survey.survey_id)
    selection, dropped = Selection.from_query(query)
    if table != survey.survey_id:
        dropped.append("This view was made with another table than the one shown here: numbers may differ.")
    time_updates(selection)
    return Shell(survey, selection).template(dropped)


class Template(pn.Template):
    """A template whose roots enter the document in one go: one by one, each would walk all models again."""

    def __repr__(self) -> str:
        """A few words: Panel asks for them with each panel that is added, and would have all panels tell theirs."""
        return type(self).__name__

    def _init_doc(self, doc: Document | None = None, *words: object, **more: object) -> Document:
        document = doc or pn.state.curdoc
        with document.models.freeze():
            return super()._init_doc(document, *words, **more)


class Shell:
    """Pages around one survey and one selection. What a page shows is made when it is first opened."""

    def __init__(self, survey: Survey, selection: Selection):
        self.survey, self.selection = survey, selection
        self.relations = RelationsPage(survey, selection)
        self.rail = Rail(survey, selection, self.relations)
        self.galaxy: GalaxyPage | None = None
        self.galaxy_parts = {name: pn.Column(sizing_mode="stretch_width", margin=0) for name in GALAXY_PARTS}
        self._open_galaxy_page()
        selection.param.watch(self._open_galaxy_page, ["page"])
        selection.param.watch(self._write_link, [name for name in selection.param if name != "name"])

    def template(self, dropped: list[str]) -> pn.Template:
        """The whole page, with what a link asked in vain. Every panel is a root of its own: CSS alone lays them out."""
        page = Template(_read("style/page.html"), location=True)
        panels = self.rail.panels | {_root(spec): self.relations.places[spec.name] for spec in FIGURE_3}
        panels |= {"tabs": self._tabs(), "relations_actions": self._actions("relations")}
        panels |= {f"galaxy_{name}": part for name, part in self.galaxy_parts.items()}
        panels |= {"galaxy_actions": self._actions("galaxy"), "notice_line": notice_line()}
        for name, panel in panels.items():
            page.add_panel(name, panel)
        words = {
            "page_css": _read("style/page.css"),
            "stamp": self.survey.stamp,
            "page": self.selection.page,
            "large": self.selection.plane,
            "dropped": dropped,
            "relations_title": self.relations.title,
            "relations_caption": _read("text/relations.html"),
            "planes": [_plane_words(spec) for spec in FIGURE_3],
        }
        for name, word in words.items():
            page.add_variable(name, word)
        return page

    def note(self, page: RelationsPage | GalaxyPage, words: str) -> Note:
        """What goes with an exported figure: words, stamp, and the link that shows it again."""
        link = pn.state.location.href.partition("?")[0] if pn.state.location else ""
        chosen = selection_words(self.selection, self.relations.sample)
        link = f"{link}?{urlencode(self.selection.to_query())}"
        return Note(
            page.title, f"{words} {chosen}", self.survey.stamp, link, self.survey.meta.get("software", "glocal")
        )

    def _open_galaxy_page(self, *_events) -> None:
        if self.galaxy is None and self.selection.page == "galaxy":
            self.galaxy = GalaxyPage(self.survey, self.selection)
            with one_change():
                for name, part in self.galaxy_parts.items():
                    part[:] = [getattr(self.galaxy, name)]

    def _tabs(self) -> pn.widgets.RadioButtonGroup:
        options = {name.capitalize(): name for name in PAGES}
        look = {"stylesheets": [widget_style()], "css_classes": ["tabs"], "margin": 0}
        tabs = pn.widgets.RadioButtonGroup(options=options, value=self.selection.page, label="Pages", **look)
        tabs.jscallback(value=TAB_SCRIPT)
        tabs.link(self.selection, value="page")
        self.selection.param.watch(lambda event: tabs.param.update(value=event.new), "page")
        return tabs

    def _actions(self, name: str) -> pn.Row:
        look = {"stylesheets": [widget_style()], "css_classes": ["action"], "margin": 0}
        png = pn.widgets.FileDownload(filename="glocal.png", label="PNG", embed=False, auto=True, icon=None, **look)
        png.callback = lambda: self._png(name, png)
        copy = pn.widgets.Button(label="Copy link", **look)
        copy.js_on_click(args={"button": copy}, code=COPY_SCRIPT)
        return pn.Row(png, copy, margin=0)

    def _png(self, name: str, button: pn.widgets.FileDownload) -> BytesIO:
        page = self.relations if name == "relations" else self.galaxy
        words = _plain(_read("text/relations.html")) if name == "relations" else ""
        note = self.note(page, words)
        button.filename = file_name(name if name == "relations" else note.title, bool(note.stamp))
        return BytesIO(page.export_png(note))

    def _write_link(self, *_events) -> None:
        if pn.state.location is not None:
            pn.state.location.search = "?" + urlencode(self.selection.to_query())


def _query() -> dict[str, str]:
    """The words of the link, read before anything is built: panel's own sync comes too late for the first view."""
    arguments = pn.state.session_args or {}
    return {name: values[0].decode("utf-8", "replace") for name, values in arguments.items() if values}


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _plain(html: str) -> str:
    """Words without tags, for matplotlib: powers as the caret has them."""
    return " ".join(re.sub(r"<[^>]*>", "", html.replace("<sup>", "^")).split())


def _root(spec) -> str:
    return "plane_" + spec.name.replace("-", "_")


def _plane_words(spec) -> dict[str, str]:
    x, y = theme.html_axis(spec.x), theme.html_axis(spec.y)
    return {"name": spec.name, "root": _root(spec), "x": x, "y": y, "words": _plain(f"{y} against {x}")}


def _message(title: str, sentence: str, again_s: int = 0) -> pn.Template:
    """A page with one sentence; the browser asks again after so many seconds, unless they are 0."""
    page = Template(_read("style/message.html"))
    words = {"page_css": _read("style/page.css"), "title": title, "sentence": sentence, "again_s": again_s}
    for name, word in words.items():
        page.add_variable(name, word)
    return page


def _apology(sentence: str) -> pn.Template:
    """A page that says what is missing and how to get it."""
    page = Template(_read("style/apology.html"))
    page.add_variable("page_css", _read("style/page.css"))
    page.add_variable("sentence", sentence)
    return page
