"""The mapping file: which of their columns, in which unit, is which of ours."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from astropy import units as u
from pydantic import Field

from engine.columns import REGION, Column
from engine.errors import SettingsError, TableError
from precompute import layout
from precompute.io.column_units import is_logarithmic, parse_unit
from precompute.io.settings_errors import StrictTable, checked_settings, read_toml

LN10 = float(np.log(10.0))
NEEDED = ("log_mu_star", "log_age_wr", "log_Z_wr")
OWN = {"region_id", "galaxy_id", "x", "y", "area_pc2", "weight"}  # filled here, never mapped

ColumnName = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=True)]


class ColumnRule(StrictTable):
    """How one column of ours comes from one of theirs."""

    column: ColumnName  # their name
    unit: str  # their unit; a logarithm is dex(unit)
    log: bool = False  # their values are log10, though the unit in the file does not say so
    file_unit: str = ""  # what the file says the unit is, if that is another word for ``unit``
    per_spaxel: bool = False  # the value belongs to a whole spaxel: divide by its area in pc2
    imf_offset_dex: float = 0.0  # added to go from their initial mass function to Chabrier
    offset_dex: float = 0.0  # added for any other change of zero point (a solar metallicity, say)
    subtract: Literal["", "median"] = ""  # "median": values relative to the median of the kept spaxels


class Mapping(StrictTable):
    """A whole mapping file."""

    x: ColumnName
    y: ColumnName
    columns: dict[str, ColumnRule]
    title: str = ""
    notes: str = ""
    table: str | None = None  # path in an HDF5 file, or HDU of a FITS file
    spaxel_arcsec: Annotated[float, Field(gt=0)] | None = None
    first_pixel: int = 0  # number of the first row and column in their counting
    position_step: Annotated[float, Field(gt=0)] | None = None  # of one spaxel, where positions are no whole numbers
    position_origin: tuple[float, float] | None = None  # x and y of the spaxel that is to be (0, 0); else the smallest
    x_grows: Literal["west", "east"] = "west"
    galaxy_name: str = ""  # column that names the galaxy
    light: str = ""  # column whose largest value marks the centre; else the densest spaxel does
    no_value: tuple[Number, ...] = ()  # numbers that stand for "no value"


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
    content = read_toml(path)
    columns = content.get("columns")
    for ours in columns if isinstance(columns, dict) else ():
        if ours not in REGION or ours in OWN:
            raise SettingsError(f"{path}: [columns.{ours}] is no column a mapping may fill")
    mapping = checked_settings(Mapping, content, path)
    for name in NEEDED:
        if name not in mapping.columns:
            raise SettingsError(f"{path}: [columns.{name}] must be given")
    for ours, rule in mapping.columns.items():
        parse_rule_unit(rule, f"{path}: [columns.{ours}]")
    if mapping.position_origin and mapping.position_step is None:
        raise SettingsError(f"{path}: position_origin needs position_step, the distance of two spaxels")
    if mapping.position_step and mapping.first_pixel:
        raise SettingsError(f"{path}: first_pixel counts spaxels, so it does not go with position_step")
    return mapping


def is_no_value(values: np.ndarray, no_value: tuple[float, ...], kind: np.dtype) -> np.ndarray:
    """Which values stand for "no value", (row,): those equal to one of the numbers, as given or in single precision.

    kind: dtype of the column they come from. -99.9 in a single-precision column reads as -99.9000015.
    """
    kinds = {np.dtype(float), np.dtype("f4")} | ({kind} if kind.kind == "f" else set())
    with np.errstate(over="ignore"):
        signs = [float(np.asarray(number).astype(kind)) for kind in kinds for number in no_value]
    return np.isin(values, signs)


def parse_rule_unit(rule: ColumnRule, label: str) -> u.UnitBase:
    """Unit of their values, dex where they are logarithms."""
    try:
        unit = parse_unit(rule.unit)
    except TableError as error:
        raise SettingsError(f"{label}: {error}") from None
    return u.dex(unit) if rule.log and not is_logarithmic(unit) else unit


def check_stated_unit(stated: str, rule: ColumnRule, label: str) -> None:
    """What the file says must be what the mapping says; raises TableError."""
    if not stated or stated.strip() == rule.file_unit.strip():
        return
    expected = parse_rule_unit(rule, label)
    allowed = [expected, getattr(expected, "physical_unit", expected)] if rule.log else [expected]
    try:
        found = parse_unit(stated)
    except TableError:
        found = None
    if found not in allowed:
        raise TableError(
            f"{label}: column {rule.column} has the unit {stated!r}, but the mapping says {rule.unit!r}; "
            f"if both mean the same, add file_unit = {stated!r}"
        )


def convert(values: np.ndarray, rule: ColumnRule, ours: Column, area_pc2: float, label: str) -> np.ndarray:
    """Their values in our unit; NaN where a logarithm does not exist. Raises TableError if the units do not fit.

    A relative error becomes dex by 1/ln 10.
    """
    source = parse_rule_unit(rule, label)
    target = parse_unit(ours.unit)
    is_log = is_logarithmic(source)
    if not is_logarithmic(target):
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
    if is_logarithmic(source) or not source.is_equivalent(target):
        wanted = ours.unit or "no unit"
        raise TableError(
            f"{label}: column {rule.column} in {rule.unit!r} cannot become {ours.name}, which is in {wanted}"
        )
    return float(source.to(target))
