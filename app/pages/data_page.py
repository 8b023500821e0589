"""Data and method: which table is loaded, how its quantities were made, what is known to be biased, how to cite."""

import hashlib
from html import escape
from pathlib import Path

import panel as pn

from app import theme
from app.compat import WordsPane
from app.looks import asset
from app.pages.context import Context
from app.pages.settings_words import settings_words
from app.registry import PageEntry
from app.store import Survey
from engine.columns import GALAXIES_FILE, GALAXY_COLUMNS, MEASURED, MOCK, REGION_COLUMNS, REGIONS_FILE, Column

FILES = (REGIONS_FILE, GALAXIES_FILE)
BLOCK = 1 << 20
ORIGINS = {
    MOCK: "an invented survey: galaxies, their histories and their noise are made up, and then measured as real ones",
    MEASURED: "measured galaxies",
}
MIXED_WORDS = "invented and measured galaxies together"


class DataPage:
    """Words about the survey that is open; they do not follow the selection."""

    title = "Where do these numbers come from?"
    file_stem = "data"

    def __init__(self, entry: PageEntry, context: Context):
        self.entry = entry
        self.survey: Survey = context.survey
        text = self.survey.once("data page", lambda: page_words(self.survey))
        style = [asset("style/words.css"), asset("style/data.css")]
        words = WordsPane(text, stylesheets=style, margin=0, sizing_mode="stretch_width")
        self.body = pn.Column(words, sizing_mode="stretch_width", margin=0)


def page_words(survey: Survey) -> str:
    """The whole page as HTML."""
    parts = [table_words(survey), *(asset(f"text/{name}.html") for name in ("method", "biases", "citation"))]
    return "".join([*parts, columns_words(survey)])


def table_words(survey: Survey) -> str:
    """Which table is loaded: origin, size, version, settings, inputs and checksums."""
    meta = survey.meta
    rows = {
        "origin": f"{survey.origin}: {ORIGINS.get(survey.origin, MIXED_WORDS)}",
        "regions, galaxies": f"{theme.thousands(survey.n_regions)}, {theme.thousands(len(survey.galaxies))}",
        "survey": meta.get("survey_id", ""),
        "made by": meta.get("software", ""),
        "on": meta.get("created", ""),
    }
    rows |= {name: f"SHA-256 {checksum(survey.folder / name)}" for name in FILES}
    rows |= {f"input: {name}": f"SHA-256 {digest}" for name, digest in sorted(meta.get("inputs", {}).items())}
    cells = "".join(f"<tr><th scope='row'>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows.items())
    settings = f"<h2>Its settings</h2>{settings_words(meta['settings'])}" if meta.get("settings") else ""
    return f"<h2>The table that is loaded</h2><table>{cells}</table>{settings}"


def columns_words(survey: Survey) -> str:
    """Every column this survey holds: its words, its unit and what it means."""
    regions = _columns_table("Columns of regions", REGION_COLUMNS, survey.region_names)
    return regions + _columns_table("Columns of galaxies", GALAXY_COLUMNS, set(survey.galaxies))


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _columns_table(title: str, columns: tuple[Column, ...], there: set[str]) -> str:
    rows = "".join(
        f"<tr><th scope='row'><code>{c.name}</code></th><td>{theme.html_label(c.name)}</td>"
        f"<td>{escape(c.bracket)}</td><td>{escape(c.description)}</td></tr>"
        for c in columns
        if c.name in there
    )
    head = "".join(f"<th scope='col'>{words}</th>" for words in ("name", "symbol", "unit", "meaning"))
    return f"<details><summary>{title}</summary><table class='columns'><tr>{head}</tr>{rows}</table></details>"
