"""The selected regions, side by side: what every mark of a figure counts."""

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import cast

import numpy as np

from engine.errors import TableError
from engine.figures.arrays import Made, Regions, column_of, galaxy_column
from engine.figures.cut import ALL, FITTED, OLD_RIDGE, UNSMOOTHED, YOUNG_SEQUENCE, Cut, Range
from engine.relations.green_valley import EQUATION_3, ValleyLine, fit_green_valley, is_old_ridge
from engine.types import BoolArray, FloatArray, IntArray

KEPT = 64  # choice: columns, parts and results that one sample keeps of each; Fig. 7 needs 12 parts
LATELY = 6  # choice: results for views of a visitor's own; Fig. 3 has six planes
WEIGHT = "weight"  # read from a sample as if it were a column
GALAXY_INDEX = "galaxy_index"


class Sample:
    """Regions of a table under a cut and a weighting; columns are taken when they are read, and kept.

    ``mask`` tells which rows of the table are selected, (row,) bool; None stands for all.

    >>> sample = select(table, Cut(ranges={"log_M_star": (10.3, None)}))    # doctest: +SKIP
    >>> sample["log_age_wr"], sample.weight                                 # (region,) each
    """

    def __init__(self, table: Regions, weighting: str, cut: Cut, mask: BoolArray | None):
        self.table = table
        self.weighting = weighting
        self.cut = cut
        self.mask = mask
        self._kept: dict[str, OrderedDict[object, object]] = {}

    @property
    def is_full(self) -> bool:
        """Whether these are all regions of the table."""
        return self.mask is None

    @property
    def line(self) -> ValleyLine:
        """The green valley in force."""
        return valley_in_force(self.table, self.cut.valley, self.weighting)

    @cached_property
    def rows(self) -> IntArray | None:
        """Rows of the table that are selected, rising, (region,); None stands for all."""
        return None if self.mask is None else np.flatnonzero(self.mask)

    @cached_property
    def n_regions(self) -> int:
        """How many regions are selected."""
        return self.table.n_regions if self.mask is None else int(np.count_nonzero(self.mask))

    @cached_property
    def has_galaxy(self) -> BoolArray:
        """Which galaxies have selected regions, (galaxy,)."""
        n = len(galaxy_column(self.table, "galaxy_id"))
        return np.bincount(self.column(GALAXY_INDEX), minlength=n) > 0

    @property
    def n_galaxies(self) -> int:
        """How many galaxies have selected regions."""
        return int(np.count_nonzero(self.has_galaxy))

    @property
    def weight(self) -> FloatArray:
        """Statistical weight, (region,); its mean over the whole table is 1."""
        return self.column(WEIGHT)

    def __getitem__(self, name: str) -> np.ndarray | None:
        """A column of the selected regions, a galaxy's value for each, or WEIGHT; None if there is none."""
        column = self._of_table(name)
        rows = self.rows
        if rows is None or column is None:
            return column
        return self._keep("column", name, lambda: column.take(rows))

    def column(self, name: str) -> FloatArray:
        """The same of a column that must be there; raises TableError otherwise."""
        values = self[name]
        if values is None:
            raise TableError(f"the table has no column {name}")
        return values

    def has(self, *names: str) -> bool:
        """Whether the table has all of these columns."""
        return all(self._of_table(name) is not None for name in names)

    def rising(self, name: str, by: str) -> np.ndarray:
        """A column (or WEIGHT) of the selected regions in rising order of the column ``by``, NaN last, (region,).

        Medians are found by one walk along such columns; taken from the sorted table, they need no sort.
        """
        full = self.table.once(
            ("rising", name, by, self.weighting if name == WEIGHT else None),
            lambda: self._full(name).take(self.table.order(by)),
        )
        mask = self.mask
        if mask is None:
            return full
        places = self._keep("places", by, lambda: np.flatnonzero(mask.take(self.table.order(by))))
        return self._keep("rising", (name, by), lambda: full.take(places))

    def part(self, cut: Cut) -> "Sample":
        """The regions of this sample that also lie in the cut; its green valley stays that of this sample."""
        if cut.keeps_all:
            return self
        return self._keep("part", cut, lambda: self._part(cut))

    def once(self, key: object, make: Callable[[], Made]) -> Made:
        """What ``make`` makes, kept with the table if this is its full sample, else as long as the sample."""
        if self.is_full:
            return self.table.once((key, self.weighting), make)
        return self._keep("made", key, make)

    def lately(self, key: object, make: Callable[[], Made]) -> Made:
        """What ``make`` makes, kept with this sample until a few others were made: nobody else will ask for it."""
        return self._keep("lately", key, make, LATELY)

    def _part(self, cut: Cut) -> "Sample":
        mask = region_mask(self.table, Cut(valley=self.cut.valley) & cut, self.weighting)
        if self.mask is not None:
            mask = self.mask & mask
        return Sample(self.table, self.weighting, self.cut & cut, mask)

    def _full(self, name: str) -> FloatArray:
        return self.table.weight(self.weighting) if name == WEIGHT else column_of(self.table, name)

    def _of_table(self, name: str) -> np.ndarray | None:
        if name == WEIGHT:
            return self.table.weight(self.weighting)
        return self.table.galaxy_index if name == GALAXY_INDEX else self.table[name]

    def _keep(self, kind: str, key: object, make: Callable[[], Made], most: int = KEPT) -> Made:
        kept = self._kept.setdefault(kind, OrderedDict())
        made = kept.get(key)
        if made is None:
            made = kept[key] = make()
            while len(kept) > most:
                kept.popitem(last=False)
        return cast("Made", made)


def select(table: Regions, cut: Cut | None = None, weighting: str = "area/V'max") -> Sample:
    """The regions of a table that lie in a cut, under a weighting."""
    cut = cut or Cut()
    if cut.keeps_all:
        return full_sample(table, weighting, cut.valley)
    return Sample(table, weighting, cut, region_mask(table, cut, weighting))


def full_sample(table: Regions, weighting: str, valley: ValleyLine | str = EQUATION_3) -> Sample:
    """All regions of a table: the frame of reference, whatever is selected; kept with the table."""
    cut = Cut(valley=valley)
    if is_standing(valley):
        return table.once(("full sample", weighting, valley), lambda: Sample(table, weighting, cut, None))
    return Sample(table, weighting, cut, None)


def is_standing(valley: ValleyLine | str) -> bool:
    """Whether a green valley is none of a visitor's own, so that what follows from it may be kept with the table."""
    return valley in (EQUATION_3, FITTED)


def valley_in_force(table: Regions, valley: ValleyLine | str, weighting: str) -> ValleyLine:
    """The line that splits the sequences: as given, or as fitted to the full sample."""
    if isinstance(valley, ValleyLine):
        return valley

    def fitted() -> ValleyLine:
        log_mu_star = column_of(table, "log_mu_star")
        return fit_green_valley(log_mu_star, column_of(table, "log_age_wr"), table.weight(weighting))

    return table.once(("valley", weighting), fitted)


def region_mask(table: Regions, cut: Cut, weighting: str = "area/V'max") -> BoolArray | None:
    """Which regions of a table lie in a cut, (row,) bool; None if nothing is cut.

    A column that the table lacks holds no region. The weighting matters where the green valley is to be fitted.
    """
    masks = [*_galaxy_masks(table, cut), *_region_masks(table, cut, weighting)]
    return np.logical_and.reduce(masks) if masks else None


def _galaxy_masks(table: Regions, cut: Cut) -> list[BoolArray]:
    """What a cut asks of galaxies, in one mask of their regions."""
    columns = {name: table.galaxy(name) for name in cut.ranges}
    kept = [_within(column, cut.ranges[name]) for name, column in columns.items() if column is not None]
    if cut.galaxies is not None:
        kept.append(np.isin(galaxy_column(table, "galaxy_id"), cut.galaxies))
    if cut.types is not None:
        types = table.galaxy("hubble_type")
        unknown = np.zeros(len(galaxy_column(table, "galaxy_id")), bool)
        kept.append(unknown if types is None else np.isin(types.astype(str), cut.types))
    return [np.logical_and.reduce(kept).take(table.galaxy_index)] if kept else []


def _region_masks(table: Regions, cut: Cut, weighting: str) -> list[BoolArray]:
    """What a cut asks of single regions, one mask each."""
    none = np.zeros(table.n_regions, bool)
    masks = []
    for name, limits in cut.ranges.items():
        if table.galaxy(name) is None:
            values = table[name]
            masks.append(none if values is None else _within(values, limits))
    if cut.sequence != ALL:
        masks.append(sequence_mask(table, cut.sequence, cut.valley, weighting))
    if cut.smoothing == UNSMOOTHED:
        levels = table["smoothing_level"]
        masks.append(none if levels is None else levels == 1)
    return masks


def _within(values: np.ndarray, limits: Range) -> BoolArray:
    """Lower end included, upper end excluded; NaN lies nowhere."""
    inside = np.isfinite(values) if limits.low is None else values >= limits.low
    if limits.high is not None:
        inside = inside & (values < limits.high)
    return inside


def sequence_mask(table: Regions, sequence: str, valley: ValleyLine | str, weighting: str) -> BoolArray:
    """Which regions lie on a sequence, (row,) bool; none for a word that is not one."""

    def make() -> BoolArray:
        return _sequence(table, sequence, valley_in_force(table, valley, weighting))

    return table.once(("sequence", sequence, valley, weighting), make) if is_standing(valley) else make()


def _sequence(table: Regions, sequence: str, line: ValleyLine) -> BoolArray:
    log_mu_star = column_of(table, "log_mu_star")
    log_age = column_of(table, "log_age_wr")
    if sequence not in (OLD_RIDGE, YOUNG_SEQUENCE):
        return np.zeros(table.n_regions, bool)
    old = is_old_ridge(log_mu_star, log_age, line)
    return old if sequence == OLD_RIDGE else np.isfinite(log_mu_star) & np.isfinite(log_age) & ~old
