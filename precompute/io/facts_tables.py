"""Tables of facts about galaxies as people have them: other cases of letters, further columns, numbers as names."""

import difflib
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import ascii as text_tables
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from precompute.io.tables import read_table

BYTE_ORDER_MARK = "\ufeff"


class FactsTable(NamedTuple):
    """A table whose columns have our names, and sentences about those that were not used."""

    table: Table
    notes: tuple[str, ...]


def read_facts_table(path: Path, known: Collection[str], names: Collection[str]) -> FactsTable:
    """A table with the known columns alone, whatever the case of their names; others are listed in a note.

    names: columns that hold names of galaxies, kept as text though all of them be numbers ('0012'). Raises TableError
    for a file that cannot be read.
    """
    path = Path(path)
    table = _with_names_as_text(read_table(path), path, names)
    ours = _our_names(table.colnames, known)
    unused = [theirs for theirs in table.colnames if theirs not in ours]
    notes = [_unused_note(path, unused, set(known) - set(ours.values()))] if unused else []
    kept = table.copy()
    kept.keep_columns(list(ours))
    for theirs, our in ours.items():
        kept.rename_column(theirs, our)
    return FactsTable(kept, tuple(notes))


def plain_column(name: str) -> str:
    """A column's name in lower case, without what surrounds it in some files."""
    return name.strip().strip(BYTE_ORDER_MARK).strip('"').lower()


def _our_names(theirs: list[str], known: Collection[str]) -> dict[str, str]:
    """Their names of columns -> ours: those written as ours first, then those that differ in case."""
    plain = {plain_column(name): name for name in reversed(theirs)}
    found = {name: name for name in theirs if name in known}
    for our in known:
        their = plain.get(our.lower())
        if their is not None and our not in found.values() and their not in found:
            found[their] = our
    return {name: found[name] for name in theirs if name in found}


def _unused_note(path: Path, unused: list[str], free: set[str]) -> str:
    """What was not used, and what a misspelt column was perhaps meant to be."""
    words = []
    for name in unused:
        near = difflib.get_close_matches(name.lower(), sorted(free), n=1, cutoff=0.8)
        words.append(f"{name} (meant as {near[0]}?)" if near else name)
    return f"{path.name}: columns that are not used: {', '.join(words)}"


def _with_names_as_text(table: Table, path: Path, names: Collection[str]) -> Table:
    """The table with names that its reader took for numbers as they stand in the file, leading zeros and all."""
    taken_for_numbers = [name for name in _our_names(table.colnames, names) if table[name].dtype.kind in "iuf"]
    for name in taken_for_numbers:
        as_written = _column_as_text(path, name, len(table))
        table[name] = as_written if as_written is not None else [f"{value:g}" for value in table[name]]
    return table


def _column_as_text(path: Path, name: str, n: int) -> np.ndarray | None:
    """A column of a text file without conversion; None for another kind of file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            column = text_tables.read(text, converters={"*": str})[name.strip(BYTE_ORDER_MARK)]
    except Exception:  # a binary file, or one that only another reader understands
        return None
    return np.asarray(column, dtype=str) if len(column) == n else None
