"""Do the stated errors of a mock survey hold its truth? In every bin of density, S/N, smoothing level and sequence."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from engine.adopted import SMOOTHING_LEVEL_FRACTIONS
from engine.inference.validation import QUANTITIES
from engine.regions import Rows
from engine.relations.green_valley import is_old_ridge
from engine.types import BoolArray, FloatArray

N_LEVEL = len(SMOOTHING_LEVEL_FRACTIONS)
EXPECTED, TOLERANCE = 0.68, 0.03  # of a Gaussian within one sigma; what this project aims at
FEWEST_REGIONS = 2000  # choice: of a bin that is listed; a coverage to 0.01
ALL = "all"
OLD = "old ridge"
YOUNG = "young sequence"
ALL_REGIONS = "all regions"
LOG_MU_EDGES = np.arange(0.5, 4.75, 0.5)  # log Msun/pc2
SNR_EDGES = np.array([7.5, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 1000.0])  # per Angstrom


class Coverage(NamedTuple):
    """One quantity in one bin of regions."""

    quantity: str  # column name
    sequence: str  # by the true age and density; "all" for both
    by: str  # what the bin is of
    low: float
    high: float
    n: int
    offset: float  # median of measured minus true, dex
    error: float  # median stated error, dex
    coverage: float  # share of truths within the stated error of the median

    @property
    def as_expected(self) -> bool:
        """Whether the coverage is that of a Gaussian, to the tolerance."""
        return abs(self.coverage - EXPECTED) <= TOLERANCE


def coverage_of(regions: Rows, fewest: int = FEWEST_REGIONS) -> list[Coverage]:
    """Coverage of every quantity in all bins of at least so many regions; regions are columns of a mock's table."""
    old = is_old_ridge(regions["true_log_mu_star"], regions["true_log_age_wr"])
    sequences = {ALL: np.ones(old.shape, bool), OLD: old, YOUNG: ~old}
    bins = list(_bins(regions))
    return [
        _coverage(regions, quantity, sequence, one)
        for quantity in QUANTITIES
        for sequence, mine in sequences.items()
        for one in (each._replace(rows=each.rows & mine) for each in bins)
        if one.rows.sum() >= fewest
    ]


class _Bin(NamedTuple):
    by: str
    low: float
    high: float
    rows: BoolArray


def _bins(regions: Rows) -> Iterator[_Bin]:
    """All regions, then bins of measured density, of S/N, and smoothing levels."""
    yield _Bin(ALL_REGIONS, np.nan, np.nan, np.ones(len(regions["log_mu_star"]), bool))
    for name, edges in (("log_mu_star", LOG_MU_EDGES), ("snr_per_angstrom", SNR_EDGES)):
        for low, high in pairwise(edges):
            yield _Bin(name, low, high, (regions[name] >= low) & (regions[name] < high))
    for level in range(1, N_LEVEL + 1):
        yield _Bin("smoothing_level", level, level, regions["smoothing_level"] == level)


def _coverage(regions: Rows, quantity: str, sequence: str, one: _Bin) -> Coverage:
    off = (regions[quantity] - regions[f"true_{quantity}"])[one.rows].astype(float)
    error = regions[f"{quantity}_err"][one.rows]
    known = np.isfinite(off) & np.isfinite(error)
    off = off[known]
    error = error[known]
    within = float(np.mean(np.abs(off) <= error)) if off.size else np.nan
    ends = float(one.low), float(one.high)
    return Coverage(quantity, sequence, one.by, *ends, off.size, _median(off), _median(error), within)


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if values.size else np.nan
