"""Axes of planes: how far they reach, into how many cells and bins they are cut."""

import numpy as np

from engine.adopted import M_STAR_BIN_DEX
from engine.columns import GALAXY, REGION
from engine.figures.arrays import Limits4, Regions, View
from engine.types import FloatArray

Limits = tuple[float, float]

LIMITS: dict[str, Limits] = {  # choice: what the figures of ZG22 need to hold nearly every region
    "log_mu_star": (0.8, 4.2), "log_mu_e": (1.2, 3.8), "log_M_star": (8.8, 11.8),
    "log_age_wr": (8.4, 10.2), "log_Z_wr": (-1.5, 0.5),
    "log_mu_star_err": (0.0, 0.4), "log_age_wr_err": (0.0, 0.5), "log_Z_wr_err": (0.0, 0.6),
    "radius_re": (0.0, 4.0),
}  # fmt: skip
OUTSIDE = 0.01  # choice: an axis is widened where more than this share of the regions would be left out
FARTHEST = 0.002  # choice: the widened axis then leaves out this share
STEP = 0.2  # choice: widened axes end at multiples of it, of the half for errors

COLOUR_LIMITS: dict[str, Limits] = {  # choice: ends of the colours of medians
    "log_age_wr": (8.8, 10.0), "log_Z_wr": (-0.8, 0.2), "log_mu_e": (1.8, 3.8), "log_M_star": (9.2, 11.6),
}  # fmt: skip
SCATTER_LIMITS: dict[str, Limits] = {"log_M_star": (0.0, 0.8), "log_mu_e": (0.0, 0.6)}  # choice: dex

CELLS = 150  # choice: about two pixels each, finer than the paper's own bins
CELLS_ALONG_Y = 126
GALAXY_CELLS = 30  # a few hundred galaxies share the axis: finer cells would show each as a stripe
MERGE = 2  # cells of the density along each axis that make one cell of the normalised columns
CONTOUR_CELLS = 120
CONTOUR_CELLS_ALONG_Y = 100
MEDIAN_CELL_DEX = 0.1  # choice: a third of a typical scatter of medians, about that of the drawings of ZG22 Fig. 5


def limits(name: str, table: Regions | None = None) -> Limits:
    """Ends of the axis of a column: those of the paper, or wider where a survey reaches beyond them."""
    if table is None:
        return LIMITS[name]
    return table.once(("limits", name), lambda: _widened(name, table))


def colour_limits(name: str, table: Regions) -> Limits:
    """Ends of the colours of a column's median."""
    return COLOUR_LIMITS[name] if name in COLOUR_LIMITS else limits(name, table)


def scatter_limits(name: str) -> Limits:
    """Ends of the colours of half of the 16-84 range of a column [dex]."""
    return SCATTER_LIMITS.get(name, (0.0, 0.4))


def plane_limits(x: str, y: str, table: Regions, view: View | None = None) -> Limits4:
    """Limits of a plane, zoomed if the view is."""
    zoom = view.zoom if view else {}
    return *_zoomed(limits(x, table), zoom.get(x)), *_zoomed(limits(y, table), zoom.get(y))


def cells(x: str, y: str, fineness: int = 1) -> tuple[int, int]:
    """Cells of the density along x and y."""
    along_x = GALAXY_CELLS if of_galaxies(x) else CELLS
    along_y = GALAXY_CELLS if of_galaxies(y) else CELLS_ALONG_Y
    return along_x * fineness, along_y * fineness


def contour_cells(x: str, y: str) -> tuple[int, int]:
    """Cells of the density behind contours."""
    along_x, along_y = cells(x, y)
    return min(CONTOUR_CELLS, along_x), min(CONTOUR_CELLS_ALONG_Y, along_y)


def merged_cells(x: str, y: str) -> tuple[int, int]:
    """Cells of the density that make one cell of the normalised columns, along x and y."""
    return 1 if of_galaxies(x) else MERGE, 1 if of_galaxies(y) else MERGE


def bin_edges(name: str, table: Regions | None = None, step: float = M_STAR_BIN_DEX) -> FloatArray:
    """Edges of bins at multiples of a step that cover the axis."""
    low, high = limits(name, table)
    return np.arange(np.floor(_rounded(low / step)), np.ceil(_rounded(high / step)) + 1) * step


def of_galaxies(name: str) -> bool:
    """Whether a column has one value per galaxy."""
    return name in GALAXY and name not in REGION


def _rounded(value: float) -> float:
    """Without the last digits, so that 0.8 / 0.2 has no bin more than 4."""
    return round(value, 9)


def _zoomed(full: Limits, zoom: tuple[float | None, float | None] | None) -> Limits:
    low, high = zoom or (None, None)
    return full[0] if low is None else low, full[1] if high is None else high


def _widened(name: str, table: Regions) -> Limits:
    values = _values(name, table)
    default = LIMITS.get(name)
    if values.size == 0:
        return default or (0.0, 1.0)
    if default is None:
        return _ends(values, STEP)
    low, high = _ends(values, STEP / 2 if name.endswith("_err") else STEP)
    too_low = np.mean(values < default[0])
    too_high = np.mean(values > default[1])
    return (
        low if too_low > OUTSIDE else default[0],
        high if too_high > OUTSIDE else default[1],
    )


def _values(name: str, table: Regions) -> FloatArray:
    values = table.galaxy(name) if of_galaxies(name) else table[name]
    if values is None:
        return np.zeros(0)
    values = np.asarray(values, dtype=float)
    return values[np.isfinite(values)]


def _ends(values: FloatArray, step: float) -> Limits:
    """Multiples of the step that leave out FARTHEST at either side."""
    low, high = np.quantile(values, (FARTHEST, 1.0 - FARTHEST), method="inverted_cdf")
    first = np.floor(low / step)
    last = np.ceil(high / step)
    return float(round(first * step, 6)), float(round(max(last, first + 1) * step, 6))
