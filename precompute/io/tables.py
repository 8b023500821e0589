"""Other people's tables: anything astropy reads, with units and missing values made explicit."""

import re
import warnings
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import Table

from engine.errors import TableError

# where astropy does not guess the format, or needs to be told
FORMATS = {".hdf5": "hdf5", ".h5": "hdf5", ".hdf": "hdf5", ".txt": "ascii", ".dat": "ascii"}
DIMENSIONLESS_WORDS = {"", "fraction", "none", "dimensionless"}


def read_table(path: Path, inner: str | None = None) -> Table:
    """The table in a file (``inner``: the path in an HDF5 file, or the HDU in a FITS file).

    Raises TableError if there is no such file, no table in it, or the table is empty.
    """
    path = Path(path)
    if not path.is_file():
        raise TableError(f"{path} is not a file")
    table = _read(path, inner)
    if len(table) == 0:
        raise TableError(f"{path}: the table is empty")
    return table


def _read(path: Path, inner: str | None) -> Table:
    kind = FORMATS.get(path.suffix.lower())
    place = {} if inner is None else {"path": inner} if kind == "hdf5" else {"hdu": inner}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units astropy does not know are looked at below
        try:
            return Table.read(path, format=kind, **place)
        except ModuleNotFoundError:
            raise
        except Exception as error:  # each format has its own way to fail
            if isinstance(error, OSError) and inner and "does not exist" in str(error):
                raise TableError(f"{path} holds no table {inner!r}") from error
            raise TableError(f"{path} is not a table that astropy can read") from error


def numbers(table: Table, name: str, label: str) -> np.ndarray:
    """A column as float64, masked entries as NaN; raises TableError if absent, not numeric, or infinite."""
    if name not in table.colnames:
        raise TableError(f"{label}: column {name} is missing")
    column = np.ma.asarray(table[name])
    if column.dtype.kind not in "iufb" or column.ndim != 1:
        raise TableError(f"{label}: column {name} must hold numbers, not {column.dtype}")
    values = column.astype(float).filled(np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        raise TableError(f"{label}: column {name} is infinite in {infinite.sum()} rows, first row {infinite.argmax()}")
    return values


def words(table: Table, name: str) -> list[str]:
    """A column as text."""
    return [entry.decode() if isinstance(entry, bytes) else str(entry) for entry in table[name]]


def stated_unit(table: Table, name: str) -> str:
    """What the file says the unit is; empty if it says nothing."""
    unit = getattr(table[name], "unit", None)
    return "" if unit is None else str(unit)


def parse_unit(text: str) -> u.UnitBase:
    """A unit from its name; raises TableError for one that astropy does not know."""
    if text.strip().lower() in DIMENSIONLESS_WORDS:
        return u.dimensionless_unscaled
    try:
        unit = u.Unit(text)
    except ValueError:
        raise TableError(f"{text!r} is not a unit that astropy knows") from None
    return u.dex(u.dimensionless_unscaled) if unit == u.dex else unit


def plain_name(name: str) -> str:
    """A galaxy's name without spaces, case and leading zeros: 'ngc 0036' and 'NGC36' are the same galaxy."""
    return re.sub(r"(?<=[A-Z])0+(?=\d)", "", re.sub(r"\s+", "", name).upper())
