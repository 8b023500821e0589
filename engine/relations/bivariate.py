"""A third quantity over a plane: median and scatter in cells, ZG22 Figs. 2, 5 and B1."""

from dataclasses import dataclass

import numpy as np

from engine.relations.binning import as_columns, as_edges, bin_rows_2d, quantiles_per_bin
from engine.stats import PERCENTILES
from engine.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class MedianGrid:
    """Weighted median and half of the 16-84 range of z, (y, x) each, NaN in thin cells; the unit of z."""

    median: FloatArray
    half_width: FloatArray
    count: IntArray  # rows


def median_map(  # noqa: PLR0913, PLR0917 - three columns, their weight and how to bin them
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    weight: FloatArray,
    x_edges: FloatArray,
    y_edges: FloatArray,
    order_of_z: IntArray,
    mask: BoolArray | None = None,
    min_count: int = 10,
) -> MedianGrid:
    """What z is typically at a given x and y, and how much it scatters there.

    Parameters: x, y, z, weight, mask (row,), float32 or float64; rising edges; order_of_z from
    ``relations.running.presort(z)``, or RISING if the rows are sorted by z already. Quantiles as
    defined in engine.stats.
    Raises ShapeError for columns that do not fit.
    """
    x, y, z, weight, rows = as_columns(mask, x=x, y=y, z=z, weight=weight)
    x_edges = as_edges(x_edges)
    y_edges = as_edges(y_edges)
    shape = (y_edges.size - 1, x_edges.size - 1)
    cells = bin_rows_2d(x, y, z, weight, rows, x_edges, y_edges)
    values, count = quantiles_per_bin(cells, z, weight, order_of_z, shape[0] * shape[1], np.array(PERCENTILES))
    values[:, count < min_count] = np.nan
    low, median, high = values.reshape(3, *shape)
    return MedianGrid(median, (high - low) / 2.0, count.reshape(shape))
