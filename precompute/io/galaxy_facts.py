"""Facts about one galaxy that no map holds: redshift, total mass, volume, half-light ellipse."""

from collections.abc import Iterable
from pathlib import Path

from astropy.table import Table

from engine.columns import GALAXY
from engine.errors import TableError
from precompute.io.califa import COLUMNS as CALIFA_COLUMNS
from precompute.io.califa import read_califa_objects, select_sample
from precompute.io.tables import parse_unit, plain_name, read_table, stated_unit, words

VMAX = "vmax"  # Mpc3; accepted in the place of inv_vmax
WORDS = {"name", "hubble_type"}
CALIFA_NUMBER = CALIFA_COLUMNS["galaxy_id"]
FILLED_HERE = {"origin", "n_regions", "n_spaxels_above_cut"}
KNOWN = (set(GALAXY) | {VMAX}) - FILLED_HERE

# what the CALIFA DR3 objects table knows; its V'max is the density-corrected one
FROM_CALIFA = (
    "galaxy_id", "name", "ra", "dec", "redshift", "log_M_star", "axis_ratio", "position_angle", "half_light_radius",
    "iso_diameter", "hubble_type",
)  # fmt: skip

Facts = dict[str, float | str]


def collect_facts(sources: tuple[str, ...], sample: Path | None, name: str) -> Facts:
    """Facts from the CALIFA table, then from ``sources`` (files or key=value); later ones win.

    ``name`` is the galaxy's name in its table, if it has one. Raises TableError for unknown facts.
    """
    given = dict(_pair(source) for source in sources if "=" in source)
    name = str(given.get("name", name))
    facts: Facts = {"name": name} if name else {}
    if sample:
        facts |= _califa_facts(sample, name)
    for source in sources:
        if "=" not in source:
            facts |= _file_facts(Path(source), name)
    return facts | given


def read_catalogue(path: Path) -> list[Facts]:
    """Facts of every galaxy of a table with our names of columns, or of the sample of ZG22 in the CALIFA DR3 table.

    Raises TableError, and SampleError for a CALIFA table that lacks columns.
    """
    table = read_table(path)
    if CALIFA_NUMBER in table.colnames:
        names = select_sample(read_califa_objects(path), path).name
        return [{"name": str(name), **_califa_facts(path, str(name))} for name in names]
    _check_columns(table, path)
    if "name" not in table.colnames:
        raise TableError(f"{path}: a catalogue needs the column name")
    names = [plain_name(name) for name in words(table, "name")]
    if len(set(names)) != len(names):
        raise TableError(f"{path}: the galaxy {next(n for n in names if names.count(n) > 1)} is there more than once")
    return [_known_values({key: row[key] for key in table.colnames}, str(path)) for row in table]


def _check_columns(table: Table, path: Path) -> None:
    for key in table.colnames:
        if key not in KNOWN:
            raise TableError(f"{path}: unknown fact {key!r}; known are {', '.join(sorted(KNOWN))}")
        _check_unit(table, key, path)


def _pair(source: str) -> tuple[str, float | str]:
    key, _, value = (part.strip() for part in source.partition("="))
    if key not in KNOWN:
        raise TableError(f"--galaxy {source}: unknown fact {key!r}; known are {', '.join(sorted(KNOWN))}")
    return key, _value(key, value, f"--galaxy {source}")


def _value(key: str, value: object, label: str) -> float | str:
    if key in WORDS:
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TableError(f"{label}: {key} must be a number, not {value!r}") from None


def _califa_facts(path: Path, name: str) -> Facts:
    objects = read_califa_objects(path)
    row = _row_of(objects.name, name, path)
    facts = {ours: getattr(objects, ours)[row] for ours in FROM_CALIFA}
    return _known_values({**facts, VMAX: objects.vmax_denscorr[row]}, str(path))


def _file_facts(path: Path, name: str) -> Facts:
    table = read_table(path)
    _check_columns(table, path)
    row = _row_of(words(table, "name") if "name" in table.colnames else [], name, path) if len(table) > 1 else 0
    return _known_values({key: table[key][row] for key in table.colnames}, str(path))


def _check_unit(table: Table, key: str, path: Path) -> None:
    stated = stated_unit(table, key)
    wanted = "Mpc3" if key == VMAX else GALAXY[key].unit
    if stated and parse_unit(stated) != parse_unit(wanted):
        raise TableError(f"{path}: {key} has the unit {stated!r}, but must be in {wanted or 'no unit'}")


def _row_of(names: Iterable[str], name: str, path: Path) -> int:
    plain = [plain_name(str(entry)) for entry in names]
    if not name or not plain:
        raise TableError(f"{path} holds many galaxies: say which one with --galaxy name=...")
    if plain_name(name) not in plain:
        raise TableError(f"{path}: there is no galaxy {name}")
    return plain.index(plain_name(name))


def _known_values(row: dict, label: str) -> Facts:
    """Facts of a row, blank ones left out."""
    values = {key: value for key, value in row.items() if str(value).strip() not in ("", "--", "nan")}
    return {key: _value(key, value, label) for key, value in values.items()}
