"""The files of spectra and posteriors in words: names, columns, header, and what ties them to the tables of a survey.

Next to the two tables a survey may keep two Parquet files per galaxy in the folder ``spectra``:

``<galaxy_id>.parquet``
    one row per kept spaxel, in row groups of ROWS_PER_GROUP: its place ``x, y``; the SPECTRA, lists of one value per
    wavelength; the posteriors ``pdf_<estimate>``, lists of shares of the weight, one per cell; and PLANE_COLUMN, the
    shares in the plane of age and metallicity, age by age.
``<galaxy_id>.flags.parquet``
    one row per spaxel of the field that was not kept: ``x, y, flags``.

Both carry a Header. A file belongs to a table if its ``estimates_id`` is that of the galaxy's rows: then the posteriors
are those the estimates were read from. The identifier follows from the rows of one galaxy and not, as the survey_id
does, from the whole survey: galaxies join a survey and leave it without any change to the others.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from engine.columns import META_KEY, REGION
from engine.errors import TableError
from engine.types import FloatArray

SCHEMA_VERSION = 1
FOLDER = "spectra"
ROWS_PER_GROUP = 32  # choice: about 1 MB, read and unpacked in a few milliseconds

PLACE = ("x", "y")
SPECTRA = ("flux", "flux_err", "stellar", "gas")  # rest frame, 1e-16 erg/s/cm2/Angstrom; flux is NaN where bad
ESTIMATES = ("log_mu_star", "log_age_wr", "log_Z_wr")
PDF = {name: f"pdf_{name}" for name in ESTIMATES}
PLANE = ("log_age_wr", "log_Z_wr")  # axes of PLANE_COLUMN, the first one slow
PLANE_COLUMN = "pdf_age_Z"
FLAGS_COLUMNS = (*PLACE, "flags")

_IDENTIFYING = (*PLACE, *(column for name in ESTIMATES for column in (name, f"{name}_err")))
_MISSING_ID = "not said"


class Axis(NamedTuple):
    """An evenly spaced axis: ``n`` wavelengths from ``start`` on, or ``n`` cells whose first edge is ``start``."""

    start: float
    step: float
    n: int

    @property
    def points(self) -> FloatArray:
        """Positions of the n points, (n,)."""
        return self.start + self.step * np.arange(self.n)

    @property
    def edges(self) -> FloatArray:
        """Edges of the n cells, (n + 1,)."""
        return self.start + self.step * np.arange(self.n + 1)

    @classmethod
    def of_edges(cls, edges: FloatArray) -> "Axis":
        """The axis with these edges of cells."""
        return cls(float(edges[0]), float(edges[1] - edges[0]), len(edges) - 1)

    @classmethod
    def of_points(cls, points: FloatArray) -> "Axis":
        """The axis of these points."""
        return cls(float(points[0]), float(points[1] - points[0]), len(points))


class SpectraAxes(NamedTuple):
    """What the lists of a file of spectra run over."""

    wave: Axis  # Angstrom, rest frame, air
    estimates: dict[str, Axis]  # of the posteriors, by name of ESTIMATES, in the unit of that column
    plane: dict[str, Axis]  # of PLANE_COLUMN, by name of PLANE: coarser

    def sizes(self) -> dict[str, int]:
        """Length of the lists of every column that holds lists."""
        sizes = dict.fromkeys(SPECTRA, self.wave.n)
        sizes |= {PDF[name]: self.estimates[name].n for name in ESTIMATES}
        sizes[PLANE_COLUMN] = int(np.prod([self.plane[name].n for name in PLANE]))
        return sizes


class Header(NamedTuple):
    """What a file tells of itself; ``axes`` is None in a file of flags."""

    galaxy: str
    estimates_id: str
    axes: SpectraAxes | None
    history: dict[str, Any]  # software, inputs, settings: strings and numbers only


def spectra_name(galaxy_id: int) -> str:
    """Name of a galaxy's file of spectra within the survey."""
    return f"{FOLDER}/{int(galaxy_id)}.parquet"


def flags_name(galaxy_id: int) -> str:
    """Name of a galaxy's file of flags within the survey."""
    return f"{FOLDER}/{int(galaxy_id)}.flags.parquet"


def estimates_id(rows: Mapping[str, np.ndarray]) -> str:
    """Twelve hexadecimal digits that follow from the places and estimates of one galaxy's regions, in any order.

    ``rows``: columns of the region table, (region,) each, as measured or as stored.
    """
    order = np.lexsort([np.asarray(rows[name]) for name in PLACE])
    digest = hashlib.sha256()
    for name in _IDENTIFYING:
        values = np.asarray(rows[name])[order].astype(np.dtype(REGION[name].dtype).newbyteorder("<"))
        if values.dtype.kind == "f":
            values[np.isnan(values)] = np.nan  # all kinds of NaN are one
        digest.update(values.tobytes())
    return digest.hexdigest()[:12]


def metadata_of(header: Header) -> dict[bytes, str]:
    """A header as the metadata of a Parquet file."""
    axes = None if header.axes is None else header.axes._asdict()
    content = {"schema_version": SCHEMA_VERSION, **header._asdict(), "axes": axes}
    return {META_KEY: json.dumps(content)}


def header_of(metadata: Mapping[bytes, bytes] | None, label: str) -> Header:
    """The header among the metadata of a Parquet file; raises TableError if there is none or of another version."""
    stored = (metadata or {}).get(META_KEY)
    if stored is None:
        raise TableError(f"{label} is a Parquet file, but not of spectra of a Glocal survey")
    content = json.loads(stored)
    version = content.get("schema_version")
    if version != SCHEMA_VERSION or "estimates_id" not in content:
        came = _MISSING_ID if version is None else version
        raise TableError(
            f"{label} has schema version {came} of spectra, but this Glocal reads version {SCHEMA_VERSION}: "
            "re-run the galaxy with `glocal run`"
        )
    return Header(content["galaxy"], content["estimates_id"], _axes_of(content["axes"]), content["history"])


def _axes_of(content: dict[str, Any] | None) -> SpectraAxes | None:
    if content is None:
        return None
    estimates, plane = ({name: Axis(*axis) for name, axis in content[key].items()} for key in ("estimates", "plane"))
    return SpectraAxes(Axis(*content["wave"]), estimates, plane)


def check_belongs(header: Header, wanted: str, label: str) -> None:
    """Raise TableError if a file was not made with the table whose galaxy has the estimates_id ``wanted``."""
    if header.estimates_id != wanted:
        raise TableError(
            f"{label} does not belong to this table: it was made with other densities, ages or metallicities of "
            f"{header.galaxy} than the table holds"
        )
