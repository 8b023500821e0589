"""What every page of one visitor is given."""

from typing import NamedTuple

from app.current import Current
from app.selection import Selection
from app.store import Survey


class Context(NamedTuple):
    """The survey, which all visitors share; what this one chose; and the regions that follow from it."""

    survey: Survey
    selection: Selection
    current: Current
