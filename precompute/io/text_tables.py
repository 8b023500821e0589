"""Tables in plain text, however they are delimited and commented: by what the lines hold, not by the file's ending."""

import csv
import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from astropy import units as u
from astropy.io import ascii as text_formats
from astropy.table import Table

from engine.errors import TableError
from precompute.io.column_units import parse_unit

COMMENT = "#"
DELIMITERS = (",", "\t", ";", "|")  # else blanks
BYTE_ORDER_MARK = "\ufeff"
NOTHING_WORDS = frozenset(("", "-", "--", "nan", "none", "null", "n/a", "na", "indef", "...", "masked"))


class TextLayout(NamedTuple):
    """Where the parts of a plain table are."""

    delimiter: str | None  # None: any number of blanks
    names: list[str]
    units: list[str] | None  # of a second line of the head
    rows: list[str]  # lines of data


def read_text_table(content: bytes) -> Table:
    """A table from the content of a text file; raises ValueError that says what is wrong with it."""
    text = decoded(content)
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("the file is empty")
    format_ = _declared_format(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units astropy does not know are looked at where columns are used
        if format_:
            return text_formats.read(text, format=format_, guess=False)
        return _plain_table(layout_of(lines))


def decoded(content: bytes) -> str:
    """Text in UTF-8, with or without a byte-order mark, in UTF-16 with one, else in Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def is_number(word: str) -> bool:
    """Whether a word reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def is_nothing(word: str) -> bool:
    """Whether a word stands for no value."""
    return word.strip().lower() in NOTHING_WORDS


def layout_of(lines: Sequence[str]) -> TextLayout:
    """The parts of a plain table. Its names are its first line that is no comment, or the comment just above.

    Raises ValueError if no line can be the names of the columns.
    """
    comments, body = _parted(lines)
    if not body:
        raise ValueError("it holds comments alone")
    delimiter = _delimiter(body[0])
    first = cells_of(body[0], delimiter)
    if _are_names(first):
        names = first
        rows = body[1:]
    else:
        names = _names_in_comment(comments, len(first), delimiter)
        rows = body
    units = _units_below(rows, delimiter, len(names))
    return TextLayout(delimiter, names, units, rows[1:] if units else rows)


def cells_of(line: str, delimiter: str | None) -> list[str]:
    """The words of a line."""
    if delimiter is None:
        return next(csv.reader([re.sub(r"\s+", " ", line.strip())], delimiter=" "))
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]


def _declared_format(lines: Sequence[str]) -> str:
    """The format of a text table that says itself what it is; empty for a plain one."""
    if lines[0].startswith("# %ECSV"):
        return "ecsv"
    if lines[0].startswith(("\\", "|")) and any(line.startswith("|") for line in lines[:200]):
        return "ipac"
    if any("byte-by-byte description" in line.lower() for line in lines[:200]):
        return "mrt" if lines[0].startswith("Title:") else "cds"
    return ""


def _parted(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Comments at the head, without their sign, and all lines that are no comments."""
    body = [line for line in lines if not line.lstrip().startswith(COMMENT)]
    body = body[1:] if body and body[0].lower().startswith("sep=") else body  # written by spreadsheets
    head = [line for line in lines if line.lstrip().startswith(COMMENT)]
    return [line.lstrip().lstrip(COMMENT).strip() for line in head], body


def _delimiter(line: str) -> str | None:
    """The delimiter that occurs most often in a line; blanks if there is none."""
    counts = {delimiter: len(cells_of(line, delimiter)) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: counts[delimiter])
    return best if counts[best] > 1 else None


def _are_names(cells: list[str]) -> bool:
    return not any(is_number(cell) for cell in cells) and any(not is_nothing(cell) for cell in cells)


def _names_in_comment(comments: list[str], n: int, delimiter: str | None) -> list[str]:
    """The last comment that has as many words as there are columns."""
    for comment in reversed(comments):
        for separator in (delimiter, None):
            cells = cells_of(comment, separator)
            if len(cells) == n and _are_names(cells):
                return cells
    raise ValueError(f"no line names its {n} columns")


def _units_below(rows: list[str], delimiter: str | None, n: int) -> list[str] | None:
    """Units in the line below the names: where the next line has numbers, this one has names of units."""
    if len(rows) < 2:
        return None
    first, second = (cells_of(row, delimiter) for row in rows[:2])
    if len(first) != n or len(second) != n:
        return None
    over_numbers = [cell for cell, below in zip(first, second, strict=True) if is_number(below)]
    stated = [cell for cell in over_numbers if not is_nothing(cell)]
    return first if stated and all(_is_unit(cell) for cell in stated) else None


def _is_unit(cell: str) -> bool:
    if is_number(cell):
        return False
    try:
        parse_unit(cell)
    except TableError:
        return False
    return True


def _plain_table(layout: TextLayout) -> Table:
    names = [name.strip(BYTE_ORDER_MARK).strip() for name in layout.names]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]}")
    cells = [_as_many(cells_of(row, layout.delimiter), len(names), number) for number, row in enumerate(layout.rows, 1)]
    if not cells:
        return Table(names=names)
    table = text_formats.read([_csv_line(row) for row in [names, *cells]], format="csv", guess=False, comment=None)
    for name, unit in zip(names, layout.units or [], strict=False):
        if not is_nothing(unit):
            table[name].unit = u.Unit(unit, parse_strict="silent")
    return table


def _as_many(cells: list[str], n: int, number: int) -> list[str]:
    """The words of a row, without empty ones beyond the last column; raises ValueError if their number differs."""
    while len(cells) > n and not cells[-1]:
        cells = cells[:-1]
    if len(cells) != n:
        raise ValueError(f"row {number} has {len(cells)} entries, but there are {n} columns")
    return cells


def _csv_line(cells: list[str]) -> str:
    """Words as one line of a CSV file."""
    quoted = ['"' + cell.replace('"', '""') + '"' if re.search(r'[",#\s]', cell) else cell for cell in cells]
    return ",".join(quoted)
