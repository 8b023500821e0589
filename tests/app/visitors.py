"""Pages as one visitor opens them first."""

from app import registry
from app.current import Current
from app.pages.context import Context
from app.pages.galaxy import GalaxyPage
from app.selection import Selection
from app.store import Survey


def context_of(survey: Survey, **chosen: object) -> Context:
    """What a page is given, for a visitor who chose this."""
    selection = Selection(**chosen)
    return Context(survey, selection, Current(survey, selection))


def open_galaxy(survey: Survey, **chosen: object) -> GalaxyPage:
    """The galaxy page."""
    return GalaxyPage(registry.BY_NAME["galaxy"], context_of(survey, page="galaxy", **chosen))
