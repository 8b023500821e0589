"""The survey in memory: opened once per process, read-only, shared by all visitors."""

import hashlib
from collections.abc import Callable
from functools import cache, cached_property, partial
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from app.metrics import REOPENED
from app.recent import Recent
from app.settings import read_settings
from app.shared_columns import SharedColumns
from engine import figures, galaxy, relations
from engine.columns import GALAXIES_FILE, GALAXY, MEASURED, MOCK, REGIONS_FILE
from engine.errors import TableError
from engine.figures.table import RADIUS_RE, WEIGHTINGS, mean_one, radius_re
from engine.relations.running import presort
from engine.survey import history_of

# Columns every page needs; the others stay in the file until a galaxy is opened
RESIDENT = ("galaxy_id", "x", "y", "log_mu_star", "log_age_wr", "log_Z_wr", "area_pc2", "weight", "smoothing_level")
MOST_RECENT_BYTES = 40_000_000  # arrays of pictures that several visitors ask for: about 20 states of six planes


class Survey:
    """One survey: ``galaxies`` (a frame) and region columns by name, ``survey["log_mu_star"]`` (row,) float32.

    Galaxy values broadcast to their regions under their own name (``survey["log_M_star"]``). Nothing here
    may be changed in place: every visitor sees the same arrays.
    """

    def __init__(self, folder: Path, shared: Path | None = None):
        self.folder = Path(folder)
        stamp = _stamp(self.folder)
        self.meta = _pair_meta(self.folder)
        self.origin = self.meta["origin"]
        self.survey_id = self.meta["survey_id"]
        self._file = pq.ParquetFile(self.folder / REGIONS_FILE)
        self.galaxies = pq.read_table(self.folder / GALAXIES_FILE).to_pandas()
        self._shared = SharedColumns(shared, self.folder, f"{self.survey_id} {stamp} {_code()}") if shared else None
        names = [name for name in RESIDENT if name in self._file.schema_arrow.names]
        self._columns = {name: self._kept(name, partial(self._read, name)) for name in names}
        self._derived: dict = {}
        self._recent = Recent(MOST_RECENT_BYTES)

    def __getitem__(self, name: str) -> np.ndarray | None:
        """A region column, a galaxy's value for each of its regions, or ``radius_re``; None if the survey lacks it.

        A column that is not resident is read when it is first asked for, and kept.
        """
        if name in self._columns:
            return self._columns[name]
        if name == RADIUS_RE:
            return self.once(RADIUS_RE, lambda: radius_re(self))
        if name in self._file.schema_arrow.names:
            return self.once(("column", name), lambda: self._file.read(columns=[name]).column(name).to_numpy())
        if name in GALAXY and name in self.galaxies:
            return self.once(name, lambda: self.galaxies[name].to_numpy(np.float32)[self.galaxy_index])
        return None

    @property
    def region_names(self) -> set[str]:
        """Names of the columns of the region table."""
        return set(self._file.schema_arrow.names)

    def galaxy(self, name: str) -> np.ndarray | None:
        """A column of the galaxy table, (galaxy,); None if the survey lacks it."""
        return self.galaxies[name].to_numpy() if name in self.galaxies else None

    def tells(self, name: str) -> bool:
        """Whether a column holds any value; level 0 means that the level is not known."""
        return self.once(("tells", name), lambda: _tells(name, self.galaxy(name), self[name]))

    @property
    def n_regions(self) -> int:
        """Rows of the region table."""
        return len(self._columns["galaxy_id"])

    @cached_property
    def stamp(self) -> str:
        """Words of the stamp mock data wear; empty for measured ones."""
        if self.origin == MEASURED:
            return ""
        kind = "MOCK survey" if self.origin == MOCK else "MOCK and measured galaxies"
        seed = self.meta.get("settings", {}).get("seed")
        version = self.meta.get("software", "").removeprefix("glocal ")
        words = [kind, f"seed {seed}" if seed is not None else "", f"v{version}" if version else ""]
        return " · ".join(word for word in words if word)

    @cached_property
    def galaxy_index(self) -> np.ndarray:
        """Row of ``galaxies`` per region, (row,) int32."""
        return self._kept("galaxy index", self._find_galaxies)

    def _find_galaxies(self) -> np.ndarray:
        ids = self.galaxies["galaxy_id"].to_numpy()
        by_id = np.argsort(ids, kind="stable")
        return by_id[np.searchsorted(ids[by_id], self._columns["galaxy_id"])].astype(np.int32)

    def weight(self, weighting: str) -> np.ndarray:
        """Statistical weight under one of WEIGHTINGS, (row,) float32 with mean 1."""
        return self.once(("weight", weighting), lambda: self._weight(WEIGHTINGS[weighting]))

    def order(self, name: str) -> np.ndarray:
        """Rows by rising value of a column, NaN last, (row,) int32."""
        return self.once(("order", name), lambda: presort(self[name]))

    def rows(self, galaxy_id: int) -> slice:
        """Where the regions of a galaxy lie in every column."""
        return self._slices.get(int(galaxy_id), slice(0, 0))

    def galaxy_row(self, galaxy_id: int) -> pd.Series | None:
        """The galaxy's row of the galaxy table."""
        found = self.galaxies.loc[self.galaxies["galaxy_id"] == galaxy_id]
        return found.iloc[0] if len(found) else None

    def galaxy_maps(self, galaxy_id: int) -> dict[str, np.ndarray]:
        """All columns of one galaxy's regions, (region,) each; reads only the row groups they lie in."""
        rows = self.rows(galaxy_id)
        ends = np.cumsum([self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)])
        first, last = np.searchsorted(ends, [rows.start, rows.stop - 1], side="right")
        groups = list(range(first, last + 1)) if rows.stop > rows.start else []
        table = self._file.read_row_groups(groups)
        begin = rows.start - (int(ends[first - 1]) if first else 0)
        table = table.slice(begin, rows.stop - rows.start)
        return {name: table.column(name).to_numpy() for name in table.column_names}

    @cached_property
    def _slices(self) -> dict[int, slice]:
        ids, starts, counts = np.unique(self._columns["galaxy_id"], return_index=True, return_counts=True)
        return {int(i): slice(int(s), int(s + n)) for i, s, n in zip(ids, starts, counts, strict=True)}

    def _weight(self, column: str | None) -> np.ndarray:
        if column is None:
            return np.ones(self.n_regions, np.float32)
        return mean_one(self._columns[column])

    def once(self, key: object, make: Callable) -> object:
        """What ``make`` makes, made once for this survey; keep only what no visitor's choice can multiply."""
        if key not in self._derived:
            self._derived[key] = self._kept(repr(key), make)
        return self._derived[key]

    def recent(self, key: object, make: Callable) -> object:
        """What ``make`` makes, kept while it is among the last that visitors asked for; nobody may change it."""
        return self._recent.get(key, make)

    def _kept(self, name: str, make: Callable) -> object:
        """What ``make`` makes; an array with a value per region lies in a file that processes share."""
        found = self._shared.find(name) if self._shared else None
        if found is not None:
            return found
        made = make()
        if not isinstance(made, np.ndarray):
            return made
        of_regions = made.shape == (self._file.metadata.num_rows,)
        return _frozen(self._shared.keep(name, made) if self._shared and of_regions else made)

    def _read(self, name: str) -> np.ndarray:
        return self._file.read(columns=[name]).column(name).to_numpy()


_opened: dict[Path, tuple[tuple, Survey]] = {}
_opening = Lock()


def open_survey(folder: Path) -> Survey:
    """The survey in a folder, from memory if its files are as they were; raises TableError in one sentence."""
    folder = Path(folder).resolve()
    stamp = _stamp(folder)
    with _opening:
        if folder not in _opened or _opened[folder][0] != stamp:
            _opened[folder] = (stamp, Survey(folder, read_settings().cache_folder))
            REOPENED.inc()
        return _opened[folder][1]


def _stamp(folder: Path) -> tuple:
    """What changes when the files of a survey are replaced or written to."""
    try:
        stats = [(folder / name).stat() for name in (REGIONS_FILE, GALAXIES_FILE)]
    except OSError as error:
        raise TableError(f"there is no survey in {folder}: {Path(error.filename).name} is missing") from None
    return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


@cache
def _code() -> str:
    """A word that changes with the code columns are derived by."""
    folders = [Path(package.__file__).parent for package in (relations, figures, galaxy)]
    sources = [Path(__file__), *(path for folder in folders for path in sorted(folder.glob("*.py")))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _pair_meta(folder: Path) -> dict:
    meta, other = (_meta(folder / name) for name in (REGIONS_FILE, GALAXIES_FILE))
    if meta.get("survey_id") != other.get("survey_id"):
        raise TableError(f"{folder}: {REGIONS_FILE} and {GALAXIES_FILE} do not belong together")
    return meta


def _meta(path: Path) -> dict:
    try:
        metadata = pq.read_schema(path).metadata
    except (OSError, ValueError):  # pyarrow's ArrowInvalid is a ValueError
        raise TableError(f"{path} is not a readable Parquet file") from None
    return history_of(metadata, str(path))


def _tells(name: str, of_galaxies: np.ndarray | None, of_regions: np.ndarray | None) -> bool:
    values = of_regions if of_galaxies is None else of_galaxies
    if values is None:
        return False
    if values.dtype == object:
        return any(isinstance(word, str) and word.strip() for word in values)
    return bool((values > 0).any() if name == "smoothing_level" else np.isfinite(values).any())


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
