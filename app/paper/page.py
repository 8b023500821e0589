"""A page as wide as one or two columns of the journal: a title, rows of pictures; two columns carry a caption."""

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app import theme
from app.paper.look import DPI, FONT, PT, WIDTHS
from app.paper.pictures import page_bytes

TITLE_FONT = FONT + 1  # pt
LINE = 0.15  # in; one line of the caption
CHARACTER = 0.53 * FONT * PT  # in; mean width of a letter of the caption, with some to spare
HEAD = 0.26  # in; title and stamp
EDGE = 0.06  # in; left and right of all words
INK = theme.INK


class Note(NamedTuple):
    """The words that go with a figure. ``stamp`` is empty for measured data; ``link`` restores the view."""

    title: str
    caption: str
    stamp: str
    link: str
    software: str


class Row(NamedTuple):
    """Pictures beside each other: the height they need [in], and what draws them from a height above the foot [in]."""

    height: float
    draw: Callable[[Figure, float], None]


def page(note: Note, rows: Sequence[Row], columns: str = "two") -> Figure:
    """A page with title and stamp, rows from the top down, and the caption.

    One column leaves the caption to the paper that it is set in; it goes with the file all the same.
    """
    width = WIDTHS[columns]
    lines = _caption_lines(note) if columns == "two" else []
    foot = (len(lines) + 0.8) * LINE
    height = HEAD + sum(row.height for row in rows) + foot
    figure = Figure(figsize=(width, round(height * DPI) / DPI), facecolor="white")
    _head(figure, note)
    for i, line in enumerate(reversed(lines)):
        figure.text(EDGE / width, (0.3 + i) * LINE / height, line, size=FONT, color=INK, va="bottom")
    bottom = height - HEAD
    for row in rows:
        bottom -= row.height
        row.draw(figure, bottom)
    return figure


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float, **options: object) -> Axes:
    """Axes of a page by their place and size [in]."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up), **options)


def page_file(figure: Figure, note: Note, kind: str = "png") -> bytes:
    """The figure as a file (PNG: 300 dpi) that tells what it shows, whether it is a mock, and where to see it again."""
    stamped = f"{note.stamp}. {note.caption}" if note.stamp else note.caption
    title = f"{note.title} ({note.stamp})" if note.stamp else note.title
    description = f"{stamped} View: {note.link}"
    told = {"Title": title, "Software": note.software, "Description": description, "Source": note.link}
    return page_bytes(figure, kind, told)


def _caption_lines(note: Note) -> list[str]:
    return textwrap.wrap(note.caption, int((WIDTHS["two"] - 2 * EDGE) / CHARACTER), break_on_hyphens=False)


def _head(figure: Figure, note: Note) -> None:
    width = figure.get_figwidth()
    top = 1 - 0.07 / figure.get_figheight()
    figure.text(EDGE / width, top, note.title, size=TITLE_FONT, weight="bold", color=INK, va="top")
    if note.stamp:
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": theme.MOCK, "linewidth": 0.8}
        right = 1 - (EDGE + 0.04) / width
        figure.text(right, top, note.stamp, size=FONT, color=theme.MOCK, ha="right", va="top", bbox=box)
