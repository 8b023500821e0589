"""One real galaxy's table of spaxels becomes a survey, alone or beside the galaxies of another survey."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from engine.columns import GALAXY, MEASURED, REGION
from engine.errors import TableError
from engine.galaxy.sample import region_weight, spaxel_area_pc2
from engine.galaxy.structure import ELLIPSE_COLUMNS, ellipse_of, elliptical_radius, log_mean_density
from engine.survey import Columns, check_galaxies, check_regions
from precompute.io.galaxy_facts import Facts, collect_facts, notes_on_sources
from precompute.io.mapping import (
    NEEDED,
    ColumnRule,
    Mapping,
    check_stated_unit,
    convert,
    is_no_value,
    mapping_file,
    read_mapping,
)
from precompute.io.products import file_checksum, read_survey, refuse_to_replace, write_survey
from precompute.io.tables import numbers, plain_name, read_table, refuse_infinite, stated_unit, words
from precompute.io.text_tables import is_nothing
from precompute.stages.galaxy_rows import galaxy_row
from precompute.stages.merge import merge_surveys

NAME_WORDS = ("name", "object", "objname", "target", "targname", "target_name", "galaxy", "galaxyname")
OFF_GRID = 0.1  # of a spaxel; choice: positions are written with few digits


class ImportRequest(NamedTuple):
    """What the user asked for: a table, a mapping, facts of the galaxy, and a survey to join."""

    table: Path
    mapping: str
    galaxy: tuple[str, ...] = ()
    sample: Path | None = None
    add_to: Path | None = None


class ImportReport(NamedTuple):
    """What became of the table."""

    name: str
    n_read: int
    n_kept: int
    dropped: dict[str, int]
    notes: list[str]
    survey_id: str

    def sentences(self) -> list[str]:
        """The report in words."""
        lost = [f"{n:,} spaxels without {column} were left out." for column, n in self.dropped.items() if n]
        return [f"{self.name}: {self.n_kept:,} regions from {self.n_read:,} rows.", *lost, *self.notes]


class Galaxy(NamedTuple):
    """The two tables of one galaxy, and what the user should know."""

    regions: Columns
    galaxies: Columns
    dropped: dict[str, int]
    notes: list[str]


def import_table(request: ImportRequest, out: Path) -> ImportReport:
    """Read, convert, check and write; raises TableError or SettingsError before anything is written."""
    file = mapping_file(request.mapping)
    mapping = read_mapping(file)
    table = read_table(request.table, mapping.table)
    facts = collect_facts(request.galaxy, request.sample, _name_in(table, mapping, request.table))
    galaxy = make_galaxy(table, mapping, facts, str(request.table))
    notes = [*other_names(table, mapping, str(facts["name"])), *galaxy.notes, *notes_on_sources(request.galaxy)]
    history = {
        "settings": {"command": "import-table", "mapping": mapping.model_dump(), "facts": facts},
        "inputs": {path.name: file_checksum(path) for path in _files(request, file)},
    }
    survey_id = _write(galaxy, request.add_to, Path(out), history)
    return ImportReport(str(facts["name"]), len(table), len(galaxy.regions["x"]), galaxy.dropped, notes, survey_id)


def _files(request: ImportRequest, mapping: Path) -> list[Path]:
    facts = [Path(source) for source in request.galaxy if "=" not in source]
    return [Path(request.table), mapping, *facts, *([Path(request.sample)] if request.sample else [])]


def _write(galaxy: Galaxy, add_to: Path | None, out: Path, history: dict) -> str:
    regions, galaxies, origin = galaxy.regions, galaxy.galaxies, MEASURED
    if add_to is not None:
        base = read_survey(add_to)
        regions, galaxies, origin = merge_surveys(base, regions, galaxies)
        history["settings"]["added_to"] = base[2]
    if add_to is None or out.resolve() != Path(add_to).resolve():
        refuse_to_replace(out, origin)
    return write_survey(out, regions, galaxies, origin=origin, **history)


def _name_in(table: Table, mapping: Mapping, label: Path) -> str:
    """The galaxy's name in its column, whatever its spelling and wherever it is blank; empty without such a column."""
    if not mapping.galaxy_name:
        return ""
    if mapping.galaxy_name not in table.colnames:
        raise TableError(f"{label}: column {mapping.galaxy_name} is missing, which the mapping says names the galaxy")
    names = _distinct_names(table, mapping.galaxy_name)
    if len(names) > 1:
        raise TableError(f"{label} holds {len(names)} galaxies ({names[0]}, {names[1]}, ...): give one at a time")
    return names[0] if names else ""


def _distinct_names(table: Table, column: str) -> list[str]:
    """Names of different galaxies in a column, as first spelled."""
    spelled: dict[str, str] = {}
    for name in words(table, column):
        if not is_nothing(name):
            spelled.setdefault(plain_name(name), name)
    return list(spelled.values())


def other_names(table: Table, mapping: Mapping, name: str) -> list[str]:
    """Sentences about other galaxies that a table names where the mapping does not look: in its header, or a column."""
    found = {f"its header ({key})": str(value) for key, value in table.meta.items() if str(key).lower() in NAME_WORDS}
    for column in table.colnames:
        if column.lower() in NAME_WORDS and column != mapping.galaxy_name and table[column].dtype.kind in "OSU":
            found |= {f"its column {column}": other for other in _distinct_names(table, column)}
    return [
        f"Make sure that the table is of {name}: {place} names {other}."
        for place, other in found.items()
        if other.strip() and plain_name(other) != plain_name(name)
    ]


def make_galaxy(table: Table, mapping: Mapping, facts: Facts, label: str) -> Galaxy:
    """Both tables of one galaxy from its spaxels and its facts; ``label`` names the table in messages."""
    galaxy = _galaxy_row(facts, mapping, label)
    area = float(spaxel_area_pc2(galaxy["pc_per_arcsec"], galaxy["spaxel_arcsec"]))
    values = {ours: _mapped(table, rule, ours, mapping, area, label) for ours, rule in mapping.columns.items()}
    kept, dropped = _with_values(values, label)
    x, y = _positions(table, mapping, label)
    mapped = {name: column[kept] for name, column in values.items()} | {"x": x[kept], "y": y[kept]}
    _subtract_medians(mapped, mapping)
    regions = _not_known(int(kept.sum())) | mapped | _of_galaxy(int(kept.sum()), galaxy, area)
    regions = check_regions(regions, label)
    notes = _locate(galaxy, regions, facts, _light(table, mapping, label)[kept])
    galaxy["n_regions"] = len(regions["x"])
    row = {name: np.array([value]) for name, value in galaxy.items()}
    return Galaxy(regions, check_galaxies(row, f"{label}, galaxy row"), dropped, notes)


def _values(table: Table, column: str, mapping: Mapping, label: str) -> np.ndarray:
    """A column of theirs, (row,), NaN where it has no value."""
    values = numbers(table, column, label)
    values[is_no_value(values, mapping.no_value, np.asarray(table[column]).dtype)] = np.nan
    refuse_infinite(values, column, label)
    return values


def _mapped(table: Table, rule: ColumnRule, ours: str, mapping: Mapping, area: float, label: str) -> np.ndarray:
    values = _values(table, rule.column, mapping, label)
    check_stated_unit(stated_unit(table, rule.column), rule, label)
    converted = convert(values, rule, REGION[ours], area, label)
    return converted if REGION[ours].may_be_nan else np.nan_to_num(converted, nan=0.0)  # 0: nothing to say, not known


def _with_values(values: Columns, label: str) -> tuple[np.ndarray, dict[str, int]]:
    """Rows that have all three properties, and how many others each property lacks first."""
    kept, dropped = np.ones(len(values[NEEDED[0]]), bool), {}
    for name in NEEDED:
        lacking = kept & np.isnan(values[name])
        dropped[name] = int(lacking.sum())
        kept &= ~lacking
    if not kept.any():
        raise TableError(f"{label}: no row has values of {', '.join(NEEDED)}")
    return kept, dropped


def _positions(table: Table, mapping: Mapping, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the spaxels, whole numbers from 0 or from the origin, (row,) each."""
    x, y = (numbers(table, name, label) for name in (mapping.x, mapping.y))
    if mapping.position_step is None:
        step = 1.0
        origin = (float(mapping.first_pixel), float(mapping.first_pixel))
    else:
        step = mapping.position_step
        origin = mapping.position_origin or (float(np.nanmin(x)), float(np.nanmin(y)))
    x = _on_grid(x, origin[0], step, f"{label}: column {mapping.x}")
    y = _on_grid(y, origin[1], step, f"{label}: column {mapping.y}")
    return (x if mapping.x_grows == "west" else np.nanmax(x) - x), y


def _on_grid(positions: np.ndarray, origin: float, step: float, label: str) -> np.ndarray:
    """Number of steps from the origin, (row,); raises TableError if a position lies between two spaxels."""
    steps = (positions - origin) / step
    nearest = np.round(steps)
    off = np.abs(steps - nearest) > OFF_GRID
    if off.any():
        row = int(off.argmax())
        advice = f"it does not lie on a grid of {step:g} from {origin:g}"
        if step == 1.0:
            advice = "positions in arcsec need position_step in the mapping"
        raise TableError(f"{label} must give whole spaxels, but row {row + 1} holds {positions[row]:g}: {advice}")
    return nearest


def _light(table: Table, mapping: Mapping, label: str) -> np.ndarray:
    return _values(table, mapping.light, mapping, label) if mapping.light else np.full(len(table), np.nan)


def _subtract_medians(regions: Columns, mapping: Mapping) -> None:
    for ours, rule in mapping.columns.items():
        if rule.subtract and np.isfinite(regions[ours]).any():
            regions[ours] = regions[ours] - np.nanmedian(regions[ours])


def _of_galaxy(n: int, galaxy: Facts, area: float) -> Columns:
    """Columns that follow from the galaxy."""
    return {
        "region_id": np.arange(n),
        "galaxy_id": np.full(n, galaxy["galaxy_id"]),
        "area_pc2": np.full(n, area),
        "weight": np.full(n, float(region_weight(area, galaxy["inv_vmax"]))),
    }


def _not_known(n: int) -> Columns:
    """What a table need not tell: smoothing and flags are 0, required columns such as errors are NaN."""
    empty = {c.name: np.full(n, np.nan) for c in REGION.values() if c.required and c.may_be_nan}
    return {"smoothing_level": np.zeros(n), "flags": np.zeros(n)} | empty


def _galaxy_row(facts: Facts, mapping: Mapping, label: str) -> Facts:
    advice = "give it with --galaxy {name}=..."
    return galaxy_row(facts, origin=MEASURED, spaxel_arcsec=mapping.spaxel_arcsec, label=label, advice=advice)


def _locate(galaxy: Facts, regions: Columns, facts: Facts, light: np.ndarray) -> list[str]:
    """Fill in the centre and the mean density inside the half-light ellipse; returns what could not be filled."""
    peak = int(np.nanargmax(light if np.isfinite(light).any() else regions["log_mu_star"]))
    galaxy.setdefault("x_centre", float(regions["x"][peak]))
    galaxy.setdefault("y_centre", float(regions["y"][peak]))
    if "log_mu_e" in facts:
        return []
    lacking = [name for name in ELLIPSE_COLUMNS if not np.isfinite(galaxy.get(name, np.nan))]
    if lacking:
        return [f"{GALAXY['log_mu_e'].label} is left empty, since {lacking[0]} is not known."]
    ellipse, side = ellipse_of(galaxy), galaxy["spaxel_arcsec"]
    distance = elliptical_radius(regions["x"], regions["y"], ellipse, side)
    galaxy["log_mu_e"] = log_mean_density(regions["log_mu_star"], distance, ellipse.semi_major, side)
    return []
