"""How marks look, as values: read from the words of ``assets/style/marks.toml``, used by every way to draw them."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from engine.errors import SettingsError
from engine.figures.catalogue import Figure
from engine.figures.cut import OLD_RIDGE, YOUNG_SEQUENCE
from engine.figures.marks import FULL, ColumnDensity, Density, Limits, Mark, MedianMap, Peaks
from engine.types import FloatArray

_BIN = re.compile(r"bin (\d+)(?:, (.+))?")


class Style(NamedTuple):
    """Look of one line or point. width and dash [px on the screen]; an empty dash is solid."""

    colour: str
    width: float
    dash: tuple[float, ...] = ()
    marker: str = ""
    label: str = ""


@dataclass(frozen=True)
class Styles:
    """All looks of figures.

    ``ground`` and ``spectrum``: colours by use; ``ramps``: stops of colour; ``maps``: names of colour maps.
    """

    ground: Mapping[str, str]
    spectrum: Mapping[str, str]
    ramps: Mapping[str, tuple[str, ...]]
    maps: Mapping[str, str]
    named: Mapping[str, Style]
    bin_markers: tuple[str, ...]
    bin_width: float
    young_dash: tuple[float, ...]

    def of(self, name: str, n_bins: int = 4) -> Style:
        """The style of that name; "bin 2" and "bin 2, young sequence" are the second of so many bins of mass.

        Raises SettingsError for a name that is not known.
        """
        if name in self.named:
            return self.named[name]
        found = _BIN.fullmatch(name)
        if not found:
            raise SettingsError(f"no mark has the style {name!r}; known are {', '.join(self.named)}")
        place = int(found[1]) - 1
        colour = ramp(self.ramps["bins"], max(n_bins, place + 1))[place]
        dash = self.young_dash if found[2] == YOUNG_SEQUENCE else ()
        return Style(colour, self.bin_width, dash, self.bin_markers[place % len(self.bin_markers)])

    def percentile(self, style: Style) -> Style:
        """The look of the 16th and 84th percentiles next to a median."""
        thin = self.named["percentile"]
        return style._replace(width=style.width * thin.width / self.named["median"].width, dash=thin.dash, marker="")


def read_styles(words: str) -> Styles:
    """The styles that the words of a marks.toml state; raises SettingsError if one has no colour or width."""
    told = tomllib.loads(words)
    named = {name: _style(name, look) for name, look in told["styles"].items()}
    ramps = {name: tuple(stops) for name, stops in told["ramps"].items()}
    bins = told["bins"]
    return Styles(
        ground=told["ground"], spectrum=told["spectrum"], ramps=ramps, maps=told["maps"], named=named,
        bin_markers=tuple(bins["markers"]), bin_width=bins["width"], young_dash=tuple(bins["young_dash"]),
    )  # fmt: skip


def _style(name: str, look: dict[str, Any]) -> Style:
    try:
        return Style(look["colour"], look["width"], tuple(look.get("dash", ())), look.get("marker", ""), look["label"])
    except KeyError as missing:
        raise SettingsError(f"the style {name!r} has no {missing.args[0]}") from None


@cache
def ramp(stops: tuple[str, ...], n: int) -> tuple[str, ...]:
    """n colours evenly along a ramp, both ends included."""
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in stops], dtype=float)
    along = np.linspace(0.0, len(stops) - 1.0, n)
    mixed: FloatArray = np.array([np.interp(along, range(len(stops)), rgb[:, i]) for i in range(3)]).T
    return tuple("#" + "".join(f"{round(part):02x}" for part in colour) for colour in mixed)


class Entry(NamedTuple):
    """One entry of a figure's key: its words, and the name of its style."""

    label: str
    style: str


def key_entries(figure: Figure, styles: Styles) -> list[Entry]:
    """The key of a figure's lines, each once, in the order in which they are drawn.

    Bins of mass that are split into sequences have one entry per bin and one per sequence: colour tells one, dash the
    other.
    """
    found: dict[str, Entry] = {}
    for panel in figure.panels:
        for mark in panel.marks:
            for entry in _entries(mark, styles):
                found.setdefault(entry.label, entry)
    return sorted(found.values(), key=lambda entry: entry.style in _SPLIT)


_UNKEYED = (Density, ColumnDensity, MedianMap)  # shades and colours have a bar or a sentence of their own
_SPLIT = tuple(f"bins, {name}" for name in (OLD_RIDGE, YOUNG_SEQUENCE))


def _entries(mark: Mark, styles: Styles) -> Iterator[Entry]:
    if isinstance(mark, _UNKEYED):
        return
    of_full = mark.of == FULL != type(mark)().of
    for name in style_names(mark):
        split = _BIN.fullmatch(name)
        if split and split[2]:
            yield Entry(mark.label.removesuffix(f", {split[2]}"), f"bin {split[1]}")
            yield Entry(split[2], f"bins, {split[2]}")
        else:
            label = mark.label or styles.of(name).label
            yield Entry(f"{label}, full sample" if of_full else label, name)


def style_names(mark: Mark) -> tuple[str, ...]:
    """Names of the styles a mark is drawn in: two for marks of two lines."""
    if isinstance(mark, Peaks):
        return ("old ridge", "young sequence")
    if isinstance(mark, Limits):
        return ("complete, old ridge", "complete, young sequence")
    return (mark.style,)


def n_bins(figure: Figure) -> int:
    """How many bins of galaxy mass the lines of a figure have."""
    found = [_BIN.fullmatch(mark.style) for panel in figure.panels for mark in panel.marks]
    return max((int(match[1]) for match in found if match), default=0)
