"""What makes a survey sound: the two tables checked column by column against ``engine.columns``.

Checks take columns as ``dict[str, ndarray]`` and return them, cast to their dtypes and in the order
of ``engine.columns``. ``label`` names the table in messages (a file, or "the region table").
"""

import json
from typing import Any

import numpy as np

from engine.columns import GALAXY_COLUMNS, MEASURED, META_KEY, MOCK, REGION_COLUMNS, SCHEMA_VERSION, Column
from engine.errors import TableError

Columns = dict[str, np.ndarray]


def history_of(metadata: dict[bytes, bytes] | None, label: str) -> dict[str, Any]:
    """The history among the metadata of a Parquet file; raises TableError if there is none or of another version."""
    stored = (metadata or {}).get(META_KEY)
    if stored is None:
        raise TableError(f"{label} is a Parquet file, but not of a Glocal survey")
    meta = json.loads(stored)
    if meta.get("schema_version") != SCHEMA_VERSION:
        came = meta.get("schema_version")
        raise TableError(f"{label} has schema version {came}, but this Glocal reads version {SCHEMA_VERSION}")
    return meta


def check_regions(regions: Columns, label: str = "the region table") -> Columns:
    """Regions with sane values, unique numbers and one row per spaxel; raises TableError."""
    checked = _check_columns(regions, REGION_COLUMNS, label)
    _check_unique(checked["region_id"], "region_id", label)
    _check_one_row_per_spaxel(checked, label)
    return checked


def check_galaxies(galaxies: Columns, label: str = "the galaxy table") -> Columns:
    """Galaxies with sane values and unique numbers; raises TableError."""
    checked = _check_columns(galaxies, GALAXY_COLUMNS, label)
    _check_unique(checked["galaxy_id"], "galaxy_id", label)
    strange = set(checked["origin"].tolist()) - {MOCK, MEASURED}
    if strange:
        raise TableError(f"{label}: origin must be {MOCK} or {MEASURED}, not {sorted(strange)[0]!r}")
    return checked


def check_pair(regions: Columns, galaxies: Columns, label: str = "the survey") -> None:
    """Every region has its galaxy, and ``n_regions`` counts them; raises TableError."""
    ids, counts = np.unique(regions["galaxy_id"], return_counts=True)
    homeless = np.setdiff1d(ids, galaxies["galaxy_id"])
    if homeless.size:
        raise TableError(f"{label}: regions of galaxy {homeless[0]} have no row in the galaxy table")
    found = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    for galaxy, n in zip(galaxies["galaxy_id"].tolist(), galaxies["n_regions"].tolist(), strict=True):
        if found.get(galaxy, 0) != n:
            raise TableError(f"{label}: galaxy {galaxy} has {found.get(galaxy, 0)} regions, but n_regions says {n}")


def _check_columns(table: Columns, columns: tuple[Column, ...], label: str) -> Columns:
    known = {column.name for column in columns}
    for name in table:
        if name not in known:
            raise TableError(f"{label}: no column is called {name!r} in a survey")
    _check_lengths(table, label)
    checked = {}
    for column in columns:
        if column.name in table:
            checked[column.name] = check_column(np.asarray(table[column.name]), column, label)
        elif column.required:
            raise TableError(f"{label}: column {column.name} is missing")
    return checked


def _check_lengths(table: Columns, label: str) -> None:
    lengths = {name: len(values) for name, values in table.items()}
    if not lengths or max(lengths.values()) == 0:
        raise TableError(f"{label}: the table is empty")
    first, n = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != n:
            raise TableError(f"{label}: column {name} has {length} rows, but {first} has {n}")


def check_column(values: np.ndarray, column: Column, label: str) -> np.ndarray:
    """Values of one column cast to its dtype, if all are sane; raises TableError otherwise."""
    if column.dtype == "str":
        return values.astype(str)
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise TableError(f"{label}: column {column.name} must be a list of numbers, not {values.dtype} {values.shape}")
    _check_finite(values, column, label)
    _check_limits(values, column, label)
    if column.dtype.startswith("i") and np.any(values != np.round(values)):
        raise TableError(f"{label}: column {column.name} must hold whole numbers")
    return values.astype(column.dtype)


def _check_finite(values: np.ndarray, column: Column, label: str) -> None:
    infinite = np.isinf(values)
    nan = np.isnan(values)
    if infinite.any():
        raise TableError(f"{label}: column {column.name} is infinite in {_rows(infinite)}")
    if nan.any() and not column.may_be_nan:
        raise TableError(f"{label}: column {column.name} has no value (NaN) in {_rows(nan)}")


def _check_limits(values: np.ndarray, column: Column, label: str) -> None:
    if column.limits is None:
        return
    low, high = column.limits
    outside = (values < low) | (values > high)
    if outside.any():
        came = f"{values[np.argmax(outside)]:g} {column.unit}".strip()
        sign = "negative" if low == 0 and values[np.argmax(outside)] < 0 else f"outside {low:g} to {high:g}"
        raise TableError(f"{label}: column {column.name} is {sign} in {_rows(outside)} ({came})")


def _check_unique(values: np.ndarray, name: str, label: str) -> None:
    ordered = np.sort(values)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        raise TableError(f"{label}: {name} {twice[0]} occurs more than once")


def _check_one_row_per_spaxel(regions: Columns, label: str) -> None:
    order = np.lexsort((regions["x"], regions["y"], regions["galaxy_id"]))
    keys = np.stack([regions[name][order].astype(np.int64) for name in ("galaxy_id", "x", "y")])
    twice = np.flatnonzero(np.all(keys[:, 1:] == keys[:, :-1], axis=0))
    if twice.size:
        galaxy, x, y = keys[:, twice[0]]
        raise TableError(f"{label}: the spaxel x={x}, y={y} of galaxy {galaxy} occurs more than once")


def _rows(bad: np.ndarray) -> str:
    count = int(bad.sum())
    first = int(np.argmax(bad))
    return f"row {first}" if count == 1 else f"{count} rows, the first is row {first}"
