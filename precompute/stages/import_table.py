"""One real galaxy's table of spaxels becomes a survey, alone or beside the galaxies of another survey."""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from engine.columns import GALAXY, MEASURED, REGION
from engine.errors import TableError
from engine.galaxy.sample import region_weight, spaxel_area_pc2
from engine.galaxy.structure import Ellipse, elliptical_radius, log_mean_density
from engine.survey import Columns, check_galaxies, check_regions
from precompute.io.galaxy_facts import Facts, collect_facts
from precompute.io.mapping import NEEDED, ColumnRule, Mapping, check_stated_unit, convert, mapping_file, read_mapping
from precompute.io.products import file_checksum, read_survey, refuse_to_replace, write_survey
from precompute.io.tables import numbers, read_table, stated_unit, words
from precompute.stages.galaxy_rows import galaxy_row
from precompute.stages.merge import merge_surveys

ELLIPSE = ("half_light_radius", "axis_ratio", "position_angle")


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
    history = {
        "settings": {"command": "import-table", "mapping": asdict(mapping), "facts": facts},
        "inputs": {path.name: file_checksum(path) for path in _files(request, file)},
    }
    survey_id = _write(galaxy, request.add_to, Path(out), history)
    return ImportReport(
        str(facts["name"]), len(table), len(galaxy.regions["x"]), galaxy.dropped, galaxy.notes, survey_id
    )


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
    if mapping.galaxy_name not in table.colnames:
        return ""
    names = sorted(set(words(table, mapping.galaxy_name)))
    if len(names) > 1:
        raise TableError(f"{label} holds {len(names)} galaxies ({names[0]}, {names[1]}, ...): give one at a time")
    return names[0]


def make_galaxy(table: Table, mapping: Mapping, facts: Facts, label: str) -> Galaxy:
    """Both tables of one galaxy from its spaxels and its facts; ``label`` names the table in messages."""
    galaxy = _galaxy_row(facts, mapping, label)
    area = float(spaxel_area_pc2(galaxy["pc_per_arcsec"], galaxy["spaxel_arcsec"]))
    values = {ours: _mapped(table, rule, ours, mapping, area, label) for ours, rule in mapping.columns.items()}
    kept, dropped = _with_values(values, label)
    x, y = _positions(table, mapping, label)
    regions = {name: column[kept] for name, column in values.items()} | {"x": x[kept], "y": y[kept]}
    _subtract_medians(regions, mapping)
    regions |= _common(int(kept.sum()), galaxy, area) | _without_values(regions)
    regions = check_regions(regions, label)
    notes = _locate(galaxy, regions, facts, _light(table, mapping, label)[kept])
    galaxy["n_regions"] = len(regions["x"])
    row = {name: np.array([value]) for name, value in galaxy.items()}
    return Galaxy(regions, check_galaxies(row, f"{label}, galaxy row"), dropped, notes)


def _mapped(table: Table, rule: ColumnRule, ours: str, mapping: Mapping, area: float, label: str) -> np.ndarray:
    values = numbers(table, rule.column, label)
    check_stated_unit(stated_unit(table, rule.column), rule, label)
    values[np.isin(values, mapping.no_value)] = np.nan
    return convert(values, rule, REGION[ours], area, label)


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
    x, y = (numbers(table, name, label) - mapping.first_pixel for name in (mapping.x, mapping.y))
    return (x if mapping.x_grows == "west" else np.nanmax(x) - x), y


def _light(table: Table, mapping: Mapping, label: str) -> np.ndarray:
    return numbers(table, mapping.light, label) if mapping.light else np.full(len(table), np.nan)


def _subtract_medians(regions: Columns, mapping: Mapping) -> None:
    for ours, rule in mapping.columns.items():
        if rule.subtract and np.isfinite(regions[ours]).any():
            regions[ours] = regions[ours] - np.nanmedian(regions[ours])


def _common(n: int, galaxy: Facts, area: float) -> Columns:
    return {
        "region_id": np.arange(n),
        "galaxy_id": np.full(n, galaxy["galaxy_id"]),
        "area_pc2": np.full(n, area),
        "weight": np.full(n, float(region_weight(area, galaxy["inv_vmax"]))),
        "smoothing_level": np.zeros(n),
        "flags": np.zeros(n),
    }


def _without_values(regions: Columns) -> Columns:
    """Required columns the table cannot fill: errors nobody gave are NaN."""
    n = len(regions["x"])
    return {
        c.name: np.full(n, np.nan) for c in REGION.values() if c.required and c.may_be_nan and c.name not in regions
    }


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
    lacking = [name for name in ELLIPSE if name not in galaxy]
    if lacking:
        return [f"{GALAXY['log_mu_e'].label} is left empty, since {lacking[0]} is not known."]
    radius, axis_ratio, angle = (galaxy[name] for name in ELLIPSE)
    ellipse = Ellipse(galaxy["x_centre"], galaxy["y_centre"], radius, axis_ratio, angle)
    distance = elliptical_radius(regions["x"], regions["y"], ellipse, galaxy["spaxel_arcsec"])
    galaxy["log_mu_e"] = log_mean_density(regions["log_mu_star"], distance, radius, galaxy["spaxel_arcsec"])
    return []
