"""The CALIFA DR3 objects table (GAVO califadr3.objects), in any format astropy reads."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.errors import SampleError, TableError
from engine.galaxy.sample import is_analysed, is_merger
from engine.types import BoolArray, FloatArray, IntArray
from precompute.io.facts_tables import plain_column, read_facts_table
from precompute.io.tables import read_table

# field here: column there. sdss_z is the redshift behind V'max; their column "redshift" is another one.
COLUMNS = {
    "galaxy_id": "califaid",
    "name": "target_name",
    "ra": "raj2000",
    "dec": "dej2000",
    "redshift": "sdss_z",
    "log_M_star": "mstar",
    "iso_diameter": "maj_axis",
    "vmax": "vmax_nocorr",
    "vmax_denscorr": "vmax_denscorr",
    "hubble_type": "hubtyp",
    "in_combo": "flag_release_comb",
    "axis_ratio": "axis_ratio",
    "position_angle": "position_angle",
    "half_light_radius": "el_hlr",
}


class CalifaObjects(NamedTuple):
    """Galaxies of CALIFA DR3, (galaxy,) each; axes in arcsec along the major axis, volumes in Mpc3, angles in deg."""

    galaxy_id: IntArray
    name: np.ndarray
    ra: FloatArray
    dec: FloatArray
    redshift: FloatArray
    log_M_star: FloatArray
    iso_diameter: FloatArray
    vmax: FloatArray
    vmax_denscorr: FloatArray
    hubble_type: np.ndarray
    in_combo: BoolArray
    axis_ratio: FloatArray
    position_angle: FloatArray
    half_light_radius: FloatArray

    def rows(self, which: BoolArray) -> "CalifaObjects":
        """Some of the galaxies."""
        return CalifaObjects(*(field[which] for field in self))


def is_califa_table(path: Path) -> bool:
    """Whether a table is CALIFA's: it has their numbers. Raises TableError for a file that cannot be read."""
    return COLUMNS["galaxy_id"] in {plain_column(name) for name in read_table(path).colnames}


def read_califa_objects(path: Path) -> CalifaObjects:
    """All galaxies of the table. Raises SampleError for a file that cannot be read or lacks a column."""
    try:
        table = read_facts_table(path, COLUMNS.values(), (COLUMNS["name"],)).table
    except TableError as error:
        raise SampleError(f"{path} cannot be read as a table of CALIFA galaxies: {error}") from error
    lacking = [column for column in COLUMNS.values() if column not in table.colnames]
    if lacking:
        raise SampleError(f"{path} lacks the CALIFA DR3 columns {', '.join(lacking)}")
    fields = {ours: _plain(table[theirs], ours, path) for ours, theirs in COLUMNS.items()}
    return CalifaObjects(**fields)


def select_sample(objects: CalifaObjects, path: Path) -> CalifaObjects:
    """The galaxies of ZG22 sec. 2.1: main sample with COMBO cubes, no mergers (363 of DR3; the paper has 362)."""
    analysed = is_analysed(objects.galaxy_id, objects.name, objects.in_combo)
    chosen = objects.rows(analysed & ~is_merger(objects.hubble_type))
    if not len(chosen.galaxy_id):
        raise SampleError(f"{path} holds no galaxy of the CALIFA main sample with a COMBO cube")
    return chosen


def _plain(column: np.ndarray, ours: str, path: Path) -> np.ndarray:
    """Values without mask: text as str, numbers as float (NaN where masked), numbers and flags as they are."""
    values = np.ma.asarray(column)
    if ours in ("name", "hubble_type"):
        return np.char.strip(np.asarray(values.filled("") if values.dtype.kind in "US" else values).astype(str))
    if ours == "in_combo":
        return np.array([_is_true(value) for value in values])
    try:
        numbers = values.astype(float).filled(np.nan)
    except ValueError as error:
        raise SampleError(f"{path}: column {COLUMNS[ours]} must hold numbers: {error}") from None
    if ours != "galaxy_id":
        return numbers
    if not np.array_equal(numbers, np.round(numbers)):  # NaN too
        raise SampleError(f"{path}: column {COLUMNS[ours]} must hold a whole number in every row")
    return numbers.astype(int)


def _is_true(value: object) -> bool:
    """A flag as a number, as TOPCAT's true and false, or as a letter; a blank one is not set."""
    return not np.ma.is_masked(value) and str(value).strip().lower() in ("1", "1.0", "true", "t", "yes")
