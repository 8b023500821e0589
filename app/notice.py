"""One line at the top of a visitor's page for what the server has to say: an error, or that it is about to stop."""

from html import escape
from weakref import WeakKeyDictionary

import panel as pn
from bokeh.document import Document

from app.panes import Words

_lines: WeakKeyDictionary[Document, Words] = WeakKeyDictionary()


def notice_line() -> Words:
    """The line of the page that is being made; empty until something is shown."""
    line = Words("", margin=0, sizing_mode="stretch_width")
    if pn.state.curdoc is not None:
        _lines[pn.state.curdoc] = line
    return line


def show(document: Document | None, sentence: str) -> None:
    """Put a sentence on a page; nothing happens where there is no page any more."""
    line = _lines.get(document) if document is not None else None
    if line is not None:
        line.object = f'<p style="margin:0;padding:6px 20px;color:#b34700" role="alert">{escape(sentence)}</p>'
