"""Running weighted quantiles: the lines of ZG22 Figs. 2, 3, 4 and 7."""

from dataclasses import dataclass

import numpy as np

from engine.errors import SettingsError
from engine.relations.binning import as_columns, as_edges, bin_rows, centres, quantiles_per_bin
from engine.types import BoolArray, FloatArray, IntArray

RISING: IntArray = np.zeros(0, dtype=np.int32)  # the order of rows that rise already, NaN last
RISING.flags.writeable = False


@dataclass(frozen=True, slots=True)
class RunningQuantiles:
    """One value per quantile and bin, NaN in bins with fewer rows than asked; the unit of y."""

    centre: FloatArray  # (bin,)
    values: FloatArray  # (quantile, bin)
    count: IntArray  # (bin,) rows


def presort(y: FloatArray) -> IntArray:
    """Row numbers by rising y, (row,) int32, NaN last. Costs a sort: compute once per column and keep."""
    return np.argsort(y).astype(np.int32)


def running_quantiles(  # noqa: PLR0913, PLR0917 - three columns, their weight and how to bin them
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    edges: FloatArray,
    quantiles: FloatArray | tuple[float, ...],
    order: IntArray,
    mask: BoolArray | None = None,
    min_count: int = 50,
) -> RunningQuantiles:
    """Median line and its companions: how y follows x, each region counted by its weight.

    Parameters: x, y, weight, mask (row,), float32 or float64; edges (bin + 1,) rising; quantiles rising in 0-1;
    order from ``presort(y)``, or RISING if the rows are sorted by y already (fastest: memory is read in one sweep).
    Bins hold their lower edge, the last both. Quantiles as defined in engine.stats.
    Raises ShapeError for columns that do not fit, SettingsError for quantiles that do not rise within 0-1.
    """
    quantiles = _checked(quantiles)
    x, y, weight, rows = as_columns(mask, x=x, y=y, weight=weight)
    edges = as_edges(edges)
    bins = bin_rows(x, y, weight, rows, edges)
    values, count = quantiles_per_bin(bins, y, weight, order, edges.size - 1, quantiles)
    values[:, count < min_count] = np.nan
    return RunningQuantiles(centres(edges), values, count)


def _checked(quantiles: FloatArray | tuple[float, ...]) -> FloatArray:
    quantiles = np.atleast_1d(np.asarray(quantiles, dtype=float))
    if np.any(np.diff(quantiles) <= 0) or not np.all((quantiles >= 0) & (quantiles <= 1)):
        raise SettingsError(f"quantiles must rise between 0 and 1, got {quantiles}")
    return quantiles
