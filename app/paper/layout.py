"""Where the panels of a figure stand on a page of one or two columns of the journal; all lengths in inches."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from app.paper.look import WIDTHS
from engine.figures.catalogue import Figure, Panel
from engine.figures.marks import MedianMap

LEFT, RIGHT, TOP, FOOT = 0.5, 0.08, 0.05, 0.36  # round the panels; FOOT holds the label of x
GAP, LABELLED_GAP = 0.1, 0.54  # between panels that share y, and those that do not
TITLE = 0.16
BAR, BAR_HEAD = 0.07, 0.36  # a bar of colours, and all it needs above a panel
ASPECT = 0.82  # choice: height of a panel over its width
ASPECT_WIDE = 0.72  # with one panel or two side by side
STAMP = 0.17


@dataclass(frozen=True)
class PanelPlace:
    """A panel in its grid, and what is written round it. Lengths in inches from the left and the top."""

    panel: Panel
    left: float
    top: float
    width: float
    height: float
    shows_y: bool
    shows_title: bool  # a title that a whole row shares is shown once


@dataclass(frozen=True)
class Layout:
    """All panels, and the height they take together."""

    width: float
    height: float
    places: tuple[PanelPlace, ...]


def lay_out(figure: Figure, columns: str, with_stamp: bool) -> Layout:
    """Places of all panels on a page of "one" or "two" columns."""
    width = WIDTHS[columns]
    rows = panel_rows(figure, columns)
    panel_width = min(_panel_width(row, width) for row in rows)
    height = panel_width * (ASPECT if len(rows[0]) > 2 else ASPECT_WIDE)
    places: list[PanelPlace] = []
    top = TOP + (STAMP if with_stamp else 0.0)
    for row in rows:
        top += _head(row)
        left = LEFT
        for panel, before in zip(row, (None, *row[:-1]), strict=True):
            left += 0.0 if before is None else _gap(before, panel)
            shows_title = bool(panel.title) and (before is None or before.title != panel.title)
            places.append(PanelPlace(panel, left, top, panel_width, height, not _shares_y(before, panel), shows_title))
            left += panel_width
        top += height + FOOT
    return Layout(width, top, tuple(places))


def panel_rows(figure: Figure, columns: str) -> list[tuple[Panel, ...]]:
    """Panels row by row. One column holds two side by side: there a grid of three columns is turned."""
    panels = figure.panels
    n = figure.columns
    if columns == "one" and n > 2:
        n_rows = ceil(len(panels) / n)
        if n_rows == 1:
            return [(panel,) for panel in panels]
        turned = [panels[i::n] for i in range(n)]
        return [row for row in turned if row]
    return [panels[i : i + n] for i in range(0, len(panels), n)]


def has_map(panel: Panel) -> bool:
    """Whether a bar of colours stands over a panel."""
    return any(isinstance(mark, MedianMap) and not mark.inset for mark in panel.marks)


def _panel_width(row: tuple[Panel, ...], width: float) -> float:
    gaps = sum(_gap(before, panel) for before, panel in pairwise(row))
    return (width - LEFT - RIGHT - gaps) / len(row)


def _head(row: tuple[Panel, ...]) -> float:
    bar = BAR_HEAD if any(has_map(panel) for panel in row) else 0.0
    return bar + (TITLE if any(panel.title for panel in row) else 0.0)


def _gap(before: Panel, panel: Panel) -> float:
    return GAP if _shares_y(before, panel) else LABELLED_GAP


def _shares_y(before: Panel | None, panel: Panel) -> bool:
    return before is not None and before.y == panel.y
