"""What a visitor can take away from a page: figures for print, their numbers, and code that makes them again."""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

import panel as pn
from bokeh.document import Document
from panel.io.state import set_curdoc

from app.failures import report
from app.jobs import shared_jobs
from app.pages.context import Context
from app.paper.caption import caption_file, snippet
from app.paper.images import has_images, image_file
from app.paper.numbers import facts, line_table
from app.paper.page import Note, page_file
from app.paper.pictures import PICTURES, picture
from app.paper.regions import galaxy_table, region_table
from app.paper.shown import Shown
from app.paper.tables import ENDINGS, table_file
from app.wire import Wire
from engine.errors import GlocalError

MIME = {
    "png": "image/png", "pdf": "application/pdf", "svg": "image/svg+xml", "txt": "text/plain", "py": "text/x-python",
    "ecsv": "text/plain", "vot": "application/x-votable+xml", "fits": "application/fits",
}  # fmt: skip
WIDTHS = {"one": "one column", "two": "two columns"}
TABLES: dict[str, Callable[[Shown], tuple]] = {
    "numbers": line_table, "regions": region_table, "galaxies": galaxy_table,
}  # fmt: skip


class Offer(NamedTuple):
    """One entry of the export menu: what is asked for, and its words."""

    kind: str
    words: str


class Menu(NamedTuple):
    """A part of the export menu; ``figures`` only for pages that show a figure of the catalogue."""

    title: str
    offers: tuple[Offer, ...]
    figures: bool = True


MENU = (
    Menu("Figure", tuple(Offer(f"picture {kind} two", kind.upper()) for kind in PICTURES), figures=False),
    Menu("Figure, one column", tuple(Offer(f"picture {kind} one", kind.upper()) for kind in PICTURES), figures=False),
    Menu("Lines and points", tuple(Offer(f"numbers {kind}", kind.upper()) for kind in ENDINGS)),
    Menu("Densities and medians", (Offer("images fits", "FITS images"),)),
    Menu("Selected regions", tuple(Offer(f"regions {kind}", kind.upper()) for kind in ENDINGS)),
    Menu("Their galaxies", tuple(Offer(f"galaxies {kind}", kind.upper()) for kind in ENDINGS)),
    Menu("Words", (Offer("caption txt", "Caption"), Offer("snippet py", "Python"))),
)  # fmt: skip
KINDS = {offer.kind for menu in MENU for offer in menu.offers}


class File(NamedTuple):
    """A file for the visitor."""

    name: str
    content: bytes


class Exports:
    """``send`` makes a file of what a page shows and has the browser save it."""

    def __init__(self, context: Context, wire: Wire):
        self.survey, self.selection = context.survey, context.selection
        self.wire = wire

    def ask(self, kind: str, page: object) -> None:
        """``send``, but made in the pool of exports where there is a server, so that other visitors do not wait."""
        document = pn.state.curdoc
        if document is None or document.session_context is None:
            self.send(kind, page)
        elif kind in KINDS:
            pn.state.execute(partial(self._send_later, kind, page, document))

    async def _send_later(self, kind: str, page: object, document: Document) -> None:
        def make() -> File | None:
            with set_curdoc(document):
                return self.file(kind, page)

        with shared_jobs().answer():
            try:
                made = await shared_jobs().run(make)
            except Exception as error:
                told = partial(self.wire.tell, sentence=report(error))
            else:
                told = partial(self._deliver, made)
            document.add_next_tick_callback(told)

    def send(self, kind: str, page: object) -> None:
        """A file of one kind, of the page that is seen; a sentence where there is none."""
        if kind not in KINDS:
            return
        try:
            made = self.file(kind, page)
        except (GlocalError, OSError, ValueError) as error:
            self.wire.tell(sentence=f"This file could not be made: {error}.")
            return
        self._deliver(made)

    def _deliver(self, made: File | None) -> None:
        if made is None:
            self.wire.tell(sentence="This page has no such file.")
            return
        self.wire.send_file(made.name, made.content, MIME.get(made.name.rpartition(".")[2], "application/octet-stream"))

    def file(self, kind: str, page: object) -> File | None:
        """The file itself; None if the page has nothing of that kind."""
        what, *more = kind.split(" ")
        shown = page.shown(self.link()) if hasattr(page, "shown") else None
        if what == "picture":
            return self._picture(page, shown, *more)
        return _of_shown(shown, what, more[0]) if shown else None

    def link(self) -> str:
        """The address that shows this again."""
        address = pn.state.location.href.partition("?")[0] if pn.state.location else ""
        return f"{address}?{urlencode(self.selection.to_query())}"

    def _picture(self, page: object, shown: Shown | None, kind: str, width: str) -> File | None:
        if shown is not None:
            return File(f"glocal-{shown.stem}.{kind}", picture(shown, width, kind))
        if not hasattr(page, "paper"):
            return None
        note = self.note(page)
        return File(file_name(page.file_stem, bool(note.stamp), kind), page_file(page.paper(note, width), note, kind))

    def note(self, page: object) -> Note:
        """What goes with a page's own figure: words, stamp, and the link that shows it again."""
        software = self.survey.meta.get("software", "glocal")
        return Note(page.title, page.told, self.survey.stamp, self.link(), software)


def _of_shown(shown: Shown, what: str, kind: str) -> File | None:
    """Numbers, images and words of a figure of the catalogue."""
    stem = f"glocal-{shown.stem}"
    if what in TABLES:
        columns, words = TABLES[what](shown)
        return File(f"{stem}-{what}.{ENDINGS[kind]}", table_file(columns, words, facts(shown), kind))
    if what == "images":
        return File(f"{stem}.fits", image_file(shown)) if has_images(shown) else None
    text = caption_file(shown) if what == "caption" else snippet(shown)
    return File(f"{stem}.{kind}", text.encode())


def file_name(what: str, mock: bool, kind: str) -> str:
    """Name of the file of a page: what it shows, and mock where it is one."""
    words = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")
    return f"glocal-{words}{'-mock' if mock and 'mock' not in words else ''}.{kind}"
