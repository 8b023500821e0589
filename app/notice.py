"""What the server has to say on a visitor's page: that something failed, or that it is about to stop."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from bokeh.document import Document

_pages: WeakKeyDictionary[Document, Callable[[str], None]] = WeakKeyDictionary()


def take_notices(document: Document | None, show: Callable[[str], None]) -> None:
    """Have a page show what the server says; ``show`` puts a sentence on it."""
    if document is not None:
        _pages[document] = show


def tell(document: Document | None, sentence: str) -> None:
    """Put a sentence on a page; nothing happens where there is no page any more."""
    show = _pages.get(document) if document is not None else None
    if show is not None:
        show(sentence)
