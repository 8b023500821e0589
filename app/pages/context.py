"""What every page of one visitor is given."""

from collections.abc import Callable
from typing import NamedTuple

from app.current import Current
from app.selection import Selection
from app.store import Survey


def _nobody(**_words: object) -> None:
    """Where there is no browser."""


class Context(NamedTuple):
    """The survey, which all visitors share; what this one chose; the regions that follow; how to tell the browser."""

    survey: Survey
    selection: Selection
    current: Current
    tell: Callable[..., None] = _nobody
