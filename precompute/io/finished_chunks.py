"""A long measurement kept piece by piece: small files in a folder named after all that determines the result."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.inference.posterior import Posterior
from precompute.io.atomic import written_together
from precompute.io.fingerprints import FORMAT

_BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile)


class ChunkStore:
    """The finished chunks of one measurement; chunk k holds the regions from k * size on."""

    def __init__(self, beside: Path, fingerprint: str, n_region: int, size: int):
        self.folder = Path(beside) / f"measuring-{fingerprint[:12]}"
        self.fingerprint = fingerprint
        self.n_region = n_region
        self.size = size
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
