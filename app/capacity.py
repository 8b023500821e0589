"""How many visitors one process takes."""

import panel as pn

from app.metrics import REFUSED
from app.settings import read_settings

FULL = (
    "Many colleagues are looking at the moment",
    "This instance is full. The page asks again by itself, and opens as soon as somebody leaves.",
)


def is_full() -> bool:
    """Whether this process holds as many pages as it may; counts the visitor who is refused."""
    document = pn.state.curdoc
    context = document.session_context if document is not None else None
    if context is None or context.server_context is None:
        return False
    full = len(context.server_context.sessions) >= read_settings().sessions
    if full:
        REFUSED.inc()
    return full
