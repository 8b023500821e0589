"""The galaxy page on paper: maps and what stands below them, as they are seen, with a caption."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from app import theme
from app.pages import galaxy_words
from app.paper.galaxy import galaxy_figure, profiles_figure, spaxel_figure
from app.paper.page import Note

if TYPE_CHECKING:  # the page calls this module
    from app.pages.galaxy import GalaxyPage


def told(page: "GalaxyPage") -> str:
    """The caption: facts of this galaxy, and how to read what is shown."""
    row, selection = page.galaxy.row, page.selection
    n = theme.thousands(len(page.columns["x"]))
    span = "the survey" if selection.map_range == "survey" else "this galaxy"
    spaxel = "Spaxel ({}, {}). ".format(*page.detail.place) if page.detail.seen else ""
    facts = f"{spaxel}{n} regions; log M∗ {row.log_M_star:.2f}, redshift {row.redshift:.4f}. "
    facts += f"Colours span {span}, 1st to 99th percentile."
    return f"{facts} {galaxy_words.printed_caption(row, page.columns, page.detail.below)}"


def paper(page: "GalaxyPage", note: Note, columns: str = "two") -> Figure:
    """The figure, as wide as one or two columns of the journal."""
    maps = page.maps.view(page.galaxy)
    if page.detail.seen:
        return spaxel_figure(maps, page.detail.spectrum, note, columns)
    if page.detail.below == "profiles":
        return profiles_figure(maps, page.maps.profiles.views(page.selection.maps), note, columns)
    return galaxy_figure(maps, page.planes.views(page.columns), note, columns)
