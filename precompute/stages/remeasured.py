"""A survey before and after it was measured again, and what becomes of the files that lie beside its tables."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.inference.posterior import Observed
from engine.table_checks import Columns
from engine.types import BoolArray, IntArray


class Measurable(NamedTuple):
    """A survey as it was, and which of its regions can be measured again."""

    regions: Columns
    galaxies: Columns
    meta: dict
    measurable: BoolArray  # (region,): those of galaxies with observables
    galaxy: IntArray  # (region,) row in the galaxy table


class Remeasured(NamedTuple):
    """A survey before and after it was measured again, and the folders of both, which may be the same."""

    old_folder: Path
    new_folder: Path
    before: Measurable
    after: Columns  # regions, in the same order
    observed: Observed  # of the measurable regions


class Renewed(NamedTuple):
    """What became of one kind of file: what the user should read, and the galaxies that failed.

    ``failed`` tells, by name of the galaxy, why its file could not be made to follow the new estimates.
    """

    sentences: list[str]
    failed: dict[str, str]


def rows_of(columns: Columns, chosen: BoolArray) -> Columns:
    """The columns of the chosen regions (region,)."""
    places = np.flatnonzero(chosen)  # else numpy would search the mask for every column
    return {name: values[places] for name, values in columns.items()}
