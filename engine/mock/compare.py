"""How close a mock survey comes to the paper, quantity by quantity, and what their likeness means."""

from typing import NamedTuple

import numpy as np

from engine.figures.numbers import compare
from engine.figures.sample import select
from engine.figures.table import Table
from engine.flags import SpaxelFlag
from engine.inference.validation import QUANTITIES
from engine.mock.coverage import ALL, ALL_REGIONS, coverage_of
from engine.regions import Rows

SET = "set"
TUNED = "tuned"
FOLLOWS = "follows"

# What no ingredient of the mock was chosen for; of what is not named here, each was in view while tuning
_KINDS = {"galaxies": SET, "share_old": FOLLOWS, "share_young": FOLLOWS} | {
    f"mu_star_{of}_{what}": FOLLOWS for of in ("log_M_star", "log_mu_e") for what in ("slope", "scatter")
}


class Comparison(NamedTuple):
    """One quantity, its value in the survey at hand and in ZG22, and what their likeness means for the mock.

    kind: "set" went into the mock; "tuned": an ingredient was chosen so that it comes out; "follows": neither.
    """

    quantity: str
    here: float
    paper: float
    kind: str


def compare_with_paper(regions: Rows, galaxies: Rows) -> list[Comparison]:
    """Everything ZG22 prints that a survey can be compared with; regions and galaxies are columns of its tables."""
    numbers = compare(select(Table(regions, galaxies)))
    few = np.mean(regions["flags"] & SpaxelFlag.FEW_MODELS != 0)
    return [
        *(Comparison(n.quantity, n.here, n.paper, _KINDS.get(n.key, TUNED)) for n in numbers),
        Comparison("share of regions with fewer than ten models within their errors", few, np.nan, FOLLOWS),
        *_coverages(regions),
    ]


def _coverages(regions: Rows) -> list[Comparison]:
    """Nothing of ZG22, but of the mock's truth; a Gaussian has 0.68. In bins: `glocal validate --survey`."""
    if any(f"true_{name}" not in regions for name in QUANTITIES):
        return []
    return [
        Comparison(f"share of true {one.quantity} within the stated errors", one.coverage, np.nan, FOLLOWS)
        for one in coverage_of(regions, fewest=1)
        if (one.sequence, one.by) == (ALL, ALL_REGIONS)
    ]
