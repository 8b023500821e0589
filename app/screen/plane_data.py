"""A plane of two quantities as arrays: what is drawn, before anything is drawn.

Density is counted live by datashader in the cells of the view, per square dex, over the peak of the full sample
in its full view: one shade means one density in every plane and for every selection.
"""

from typing import NamedTuple

import contourpy
import datashader as ds
import numpy as np
import pandas as pd

from app.selection import Selection
from app.store import Survey
from engine.adopted import GREEN_VALLEY_BIN_DEX, M_STAR_BIN_DEX
from engine.columns import GALAXY
from engine.relations.density import contour_levels, normalise_columns, normalise_peak, smooth_density, weighted_density
from engine.relations.green_valley import Line, Peaks, age_peaks
from engine.relations.running import RunningQuantiles, running_quantiles

CELLS_X, CELLS_Y = 150, 126  # choice: about two pixels each, finer than the paper's own bins
CELLS_X_GALAXY = 30  # a few hundred galaxies share the axis: finer cells would show each as a stripe
MERGE = 2  # cells of the density along each axis that make one cell of the normalised columns
DECADES = 3.0  # choice: depth of the ink ramp below the peak
N_CONTOURS, LOWEST_CONTOUR, CONTOUR_BLUR = 5, 0.01, 1.6  # choices; blur in cells
CONTOUR_CELLS_X, CONTOUR_CELLS_Y = 120, 100
QUANTILES = np.array([0.16, 0.5, 0.84])
SATURATION = 0.9  # choice: part of a column's highest cell that is drawn in full ink

LIMITS = {  # choice: what Fig. 3 needs to hold nearly every region
    "log_mu_star": (0.8, 4.2), "log_mu_e": (1.2, 3.8), "log_M_star": (8.8, 11.8),
    "log_age_wr": (8.4, 10.2), "log_Z_wr": (-1.5, 0.5),
}  # fmt: skip
COLUMNS = tuple(LIMITS)
Y_COLUMNS = ("log_age_wr", "log_Z_wr")
View = tuple[float, float, float, float]  # x0, x1, y0, y1


class PlaneSpec(NamedTuple):
    """Which columns a plane spans and which lines the paper draws in it."""

    x: str
    y: str
    peaks: bool = False
    median: bool = False
    valley: bool = False
    published: bool = False

    @property
    def name(self) -> str:
        """The plane's key in links and files."""
        return f"{self.y}-{self.x}"

    @property
    def limits(self) -> View:
        """The full view."""
        return *LIMITS[self.x], *LIMITS[self.y]

    @property
    def cells(self) -> tuple[int, int]:
        """Cells of a view along x and y."""
        return (CELLS_X_GALAXY if self.x in GALAXY else CELLS_X), CELLS_Y


FIGURE_3 = (
    PlaneSpec("log_mu_star", "log_age_wr", peaks=True, valley=True),
    PlaneSpec("log_mu_e", "log_age_wr", peaks=True),
    PlaneSpec("log_M_star", "log_age_wr", peaks=True, median=True, published=True),
    PlaneSpec("log_mu_star", "log_Z_wr", median=True),
    PlaneSpec("log_mu_e", "log_Z_wr", median=True),
    PlaneSpec("log_M_star", "log_Z_wr", median=True, published=True),
)


class Sample(NamedTuple):
    """The selected regions, side by side: what every plane of a page counts. Weights are in ``frame`` too."""

    frame: pd.DataFrame
    orders: dict[str, np.ndarray]  # rows of the frame by rising age, by rising metallicity
    mask: np.ndarray | None
    weighting: str
    n_regions: int
    n_galaxies: int

    def column(self, name: str) -> np.ndarray:
        """One column of the selected regions, or their "weight"."""
        return self.frame[name].to_numpy()


class PlaneData(NamedTuple):
    """One picture: shades 0 (no region) to 255 (the peak), (y, x) uint8 each, and the lines of the sample."""

    view: View
    image: np.ndarray
    normalised: np.ndarray
    running: RunningQuantiles | None
    peaks: Peaks | None
    n_regions: int


def select_sample(survey: Survey, selection: Selection) -> Sample:
    """The regions a visitor selected, under the weighting they chose."""
    mask, weight = selection.region_mask(survey), survey.weight(selection.weighting)
    if mask is None:
        frame, galaxies = _full_frame(survey, selection.weighting), len(survey.galaxies)
        orders = {name: survey.order(name) for name in Y_COLUMNS}
        return Sample(frame, orders, None, selection.weighting, survey.n_regions, galaxies)
    rows = np.flatnonzero(mask)
    frame = pd.DataFrame(
        {name: survey[name].take(rows) for name in COLUMNS} | {"weight": weight.take(rows)}, copy=False
    )
    orders = _orders_of_part(survey, mask)
    galaxies = np.count_nonzero(np.bincount(survey.galaxy_index[rows], minlength=1))
    return Sample(frame, orders, mask, selection.weighting, len(rows), int(galaxies))


def _orders_of_part(survey: Survey, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Orders of the selected rows from those of all rows: cheaper than to sort, or to walk all rows per line."""
    place = np.cumsum(mask, dtype=np.int32) - 1
    orders = {name: survey.order(name) for name in Y_COLUMNS}
    return {name: place.take(order.compress(mask.take(order))) for name, order in orders.items()}


def plane_data(
    survey: Survey, sample: Sample, spec: PlaneSpec, view: View | None = None, fineness: int = 1
) -> PlaneData:
    """Everything of a plane that follows the selection, in the view given or in the full one.

    A plane shown large has its cells divided by ``fineness`` along both axes.
    """
    view = view or spec.limits
    count = _count(sample.frame, spec, view, (spec.cells[0] * fineness, spec.cells[1] * fineness))
    density = _per_area(count, view)
    return PlaneData(
        view,
        log_shades(normalise_peak(density, full_peak(survey, spec, sample.weighting))),
        column_shades(_merged(count, MERGE, 1 if spec.x in GALAXY else MERGE)),
        running_lines(sample, spec) if spec.median else None,
        peak_lines(sample, spec) if spec.peaks else None,
        sample.n_regions,
    )


def log_shades(relative: np.ndarray) -> np.ndarray:
    """Density over the peak as shades: 0 where there is none, else 1 to 255 over DECADES of the log."""
    shades = np.zeros(relative.shape, np.uint8)
    there = relative > 0
    depth = 1.0 + np.log10(relative[there]) / DECADES
    shades[there] = 1 + np.rint(254 * np.clip(depth, 0.0, 1.0)).astype(np.uint8)
    return shades


def column_shades(density: np.ndarray) -> np.ndarray:
    """Distribution of y at each x as shades, linear: a saturated column shows where half of its regions crowd."""
    share = normalise_columns(density)
    highest = share.max(axis=0, keepdims=True)
    relative = np.divide(share, SATURATION * highest, out=np.zeros_like(share), where=highest > 0)
    return np.rint(255 * np.clip(relative, 0.0, 1.0)).astype(np.uint8)


def running_lines(sample: Sample, spec: PlaneSpec) -> RunningQuantiles:
    """Median and 16-84 percentiles of y in bins of x (ZG22 footnote 6)."""
    columns = [sample.column(name) for name in (spec.x, spec.y, "weight")]
    return running_quantiles(*columns, _edges(spec.x, M_STAR_BIN_DEX), QUANTILES, sample.orders[spec.y])


def peak_lines(sample: Sample, spec: PlaneSpec) -> Peaks:
    """Most frequent ages of the two sequences in bins of x."""
    columns = [sample.column(name) for name in (spec.x, spec.y, "weight")]
    return age_peaks(*columns, _edges(spec.x, GREEN_VALLEY_BIN_DEX))


def valley_line(line: Line) -> tuple[list[float], list[float]]:
    """Ends of the green valley across the full view; no ends if the fit found none."""
    if not np.isfinite(line.slope):
        return [], []
    x = list(LIMITS["log_mu_star"])
    return x, [line.slope * end + line.intercept for end in x]


def full_peak(survey: Survey, spec: PlaneSpec, weighting: str) -> float:
    """Highest density of the full sample in its full view: shade 255."""

    def peak() -> float:
        full = _count(_full_frame(survey, weighting), spec, spec.limits, spec.cells)
        return float(_per_area(full, spec.limits).max(initial=0.0))

    return survey.once(("peak", spec.name, weighting), peak)


def contours(survey: Survey, spec: PlaneSpec, weighting: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Log-spaced isodensity lines of the full sample: the frame of reference, whatever is selected."""
    return survey.once(("contours", spec.name, weighting), lambda: _contours(survey, spec, weighting))


def _contours(survey: Survey, spec: PlaneSpec, weighting: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    x0, x1, y0, y1 = spec.limits
    x_edges = np.linspace(x0, x1, min(CONTOUR_CELLS_X, spec.cells[0]) + 1)
    y_edges = np.linspace(y0, y1, CONTOUR_CELLS_Y + 1)
    density = weighted_density(survey[spec.x], survey[spec.y], survey.weight(weighting), x_edges, y_edges)
    smooth = normalise_peak(smooth_density(density, CONTOUR_BLUR))
    x, y = ((edges[1:] + edges[:-1]) / 2 for edges in (x_edges, y_edges))
    generator = contourpy.contour_generator(x, y, smooth)
    levels = contour_levels(N_CONTOURS, LOWEST_CONTOUR)
    lines = [line for level in levels for line in generator.lines(level)]
    return [line[:, 0] for line in lines], [line[:, 1] for line in lines]


def _full_frame(survey: Survey, weighting: str) -> pd.DataFrame:
    def frame() -> pd.DataFrame:
        columns = {name: survey[name] for name in COLUMNS}
        return pd.DataFrame(columns | {"weight": survey.weight(weighting)}, copy=False)

    return survey.once(("frame", weighting), frame)


def _count(frame: pd.DataFrame, spec: PlaneSpec, view: View, cells: tuple[int, int]) -> np.ndarray:
    if not len(frame):
        return np.zeros(cells[::-1])
    # under the same names for every plane: datashader compiles anew for each pair of names, a third of a second
    columns = {"x": frame[spec.x].array, "y": frame[spec.y].array, "weight": frame["weight"].array}
    points = pd.DataFrame(columns, copy=False)
    canvas = ds.Canvas(*cells, x_range=view[:2], y_range=view[2:])
    return np.nan_to_num(canvas.points(points, "x", "y", ds.sum("weight")).values)


def _per_area(density: np.ndarray, view: View) -> np.ndarray:
    x0, x1, y0, y1 = view
    return density * (density.size / ((x1 - x0) * (y1 - y0)))


def _merged(count: np.ndarray, rows: int, columns: int) -> np.ndarray:
    n_y, n_x = count.shape
    return count.reshape(n_y // rows, rows, n_x // columns, columns).sum(axis=(1, 3))


def _edges(name: str, step: float) -> np.ndarray:
    low, high = LIMITS[name]
    return np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
