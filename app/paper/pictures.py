"""A figure as a file of a picture: PNG, PDF or SVG, with its words inside."""

from io import BytesIO

from matplotlib.figure import Figure as Page

from app.paper.caption import caption, title
from app.paper.look import DPI
from app.paper.plot import draw_figure
from app.paper.shown import Shown

PICTURES = ("png", "pdf", "svg")


def picture(shown: Shown, columns: str, kind: str) -> bytes:
    """The figure for "one" or "two" columns of the journal as a file of that kind."""
    return page_bytes(draw_figure(shown, columns), kind, _told(shown))


def page_bytes(page: Page, kind: str, told: dict[str, str]) -> bytes:
    """A page of matplotlib as a file that says what it is: ``told`` has Title, Software, Description and Source."""
    file = BytesIO()
    page.savefig(file, format=kind, dpi=DPI, metadata=_metadata(kind, told))
    return file.getvalue()


def _told(shown: Shown) -> dict[str, str]:
    heading = f"{title(shown)} ({shown.stamp})" if shown.stamp else title(shown)
    software = str(shown.survey.meta.get("software", "glocal"))
    return {"Title": heading, "Software": software, "Description": caption(shown), "Source": shown.link}


def _metadata(kind: str, told: dict[str, str]) -> dict[str, str]:
    """The same words under the names that a kind of file has for them."""
    if kind == "png":
        return {name: words for name, words in told.items() if words}
    if kind == "pdf":
        return {"Title": told["Title"], "Creator": told["Software"], "Subject": told["Description"]}
    return {"Title": told["Title"], "Creator": told["Software"], "Description": told["Description"]}
