"""SDSS galaxies with the indices of the MPA-JHU catalogue and the ages and metallicities of Gallazzi et al. (2005)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from engine.adopted import Z_SUN
from engine.errors import TableError
from engine.spectrum.indices import SINGLE_NAMES, Indices, combine
from engine.types import FloatArray
from precompute.io.tables import numbers, read_table, refuse_infinite, words

# Our names of the indices they list; "_sub": with emission lines subtracted. Fe4531 and Fe5015 may be there too
MPA_NAMES = {
    "d4000n": "d4000_n", "hbeta": "lick_hb", "hdelta_a": "lick_hd_a", "hgamma_a": "lick_hg_a", "mg1": "lick_mg1",
    "mg2": "lick_mg2", "mgb": "lick_mgb", "fe4531": "lick_fe4531", "fe5015": "lick_fe5015",
    "fe5270": "lick_fe5270", "fe5335": "lick_fe5335",
}  # fmt: skip
NEEDED = ("v_disp",)
PUBLISHED = tuple(f"g05_{name}_p{p}" for name in ("logage", "logz") for p in (16, 50, 84))
NOTHING = -99.0  # the catalogue writes -99 or -9999 where it has no value


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
    """Read the table (CSV, FITS, ...), whatever the case of its names.

    Raises TableError naming the file, and the columns it lacks or the row and word that is no number.
    """
    table = read_table(path)
    _name_in_small_letters(table, path)
    lacking = [name for name in (*NEEDED, *PUBLISHED) if name not in table.colnames]
    if lacking:
        raise TableError(f"{path} lacks the columns {', '.join(lacking)}")
    errors = _indices(table, "_err", path)
    errors = np.where(errors > 0, errors, np.nan)
    values = np.where(np.isfinite(errors), _indices(table, "", path), np.nan)
    indices = combine(Indices(values, errors))
    if not np.isfinite(indices.values).any():
        raise TableError(f"{path} has no index to measure by; they are named as d4000_n_sub with d4000_n_sub_err")
    log_Z = _published(table, "logz", path) - np.log10(Z_SUN)
    return SdssGalaxies(
        _names(table), _values(table, "v_disp", path), *indices, _published(table, "logage", path), log_Z
    )


def _name_in_small_letters(table: Table, path: Path) -> None:
    small = [name.lower() for name in table.colnames]
    twice = [name for name in small if small.count(name) > 1]
    if twice:
        raise TableError(f"{path}: two columns are called {twice[0]}, but for capitals")
    table.rename_columns(table.colnames, small)


def _indices(table: Table, end: str, path: Path) -> FloatArray:
    """The single indices, or with ``end`` _err their errors, (galaxy, index); NaN where the table has none."""
    nothing = np.full(len(table), np.nan)
    names = [f"{MPA_NAMES.get(name, name)}_sub{end}" for name in SINGLE_NAMES]
    columns = [_values(table, name, path) if name in table.colnames else nothing for name in names]
    return np.stack(columns, axis=-1)


def _published(table: Table, name: str, path: Path) -> FloatArray:
    """Published 16, 50, 84 %, (galaxy, 3)."""
    return np.stack([_values(table, f"g05_{name}_p{p}", path) for p in (16, 50, 84)], axis=-1)


def _values(table: Table, name: str, path: Path) -> FloatArray:
    """A column as floats, NaN where there is none, or the catalogue's sign for nothing."""
    values = numbers(table, name, str(path))
    refuse_infinite(values, name, str(path))
    return np.where(values > NOTHING, values, np.nan)


def _names(table: Table) -> np.ndarray:
    keys = [key for key in ("plate", "mjd", "fiberid") if key in table.colnames]
    if not keys:
        return np.array([f"row {i + 1}" for i in range(len(table))])
    return np.array(["-".join(parts) for parts in zip(*(words(table, key) for key in keys), strict=True)])
