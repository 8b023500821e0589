"""The pages, in the order of the argument: shell, tabs, links, keyboard and tests derive from this list."""

from importlib import import_module
from typing import NamedTuple

FIGURE_PAGE = "app.pages.figure_page:FigurePage"


class PageEntry(NamedTuple):
    """One page. ``figures`` are keys of ``engine.figures.catalogue``, each with the words of its switch.

    ``heading`` asks the page's question; assets/text/<name>.html says in two sentences what to look for.
    ``rail`` names the rail next to it: that of the selection, or the page's own.
    """

    name: str
    label: str
    heading: str
    figures: tuple[tuple[str, str], ...] = ()
    maker: str = FIGURE_PAGE
    rail: str = "selection"

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of its figures."""
        return tuple(key for key, _ in self.figures)

    def make(self, *context: object) -> object:
        """The page for one visitor, made when it is first opened."""
        module, _, name = self.maker.partition(":")
        return getattr(import_module(module), name)(self, *context)


PAGES: tuple[PageEntry, ...] = (
    PageEntry(
        "relations", "Relations", "Local age and metallicity against mass",
        (("3", "all regions"), ("4", "old ridge and young sequence"), ("A1", "unsmoothed regions")),
    ),
    PageEntry("masses", "Masses", "How are local and global mass tied together?", (("2", ""),)),
    PageEntry(
        "drivers", "Drivers", "What sets age and metallicity: the density here, or the mass of the whole galaxy?",
        (("5", "all regions"), ("B1", "old ridge and young sequence")),
    ),
    PageEntry(
        "bins", "Mass bins", "Does galaxy mass move the relations, or only their balance?",
        (("6", "ages"), ("7", "metallicities")),
    ),
    PageEntry("errors", "Errors", "How well is a region known?", (("1", ""),)),
    PageEntry("galaxy", "Galaxy", "", maker="app.pages.galaxy:GalaxyPage", rail="galaxy"),
    PageEntry(
        "data", "Data & method", "Where do these numbers come from?", maker="app.pages.data_page:DataPage", rail="none"
    ),
)  # fmt: skip
BY_NAME = {page.name: page for page in PAGES}
NAMES = tuple(BY_NAME)
SWITCHED = tuple(key for page in PAGES if len(page.figures) > 1 for key in page.keys)


def figure_key(page: str, chosen: list[str]) -> str:
    """Which figure of a page is shown, of all that were chosen on all pages."""
    keys = BY_NAME[page].keys
    return next((key for key in chosen if key in keys), keys[0])
