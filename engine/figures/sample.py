"""The selected regions, side by side: what every mark of a figure counts."""

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property

import numpy as np

from engine.figures.arrays import Regions
from engine.figures.cut import ALL, FITTED, OLD_RIDGE, UNSMOOTHED, YOUNG_SEQUENCE, Cut, Range
from engine.relations.green_valley import EQUATION_3, Line, fit_green_valley, is_old_ridge
from engine.types import BoolArray, FloatArray, IntArray

KEPT = 48  # parts and results that one sample keeps; Fig. 7 needs 12 parts
GALAXY_INDEX = "galaxy_index"  # read from a sample as if it were a column


class Sample:
    """Regions of a table under a cut and a weighting; columns are taken when they are read, and kept.

    >>> sample = select(table, Cut(ranges={"log_M_star": (10.3, None)}))    # doctest: +SKIP
    >>> sample["log_age_wr"], sample.weight                                 # (region,) each
    """

    def __init__(self, table: Regions, weighting: str, cut: Cut, parent: "Sample | None" = None):
        self.table = table
        self.weighting = weighting
        self.cut = cut
        self._parent = parent
        self._mask = None if parent is None else _mask(parent, cut)
        self._columns: dict[str, np.ndarray | None] = {}
        self._kept: OrderedDict[object, object] = OrderedDict()

    @property
    def is_full(self) -> bool:
        """Whether these are all regions of the table."""
        return self._mask is None and (self._parent is None or self._parent.is_full)

    @property
    def line(self) -> Line:
        """The green valley in force."""
        return valley_in_force(self.table, self.cut.valley, self.weighting)

    @cached_property
    def rows(self) -> IntArray | None:
        """Rows of the table that are selected, rising, (region,); None stands for all."""
        if self._mask is None:
            return None if self._parent is None else self._parent.rows
        above = self._parent.rows
        return self._own_rows if above is None else above.take(self._own_rows)

    @cached_property
    def n_regions(self) -> int:
        """How many regions are selected."""
        if self._mask is None:
            return self.table.n_regions if self._parent is None else self._parent.n_regions
        return int(np.count_nonzero(self._mask))

    @cached_property
    def has_galaxy(self) -> BoolArray:
        """Which galaxies have selected regions, (galaxy,)."""
        n = len(self.table.galaxy("galaxy_id"))
        return np.bincount(self[GALAXY_INDEX], minlength=n) > 0

    @property
    def n_galaxies(self) -> int:
        """How many galaxies have selected regions."""
        return int(np.count_nonzero(self.has_galaxy))

    @property
    def weight(self) -> FloatArray:
        """Statistical weight, (region,); mean 1 over the whole table."""
        return self["weight"]

    def __getitem__(self, name: str) -> np.ndarray | None:
        """A column of the selected regions, a galaxy's value for each, or their "weight"; None if there is none."""
        if self._parent is None:
            return self._from_table(name)
        if self._mask is None:
            return self._parent[name]
        if name not in self._columns:
            above = self._parent[name]
            self._columns[name] = None if above is None else above.take(self._own_rows)
        return self._columns[name]

    def order(self, name: str) -> IntArray:
        """Places in this sample by rising value of a column, NaN last, (region,)."""
        if self._parent is None:
            return self.table.order(name)
        if self._mask is None:
            return self._parent.order(name)
        return self.once(("order", name), lambda: self._order_of_part(name))

    def part(self, cut: Cut) -> "Sample":
        """The regions of this sample that also lie in the cut; its green valley stays that of this sample."""
        if cut.keeps_all:
            return self
        return self._keep(("part", cut), lambda: self._part(cut))

    def once(self, key: object, make: Callable[[], object]) -> object:
        """What ``make`` makes, kept with the table if this is its full sample, else as long as the sample."""
        if self.is_full:
            return self.table.once((key, self.weighting), make)
        return self._keep(key, make)

    def _keep(self, key: object, make: Callable[[], object]) -> object:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make()
        self._kept[key] = made
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return made

    def _part(self, cut: Cut) -> "Sample":
        part = Sample(self.table, self.weighting, Cut(valley=self.cut.valley) & cut, self)
        part.cut = self.cut & cut
        return part

    def _from_table(self, name: str) -> np.ndarray | None:
        if name == "weight":
            return self.table.weight(self.weighting)
        return self.table.galaxy_index if name == GALAXY_INDEX else self.table[name]

    @cached_property
    def _own_rows(self) -> IntArray:
        return np.flatnonzero(self._mask)

    def _order_of_part(self, name: str) -> IntArray:
        """From the order of all: cheaper than to sort, or to walk all rows for every line."""
        order = self._parent.order(name)
        place = np.cumsum(self._mask, dtype=np.int32) - 1
        return place.take(order.compress(self._mask.take(order)))


def select(table: Regions, cut: Cut | None = None, weighting: str = "area/V'max") -> Sample:
    """The regions of a table that lie in a cut, under a weighting."""
    cut = cut or Cut()
    full = full_sample(table, weighting, cut.valley)
    return full if cut.keeps_all else full._part(cut)


def full_sample(table: Regions, weighting: str, valley: Line | str = EQUATION_3) -> Sample:
    """All regions of a table: the frame of reference, whatever is selected; kept with the table."""
    if is_standing(valley):
        return table.once(("full sample", weighting, valley), lambda: Sample(table, weighting, Cut(valley=valley)))
    return Sample(table, weighting, Cut(valley=valley))


def is_standing(valley: Line | str) -> bool:
    """Whether a green valley is none of a visitor's own, so that what follows from it may be kept with the table."""
    return valley in (EQUATION_3, FITTED)


def valley_in_force(table: Regions, valley: Line | str, weighting: str) -> Line:
    """The line that splits the sequences: as given, or as fitted to the full sample."""
    if valley != FITTED:
        return valley
    columns = ("log_mu_star", "log_age_wr")
    return table.once(
        ("valley", weighting), lambda: fit_green_valley(*(table[name] for name in columns), table.weight(weighting))
    )


def _mask(sample: Sample, cut: Cut) -> BoolArray | None:
    """Which regions of a sample lie in a cut, (region,); None if all do."""
    parts = [*_galaxy_masks(sample, cut), *_region_masks(sample, cut)]
    if not parts:
        return None
    mask = parts[0]
    for part in parts[1:]:
        mask &= part
    return mask


def _galaxy_masks(sample: Sample, cut: Cut) -> list[BoolArray]:
    """What a cut asks of galaxies, for each of their regions."""
    table = sample.table
    kept = [_within(table.galaxy(name), limits) for name, limits in cut.ranges.items() if _of_galaxies(table, name)]
    if cut.galaxies is not None:
        kept.append(np.isin(table.galaxy("galaxy_id"), cut.galaxies))
    if cut.types is not None:
        types = table.galaxy("hubble_type")
        kept.append(np.zeros(len(table.galaxy("galaxy_id")), bool) if types is None else np.isin(types, cut.types))
    return [np.logical_and.reduce(kept).take(sample[GALAXY_INDEX])] if kept else []


def _of_galaxies(table: Regions, name: str) -> bool:
    return table.galaxy(name) is not None


def _region_masks(sample: Sample, cut: Cut) -> list[BoolArray]:
    """What a cut asks of single regions; a column that the table lacks holds no region."""
    ranges = {name: limits for name, limits in cut.ranges.items() if not _of_galaxies(sample.table, name)}
    parts = [_in_range(sample, name, limits) for name, limits in ranges.items()]
    if cut.sequence != ALL:
        parts.append(_in_sequence(sample, cut))
    if cut.smoothing == UNSMOOTHED:
        levels = sample["smoothing_level"]
        parts.append(np.zeros(sample.n_regions, bool) if levels is None else levels == 1)
    return parts


def _in_range(sample: Sample, name: str, limits: Range) -> BoolArray:
    values = sample[name]
    return np.zeros(sample.n_regions, bool) if values is None else _within(values, limits)


def _within(values: np.ndarray, limits: Range) -> BoolArray:
    """Lower end included, upper end excluded; NaN lies nowhere."""
    inside = np.isfinite(values) if limits.low is None else values >= limits.low
    if limits.high is not None:
        inside &= values < limits.high
    return inside


def _in_sequence(sample: Sample, cut: Cut) -> BoolArray:
    log_mu_star, log_age = sample["log_mu_star"], sample["log_age_wr"]
    line = valley_in_force(sample.table, cut.valley, sample.weighting)
    old = is_old_ridge(log_mu_star, log_age, line)
    if cut.sequence == OLD_RIDGE:
        return old
    if cut.sequence == YOUNG_SEQUENCE:
        return np.isfinite(log_mu_star) & np.isfinite(log_age) & ~old
    return np.zeros(sample.n_regions, bool)
