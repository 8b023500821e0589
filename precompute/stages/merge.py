"""A galaxy joins the galaxies of another survey."""

import numpy as np

from engine.columns import FIRST_OWN_NUMBER, GALAXY, MIXED, REGION, Column
from engine.errors import TableError
from engine.table_checks import Columns
from precompute.io.tables import plain_name


def merge_surveys(
    base: tuple[Columns, Columns, dict], regions: Columns, galaxies: Columns
) -> tuple[Columns, Columns, str]:
    """Both tables of ``base`` with one more galaxy, and the origin of the whole.

    The newcomer gets new region numbers, and a new galaxy number if its own is taken. Columns that one
    side lacks hold "no value" there. Raises TableError if the survey already has a galaxy of that name.
    """
    old_regions, old_galaxies, meta = base
    name = str(galaxies["name"][0])
    if plain_name(name) in {plain_name(other) for other in old_galaxies["name"].tolist()}:
        raise TableError(f"survey {meta['survey_id']} already has a galaxy {name}")
    number = _free_number(int(galaxies["galaxy_id"][0]), old_galaxies["galaxy_id"])
    n = len(regions["x"])
    first = int(old_regions["region_id"].max()) + 1
    regions = regions | {"galaxy_id": np.full(n, number), "region_id": first + np.arange(n)}
    galaxies = galaxies | {"galaxy_id": np.array([number])}
    origin = meta["origin"] if set(galaxies["origin"]) == {meta["origin"]} else MIXED
    return _stack(old_regions, regions, REGION), _stack(old_galaxies, galaxies, GALAXY), origin


def _free_number(wanted: int, taken: np.ndarray) -> int:
    """The number wanted, or one that no catalogue has."""
    return max(int(taken.max()) + 1, FIRST_OWN_NUMBER) if wanted in taken else wanted


def _stack(above: Columns, below: Columns, columns: dict[str, Column]) -> Columns:
    n_above = len(next(iter(above.values())))
    n_below = len(next(iter(below.values())))
    return {
        name: np.concatenate([above.get(name, _nothing(c, n_above)), below.get(name, _nothing(c, n_below))])
        for name, c in columns.items()
        if name in above or name in below
    }


def _nothing(column: Column, n: int) -> np.ndarray:
    """No value: NaN, an empty word, or 0 in whole-number columns (0 means not known there)."""
    if column.dtype == "str":
        return np.full(n, "")
    return np.full(n, np.nan) if column.may_be_nan else np.zeros(n, column.dtype)
