"""The shell: header, tabs, rail and pages in one template; what to say when there is no survey."""

from urllib.parse import urlencode

import panel as pn

from app import registry
from app.compat import PlainDesign, Template, one_change
from app.current import Current
from app.exports import MENU, Exports
from app.failures import report, report_on_page
from app.looks import asset
from app.metrics import time_updates
from app.notice import take_notices
from app.pages.context import Context
from app.rail import Rail
from app.registry import PageEntry
from app.selection import Selection
from app.settings import data_folder, read_settings
from app.store import Survey, open_survey
from app.values import EXTRA_CUTS
from app.wire import Wire
from engine.errors import GlocalError
from engine.figures.catalogue import FIGURES

FOLDED = [*(value.name for value in EXTRA_CUTS), "galaxies", "types"]  # cuts that the rail shows when asked
FILL = {"sizing_mode": "stretch_both", "margin": 0}
WIDE = {"sizing_mode": "stretch_width", "margin": 0}
OWN_PARTS = {"heading": WIDE, "rail": WIDE}  # of a page that has them, beside its body
NOT_OPENED = "This page could not be opened"
OTHER_TABLE = "This view was made with another table than the one shown here: numbers may differ."


def open_page() -> None:
    """Put the page of one visitor into their document, in the state their link asks for.

    Whatever fails on the way, they see a page: a plain sentence if there is no survey, the number of the error if
    there is one.
    """
    pn.extension(design=PlainDesign, exception_handler=report_on_page, apply_signatures=False)
    try:
        _page_or_apology().servable()
    except Exception as error:
        if pn.state.curdoc is not None:
            pn.state.curdoc.clear()  # of what was made before it failed
        _message(NOT_OPENED, report(error)).servable()


def _page_or_apology() -> pn.Template:
    try:
        survey = open_survey(data_folder())
    except GlocalError as error:
        return _apology(str(error))
    return _page(survey)


def _page(survey: Survey) -> pn.Template:
    query = _query()
    table = query.pop("table", survey.survey_id)
    selection, dropped = Selection.from_query(query)
    if table != survey.survey_id:
        dropped.append(OTHER_TABLE)
    time_updates(selection)
    shell = Shell(survey, selection)
    take_notices(pn.state.curdoc, lambda sentence: shell.wire.tell(sentence=sentence))
    return shell.template([*dropped, *shell.context.current.dropped])


class Shell:
    """Pages around one survey and one selection. A page is made when it is first opened."""

    def __init__(self, survey: Survey, selection: Selection):
        self.wire = Wire()
        self.context = Context(survey, selection, Current(survey, selection), self.wire.tell)
        self.selection = selection
        self.rail = Rail(self.context)
        self.pages: dict[str, object] = {}
        self.places = {name: pn.Column(**look) for name, look in _places()}
        self.exports = Exports(self.context, self.wire)
        self._open()
        self._tell_page()
        self._tell_cuts()
        self._listen()

    def template(self, dropped: list[str]) -> pn.Template:
        """The whole page, with what a link could not have. Every panel is a root of its own: CSS lays them out."""
        page = Template(asset("style/page.html"), location=True)
        for name, panel in (self.rail.panels | self.wire.panels | self.places).items():
            page.add_panel(name, panel)
        words = {
            "page_css": asset("style/page.css"),
            "page_js": asset("style/page.js"),
            "stamp": self.context.survey.stamp,
            "page": self.selection.page,
            "ping_ms": round(1000 * read_settings().ping_s),
            "pages": [_page_words(entry) for entry in registry.PAGES],
            "dropped": dropped,
            "menu": MENU,
        }
        for name, word in words.items():
            page.add_variable(name, word)
        return page

    def page(self) -> object:
        """The page that is seen."""
        return self.pages[self.selection.page]

    def _listen(self) -> None:
        watch = self.selection.param.watch
        watch(lambda *_: self._open(), ["page"])
        watch(lambda *_: self._write_link(), [name for name in self.selection.param if name != "name"])
        watch(lambda *_: self._tell_page(), ["page", "zoom"])
        watch(lambda *_: self._tell_cuts(), FOLDED)
        self.wire.listen("page", self._turn_to)
        self.wire.listen("undo", lambda _: self.rail.undo())
        self.wire.listen("redo", lambda _: self.rail.redo())
        self.wire.listen("cuts", lambda _: self._open_cuts())
        self.wire.listen("unzoom", lambda _: self._unzoom())
        self.wire.listen("step", self._step)
        self.wire.listen("galaxy", self._open_galaxy)
        self.wire.listen("only", self._only)
        self.wire.listen("export", lambda kind: self.exports.ask(kind, self.page()))

    def _open(self) -> None:
        """Make the page that is asked for, unless it is there, and put it in its place."""
        name = self.selection.page
        if name in self.pages:
            return
        entry = registry.BY_NAME[name]
        self.pages[name] = entry.make(self.context)
        with one_change():
            for part in _parts(entry):
                self.places[f"{name}_{part}"][:] = [getattr(self.pages[name], part)]

    def _turn_to(self, name: str) -> None:
        if name in registry.BY_NAME:
            with pn.io.hold():
                self.selection.page = name

    def _open_cuts(self) -> None:
        with one_change():
            self.rail.cuts.open()

    def _unzoom(self) -> None:
        """Whole axes again on the page that is seen; the other pages keep theirs."""
        page = f"{self.selection.page}."
        with pn.io.hold():
            self.selection.zoom = {k: w for k, w in self.selection.zoom.items() if not k.startswith(page)}

    def _tell_page(self) -> None:
        """Which page is seen, and whether it has a zoom to reset, in one message: of several only the last arrives."""
        page = self.selection.page
        self.wire.tell(page=page, zoomed=any(key.startswith(f"{page}.") for key in self.selection.zoom))

    def _tell_cuts(self) -> None:
        """How many cuts are in force that the rail keeps folded away."""
        self.wire.tell(cuts=sum(not self.selection.is_default(name) for name in FOLDED))

    def _step(self, words: str) -> None:
        step = getattr(self.page(), "step", None)
        if step is not None:
            dx, dy, shift = (int(word) for word in words.split())
            step(dx, dy, bool(shift))

    def _open_galaxy(self, number: str) -> None:
        with pn.io.hold():
            self.selection.param.update(galaxy_id=int(number), spaxel=None, page="galaxy")

    def _only(self, numbers: str) -> None:
        """Select these galaxies alone."""
        with pn.io.hold():
            self.selection.galaxies = tuple(int(number) for number in numbers.split(","))

    def _write_link(self) -> None:
        if pn.state.location is not None:
            pn.state.location.search = "?" + urlencode(self.selection.to_query())


def _parts(entry: PageEntry) -> list[str]:
    """What a page brings: its body, and a heading and a rail of its own where it has them."""
    return ["body", *(OWN_PARTS if entry.rail == entry.name else ())]


def _places() -> list[tuple[str, dict]]:
    return [(f"{page.name}_{part}", OWN_PARTS.get(part, FILL)) for page in registry.PAGES for part in _parts(page)]


def _page_words(entry: PageEntry) -> dict[str, object]:
    own = entry.rail == entry.name
    return {
        "name": entry.name, "label": entry.label, "heading": entry.heading, "own": own, "rail": entry.rail,
        "is_figure": bool(entry.figures), "panels": len(FIGURES[entry.keys[0]].panels) if entry.figures else 0,
    }  # fmt: skip


def _query() -> dict[str, str]:
    """The words of the link, read before anything is built: panel's own sync comes too late for the first view."""
    arguments = pn.state.session_args or {}
    return {name: values[0].decode("utf-8", "replace") for name, values in arguments.items() if values}


def _message(title: str, sentence: str) -> pn.Template:
    """A page with one sentence."""
    page = Template(asset("style/message.html"))
    words = {"page_css": asset("style/page.css"), "title": title, "sentence": sentence}
    for name, word in words.items():
        page.add_variable(name, word)
    return page


def _apology(sentence: str) -> pn.Template:
    """A page that says what is missing and how to get it."""
    page = Template(asset("style/apology.html"))
    page.add_variable("page_css", asset("style/page.css"))
    page.add_variable("sentence", sentence)
    return page
