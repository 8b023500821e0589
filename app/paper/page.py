"""A page for talks and notes: a title, what is shown, a caption."""

import textwrap
from typing import NamedTuple

from matplotlib.figure import Figure

from app import theme
from app.paper.look import DPI
from app.paper.pictures import page_bytes

PAGE_WIDTH = 7.0  # in; MNRAS text width, 504 pt
FONT, SMALL = 8, 7  # pt
LINE = 0.135  # in; one line of the caption
HEAD = 0.28  # in; title and stamp
CAPTION_COLUMNS = 132  # characters of SMALL text across the page
INK = theme.INK


class Note(NamedTuple):
    """The words that go with a figure. ``stamp`` is empty for measured data; ``link`` restores the view."""

    title: str
    caption: str
    stamp: str
    link: str
    software: str


def page_file(figure: Figure, note: Note, kind: str = "png") -> bytes:
    """The figure as a file that tells what it shows, whether it is a mock, and where to see it again."""
    stamped = f"{note.stamp}. {note.caption}" if note.stamp else note.caption
    title = f"{note.title} ({note.stamp})" if note.stamp else note.title
    description = f"{stamped} View: {note.link}"
    told = {"Title": title, "Software": note.software, "Description": description, "Source": note.link}
    return page_bytes(figure, kind, told)


def page(note: Note, body_height: float) -> tuple[Figure, float]:
    """An empty page of MNRAS width with title, stamp and caption; and the height of its foot [in]."""
    lines = textwrap.wrap(note.caption, CAPTION_COLUMNS, break_on_hyphens=False)
    foot = (len(lines) + 0.8) * LINE
    height = HEAD + body_height + foot
    figure = Figure(figsize=(PAGE_WIDTH, round(height * DPI) / DPI), facecolor="white")
    top = 1 - 0.08 / height
    figure.text(0.01, top, note.title, size=FONT + 1, weight="bold", color=INK, va="top")
    if note.stamp:
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": theme.MOCK, "linewidth": 0.8}
        figure.text(0.985, top, note.stamp, size=SMALL, color=theme.MOCK, ha="right", va="top", bbox=box)
    for i, line in enumerate(reversed(lines)):
        figure.text(0.01, (0.3 + i) * LINE / height, line, size=SMALL, color=INK, va="bottom")
    return figure, foot
