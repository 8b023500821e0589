"""Spectra, fits and posteriors of single spaxels on disk; ``engine.spectra_schema`` says what the files hold."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import TableError, first_line
from engine.inference.arrangement import Models
from engine.inference.densities import Densities, axes_for, densities
from engine.inference.posterior import Observed
from engine.pipeline import Analysed
from engine.spectra_schema import (
    ESTIMATES,
    FLAGS_COLUMNS,
    PDF,
    PLACE,
    PLANE,
    PLANE_COLUMN,
    ROWS_PER_GROUP,
    SPECTRA,
    Axis,
    Header,
    SpectraAxes,
    flags_name,
    header_of,
    metadata_of,
    spectra_name,
)
from engine.types import FloatArray, IntArray
from precompute.io.atomic import written_together
from precompute.io.products import read_parquet_metadata

PLANE_STEP = 5  # cells of the lines that one cell of the plane of age and metallicity holds, along each

Cells = dict[str, np.ndarray]  # columns of some spaxels: places (spaxel,), lists (spaxel, cell)


class SpectraFiles(NamedTuple):
    """Both files of a galaxy."""

    spectra: Path
    flags: Path


class Posteriors(NamedTuple):
    """By what posteriors are computed: arranged models, and up to how many models errors are inflated."""

    models: Models
    least_models: float


class RegionObservables(NamedTuple):
    """What is known of a galaxy's regions: places, (region,) each, and observables."""

    x: IntArray
    y: IntArray
    observed: Observed


def spectra_files(folder: Path, galaxy_id: int) -> SpectraFiles:
    """Both files of a galaxy in a survey folder."""
    folder = Path(folder)
    return SpectraFiles(folder / spectra_name(galaxy_id), folder / flags_name(galaxy_id))


def read_spectra_header(path: Path) -> Header:
    """What a file of spectra or flags tells of itself; raises TableError if it is none, or of another version."""
    return header_of(read_parquet_metadata(path), str(path))


def write_cells(path: Path, header: Header, groups: Iterable[Cells]) -> None:
    """A file of spectra, one row group per element of ``groups``."""
    schema = _schema(header)
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for cells in groups:
            arrays = [_array(cells[field.name], field.type) for field in schema]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=ROWS_PER_GROUP)


def write_flags(path: Path, header: Header, columns: dict[str, IntArray]) -> None:
    """A file of flags: columns x, y, flags of the spaxels of the field that were not kept, (spaxel,) each."""
    kinds = {"x": pa.int16(), "y": pa.int16(), "flags": pa.int32()}
    schema = pa.schema([(name, kinds[name]) for name in FLAGS_COLUMNS], metadata=metadata_of(header))
    arrays = [pa.array(columns[name], kinds[name]) for name in FLAGS_COLUMNS]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")


def lost_spaxels(flags: IntArray, lost: np.ndarray) -> dict[str, IntArray]:
    """Columns of a file of flags from maps (y, x) of the flags and of which spaxels were not kept."""
    y, x = np.nonzero(lost)
    return {"x": x, "y": y, "flags": flags[y, x]}


def axes_of(models: Models, wave: Axis) -> SpectraAxes:
    """Axes of the lists: wavelengths [Angstrom], and cells that hold all ages and metallicities of the models."""
    cells = {name: Axis.of_edges(getattr(axes_for(models), name)) for name in ESTIMATES}
    return SpectraAxes(wave, cells, {name: _coarse_axis(cells[name]) for name in PLANE})


def analysed_cells(found: Analysed, posteriors: Posteriors) -> Iterator[Cells]:
    """Spectra and posteriors of the kept spaxels of an analysed galaxy, group by group.

    Posteriors of all spaxels at once would fill the memory.
    """
    rest = found.measured.rest
    spectra = {
        "flux": np.where(rest.good, rest.flux + found.measured.lines, np.nan),
        "flux_err": rest.err,
        "stellar": found.measured.stellar,
        "gas": found.measured.lines,
    }
    columns = {name: found.spaxels[name] for name in PLACE} | spectra
    for start in range(0, len(rest.flux), ROWS_PER_GROUP):
        rows = slice(start, start + ROWS_PER_GROUP)
        observed = Observed(*(values[rows] for values in found.observed))
        yield {name: values[rows] for name, values in columns.items()} | _posteriors_of(observed, posteriors)


def renew_posteriors(
    old: SpectraFiles, new: SpectraFiles, header: Header, seen: RegionObservables, posteriors: Posteriors
) -> None:
    """Write the files of a galaxy again with other posteriors; spectra and flags stay. Old and new may be the same.

    header: of the new files. Where nothing can be inferred now, a posterior on the same cells stays, as its estimate
    does. Raises TableError if a file is broken, or holds a spaxel that was not seen.
    """
    groups, before = _read_groups(old.spectra)
    row_of = {place: row for row, place in enumerate(_places(seen._asdict()))}
    strange = [place for cells in groups for place in _places(cells) if place not in row_of]
    if strange:
        raise TableError(f"{old.spectra} holds the spaxel {strange[0]}, which the table lacks")
    kept = _on_the_same_cells(before.axes, header.axes)

    def renewed(cells: Cells) -> Cells:
        mine = [row_of[place] for place in _places(cells)]
        fresh = _posteriors_of(Observed(*(values[mine] for values in seen.observed)), posteriors)
        for name in kept:
            fresh[name] = np.where(np.isnan(fresh[name]), cells[name], fresh[name])
        return {name: cells[name] for name in (*PLACE, *SPECTRA)} | fresh

    lost = read_lost(old.flags)
    new.spectra.parent.mkdir(parents=True, exist_ok=True)
    with written_together(*new) as (spectra, flags), ThreadPoolExecutor(numba.get_num_threads()) as pool:
        write_cells(spectra, header, pool.map(renewed, groups))
        write_flags(flags, header._replace(axes=None), lost)


def read_lost(path: Path) -> dict[str, IntArray]:
    """Columns of a file of flags; raises TableError if it cannot be read."""
    try:
        table = pq.read_table(path, columns=list(FLAGS_COLUMNS))
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise TableError(f"{path} is not a file of flags that can be read: {first_line(error)}") from None
    return {name: table.column(name).to_numpy() for name in FLAGS_COLUMNS}


def _read_groups(path: Path) -> tuple[list[Cells], Header]:
    """All row groups of a file of spectra, and its header."""
    try:
        with pq.ParquetFile(path) as file:
            header = header_of(file.schema_arrow.metadata, str(path))
            return [_cells_of(file.read_row_group(i)) for i in range(file.num_row_groups)], header
    except (OSError, ValueError) as error:
        raise TableError(f"{path} is not a file of spectra that can be read: {first_line(error)}") from None


def _places(columns: Cells) -> list[tuple[int, int]]:
    return list(zip(columns["x"].tolist(), columns["y"].tolist(), strict=True))


def _on_the_same_cells(before: SpectraAxes, now: SpectraAxes) -> list[str]:
    """Columns of posteriors whose cells did not change."""
    lines = [PDF[name] for name in ESTIMATES if before.estimates[name] == now.estimates[name]]
    return [*lines, PLANE_COLUMN] if before.plane == now.plane else lines


def _posteriors_of(observed: Observed, posteriors: Posteriors) -> Cells:
    shares: Densities = densities(observed, posteriors.models, least_models=posteriors.least_models)
    return {PDF[name]: getattr(shares, name) for name in ESTIMATES} | {PLANE_COLUMN: _coarse(shares.age_Z)}


def _coarse_axis(axis: Axis) -> Axis:
    return Axis(axis.start, axis.step * PLANE_STEP, -(-axis.n // PLANE_STEP))


def _coarse(shares: FloatArray) -> FloatArray:
    """Shares (spaxel, age, Z) summed over squares of cells, (spaxel, cell)."""
    pad = [(0, 0)] + [(0, -n % PLANE_STEP) for n in shares.shape[1:]]
    wide = np.pad(shares, pad)
    n, age, Z = wide.shape
    blocks = wide.reshape(n, age // PLANE_STEP, PLANE_STEP, Z // PLANE_STEP, PLANE_STEP)
    return blocks.sum(axis=(2, 4)).reshape(n, -1)


def _schema(header: Header) -> pa.Schema:
    places = [pa.field(name, pa.int16()) for name in PLACE]
    lists = [pa.field(name, pa.list_(pa.float32(), n)) for name, n in header.axes.sizes().items()]
    return pa.schema([*places, *lists], metadata=metadata_of(header))


def _array(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values, kind)
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, type=kind)


def _cells_of(table: pa.Table) -> Cells:
    """Columns of a table of spectra as arrays, lists as (spaxel, cell)."""
    cells = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            flat = column.flatten().to_numpy(zero_copy_only=False)
            cells[name] = flat.reshape(len(column), -1)
        else:
            cells[name] = column.to_numpy()
    return cells
