"""Facts about one galaxy that no map holds: redshift, total mass, volume, half-light ellipse."""

from pathlib import Path

from astropy.table import Table

from engine.columns import GALAXY
from engine.errors import TableError
from precompute.io.tables import parse_unit, plain_name, read_table, stated_unit

VMAX = "vmax"  # Mpc3; accepted in the place of inv_vmax
WORDS = {"name", "hubble_type"}
FILLED_HERE = {"origin", "n_regions", "n_spaxels_above_cut"}
KNOWN = (set(GALAXY) | {VMAX}) - FILLED_HERE

# CALIFA DR3 objects (GAVO): ours -> theirs. Their column "redshift" is the one behind M*; sdss_z is the one
# behind V'max, so it gives the distances.
CALIFA = {
    "galaxy_id": "califaid", "name": "target_name", "ra": "raj2000", "dec": "dej2000", "redshift": "sdss_z",
    "log_M_star": "mstar", VMAX: "vmax_denscorr", "axis_ratio": "axis_ratio", "position_angle": "position_angle",
    "half_light_radius": "el_hlr", "iso_diameter": "maj_axis", "hubble_type": "hubtyp",
}  # fmt: skip

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
    table = read_table(path)
    lacking = [theirs for theirs in CALIFA.values() if theirs not in table.colnames]
    if lacking:
        raise TableError(f"{path}: column {lacking[0]} is missing, so this is not the CALIFA DR3 objects table")
    row = _row_of(table, CALIFA["name"], name, path)
    return _known_values({ours: table[theirs][row] for ours, theirs in CALIFA.items()}, str(path))


def _file_facts(path: Path, name: str) -> Facts:
    table = read_table(path)
    for key in table.colnames:
        if key not in KNOWN:
            raise TableError(f"{path}: unknown fact {key!r}; known are {', '.join(sorted(KNOWN))}")
        _check_unit(table, key, path)
    row = _row_of(table, "name", name, path) if len(table) > 1 else 0
    return _known_values({key: table[key][row] for key in table.colnames}, str(path))


def _check_unit(table: Table, key: str, path: Path) -> None:
    stated = stated_unit(table, key)
    wanted = "Mpc3" if key == VMAX else GALAXY[key].unit
    if stated and parse_unit(stated) != parse_unit(wanted):
        raise TableError(f"{path}: {key} has the unit {stated!r}, but must be in {wanted or 'no unit'}")


def _row_of(table: Table, column: str, name: str, path: Path) -> int:
    if not name or column not in table.colnames:
        raise TableError(f"{path} holds many galaxies: say which one with --galaxy name=...")
    names = [plain_name(str(entry)) for entry in table[column]]
    if plain_name(name) not in names:
        raise TableError(f"{path}: there is no galaxy {name}")
    return names.index(plain_name(name))


def _known_values(row: dict, label: str) -> Facts:
    """Facts of a row, blank ones left out."""
    values = {key: value for key, value in row.items() if str(value).strip() not in ("", "--", "nan")}
    return {key: _value(key, value, label) for key, value in values.items()}
