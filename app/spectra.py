"""Spectra and posteriors of single spaxels: files next to the survey, of which one row group is read at a time.

What they hold is described in ``engine.spectra_schema``. None has to be there; one that was made with other estimates
than the table holds is refused.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import TableError, first_line
from engine.spectra_schema import (
    ESTIMATES,
    FLAGS_COLUMNS,
    FOLDER,
    PDF,
    PLACE,
    PLANE,
    PLANE_COLUMN,
    SPECTRA,
    Header,
    SpectraAxes,
    check_belongs,
    flags_name,
    header_of,
    spectra_name,
)
from engine.stats import PERCENTILES
from engine.types import FloatArray

OPEN_FILES, KEPT_GROUPS = 16, 24  # per process; a row group is about 1 MB


class PosteriorCurve(NamedTuple):
    """Share of the weight per cell, (cell,), between ``edges`` (cell + 1,); low, median, high are its 16, 50, 84 %."""

    edges: FloatArray
    share: FloatArray
    low: float
    median: float
    high: float

    @property
    def density(self) -> FloatArray:
        """PosteriorCurve per dex, (cell,)."""
        return self.share / np.diff(self.edges)


class SpaxelSpectrum(NamedTuple):
    """One spaxel: rest-frame air wavelengths [Angstrom] and fluxes [1e-16 erg/s/cm2/Angstrom], (wave,) each.

    Flux is NaN where bad; posteriors by name of ESTIMATES; ``plane`` (age cell, Z cell) between ``plane_edges``.
    """

    wave: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    stellar: FloatArray
    gas: FloatArray
    posteriors: dict[str, PosteriorCurve]
    plane: FloatArray
    plane_edges: tuple[FloatArray, FloatArray]

    @property
    def residual(self) -> FloatArray:
        """Flux less stars and lines, (wave,)."""
        return self.flux - self.stellar - self.gas


class _Opened(NamedTuple):
    file: pq.ParquetFile
    header: Header
    place: dict[tuple[int, int], tuple[int, int]]  # (x, y) -> row group, row in it


def survey_has_spectra(folder: Path) -> bool:
    """Whether this survey keeps spectra at all."""
    return (Path(folder) / FOLDER).is_dir()


def read_spectrum(folder: Path, galaxy_id: int, x: int, y: int, *, belongs_to: str) -> SpaxelSpectrum | None:
    """The spectrum of one spaxel, or None if none was kept.

    belongs_to: estimates_id of the galaxy's rows in the table that is shown. Raises TableError for a file that cannot
    be read, or was made with other estimates.
    """
    name = spectra_name(galaxy_id)
    path = Path(folder) / name
    if (stamp := _stamp(path)) is None:
        return None
    try:
        opened = _open(path, stamp)
        check_belongs(opened.header, belongs_to, name)
        if (int(x), int(y)) not in opened.place:
            return None
        group, row = opened.place[int(x), int(y)]
        cells = {column: values[row] for column, values in _group(path, stamp, group).items()}
        return _spectrum(cells, opened.header.axes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # pyarrow's ArrowInvalid: a ValueError
        raise TableError(f"{path} is not a file of spectra this page can read ({first_line(error)})") from None


def read_flags(folder: Path, galaxy_id: int, *, belongs_to: str) -> dict[tuple[int, int], int]:
    """Flags of the spaxels (x, y) of the field that were not kept; empty where no file tells.

    belongs_to and errors: as for read_spectrum.
    """
    path = Path(folder) / flags_name(galaxy_id)
    stamp = _stamp(path)
    if stamp is None:
        return {}
    header, flags = _flags(path, stamp)
    check_belongs(header, belongs_to, flags_name(galaxy_id))
    return flags


def quantiles(edges: FloatArray, share: FloatArray) -> tuple[float, float, float]:
    """16, 50 and 84 % of shares (cell,) spread evenly over cells between ``edges``; NaN if there is no weight."""
    share = np.nan_to_num(np.asarray(share, dtype=float))
    if not share.sum() > 0:
        return np.nan, np.nan, np.nan
    below = np.concatenate([[0.0], np.cumsum(share)]) / share.sum()
    low, median, high = np.interp(PERCENTILES, below, edges)
    return float(low), float(median), float(high)


def _spectrum(cells: dict[str, FloatArray], axes: SpectraAxes) -> SpaxelSpectrum:
    posteriors = {}
    for name in ESTIMATES:
        edges = axes.estimates[name].edges
        share = cells[PDF[name]]
        posteriors[name] = PosteriorCurve(edges, share, *quantiles(edges, share))
    edges = tuple(axes.plane[name].edges for name in PLANE)
    plane = cells[PLANE_COLUMN].reshape(tuple(len(e) - 1 for e in edges))
    wave = axes.wave.points
    parts = [cells[name] for name in SPECTRA]
    if any(part.shape != wave.shape for part in parts):
        raise ValueError(f"{len(parts[0])} pixels where its header says {len(wave)}")
    return SpaxelSpectrum(wave, *parts, posteriors, plane, edges)


@lru_cache(maxsize=OPEN_FILES)
def _open(path: Path, _changed: tuple[int, int]) -> _Opened:
    file = pq.ParquetFile(path)
    header = header_of(file.schema_arrow.metadata, path.name)
    places = file.read(columns=list(PLACE))
    x = places.column("x").to_pylist()
    y = places.column("y").to_pylist()
    where = [(g, r) for g in range(file.num_row_groups) for r in range(file.metadata.row_group(g).num_rows)]
    return _Opened(file, header, dict(zip(zip(x, y, strict=True), where, strict=True)))


@lru_cache(maxsize=KEPT_GROUPS)
def _group(path: Path, changed: tuple[int, int], group: int) -> dict[str, FloatArray]:
    opened = _open(path, changed)
    names = list(opened.header.axes.sizes())
    table = opened.file.read_row_group(group, columns=names)
    return {name: _rows(table.column(name).combine_chunks()) for name in names}


def _rows(column: pa.FixedSizeListArray) -> FloatArray:
    """A column of lists as (row, cell), read-only."""
    values = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
    values.flags.writeable = False
    return values


@lru_cache(maxsize=OPEN_FILES)
def _flags(path: Path, _changed: tuple[int, int]) -> tuple[Header, dict[tuple[int, int], int]]:
    try:
        table = pq.read_table(path, columns=list(FLAGS_COLUMNS))
    except (OSError, ValueError):
        raise TableError(f"{path} is not a readable file of flags") from None
    x, y, flags = (table.column(name).to_pylist() for name in FLAGS_COLUMNS)
    return header_of(table.schema.metadata, path.name), dict(zip(zip(x, y, strict=True), flags, strict=True))


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells that a file was replaced; None if it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
