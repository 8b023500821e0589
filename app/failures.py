"""Errors with a number: the visitor sees it, the log has it with the traceback, so that one leads to the other."""

import logging
import secrets
import time
from collections import deque
from typing import NamedTuple

import panel as pn

from app import notice
from app.metrics import ERRORS
from engine.errors import GlocalError

KEPT = 20
log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """What the keeper is shown of an error."""

    number: str
    when: str
    kind: str


_recent: deque[Failure] = deque(maxlen=KEPT)


def recent_errors() -> list[Failure]:
    """The last errors, newest first."""
    return list(reversed(_recent))


def report(error: BaseException) -> str:
    """Log an error under a new number; the sentence for the visitor."""
    if isinstance(error, GlocalError):  # already a sentence
        log.warning("%s", error)
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    number = secrets.token_hex(4)
    _recent.append(Failure(number, time.strftime("%Y-%m-%d %H:%M:%S"), type(error).__name__))
    ERRORS.inc()
    log.error("error %s", number, exc_info=error, extra={"error_id": number})
    return f"Something went wrong. Reload the page; if it happens again, tell the keeper error {number}."


def report_on_page(error: BaseException) -> None:
    """What Panel calls when a choice of a visitor fails: their page says so."""
    sentence = report(error)
    notice.tell(pn.state.curdoc, sentence)
