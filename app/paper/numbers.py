"""The numbers behind the lines of a figure, as one table: a row per point, a column per quantity."""

from collections.abc import Iterator

import numpy as np

from app.paper.caption import ZG22, caption, glocal_version, title
from app.paper.shown import Shown
from engine.columns import Column
from engine.figures.arrays import (
    BandArrays,
    LimitArrays,
    LineArrays,
    PeakArrays,
    PointArrays,
    ValleyArrays,
)
from engine.figures.catalogue import Panel
from engine.figures.compute import Arrays
from engine.figures.marks import Mark
from engine.figures.styles import style_names
from engine.figures.words import quantity


def _label(name: str, dtype: str, sentence: str, ucd: str = "meta.id") -> Column:
    return Column(name, dtype, "", name, name, "", "", sentence, ucd)


_LABELS = (
    _label("panel", "str", "The plane: what is drawn against what."),
    _label("line", "str", "What the point lies on, in the words of the key."),
    _label("piece", "i4", "Number of the piece, of lines that are broken; -1 for others."),
    _label("galaxy_id", "i4", "Number of the galaxy, of points; -1 for others.", "meta.id.parent"),
)
_WORDS = {column.name: column for column in _LABELS}
PERCENTILES = {"p16": "16th percentile of {}", "p84": "84th percentile of {}"}
NO_NUMBER = -1


def line_table(shown: Shown) -> tuple[dict[str, np.ndarray], dict[str, Column]]:
    """Columns and what they are: panel, line, piece, galaxy_id, then every quantity that any line holds.

    A quantity that a row has nothing to say about is NaN; so are medians of bins with too few regions.
    """
    blocks = [
        block
        for panel in shown.figure.panels
        for i, mark in enumerate(panel.marks)
        for block in _blocks(panel, mark, shown.arrays[panel.name, i])
    ]
    names = [name for block in blocks for name in block if name not in _WORDS]
    words = _WORDS | {name: _words(name) for name in dict.fromkeys(names)}
    return {name: _stacked(blocks, name, words[name]) for name in words}, words


def facts(shown: Shown) -> dict[str, str]:
    """What a file of numbers tells about itself."""
    return {
        "figure": f"{title(shown)} (after {shown.figure.paper} of {ZG22})",
        "caption": caption(shown),
        "survey": str(shown.survey.meta.get("survey_id", "")),
        "software": f"glocal {glocal_version()}",
    }


Block = dict[str, np.ndarray]  # columns of the rows of one line


def _blocks(panel: Panel, mark: Mark, arrays: Arrays) -> list[Block]:
    """Rows of one mark, line by line; none for what fills a plane (see ``images``)."""
    lines = _LINES.get(type(arrays))
    names = [mark.label or name for name in style_names(mark)]
    return [_block(panel, name, columns) for name, columns in lines(panel, names, arrays)] if lines else []


Lines = Iterator[tuple[str, Block]]


def _band(panel: Panel, names: list[str], band: BandArrays) -> Lines:
    y = panel.y
    yield names[0], {panel.x: band.x, y: band.median, f"{y}_p16": band.low, f"{y}_p84": band.high}


def _peaks(panel: Panel, names: list[str], peaks: PeakArrays) -> Lines:
    for name, ages in zip(names, (peaks.old, peaks.young), strict=True):
        yield name, {panel.x: peaks.x, panel.y: ages}


def _valley(panel: Panel, names: list[str], valley: ValleyArrays) -> Lines:
    yield names[0], {panel.x: valley.x, panel.y: valley.y}


def _points(panel: Panel, names: list[str], points: PointArrays) -> Lines:
    yield names[0], {panel.x: points.x, panel.y: points.y, "galaxy_id": points.galaxy_id}


def _limits(panel: Panel, names: list[str], limits: LimitArrays) -> Lines:
    for name, log_mu_star in zip(names, limits, strict=True):
        yield name, {"log_mu_star": np.array([log_mu_star])}


def _pieces(panel: Panel, names: list[str], lines: LineArrays) -> Lines:
    for piece, (xs, ys) in enumerate(zip(lines.xs, lines.ys, strict=True)):
        yield names[0], {panel.x: xs, panel.y: ys, "piece": np.full(len(xs), piece)}


_LINES = {
    BandArrays: _band, PeakArrays: _peaks, ValleyArrays: _valley, PointArrays: _points, LimitArrays: _limits,
    LineArrays: _pieces,
}  # fmt: skip


def _block(panel: Panel, line: str, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    n = len(next(iter(columns.values())))
    return {"panel": np.full(n, panel.name), "line": np.full(n, line)} | columns


def _stacked(blocks: list[dict], name: str, which: Column) -> np.ndarray:
    missing = {"str": "", "i4": NO_NUMBER}.get(which.dtype, np.nan)
    lengths = [len(block["panel"]) for block in blocks]
    parts = [block.get(name, np.full(n, missing)) for block, n in zip(blocks, lengths, strict=True)]
    dtype = {"str": str, "i4": np.int32}.get(which.dtype, np.float64)
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)


def _words(name: str) -> Column:
    """What a column of numbers is; percentiles are those of a column of the survey."""
    for ending, sentence in PERCENTILES.items():
        if name.endswith(f"_{ending}"):
            of = quantity(name.removesuffix(f"_{ending}"))
            told = sentence.format(of.label)
            return of._replace(name=name, label=told, description=f"{told}.")
    return quantity(name)
