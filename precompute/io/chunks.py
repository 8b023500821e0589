"""A long measurement kept piece by piece: small files in a folder named after all that determines the result."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from engine.columns import SCHEMA_VERSION
from engine.inference.posterior import FEW_MODELS, Observed, Posterior
from engine.library.types import Library
from engine.types import FloatArray
from precompute.io.atomic import written_together
from precompute.io.products import software_version

FORMAT = 1
_BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile)


class Rules(NamedTuple):
    """How models count: weight of each before the data (model,), and up to how many errors are inflated."""

    prior: FloatArray | None = None
    least_models: float = FEW_MODELS


class ChunkStore:
    """The finished chunks of one measurement; chunk k holds the regions from k * size on."""

    def __init__(self, beside: Path, fingerprint: str, n_region: int, size: int):
        self.folder = Path(beside) / f"measuring-{fingerprint[:12]}"
        self.fingerprint, self.n_region, self.size = fingerprint, n_region, size
        self.number = -(-n_region // size)

    def rows(self, chunk: int) -> slice:
        """Regions of a chunk."""
        return slice(chunk * self.size, min((chunk + 1) * self.size, self.n_region))

    def regions_in(self, chunks: Iterable[int]) -> int:
        """How many regions some chunks hold."""
        return sum(rows.stop - rows.start for rows in map(self.rows, chunks))

    def load(self, chunk: int) -> Posterior | None:
        """A finished chunk; None if there is none, or if its file is broken or of another measurement."""
        try:
            with open(self._file(chunk), "rb") as handle, np.load(handle, allow_pickle=False) as file:
                if json.loads(str(file["head"])) != self._head(chunk):
                    return None
                found = Posterior(*(file[name] for name in Posterior._fields))
        except _BROKEN:
            return None
        rows = self.rows(chunk)
        return found if all(part.shape == (rows.stop - rows.start,) for part in found) else None

    def save(self, chunk: int, posterior: Posterior) -> None:
        """Write a chunk, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        head = np.array(json.dumps(self._head(chunk)))
        with written_together(self._file(chunk)) as (fresh,), open(fresh, "wb") as file:
            np.savez(file, head=head, **posterior._asdict())

    def remove(self) -> None:
        """Forget all chunks, once the survey is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, chunk: int) -> Path:
        return self.folder / f"{chunk:06d}.npz"

    def _head(self, chunk: int) -> dict:
        return {"format": FORMAT, "fingerprint": self.fingerprint, "chunk": chunk}


def fingerprint_of(observed: Observed, library: Library, rules: Rules, size: int) -> str:
    """sha256 of all that determines the chunks: observables, library, prior, least models, size, and the code."""
    facts = [FORMAT, SCHEMA_VERSION, code_version("engine"), size, rules.least_models]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(library_checksum(library).encode())
    for part in (*observed, np.empty(0) if rules.prior is None else rules.prior):
        _feed(digest, part)
    return digest.hexdigest()


def library_checksum(library: Library) -> str:
    """sha256 of what a library holds, whatever file it lies in."""
    digest = hashlib.sha256(json.dumps(library.meta, sort_keys=True).encode())
    for part in (library.log_age_wr, library.log_Z_wr, library.indices, library.sigma_grid, library.flux):
        _feed(digest, part)
    return digest.hexdigest()


@cache
def code_version(*packages: str) -> str:
    """Version of the program with a checksum of the packages that measure, which may change between two versions."""
    digest = hashlib.sha256()
    for package in packages:
        with resources.as_file(resources.files(package)) as folder:
            for file in sorted(folder.rglob("*.py")):
                digest.update(file.read_bytes())
    return f"{software_version()}, code {digest.hexdigest()[:12]}"


def _feed(digest, values: FloatArray) -> None:
    values = np.ascontiguousarray(values)
    digest.update(f"{values.dtype} {values.shape}".encode())
    digest.update(values)
