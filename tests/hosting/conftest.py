"""Servers with settings of their own, on loopback; each ends with its tests."""

import html
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from benchmarks.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
START_S = 120
ROOM = 3  # pages
PING_S = 2.0  # between two pings
END_S = 40


class Server:
    """One server process over a survey. ``settings`` are GLOCAL_ variables without their prefix.

    ``plain``: by ``panel serve``; ``script``: by a script that takes its words.
    """

    def __init__(
        self, folder: Path, data: Path, plain: bool = False, port: int = 0, script: str = "", **settings: object
    ):
        self.port = port or free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.log_file = folder / f"log-{self.port}"
        variables = {"DATA": data, "STATE": folder / "state", "PORT": self.port, **settings}
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("GLOCAL_", "PANEL_", "BOKEH_"))}
        environment |= {f"GLOCAL_{name.upper()}": str(value) for name, value in variables.items()}
        ours = ["-m", "app.server"]
        panel = [script] if script else ["-m", "panel"]
        panels = [*panel, "serve", "app", "--address", "127.0.0.1", "--port", str(self.port)]
        words = panels if plain or script else ours
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], cwd=CHECKOUT, env=environment, stdout=log, stderr=log
            )
        self._wait()

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self.log_file.read_text()

    def wrote(self, words: str, within_s: float = 10.0) -> bool:
        """Whether the log says so; a request is logged only after it is answered, so wait a little."""
        end = time.monotonic() + within_s
        while words not in self.log and time.monotonic() < end:
            time.sleep(0.05)
        return words in self.log

    def get(self, path: str, **words: object) -> requests.Response:
        """Ask for a path, without following to another page."""
        return requests.get(self.root + path, timeout=60, **({"allow_redirects": False} | words))

    def end(self) -> int:
        """Ask the server to stop; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                requests.get(self.root + "/liveness", timeout=START_S)
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        pytest.fail(f"the server did not come up: {self.log[-2000:]}")


@pytest.fixture(scope="session")
def serve(tmp_path_factory) -> Iterator[Callable[..., Server]]:
    """Start a server; those still running at the end are stopped."""
    servers: list[Server] = []

    def start(data: Path, **settings: object) -> Server:
        server = Server(tmp_path_factory.mktemp("hosting"), data, **settings)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.end()


@pytest.fixture(scope="session")
def guarded(serve, small_survey) -> Server:
    """A server behind a proxy with two users, one of them a keeper."""
    users = "\n".join(f"{name}:{hashed(word)}" for name, word in PASSWORDS.items())
    return serve(small_survey, users=users, keepers="ada", proxied="yes", metrics_token="numbers")


@pytest.fixture(scope="session")
def folder(tmp_path_factory, small_survey) -> Path:
    """A survey that things may happen to."""
    return shutil.copytree(small_survey, tmp_path_factory.mktemp("faults") / "survey")


@pytest.fixture(scope="session")
def _tight(serve, folder) -> Server:
    return serve(folder, sessions=ROOM, keep_session_s=1, ping_s=PING_S, look_s=1)


@pytest.fixture
def server(_tight, folder, small_survey) -> Server:
    """A server with narrow bounds that holds no page, over a survey that nothing has happened to."""
    put(small_survey, folder)
    wait_until(lambda: number(_tight, "glocal_sessions") == 0)
    wait_until(lambda: _tight.get("/readiness").status_code == 200)
    return _tight


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return as soon as it is true; fail if it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def number(server: Server, name: str) -> float:
    """One of the numbers a keeper sees."""
    return float(re.search(rf"^{name} (\S+)$", server.get("/metrics").text, re.MULTILINE)[1])


def put(source: Path, folder: Path) -> None:
    """Replace the tables of a survey as `glocal` does: whole, by other files of the same names."""
    for name in ("regions.parquet", "galaxies.parquet"):
        shutil.copy(source / name, folder / f".{name}")
        (folder / f".{name}").replace(folder / name)


PASSWORDS = {"ada": "correct horse", "ben": "Battery Staple"}


def hashed(password: str) -> str:
    """A cheap hash, as `glocal password` would make an expensive one."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(password)


def logged_in(server: Server, name: str) -> requests.Session:
    """A client with the cookies of a user."""
    client = requests.Session()
    answer = client.post(
        server.root + "/login", data={"name": name, "password": PASSWORDS[name]}, allow_redirects=False, timeout=60
    )
    assert answer.status_code == 303, answer.text
    return client


def addresses_of_tables(server: Server, view: str) -> list[str]:
    """Where the page of saved views offers the regions of a view."""
    values = [part.split('"')[0] for part in server.get("/views", params={"view": view}).text.split('value="')[1:]]
    return [html.unescape(value) for value in values if "/tables/" in value]
