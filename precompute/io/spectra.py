"""Spectra, fits and posteriors of single spaxels on disk: two Parquet files per galaxy that the app reads from.

``spectra/<galaxy_id>.parquet`` has one row per kept spaxel in small row groups, so that one spaxel is read in
milliseconds; ``spectra/<galaxy_id>.flags.parquet`` says why the others of the field were not kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import META_KEY
from engine.inference.arrangement import Models
from engine.inference.densities import Axes, axes_for, densities
from engine.inference.posterior import Observed
from engine.pipeline import Analysed
from engine.types import FloatArray, IntArray

FOLDER = "spectra"
ROWS_PER_GROUP = 32  # choice: about 1 MB, read and unpacked in a few milliseconds
PLANE_STEP = 5  # cells of the lines that one cell of the plane of age and metallicity holds, along each
LINES, PLANE = ("log_mu_star", "log_age_wr", "log_Z_wr"), ("log_age_wr", "log_Z_wr")


def spectra_files(folder: Path, galaxy_id: int) -> tuple[Path, Path]:
    """Both files of a galaxy in a survey folder."""
    return tuple(Path(folder) / FOLDER / f"{galaxy_id}{end}" for end in (".parquet", ".flags.parquet"))


def write_spectra(found: Analysed, models: Models, facts: dict, path: Path, least_models: float) -> None:
    """Spectra and posteriors of the kept spaxels; ``facts`` of galaxy and survey go into the file's history."""
    axes, rest = axes_for(models), found.measured.rest
    meta = facts | {
        "wave": {"start": float(rest.wave[0]), "step": float(rest.wave[1] - rest.wave[0]), "n": rest.wave.size},
        "axes": {name: _axis(getattr(axes, name)) for name in LINES}
        | {"age_Z": {name: _axis(_coarse_edges(getattr(axes, name))) for name in PLANE}},
    }  # fmt: skip
    schema = _schema(axes, rest.wave.size).with_metadata({META_KEY: json.dumps(meta)})
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for part in _tables(found, models, schema, least_models):
            file.write_table(part, row_group_size=ROWS_PER_GROUP)


def write_flags(flags: IntArray, kept: np.ndarray, path: Path) -> None:
    """Flags (y, x) of the spaxels of the field that were not kept."""
    y, x = np.nonzero(~kept)
    columns = {"x": x, "y": y, "flags": flags[y, x]}
    table = pa.table({name: pa.array(values, pa.int32()) for name, values in columns.items()})
    pq.write_table(table, path, compression="zstd")


def _axis(edges: FloatArray) -> list[float]:
    return [float(edges[0]), float(edges[1] - edges[0]), edges.size - 1]


def _coarse_edges(edges: FloatArray) -> FloatArray:
    n = -(-(edges.size - 1) // PLANE_STEP)
    return edges[0] + (edges[1] - edges[0]) * PLANE_STEP * np.arange(n + 1)


def _schema(axes: Axes, n_wave: int) -> pa.Schema:
    sizes = dict.fromkeys(("flux", "flux_err", "stellar", "gas"), n_wave)
    sizes |= {f"pdf_{name}": getattr(axes, name).size - 1 for name in LINES}
    sizes["pdf_age_Z"] = int(np.prod([_coarse_edges(getattr(axes, name)).size - 1 for name in PLANE]))
    places = [pa.field("x", pa.int16()), pa.field("y", pa.int16())]
    return pa.schema([*places, *(pa.field(name, pa.list_(pa.float32(), n)) for name, n in sizes.items())])


def _tables(found: Analysed, models: Models, schema: pa.Schema, least_models: float) -> Iterator[pa.Table]:
    """Tables of one row group each: posteriors of all spaxels at once would fill the memory."""
    rest, measured = found.measured.rest, found.measured
    seen = np.where(rest.good, rest.flux + measured.lines, np.nan)
    for start in range(0, len(seen), ROWS_PER_GROUP):
        rows = slice(start, start + ROWS_PER_GROUP)
        shares = densities(Observed(*(part[rows] for part in found.observed)), models, least_models=least_models)
        columns = {"flux": seen[rows], "flux_err": rest.err[rows], "stellar": measured.stellar[rows]}
        columns |= {"gas": measured.lines[rows]} | {f"pdf_{name}": getattr(shares, name) for name in LINES}
        columns["pdf_age_Z"] = _coarse(shares.age_Z)
        arrays = [pa.array(found.spaxels[name][rows], pa.int16()) for name in ("x", "y")]
        arrays += [_lists(columns[name], schema.field(name).type) for name in schema.names[2:]]
        yield pa.Table.from_arrays(arrays, schema=schema)


def _coarse(shares: FloatArray) -> FloatArray:
    """Shares (spaxel, age, Z) summed over squares of cells, (spaxel, cell)."""
    pad = [(0, 0)] + [(0, -n % PLANE_STEP) for n in shares.shape[1:]]
    wide = np.pad(shares, pad)
    n, age, Z = wide.shape
    blocks = wide.reshape(n, age // PLANE_STEP, PLANE_STEP, Z // PLANE_STEP, PLANE_STEP)
    return blocks.sum(axis=(2, 4)).reshape(n, -1)


def _lists(values: FloatArray, kind: pa.DataType) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, type=kind)
