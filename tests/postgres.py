"""A PostgreSQL server for tests, on loopback, in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from benchmarks.ports import free_port

START_S = 30
NOBODY = "nobody"  # PostgreSQL refuses to run as root


class Postgres:
    """A server that answers at a port; ``address`` makes a database."""

    def __init__(self, port: int):
        self.port = port
        self._numbers = count()

    def address(self) -> str:
        """Address of a new, empty database."""
        import psycopg

        name = f"views{next(self._numbers)}"
        with psycopg.connect(f"postgresql://glocal@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://glocal@127.0.0.1:{self.port}/{name}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that runs meanwhile; skips the test where there is none to run."""
    pytest.importorskip("psycopg", reason="psycopg, the driver of PostgreSQL, is not installed")
    programs = _programs()
    who = {"user": NOBODY, "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="glocal-postgres-"))
    try:
        if who:
            shutil.chown(folder, NOBODY)
        data = folder / "data"
        make = [programs / "initdb", "-D", data, "-U", "glocal", "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **who)
        port = free_port()
        run = [programs / "postgres", "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", str(port), "-c", "fsync=off"]
        with subprocess.Popen(run, stderr=subprocess.DEVNULL, cwd=folder, **who) as process:
            _wait(port, process)
            yield Postgres(port)
            process.terminate()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        pytest.skip("there is no PostgreSQL server on this machine")
    return places[-1]


def _wait(port: int, process: subprocess.Popen) -> None:
    import psycopg

    end = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(f"postgresql://glocal@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL did not start"
            assert time.monotonic() < end, "PostgreSQL did not answer"
            time.sleep(0.1)
