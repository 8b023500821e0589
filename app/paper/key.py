"""The key below a figure: its lines, and the shades of its densities."""

from math import ceil

import numpy as np
from matplotlib.figure import Figure as Page
from matplotlib.lines import Line2D

from app.paper.look import FONT, PT, grey_map, line_look
from app.paper.marks import Pen
from app.paper.shown import Shown
from app.style import styles
from app.theme import legend_entry
from engine.figures.catalogue import Figure
from engine.figures.marks import ColumnDensity, Density, Points
from engine.figures.shades import DECADES
from engine.figures.styles import Entry, key_entries

LINE_HEIGHT = 0.155  # in
EDGE = 0.06  # in, above and below
CHARACTER = 0.49 * FONT * PT  # in; mean width of a letter
HANDLE = 0.5  # in; the sample of a line with the space round it
_WIDE = 5.0  # in; a page of two columns is wider
BAR = (0.7, 0.075)  # in; of the shades


def key_height(shown: Shown, width: float) -> float:
    """What the key needs [in]."""
    entries, figure = _entries(shown), shown.figure
    rows = ceil(len(entries) / _columns(entries, width)) if entries else 0
    shades = 1 if _has_shades(figure) else 0
    return (rows + shades) * LINE_HEIGHT + EDGE


def draw_key(page: Page, shown: Shown, pen: Pen, height: float) -> None:
    """Entries of lines row by row, then the bar of shades, from the bottom of the page."""
    width, total = page.get_size_inches()
    if _has_shades(shown.figure):
        _draw_shades(page, shown)
    entries = _entries(shown)
    if not entries:
        return
    columns = _columns(entries, width)
    ordered = _row_by_row(entries, columns)
    handles = [_handle(entry, pen) for entry in ordered]
    labels = [entry.label for entry in ordered]
    page.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, height / total), ncols=columns)


def _entries(shown: Shown) -> list[Entry]:
    entries = key_entries(shown.figure, styles())
    return [entry for entry in entries if legend_entry(entry.style) not in shown.hidden]


def _has_shades(figure: Figure) -> bool:
    return any(isinstance(mark, Density) for panel in figure.panels for mark in panel.marks)


def _columns(entries: list[Entry], width: float) -> int:
    """As many columns as the longest words leave room for, and no more than fill all rows alike."""
    longest = max(len(entry.label) for entry in entries) * CHARACTER + HANDLE
    most = max(1, min(len(entries), int(width / longest)))
    return ceil(len(entries) / ceil(len(entries) / most))


def _row_by_row(items: list, columns: int) -> list:
    """The order in which matplotlib, which fills columns first, puts them row by row."""
    rows = ceil(len(items) / columns)
    return [
        items[row * columns + column]
        for column in range(columns)
        for row in range(rows)
        if row * columns + column < len(items)
    ]


def _handle(entry: Entry, pen: Pen) -> Line2D:
    style = pen.style(entry.style)
    if entry.style == Points().style:
        return Line2D([], [], ls="none", marker=style.marker, ms=3, mfc=style.colour, mec="none")
    return Line2D([], [], **line_look(style))


def _draw_shades(page: Page, shown: Shown) -> None:
    """A bar of greys with its words: what a shade of the panels means, and what one of the insets does."""
    width, total = page.get_size_inches()
    words = _shade_words(shown, is_wide=width > _WIDE)
    needed = len(words) * CHARACTER + BAR[0] + 0.08
    left = max((width - needed) / 2, 0.06)
    middle = LINE_HEIGHT / 2 + 0.01
    ax = page.add_axes((left / width, (middle - BAR[1] / 2) / total, BAR[0] / width, BAR[1] / total))
    ax.imshow(np.arange(256)[None], cmap=grey_map(), aspect="auto")
    ax.set(xticks=[], yticks=[])
    ax.minorticks_off()
    page.text((left + BAR[0] + 0.08) / width, middle / total, words, va="center_baseline", size=FONT)


def _shade_words(shown: Shown, is_wide: bool) -> str:
    """What the greys of the panels mean, and on a wide page those of the insets."""
    marks = [mark for panel in shown.figure.panels for mark in panel.marks]
    has_columns = any(isinstance(mark, ColumnDensity) for mark in marks)
    density = "density over the peak of the full sample" if is_wide else "density over its peak"
    density += f", {_power(-DECADES)} to 1 (log)"
    columns = "each column by itself"
    panels, insets = (columns, density) if has_columns and shown.swapped else (density, columns)
    return f"{panels}; insets: {insets}" if is_wide and has_columns and "insets" not in shown.hidden else panels


def _power(exponent: float) -> str:
    return rf"$10^{{{exponent:g}}}$"
