"""What figures are made of and what they become: the table that is read, the view, and every mark as arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from engine.errors import TableError
from engine.figures.cut import Range
from engine.relations.green_valley import ValleyLine
from engine.types import FloatArray, IntArray

Made = TypeVar("Made")


class Regions(Protocol):
    """What a table of regions offers; ``app.store.Survey`` is one, ``engine.figures.table.Table`` a plain one."""

    n_regions: int

    def __getitem__(self, name: str) -> np.ndarray | None:
        """A region column, a galaxy's value for each of its regions, or ``radius_re``; None if there is none."""

    def galaxy(self, name: str) -> np.ndarray | None:
        """A column of the galaxy table, (galaxy,)."""

    @property
    def galaxy_index(self) -> IntArray:
        """Row of the galaxy table per region, (row,)."""

    def weight(self, weighting: str) -> FloatArray:
        """Statistical weight under a weighting, (row,), with mean 1."""

    def order(self, name: str) -> IntArray:
        """Rows by rising value of a column, NaN last, (row,)."""

    def once(self, key: object, make: Callable[[], Made]) -> Made:
        """What ``make`` makes, made once for this table."""


Limits4 = tuple[float, float, float, float]  # x0, x1, y0, y1 of a plane, in the units of its columns


@dataclass(frozen=True)
class View:
    """How a figure is looked at: zoomed axes by column, and the cells and bins of its marks.

    Cells of densities follow the zoom and are divided by ``fineness`` along both axes. Bins of medians stay where
    they are: a statistic must not change when one looks closer.
    """

    zoom: Mapping[str, Range] = field(default_factory=dict)
    weighting: str = "area/V'max"
    fineness: int = 1
    min_count: int = 50  # regions below which a bin or a cell of a median is left empty


# What each mark is as arrays. x and y in the units of their columns; NaN where there is no value.


class DensityArrays(NamedTuple):
    """Density over the peak of the full sample, or share per column, (y, x), in the cells of a view."""

    limits: Limits4
    value: FloatArray


def column_of(table: Regions, name: str) -> FloatArray:
    """A column of regions that must be there; raises TableError otherwise."""
    return _there(table[name], name)


def galaxy_column(table: Regions, name: str) -> FloatArray:
    """The same of the galaxy table."""
    return _there(table.galaxy(name), name)


def _there(column: FloatArray | None, name: str) -> FloatArray:
    if column is None:
        raise TableError(f"the table has no column {name}")
    return column


class LineArrays(NamedTuple):
    """Pieces of lines: contours; each (point,)."""

    xs: list[FloatArray]
    ys: list[FloatArray]


class BandArrays(NamedTuple):
    """A median with its 16th and 84th percentiles, (bin,) each: running medians, published relations, the fit."""

    x: FloatArray
    low: FloatArray
    median: FloatArray
    high: FloatArray


class PeakArrays(NamedTuple):
    """Most frequent ages, (bin,) each."""

    x: FloatArray
    old: FloatArray
    young: FloatArray


class ValleyArrays(NamedTuple):
    """Both ends of the line in the panel; empty if there is none."""

    x: FloatArray
    y: FloatArray
    line: ValleyLine


@dataclass(frozen=True)
class MapArrays:
    """Median or scatter of z in cells, (y, x); ``z_limits`` are the ends of its colours."""

    limits: Limits4
    value: FloatArray
    count: IntArray
    z_limits: tuple[float, float]


class PointArrays(NamedTuple):
    """One entry per galaxy, (galaxy,) each."""

    x: FloatArray
    y: FloatArray
    galaxy_id: IntArray


class LimitArrays(NamedTuple):
    """log mu* down to which the sequences are complete; NaN where it cannot be determined."""

    old: float
    young: float
