"""Every figure of ZG22: its panels, and what is drawn in them. A new figure is a new entry here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from engine.adopted import LOG_M_STAR_BINS
from engine.figures.cut import OLD_RIDGE, UNSMOOTHED, YOUNG_SEQUENCE, Cut, Range
from engine.figures.marks import (
    EVERYTHING,
    FULL,
    SCATTER,
    ColumnDensity,
    Contours,
    Density,
    Fit,
    Limits,
    Mark,
    MedianMap,
    Peaks,
    Points,
    Published,
    Running,
    Valley,
)

MU_STAR = "log_mu_star"
MU_E = "log_mu_e"
M_STAR = "log_M_star"
AGE = "log_age_wr"
Z = "log_Z_wr"
MASSES = (MU_STAR, MU_E, M_STAR)
OLD = Cut(sequence=OLD_RIDGE)
YOUNG = Cut(sequence=YOUNG_SEQUENCE)


@dataclass(frozen=True)
class Panel:
    """A plane of two columns. ``part`` narrows what is selected; ``title`` says so where it does."""

    x: str
    y: str
    marks: tuple[Mark, ...]
    part: Cut = EVERYTHING
    title: str = ""
    tag: str = ""

    @property
    def name(self) -> str:
        """The panel's key in links and files, ASCII; unique within its figure by ``tag``."""
        return f"{self.y}-{self.x}-{self.tag}" if self.tag else f"{self.y}-{self.x}"


@dataclass(frozen=True)
class Figure:
    """Panels side by side, row by row; ``title`` states the question, ``caption`` says what to look for."""

    key: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    columns: int
    paper: str


def _figure_1() -> Figure:
    marks = (Density(), Running(label="running median", median_only=True))
    panels = tuple(Panel(MU_STAR, f"{name}_err", marks) for name in (MU_STAR, AGE, Z))
    return Figure(
        "1",
        "How well is a region known?",
        "Errors (half of the 16–84 percentile range of the posterior) against local density. Metallicities get "
        "better with density, since dense regions are bright and rich in metals; the line is the running median.",
        panels,
        columns=3,
        paper="Fig. 1, sec. 2.2",
    )


def _figure_2() -> Figure:
    regions = (Density(), Contours(), Running())
    panels = (
        Panel(M_STAR, MU_STAR, (MedianMap(z=MU_E), MedianMap(z=MU_E, shows=SCATTER, inset=True), Limits())),
        Panel(MU_E, MU_STAR, (MedianMap(z=M_STAR), MedianMap(z=M_STAR, shows=SCATTER, inset=True), Limits())),
        Panel(M_STAR, MU_E, (Points(), Fit())),
        Panel(M_STAR, MU_STAR, regions, tag="regions"),
        Panel(MU_E, MU_STAR, regions, tag="regions"),
    )
    return Figure(
        "2",
        "How are local and global mass tied together?",
        "Galaxies of low mass or low mean density never reach high local densities: the densest region of a galaxy "
        "follows its mass. Mean density and mass scale as a power law, with a wide scatter.",
        panels,
        columns=3,
        paper="Fig. 2, sec. 3",
    )


def _age_panel(x: str, of: str = "selected") -> Panel:
    marks: list[Mark] = [Density(), ColumnDensity(), Contours()]
    if x == M_STAR:
        marks += [Published(), Running(of=of)]
    if x == MU_STAR:
        marks.append(Valley())
    return Panel(x, AGE, (*marks, Peaks(of=of)))


def _metallicity_panel(x: str, of: str = "selected") -> Panel:
    marks: list[Mark] = [Density(), ColumnDensity(), Contours()]
    if x == M_STAR:
        marks.append(Published())
    return Panel(x, Z, (*marks, Running(of=of)))


def _figure_3() -> Figure:
    panels = (*map(_age_panel, MASSES), *map(_metallicity_panel, MASSES))
    return Figure(
        "3",
        "Local age and metallicity against mass",
        "Ages split into an old ridge near 10<sup>9.8</sup> yr and a young sequence that rises with local density, "
        "while metallicity follows one relation. Shades show the weighted density of regions, logarithmic, peak of "
        "the full sample = 1; insets show each column by itself, and thin lines the full sample.",
        panels,
        columns=3,
        paper="Fig. 3, secs. 4.1 and 4.2",
    )


def _figure_4() -> Figure:
    rows = ((OLD_RIDGE, OLD), (YOUNG_SEQUENCE, YOUNG))
    panels = tuple(_split_panel(x, name, part) for name, part in rows for x in MASSES)
    return Figure(
        "4",
        "Do old and young regions share one metallicity relation?",
        "Metallicity of old-ridge (top) and young-sequence regions (bottom): coloured lines are their own medians and "
        "percentiles, black ones those of all regions. Against local density both follow the same relation.",
        panels,
        columns=3,
        paper="Fig. 4, sec. 4.3",
    )


def _split_panel(x: str, name: str, part: Cut) -> Panel:
    marks = (Density(), ColumnDensity(), Contours(), Running(of=FULL), Running(style=name))
    return Panel(x, Z, marks, part, title=name, tag=_slug(name))


def _median_panel(x: str, z: str, part: Cut = EVERYTHING, title: str = "") -> Panel:
    marks = (MedianMap(z=z), MedianMap(z=z, shows=SCATTER, inset=True), Limits())
    return Panel(x, MU_STAR, marks, part, title, tag=f"{z}-{_slug(title)}".strip("-"))


def _slug(words: str) -> str:
    return words.replace(" ", "-")


def _figure_5() -> Figure:
    panels = tuple(_median_panel(x, z) for z in (AGE, Z) for x in (M_STAR, MU_E))
    return Figure(
        "5",
        "What sets age and metallicity: the density here, or the mass of the whole galaxy?",
        "Median age (top) and metallicity (bottom) of regions at equal local density and equal galaxy mass or mean "
        "density: a column is one relation with local density. Lines: completeness of old-ridge and young regions.",
        panels,
        columns=2,
        paper="Fig. 5, sec. 5",
    )


def mass_bins(edges: tuple[float, ...] = LOG_M_STAR_BINS) -> Iterator[tuple[str, Cut]]:
    """Bins of galaxy mass with open ends: their words and cuts, from the lowest mass to the highest."""
    ends = (None, *edges, None)
    for low, high in pairwise(ends):
        yield _bin_words(low, high), Cut(ranges={M_STAR: Range(low, high)})


def _bin_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"log M∗ < {high:g}"
    return f"log M∗ ≥ {low:g}" if high is None else f"log M∗ {low:g}–{high:g}"


def _figure_6(edges: tuple[float, ...] = LOG_M_STAR_BINS) -> Figure:
    marks = (Density(), ColumnDensity(), Contours(), Valley(), Peaks(of=FULL))
    bins = enumerate(mass_bins(edges), start=1)
    panels = tuple(Panel(MU_STAR, AGE, marks, part, title, tag=f"bin-{i}") for i, (title, part) in bins)
    return Figure(
        "6",
        "Does galaxy mass move the sequences, or only their balance?",
        "Age against local density in bins of galaxy mass, on one scale of shades; lines and contours are those of "
        "the full sample. The balance shifts from young to old with mass, the sequences stay where they are.",
        panels,
        columns=2,
        paper="Fig. 6, sec. 5",
    )


def _figure_7(edges: tuple[float, ...] = LOG_M_STAR_BINS) -> Figure:
    bins = list(enumerate(mass_bins(edges), start=1))
    lines = tuple(Running(part=part, style=f"bin {i}", label=words, median_only=True) for i, (words, part) in bins)
    split = tuple(
        Running(part=part & sequence, style=f"bin {i}, {name}", label=f"{words}, {name}", median_only=True)
        for i, (words, part) in bins
        for name, sequence in ((OLD_RIDGE, OLD), (YOUNG_SEQUENCE, YOUNG))
    )
    panels = (
        Panel(MU_STAR, Z, (Contours(), *lines), title="all regions", tag="all"),
        Panel(MU_STAR, Z, (Contours(), *split), title="split by sequence", tag="split"),
    )
    return Figure(
        "7",
        "How does galaxy mass modulate the metallicity relation?",
        "Median metallicity against local density in bins of galaxy mass, for all regions and for either sequence. "
        "The relation moves up with mass; within a bin, young regions are slightly richer in metals.",
        panels,
        columns=2,
        paper="Fig. 7, sec. 5",
    )


def _figure_a1() -> Figure:
    part = Cut(smoothing=UNSMOOTHED)
    full = (*(_age_panel(x, FULL) for x in MASSES), *(_metallicity_panel(x, FULL) for x in MASSES))
    panels = tuple(Panel(panel.x, panel.y, panel.marks, part, UNSMOOTHED, UNSMOOTHED) for panel in full)
    return Figure(
        "A1",
        "Does smoothing make the relations?",
        "As Fig. 3, for regions that needed no smoothing; lines and contours are those of the full sample.",
        panels,
        columns=3,
        paper="Fig. A1, app. A",
    )


def _figure_b1() -> Figure:
    rows = ((OLD_RIDGE, OLD), (YOUNG_SEQUENCE, YOUNG))
    panels = tuple(_median_panel(M_STAR, z, part, name) for z in (AGE, Z) for name, part in rows)
    return Figure(
        "B1",
        "Within one sequence, does galaxy mass still matter?",
        "As the left column of Fig. 5, for old-ridge (left) and young-sequence regions (right) by themselves.",
        panels,
        columns=2,
        paper="Fig. B1, app. B",
    )


_MAKERS: dict[str, Callable[..., Figure]] = {
    "1": _figure_1, "2": _figure_2, "3": _figure_3, "4": _figure_4, "5": _figure_5, "6": _figure_6, "7": _figure_7,
    "A1": _figure_a1, "B1": _figure_b1,
}  # fmt: skip
BINNED = ("6", "7")  # figures whose bins of galaxy mass can be moved
FIGURES: dict[str, Figure] = {key: make() for key, make in _MAKERS.items()}


def figure(key: str, edges: tuple[float, ...] = LOG_M_STAR_BINS) -> Figure:
    """The figure of that key, with bins of galaxy mass at these edges [log Msun] where it has bins.

    Raises KeyError for a key that is not in FIGURES.
    """
    return _MAKERS[key](edges) if key in BINNED else FIGURES[key]
