"""What a visitor can take away from a page: figures for print, the numbers behind them, and the link."""

from urllib.parse import urlencode

import panel as pn

from app.pages.context import Context
from app.screen.export import Note, file_name, png_bytes
from app.wire import Wire
from app.words import selection_words

MIME = {"png": "image/png", "pdf": "application/pdf", "svg": "image/svg+xml"}


class Exports:
    """``send`` makes a file of what a page shows and has the browser save it."""

    def __init__(self, context: Context, wire: Wire):
        self.survey, self.selection, self.current = context
        self.wire = wire

    def send(self, kind: str, page: object) -> None:
        """A file of one kind, of the page that is seen."""
        note = self.note(page)
        name = file_name(page.file_stem, bool(note.stamp))
        self.wire.send_file(name, png_bytes(page.paper(note), note), MIME["png"])

    def note(self, page: object) -> Note:
        """What goes with an exported figure: words, stamp, and the link that shows it again."""
        address = pn.state.location.href.partition("?")[0] if pn.state.location else ""
        link = f"{address}?{urlencode(self.selection.to_query())}"
        words = page.told
        if page.follows_selection:
            words = f"{words} {selection_words(self.selection, self.current.sample)}"
        return Note(page.title, words, self.survey.stamp, link, self.survey.meta.get("software", "glocal"))
