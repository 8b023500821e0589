"""A second copy of what is saved in an SQLite file: one line per view, only ever appended to.

Should the database be cut short, the views are read from here into a new one.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.views.view import SavedView, ViewError, from_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class Journal:
    """Lines of JSON: a view that was saved, or the number of one that was removed, and when."""

    def __init__(self, path: Path):
        self.path = path

    def saved(self, view: SavedView) -> None:
        """Note a view; it is on the disk when this returns."""
        self._append({"saved": view.to_json()})

    def removed(self, view_id: str, when: str) -> None:
        """Note that a view was removed."""
        self._append({"removed": view_id, "when": when})

    def read(self) -> tuple[dict[str, SavedView], dict[str, str]]:
        """All views ever saved, by number, and when those that were removed were; a line cut short is passed over."""
        views, removed = {}, {}
        for line in self._lines():
            try:
                words = json.loads(line)
                if "saved" in words:
                    view = from_json(words["saved"])
                    views[view.view_id] = view
                else:
                    removed[words["removed"]] = words["when"]
            except (ValueError, TypeError, KeyError, RecursionError, ViewError):
                continue
        return views, removed

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out of a repair."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _append(self, words: dict) -> None:
        line = (json.dumps(words) + "\n").encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            before = os.fstat(handle).st_size
            try:
                if os.write(handle, line) < len(line):
                    raise OSError(28, "the disk is full")
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)
