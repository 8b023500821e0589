"""Which galaxies sit at a place of a plane, and what their regions there are like."""

from typing import NamedTuple

import numpy as np

from app import theme
from app.store import Survey
from engine.figures import axes
from engine.figures.catalogue import Panel
from engine.figures.marks import MedianMap
from engine.figures.sample import GALAXY_INDEX, Sample

NEAR = 0.02  # choice: half the side of a place, as part of the axes that are seen
TOLD = ("log_mu_star", "log_age_wr", "log_Z_wr")  # medians that are told of each galaxy
MOST = 50  # galaxies that are listed


class Place(NamedTuple):
    """A rectangle of a plane: its ends along x and y."""

    x: tuple[float, float]
    y: tuple[float, float]


class Found(NamedTuple):
    """Galaxies with regions in a place, most regions first: (galaxy,) each; ``medians`` by column."""

    row: np.ndarray  # of the galaxy table
    n_regions: np.ndarray
    medians: dict[str, np.ndarray]


def place_at(panel: Panel, survey: Survey, at: tuple[float, float], seen: Place) -> Place:
    """The cell of medians that was clicked, else a small rectangle round the click; ``seen`` are the axes as zoomed."""
    if any(isinstance(mark, MedianMap) for mark in panel.marks):
        edges = [axes.bin_edges(name, survey, axes.MEDIAN_CELL_DEX) for name in (panel.x, panel.y)]
        return Place(*map(_bin, edges, at))
    return Place(*map(_around, at, seen))


def galaxies_at(sample: Sample, panel: Panel, place: Place) -> Found:
    """Galaxies of the selected regions of a panel that lie in a place."""
    part = sample.part(panel.part)
    rows = np.flatnonzero(_within(part[panel.x], place.x) & _within(part[panel.y], place.y))
    galaxies, of_galaxy, counts = np.unique(part[GALAXY_INDEX][rows], return_inverse=True, return_counts=True)
    by_count = np.argsort(-counts, kind="stable")
    told = [name for name in TOLD if part.has(name)]
    medians = {name: _medians(part[name][rows], of_galaxy, len(galaxies))[by_count] for name in told}
    return Found(galaxies[by_count], counts[by_count], medians)


def words_of(found: Found, panel: Panel, place: Place, survey: Survey) -> dict[str, object]:
    """What the page lists: a title, headings, a row per galaxy, and the numbers of all galaxies for a cut."""
    n_regions, n_galaxies = int(found.n_regions.sum()), len(found.row)
    ids, names = (survey.galaxies[name].to_numpy()[found.row] for name in ("galaxy_id", "name"))
    rows = [
        {"id": int(ids[i]), "name": str(names[i]), "numbers": _numbers(found, i)} for i in range(min(MOST, n_galaxies))
    ]
    return {
        "where": f"{_span(panel.x, place.x)}, {_span(panel.y, place.y)}",
        "counted": f"{_plural(n_regions, 'region')} of {_plural(n_galaxies, 'galaxy', 'galaxies')}",
        "headings": ["galaxy", "regions", *(f"median {theme.html_label(name)}" for name in found.medians)],
        "rows": rows,
        "more": f"and {n_galaxies - MOST} more" if n_galaxies > MOST else "",
        "ids": ids.tolist(),
    }


def _numbers(found: Found, i: int) -> list[str]:
    return [theme.thousands(int(found.n_regions[i])), *(_number(values[i]) for values in found.medians.values())]


def _within(values: np.ndarray | None, ends: tuple[float, float]) -> np.ndarray:
    """Which values lie between two ends; none of a column that the table lacks."""
    return np.zeros(1, bool) if values is None else (values >= ends[0]) & (values < ends[1])


def _medians(values: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Median of the known values of each group, (n_groups,); NaN where there is none."""
    known = np.isfinite(values)
    medians = np.full(n_groups, np.nan)
    for place in range(n_groups):
        of_group = values[known & (group == place)]
        if of_group.size:
            medians[place] = np.median(of_group)
    return medians


def _around(value: float, ends: tuple[float, float]) -> tuple[float, float]:
    half = NEAR * abs(ends[1] - ends[0])
    return value - half, value + half


def _bin(edges: np.ndarray, value: float) -> tuple[float, float]:
    """The bin that holds a value; beyond the edges, the last one."""
    i = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))
    return float(edges[i]), float(edges[i + 1])


def _span(name: str, ends: tuple[float, float]) -> str:
    return f"{theme.html_label(name)} {_number(ends[0])} to {_number(ends[1])}"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _plural(n: int, one: str, many: str = "") -> str:
    return f"{theme.thousands(n)} {one if n == 1 else many or one + 's'}"
