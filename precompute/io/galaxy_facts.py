"""Facts about one galaxy that no map holds: redshift, total mass, volume, half-light ellipse."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from engine.columns import GALAXY
from engine.errors import TableError
from precompute.io.califa import CalifaObjects, is_califa_table, read_califa_objects, select_sample
from precompute.io.facts_tables import FactsTable, read_facts_table
from precompute.io.tables import parse_unit, plain_name, read_table, stated_unit, words

VMAX = "vmax"  # Mpc3; accepted in the place of inv_vmax
WORDS = {"name", "hubble_type"}
FILLED_HERE = {"origin", "n_regions", "n_spaxels_above_cut"}
KNOWN = (set(GALAXY) | {VMAX}) - FILLED_HERE
EMPTY = ("", "--", "nan", "null", "none")  # what a blank cell may hold

# what the CALIFA DR3 objects table knows; its V'max is the density-corrected one
FROM_CALIFA = (
    "galaxy_id", "name", "ra", "dec", "redshift", "log_M_star", "axis_ratio", "position_angle", "half_light_radius",
    "iso_diameter", "hubble_type",
)  # fmt: skip

Facts = dict[str, float | str]


class Catalogue(NamedTuple):
    """Facts of many galaxies, and sentences about columns that were not used."""

    galaxies: list[Facts]
    notes: tuple[str, ...] = ()


def collect_facts(sources: tuple[str, ...], sample: Path | None, name: str) -> Facts:
    """Facts from the CALIFA table, then from ``sources`` (files or key=value); later ones win.

    ``name`` is the galaxy's name in its table, if it has one. Raises TableError for unknown facts, and where table,
    files and key=value name different galaxies.
    """
    given = dict(_pair(source) for source in sources if "=" in source)
    stated = str(given.get("name", ""))
    if name and stated and plain_name(name) != plain_name(stated):
        raise TableError(
            f"the table names its galaxy {name}, but --galaxy name={stated} names another; "
            "if one galaxy has both names, take galaxy_name out of the mapping"
        )
    files = {Path(source): read_facts(Path(source)).table for source in sources if "=" not in source}
    name = stated or name or _only_name(list(files.values()))
    facts: Facts = {"name": name} if name else {}
    if sample:
        objects = read_califa_objects(sample)
        facts |= _califa_facts(objects, _row_of(list(objects.name), name, sample), sample)
    for path, table in files.items():
        facts |= _file_facts(table, path, name)
    return facts | given


def notes_on_sources(sources: tuple[str, ...]) -> list[str]:
    """Sentences about columns of files with facts that are not used."""
    return [note for source in sources if "=" not in source for note in read_facts(Path(source)).notes]


def read_catalogue(path: Path) -> Catalogue:
    """Facts of every galaxy of a table with our names of columns, or of the sample of ZG22 in the CALIFA DR3 table.

    Raises TableError, and SampleError for a CALIFA table that lacks columns.
    """
    if is_califa_table(path):
        sample = select_sample(read_califa_objects(path), path)
        return Catalogue([_califa_facts(sample, row, path) for row in range(len(sample.name))])
    table, notes = read_facts(path)
    if "name" not in table.colnames:
        raise TableError(f"{path}: a catalogue needs the column name")
    names = [plain_name(name) for name in words(table, "name")]
    if len(set(names)) != len(names):
        raise TableError(f"{path}: the galaxy {next(n for n in names if names.count(n) > 1)} is there more than once")
    return Catalogue([_row_facts(table, row, path) for row in range(len(table))], notes)


def read_facts(path: Path) -> FactsTable:
    """A table of facts under our names of columns, units checked; see read_facts_table."""
    found = read_facts_table(path, KNOWN, ("name",))
    if not found.table.colnames:
        theirs = ", ".join(read_table(path).colnames)
        raise TableError(f"{path} has no column that is known: it has {theirs}; known are {', '.join(sorted(KNOWN))}")
    for key in found.table.colnames:
        _check_unit(found.table, key, path)
    return found


def _only_name(tables: list[Table]) -> str:
    """The name in the first file that is about one galaxy and names it."""
    single = [table for table in tables if len(table) == 1 and "name" in table.colnames]
    return words(single[0], "name")[0].strip() if single else ""


def _pair(source: str) -> tuple[str, float | str]:
    key, _, value = (part.strip() for part in source.partition("="))
    if key not in KNOWN:
        raise TableError(f"--galaxy {source}: unknown fact {key!r}; known are {', '.join(sorted(KNOWN))}")
    return key, _value(key, value, f"--galaxy {source}")


def _value(key: str, value: object, label: str) -> float | str:
    if key in WORDS:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value).strip()
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TableError(f"{label}: {key} must be a number, not {str(value)!r}") from None


def _califa_facts(objects: CalifaObjects, row: int, path: Path) -> Facts:
    facts = {ours: getattr(objects, ours)[row] for ours in FROM_CALIFA}
    return _known_values({**facts, VMAX: objects.vmax_denscorr[row]}, str(path))


def _file_facts(table: Table, path: Path, name: str) -> Facts:
    """Facts of the galaxy of that name; of a table without names, or of a nameless galaxy, those of its only row."""
    if "name" in table.colnames and name:
        return _row_facts(table, _row_of(words(table, "name"), name, path), path)
    if len(table) > 1:
        raise TableError(f"{path} holds many galaxies: say which one with --galaxy name=...")
    return _row_facts(table, 0, path)


def _row_facts(table: Table, row: int, path: Path) -> Facts:
    return _known_values({key: table[key][row] for key in table.colnames}, str(path))


def _check_unit(table: Table, key: str, path: Path) -> None:
    stated = stated_unit(table, key)
    wanted = "Mpc3" if key == VMAX else GALAXY[key].unit
    try:
        fits = not stated or parse_unit(stated) == parse_unit(wanted)
    except TableError as error:
        raise TableError(f"{path}: column {key}: {error}") from None
    if not fits:
        raise TableError(f"{path}: {key} has the unit {stated!r}, but must be in {wanted or 'no unit'}")


def _row_of(names: list[str], name: str, path: Path) -> int:
    """The row of a galaxy; 'ngc 0036' finds NGC36."""
    if not name:
        raise TableError(f"{path} holds many galaxies: say which one with --galaxy name=...")
    rows = [row for row, entry in enumerate(names) if plain_name(str(entry)) == plain_name(name)]
    if not rows:
        only = f", only {names[0]}" if len(names) == 1 else ""
        raise TableError(f"{path}: there is no galaxy {name}{only}")
    if len(rows) > 1:
        raise TableError(f"{path}: the galaxy {name} is there {len(rows)} times, in rows {_counted(rows)}")
    return rows[0]


def _counted(rows: list[int]) -> str:
    """Rows as people count them, from 1."""
    return ", ".join(str(row + 1) for row in rows)


def _known_values(row: dict, label: str) -> Facts:
    """Facts of a row, blank ones left out."""
    values = {key: value for key, value in row.items() if not _is_blank(value)}
    return {key: _value(key, value, label) for key, value in values.items()}


def _is_blank(value: object) -> bool:
    return np.ma.is_masked(value) or str(value).strip().lower() in EMPTY
