"""Columns as files that are mapped into memory: several processes over one survey share one copy of them.

The files are this program's own and hold no data of others: each is written whole under another name first and never
changed afterwards, so that a table that is replaced or cut short under a running server cannot pull them away.
"""

import hashlib
import logging
import os
import re
import shutil
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)


class SharedColumns:
    """Arrays of one state of one survey, by name. Where nothing can be written, they stay in memory."""

    def __init__(self, cache: Path, survey: Path, state: str):
        """``state`` is any text that changes with the survey's files and with the code that derives columns."""
        mine = _digest(str(survey.resolve()))
        self.folder = cache / f"{mine}-{_digest(state)}"
        self._usable = self._prepare(mine)

    def find(self, name: str) -> np.ndarray | None:
        """The array of that name, read-only and mapped; None if no process has kept it yet."""
        return _mapped(self._path(name)) if self._usable else None

    def keep(self, name: str, made: np.ndarray) -> np.ndarray:
        """The same array, mapped from a file from now on; itself if no file can be written."""
        if not self._usable:
            return made
        path = self._path(name)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(fresh, "wb") as file:
                np.save(file, made)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:  # a full disk, say: the page works all the same
            log.warning("columns are kept in memory, not shared: %s", error)
            self._usable = False
        finally:
            fresh.unlink(missing_ok=True)
        mapped = self.find(name)
        return made if mapped is None else mapped

    def _path(self, name: str) -> Path:
        words = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60]
        return self.folder / f"{words}-{_digest(name)[:8]}.npy"

    def _prepare(self, mine: str) -> bool:
        """Make the folder and remove those of former states; processes that have them open keep them."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for old in self.folder.parent.glob(f"{mine}-*"):
                if old != self.folder:
                    shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            log.warning("columns are kept in memory, not shared: %s", error)
            return False
        return True


def _mapped(path: Path) -> np.ndarray | None:
    """The array of a file as plain numpy over mapped memory; None if there is no such file or it is not whole."""
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
