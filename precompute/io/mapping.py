"""The mapping file: which of their columns, in which unit, is which of ours."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from astropy import units as u

from engine.columns import REGION, Column
from engine.errors import SettingsError, TableError
from precompute import layout
from precompute.io.tables import parse_unit

LN10 = float(np.log(10.0))
NEEDED = ("log_mu_star", "log_age_wr", "log_Z_wr")
OWN = {"region_id", "galaxy_id", "x", "y", "area_pc2", "weight"}  # filled here, never mapped


@dataclass(frozen=True)
class ColumnRule:
    """How one column of ours comes from one of theirs."""

    column: str  # their name
    unit: str  # their unit; a logarithm is dex(unit)
    log: bool = False  # their values are log10, though the unit in the file does not say so
    per_spaxel: bool = False  # the value belongs to a whole spaxel: divide by its area in pc2
    imf_offset_dex: float = 0.0  # added to go from their initial mass function to Chabrier
    offset_dex: float = 0.0  # added for any other change of zero point (a solar metallicity, say)
    subtract: str = ""  # "median": values relative to the median of the kept spaxels


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file."""

    x: str
    y: str
    columns: dict[str, ColumnRule]
    title: str = ""
    notes: str = ""
    table: str | None = None  # path in an HDF5 file, or HDU of a FITS file
    spaxel_arcsec: float | None = None
    first_pixel: int = 0  # number of the first row and column in their counting
    x_grows: str = "west"
    galaxy_name: str = ""  # column that names the galaxy
    light: str = ""  # column whose largest value marks the centre; else the densest spaxel does
    no_value: tuple[float, ...] = ()  # numbers that stand for "no value"


def mapping_file(name: str) -> Path:
    """The file of a shipped mapping, or the file itself; raises SettingsError if there is neither."""
    shipped = layout.MAPPINGS / f"{name}.toml"
    if name in layout.shipped_mappings():
        return shipped
    if Path(name).is_file():
        return Path(name)
    raise SettingsError(f"there is no mapping {name!r}: give a TOML file, or one of {layout.shipped_mappings()}")


def read_mapping(path: Path) -> Mapping:
    """A mapping file, checked; raises SettingsError for anything it should not hold or lacks."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a TOML file: {error}") from None
    rules = content.pop("columns", {})
    columns = {ours: _rule(path, ours, rule) for ours, rule in rules.items()}
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise SettingsError(f"{path}: [columns.{missing[0]}] is missing")
    content["no_value"] = tuple(content.get("no_value", ()))
    mapping = _make(Mapping, {**content, "columns": columns}, str(path))
    if mapping.x_grows not in ("west", "east"):
        raise SettingsError(f"{path}: x_grows is west or east, not {mapping.x_grows!r}")
    return mapping


def _rule(path: Path, ours: str, rule: dict) -> ColumnRule:
    label = f"{path}: [columns.{ours}]"
    if ours not in REGION or ours in OWN:
        raise SettingsError(f"{label} is no column a mapping may fill")
    made = _make(ColumnRule, rule, label)
    if made.subtract not in ("", "median"):
        raise SettingsError(f"{label}: subtract can only be median, not {made.subtract!r}")
    parse_rule_unit(made, label)
    return made


def _make(kind: type, content: dict, label: str) -> object:
    known = {field.name for field in fields(kind)}
    for key in content:
        if key not in known:
            raise SettingsError(f"{label}: unknown key {key!r}; known are {', '.join(sorted(known))}")
    try:
        return kind(**content)
    except TypeError as error:
        lacking = str(error).rpartition(": ")[2]
        raise SettingsError(f"{label}: {lacking} must be given") from None


def parse_rule_unit(rule: ColumnRule, label: str) -> u.UnitBase:
    """Unit of their values, dex where they are logarithms."""
    try:
        unit = parse_unit(rule.unit)
    except TableError as error:
        raise SettingsError(f"{label}: {error}") from None
    return u.dex(unit) if rule.log and not isinstance(unit, u.function.FunctionUnitBase) else unit


def check_stated_unit(stated: str, rule: ColumnRule, label: str) -> None:
    """What the file says must be what the mapping says; raises TableError."""
    if not stated:
        return
    expected = parse_rule_unit(rule, label)
    allowed = [expected, getattr(expected, "physical_unit", expected)] if rule.log else [expected]
    try:
        found = parse_unit(stated)
    except TableError:
        found = None
    if found not in allowed:
        raise TableError(f"{label}: column {rule.column} has the unit {stated!r}, but the mapping says {rule.unit!r}")


def convert(values: np.ndarray, rule: ColumnRule, ours: Column, area_pc2: float, label: str) -> np.ndarray:
    """Their values in our unit; NaN where a logarithm does not exist. Raises TableError if the units do not fit.

    A relative error becomes dex by 1/ln 10.
    """
    source, target = parse_rule_unit(rule, label), parse_unit(ours.unit)
    is_log = isinstance(source, u.function.FunctionUnitBase)
    if not isinstance(target, u.function.FunctionUnitBase):
        return values * _factor(source, target, rule, ours, label)
    if ours.name.endswith("_err"):
        _factor(getattr(source, "physical_unit", source), u.dimensionless_unscaled, rule, ours, label)
        return values if is_log else values / LN10
    physical = source.physical_unit if is_log else source
    if rule.per_spaxel:
        physical = physical * u.pix**2 / u.pc**2 if u.pix in physical.bases else physical / u.pc**2
    logs = values if is_log else np.log10(np.where(values > 0, values, np.nan))
    shift = np.log10(_factor(physical, target.physical_unit, rule, ours, label))
    return logs + shift + rule.imf_offset_dex + rule.offset_dex - (np.log10(area_pc2) if rule.per_spaxel else 0.0)


def _factor(source: u.UnitBase, target: u.UnitBase, rule: ColumnRule, ours: Column, label: str) -> float:
    if isinstance(source, u.function.FunctionUnitBase) or not source.is_equivalent(target):
        wanted = ours.unit or "no unit"
        raise TableError(
            f"{label}: column {rule.column} in {rule.unit!r} cannot become {ours.name}, which is in {wanted}"
        )
    return float(source.to(target))
