"""Files that appear whole or not at all, alone or as a set."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_together(*paths: Path) -> Iterator[list[Path]]:
    """Temporary names next to the wanted ones, which take their place when the block ends well.

    After any exception the folder is as it was before: temporary files are gone and files already
    replaced are put back.
    """
    fresh = [_aside(path, "new") for path in paths]
    try:
        yield fresh
        for path in fresh:
            _flush(path)
        _replace_all(fresh, paths)
    finally:
        for path in fresh:
            path.unlink(missing_ok=True)


def _replace_all(fresh: list[Path], paths: tuple[Path, ...]) -> None:
    backups = [_backup(path) for path in paths]
    try:
        for new, path in zip(fresh, paths, strict=True):
            os.replace(new, path)
    except BaseException:
        for old, path in zip(backups, paths, strict=True):
            if old:
                old.rename(path)
            else:
                path.unlink(missing_ok=True)
        raise
    finally:
        for old in filter(None, backups):
            old.unlink(missing_ok=True)
    with suppress(OSError):  # some file systems cannot flush a folder
        _flush(paths[0].parent)


def _backup(path: Path) -> Path | None:
    if not path.exists():
        return None
    old = _aside(path, "old")
    old.unlink(missing_ok=True)
    try:
        old.hardlink_to(path)
    except OSError:  # file systems without hard links
        old.write_bytes(path.read_bytes())
    return old


def _aside(path: Path, word: str) -> Path:
    return path.with_name(f".{path.name}.{word}-{os.getpid()}")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
