"""The survey on disk: two Parquet files that carry units, meanings and their own history."""

import hashlib
import json
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import (
    GALAXIES_FILE,
    GALAXY_COLUMNS,
    MEASURED,
    META_KEY,
    MIXED,
    MOCK,
    REGION_COLUMNS,
    REGIONS_FILE,
    SCHEMA_VERSION,
    Column,
)
from engine.errors import TableError
from engine.table_checks import Columns, check_galaxies, check_pair, check_regions, history_of
from precompute.io.atomic import written_together

ROWS_PER_GROUP = 8192  # choice: a galaxy (about 1700 rows) lies in one or two groups, and the footer stays small


def software_version() -> str:
    """Name and version of this program, as written into every product."""
    try:
        return f"glocal {version('glocal')}"
    except PackageNotFoundError:
        return "glocal (not installed)"


def write_survey(
    folder: Path, regions: Columns, galaxies: Columns, *, origin: str, settings: dict, inputs: dict, software: str = ""
) -> str:
    """Check both tables and write them into ``folder`` as one pair; returns the survey_id.

    ``regions`` and ``galaxies`` hold one array per column of ``engine.columns``, in its units.
    ``origin`` is mock, measured or mixed; ``settings`` and ``inputs`` (name: sha256) are plain JSON.
    Raises TableError, before anything is written, if a table is not sound.
    """
    if origin not in (MOCK, MEASURED, MIXED):
        raise TableError(f"the origin of a survey is {MOCK}, {MEASURED} or {MIXED}, not {origin!r}")
    regions = _sorted(check_regions(regions), "galaxy_id", "y", "x")
    galaxies = _sorted(check_galaxies(galaxies), "galaxy_id")
    check_pair(regions, galaxies)
    meta = {
        "schema_version": SCHEMA_VERSION,
        "survey_id": _survey_id(regions, galaxies, origin, settings),
        "origin": origin,
        "software": software or software_version(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings,
        "inputs": inputs,
    }
    tables = [_arrow_table(regions, REGION_COLUMNS, meta), _arrow_table(galaxies, GALAXY_COLUMNS, meta)]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with written_together(folder / REGIONS_FILE, folder / GALAXIES_FILE) as fresh:
        for table, path in zip(tables, fresh, strict=True):
            _write_parquet(table, path)
    return meta["survey_id"]


def read_survey(folder: Path, columns: list[str] | None = None) -> tuple[Columns, Columns, dict]:
    """Regions (all columns, or those named), galaxies and metadata of a survey.

    Raises TableError for a missing file, another schema version, or two files that are no pair.
    """
    meta = read_pair_meta(folder := Path(folder))
    return _read(folder / REGIONS_FILE, columns), _read(folder / GALAXIES_FILE, None), meta


def read_pair_meta(folder: Path) -> dict:
    """The history of a survey; raises TableError as ``read_survey`` does."""
    meta, other = (read_meta(Path(folder) / name) for name in (REGIONS_FILE, GALAXIES_FILE))
    if meta["survey_id"] != other["survey_id"]:
        raise TableError(f"{folder}: {REGIONS_FILE} and {GALAXIES_FILE} do not belong together")
    return meta


def read_meta(path: Path) -> dict:
    """The history a survey file carries; raises TableError if it is not one, or of another schema version."""
    return history_of(read_parquet_metadata(path), str(path))


def read_parquet_metadata(path: Path) -> dict[bytes, bytes] | None:
    """What a Parquet file tells besides its columns; raises TableError if it is none."""
    try:
        return pq.read_schema(path).metadata
    except FileNotFoundError:
        raise TableError(f"{path} does not exist") from None
    except pa.ArrowInvalid:
        raise TableError(f"{path} is not a Parquet file") from None


def refuse_to_replace(folder: Path, origin: str) -> None:
    """Raise TableError if ``folder`` holds a survey of another origin: hours of work are not lost by a slip."""
    try:
        found = read_pair_meta(folder)["origin"]
    except TableError:  # nothing there that could be read
        return
    if found != origin:
        raise TableError(f"{folder} holds a {found} survey: choose another folder for the {origin} one")


def file_checksum(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_parquet(table: pa.Table, path: Path) -> None:
    """Measured numbers seldom repeat, so they are split into bytes, not put into dictionaries: two fifths smaller."""
    measured = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    others = [name for name in table.column_names if name not in measured]
    pq.write_table(
        table, path, compression="zstd", use_dictionary=others, use_byte_stream_split=measured,
        row_group_size=ROWS_PER_GROUP, write_page_index=True,
    )  # fmt: skip


def _read(path: Path, columns: list[str] | None) -> Columns:
    missing = set(columns or ()) - set(pq.read_schema(path).names)
    if missing:
        raise TableError(f"{path}: column {sorted(missing)[0]} is missing")
    table = pq.read_table(path, columns=columns, partitioning=None)
    return {name: _to_numpy(table.column(name)) for name in table.column_names}


def _to_numpy(column: pa.ChunkedArray) -> np.ndarray:
    values = column.to_numpy()
    return values.astype(str) if values.dtype == object else values


def _sorted(table: Columns, *keys: str) -> Columns:
    order = np.lexsort([table[key] for key in reversed(keys)])
    return {name: values[order] for name, values in table.items()}


def _survey_id(regions: Columns, galaxies: Columns, origin: str, settings: dict) -> str:
    """Twelve hexadecimal digits that follow from the content: the same survey has the same name."""
    digest = hashlib.sha256(json.dumps([SCHEMA_VERSION, origin, settings], sort_keys=True).encode())
    for table in (regions, galaxies):
        for name, values in table.items():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:12]


def _arrow_table(table: Columns, columns: tuple[Column, ...], meta: dict) -> pa.Table:
    present = [column for column in columns if column.name in table]
    fields = [_field(column) for column in present]
    notes = {META_KEY: json.dumps(meta), b"table_meta_yaml": _astropy_header(present, table, meta)}
    notes |= {f"table::len::{c.name}": str(_widest(table[c.name])) for c in present if c.dtype == "str"}  # for astropy
    arrays = [pa.array(table[field.name], type=field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=notes))


def _widest(values: np.ndarray) -> int:
    return max(int(np.strings.str_len(values).max()), 1)


def _field(column: Column) -> pa.Field:
    kind = pa.string() if column.dtype == "str" else pa.from_numpy_dtype(np.dtype(column.dtype))
    notes = {"unit": column.unit, "description": column.description, "ucd": column.ucd}
    return pa.field(column.name, kind, nullable=False, metadata=notes)


def _astropy_header(columns: list[Column], table: Columns, meta: dict) -> str:
    """The header by which ``astropy.table.Table.read`` finds units and descriptions in Parquet."""
    from astropy.table import Column as AstropyColumn
    from astropy.table import Table
    from astropy.table.meta import get_yaml_from_table

    header = Table(meta={"glocal": meta})
    for c in columns:
        kind = table[c.name].dtype
        header[c.name] = AstropyColumn(
            np.empty(0, kind), unit=c.unit or None, description=c.description, meta={"ucd": c.ucd}
        )
    return "\n".join(get_yaml_from_table(header))
