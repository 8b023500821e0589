"""What fills a panel, as a picture: densities in ink, medians in colour. No screen."""

from typing import NamedTuple

import datashader as ds
import numpy as np
import pandas as pd

from app.theme import word
from engine.figures.arrays import DensityArrays, Limits4, MapArrays
from engine.figures.marks import SCATTER, ColumnDensity, Density, Mark, MedianMap
from engine.figures.shades import column_shades, log_shades
from engine.types import FloatArray

INK, GREYS = "ink", "scatter"  # colours of densities, and of the scatter of medians


class Fill(NamedTuple):
    """A picture: cells (y, x), the ends of its axes, the name of its colours and their ends.

    ``kind`` tells the readout what a cell holds: a density, a share, or the words of a quantity.
    """

    image: np.ndarray
    limits: Limits4
    colours: str
    ends: tuple[float, float]
    kind: str


def fill_of(mark: Mark, arrays: DensityArrays | MapArrays) -> Fill:
    """The picture of a mark that fills the panel."""
    if isinstance(mark, Density):
        return Fill(log_shades(arrays.value), arrays.limits, INK, (1, 255), "density")
    if isinstance(mark, ColumnDensity):
        return Fill(column_shades(arrays.value), arrays.limits, INK, (1, 255), "share")
    scatter = mark.shows == SCATTER
    colours, kind = (GREYS, f"scatter of {word(mark.z)}") if scatter else (mark.z, word(mark.z))
    return Fill(np.asarray(arrays.value, np.float32), arrays.limits, colours, arrays.z_limits, kind)


def fills(mark: Mark) -> bool:
    """Whether a mark fills the panel, rather than being drawn over what does."""
    return isinstance(mark, Density | ColumnDensity | MedianMap)


def count(x: FloatArray, y: FloatArray, weight: FloatArray, limits: Limits4, cells: tuple[int, int]) -> FloatArray:
    """Sum of weights in cells by datashader, (y, x); equal to ``engine.figures.planes.weighted_count``.

    Columns have the same names for every plane: datashader compiles again for each pair of names, a third of a second.
    """
    points = pd.DataFrame({"x": x, "y": y, "weight": weight}, copy=False)
    canvas = ds.Canvas(*cells, x_range=limits[:2], y_range=limits[2:])
    return np.nan_to_num(canvas.points(points, "x", "y", ds.sum("weight")).values)
