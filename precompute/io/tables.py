"""Other people's tables: anything astropy reads, with units and missing values made explicit."""

import re
import warnings
from pathlib import Path

import numpy as np
from astropy.table import Table

from engine.errors import GlocalError, TableError, first_line
from precompute.io.column_units import parse_unit
from precompute.io.table_files import read_inner_table
from precompute.io.text_tables import is_nothing, is_number

MOST_LISTED = 30  # names of columns in a message

__all__ = ["numbers", "parse_unit", "plain_name", "read_table", "stated_unit", "words"]


def read_table(path: Path, inner: str | None = None) -> Table:
    """The table in a file: FITS, HDF5, VOTable, Parquet or text of any kind, compressed or not.

    inner: which table of a file that holds several: the path in an HDF5 file, name or number of the HDU in a FITS file,
    name of the TABLE in a VOTable. Raises TableError if there is no such file, no table in it, an empty one, or several
    without a choice; the sentence tells what the reader found.
    """
    path = Path(path)
    if not path.is_file():
        raise TableError(f"{path} is not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units astropy does not know are looked at where columns are used
            table = read_inner_table(path, inner)
    except (GlocalError, ModuleNotFoundError):
        raise
    except Exception as error:  # each format has its own way to fail
        raise TableError(f"{path} is not a table that can be read: {first_line(error)}") from error
    table = _unpacked(Table(table, copy=False))  # quantities of a QTable become columns with a unit
    if len(table) == 0:
        raise TableError(f"{path}: the table is empty")
    return table


def numbers(table: Table, name: str, label: str) -> np.ndarray:
    """A column as float64 (row,), NaN where it is masked or holds a word for nothing such as N/A.

    A column of one number per row in lists is taken as the numbers. Raises TableError if the column is absent, or holds
    words or several numbers per row.
    """
    if name not in table.colnames:
        raise TableError(f"{label}: column {name} is missing; there are {_listed(table.colnames)}")
    column = np.ma.asarray(table[name])
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1:
        raise TableError(f"{label}: column {name} holds {np.prod(column.shape[1:])} numbers per row, not one")
    if column.dtype.kind in "OSU":
        return _numbers_among_words(table, name, label)
    if column.dtype.kind not in "iufb":
        raise TableError(f"{label}: column {name} must hold numbers, not {column.dtype}")
    return column.astype(float).filled(np.nan)


def refuse_infinite(values: np.ndarray, name: str, label: str) -> None:
    """Raise TableError naming the first row in which a column is infinite."""
    infinite = np.isinf(values)
    if infinite.any():
        row = infinite.argmax() + 1
        raise TableError(f"{label}: column {name} is infinite in {infinite.sum()} rows, the first is row {row}")


def words(table: Table, name: str) -> list[str]:
    """A column as text without blanks around it; empty where it is masked. Bytes are UTF-8, else Latin-1."""
    column = np.ma.asarray(table[name])
    masked = np.ma.getmaskarray(column)
    plain = np.asarray(np.ma.getdata(column))  # astropy's columns lose letters that are not UTF-8
    return ["" if hidden else _as_text(entry) for entry, hidden in zip(plain, masked, strict=True)]


def stated_unit(table: Table, name: str) -> str:
    """What the file says the unit is; empty if it says nothing."""
    unit = getattr(table[name], "unit", None)
    return "" if unit is None else str(unit)


def plain_name(name: str) -> str:
    """A galaxy's name without spaces, case and leading zeros: 'ngc 0036' and 'NGC36' are the same galaxy."""
    return re.sub(r"(?<=[A-Z])0+(?=\d)", "", re.sub(r"[\s_]+", "", name).upper())


def _as_text(entry: object) -> str:
    if not isinstance(entry, bytes):
        return str(entry).strip("\0 \t\r\n")
    try:
        return entry.decode("utf-8").strip("\0 \t\r\n")
    except UnicodeDecodeError:
        return entry.decode("latin-1").strip("\0 \t\r\n")


def _numbers_among_words(table: Table, name: str, label: str) -> np.ndarray:
    """A column of text that spells numbers, or says in a word that there is none."""
    values = []
    for row, word in enumerate(words(table, name), start=1):
        if not (is_nothing(word) or is_number(word)):
            raise TableError(f"{label}: column {name} must hold numbers, but row {row} holds {word!r}")
        values.append(np.nan if is_nothing(word) else float(word))
    return np.array(values)


def _unpacked(table: Table) -> Table:
    """A table of one row whose columns are lists of one length (as IDL writes it), with one row per entry."""
    lengths = {table[name].shape[1] for name in table.colnames if len(table) == 1 and table[name].ndim == 2}
    if len(lengths) != 1 or lengths == {1}:
        return table
    (n,) = lengths
    columns = {}
    for name in table.colnames:
        column = table[name]
        columns[name] = column[0] if column.ndim == 2 else np.repeat(np.asarray(column), n, axis=0)
    unpacked = Table(columns, meta=table.meta)
    for name in table.colnames:
        unpacked[name].unit = table[name].unit
    return unpacked


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= MOST_LISTED else ", ".join(names[:MOST_LISTED]) + ", ..."
