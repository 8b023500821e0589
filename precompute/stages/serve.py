"""Serving a survey: panel as a child process that ends when we end."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from engine.columns import GALAXIES_FILE, REGIONS_FILE
from engine.errors import SettingsError
from precompute.layout import DATA_VARIABLE, app_folder, style_folder
from precompute.settings import CHECK_UNUSED_SESSIONS_MS, PORTS_TRIED, UNUSED_SESSION_LIFETIME_MS

# glibc gives freed pictures back to the system instead of keeping them: memory stays flat over many updates
MEMORY_VARIABLES = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_ARENA_MAX": "2"}
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
POLL = 0.1  # s
PATIENCE = 10.0  # s a server may take to end before it is killed


def size_in_words(folder: Path) -> str:
    """How many regions and galaxies a survey has, from the headers of its files."""
    regions, galaxies = (pq.read_metadata(folder / name).num_rows for name in (REGIONS_FILE, GALAXIES_FILE))
    return f"{regions:,} regions of {galaxies:,} galaxies"


def free_port(address: str, wanted: int) -> int:
    """The wanted port, or the next free one after it; raises SettingsError if there is none or no such address."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        if _can_bind(address, port):
            return port
    raise SettingsError(f"no port from {wanted} to {wanted + PORTS_TRIED - 1} is free on {address}")


def _can_bind(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((address, port))
        except socket.gaierror:
            raise SettingsError(f"{address!r} is not an address of this machine") from None
        except PermissionError:
            return False
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:  # no other port will help
                raise SettingsError(f"{address!r} is not an address of this machine") from None
            return False
    return True


def serve_command(address: str, port: int, origins: list[str]) -> list[str]:
    """The words that start panel on the installed app."""
    flags = {
        "--address": address,
        "--port": port,
        "--index": app_folder().name,
        "--static-dirs": f"style={style_folder()}",
        "--unused-session-lifetime": UNUSED_SESSION_LIFETIME_MS,
        "--check-unused-sessions": CHECK_UNUSED_SESSIONS_MS,
        "--log-level": "warning",
    }
    words = [str(word) for pair in flags.items() for word in pair]
    allowed = [word for origin in origins for word in ("--allow-websocket-origin", origin)]
    return [sys.executable, "-m", "panel", "serve", str(app_folder()), *words, *allowed, "--warm"]


def origins_of(address: str, port: int, extra: list[str]) -> list[str]:
    """Hosts whose pages may open a websocket: this machine's names for the address, and those the user adds."""
    names = [address, "localhost"] if address in ("127.0.0.1", "0.0.0.0") else [address]
    return [f"{name}:{port}" for name in names] + [o if ":" in o or o == "*" else f"{o}:{port}" for o in extra]


def run_server(command: list[str], folder: Path, address: str, port: int, ready: Callable[[], None]) -> int:
    """Run panel until it or we are told to stop; calls ``ready`` once the port answers; returns its exit code."""
    environment = MEMORY_VARIABLES | dict(os.environ) | {DATA_VARIABLE: str(folder.resolve())}
    server = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    told: list[int] = []

    def stop(number: int, _frame: object) -> None:
        told.append(number)
        server.terminate()

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        if _wait_until_open(server, address, port):
            ready()
        code = _wait(server, told)
    finally:
        _end(server)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if told else code


def _wait(server: subprocess.Popen, told: list[int]) -> int:
    while server.poll() is None and not told:
        time.sleep(POLL)
    return server.returncode or 0


def _wait_until_open(server: subprocess.Popen, address: str, port: int) -> bool:
    target = "127.0.0.1" if address == "0.0.0.0" else address
    while server.poll() is None:
        try:
            socket.create_connection((target, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(POLL)
    return False


def _end(server: subprocess.Popen) -> None:
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
