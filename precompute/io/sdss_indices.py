"""SDSS galaxies with the indices of the MPA-JHU catalogue and the ages and metallicities of Gallazzi et al. (2005)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io.registry import IORegistryError
from astropy.table import Table

from engine.adopted import Z_SUN
from engine.errors import TableError
from engine.spectrum.indices import SINGLE_NAMES, Indices, combine
from engine.types import FloatArray

# Our names of the indices they list; "_sub": with emission lines subtracted. Fe4531 and Fe5015 may be there too
MPA_NAMES = {
    "d4000n": "d4000_n", "hbeta": "lick_hb", "hdelta_a": "lick_hd_a", "hgamma_a": "lick_hg_a", "mg1": "lick_mg1",
    "mg2": "lick_mg2", "mgb": "lick_mgb", "fe4531": "lick_fe4531", "fe5015": "lick_fe5015",
    "fe5270": "lick_fe5270", "fe5335": "lick_fe5335",
}  # fmt: skip
NEEDED = ("v_disp",)
PUBLISHED = tuple(f"g05_{name}_p{p}" for name in ("logage", "logz") for p in (16, 50, 84))
NOTHING = -99.0  # the catalogue writes -99 or -9999 where it has no value


NOTHING_WORDS = ("", "null", "none", "nan", "n/a", "-", "--")


class SdssGalaxies(NamedTuple):
    """(galaxy,) each; NaN where the table has nothing."""

    name: np.ndarray  # plate-mjd-fibre, or the row
    v_disp: FloatArray  # km/s
    indices: FloatArray  # (galaxy, 5) in the order of columns.INDEX_NAMES
    index_errors: FloatArray
    log_age: FloatArray  # (galaxy, 3) published 16, 50, 84 %, log yr
    log_Z: FloatArray  # (galaxy, 3) log Zsun

    def published(self, name: str) -> FloatArray:
        """16, 50, 84 % of log_age_wr or log_Z_wr, (galaxy, 3)."""
        return {"log_age_wr": self.log_age, "log_Z_wr": self.log_Z}[name]


def read_sdss_galaxies(path: Path) -> SdssGalaxies:
    """Read the table (CSV, FITS, ...). Raises TableError naming the file and the columns it lacks."""
    try:
        table = Table.read(path)
    except (OSError, ValueError, TypeError, IORegistryError) as error:
        raise TableError(f"{path} cannot be read as a table: {error}") from error
    table.rename_columns(table.colnames, [name.lower() for name in table.colnames])
    lacking = [name for name in (*NEEDED, *PUBLISHED) if name not in table.colnames]
    if lacking:
        raise TableError(f"{path} lacks the columns {', '.join(lacking)}")
    if not len(table):
        raise TableError(f"{path} holds no galaxy")
    nothing = np.full(len(table), np.nan)
    values, errors = (
        np.stack([_numbers(table, _their_name(name, end), path, nothing) for name in SINGLE_NAMES], axis=-1)
        for end in ("", "_err")
    )
    errors = np.where(errors > 0, errors, np.nan)
    indices = combine(Indices(np.where(np.isfinite(errors), values, np.nan), errors))
    if not np.isfinite(indices.values).any():
        raise TableError(f"{path} has no index to measure by; they are named as d4000_n_sub with d4000_n_sub_err")
    age, Z = (
        np.stack([_numbers(table, f"g05_{name}_p{p}", path, nothing) for p in (16, 50, 84)], axis=-1)
        for name in ("logage", "logz")
    )
    return SdssGalaxies(_names(table), _numbers(table, "v_disp", path, nothing), *indices, age, Z - np.log10(Z_SUN))


def _their_name(name: str, end: str) -> str:
    return f"{MPA_NAMES.get(name, name)}_sub{end}"


def _numbers(table: Table, name: str, path: Path, nothing: FloatArray) -> FloatArray:
    """A column as floats, NaN where there is none or it holds the catalogue's sign for nothing."""
    if name not in table.colnames:
        return nothing
    column = np.ma.asarray(table[name])
    if column.dtype.kind in "OSU":  # one word makes a column of words
        blank = np.isin(np.char.lower(np.char.strip(np.ma.filled(column, "").astype(str))), NOTHING_WORDS)
        column = np.ma.masked_array(np.where(blank, "nan", np.ma.filled(column, "nan").astype(str)))
    try:
        values = np.ma.filled(column.astype(float), np.nan)
    except (TypeError, ValueError) as error:
        raise TableError(f"{path}: the column {name} must hold numbers: {error}") from None
    return np.where(values > NOTHING, values, np.nan)


def _names(table: Table) -> np.ndarray:
    keys = [key for key in ("plate", "mjd", "fiberid") if key in table.colnames]
    if not keys:
        return np.array([f"row {i + 1}" for i in range(len(table))])
    return np.array(["-".join(str(row[key]) for key in keys) for row in table])
