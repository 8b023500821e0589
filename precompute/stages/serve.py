"""Serving a survey: check what can be checked, then become the server of ``app``."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from engine.columns import GALAXIES_FILE, REGIONS_FILE
from engine.errors import SettingsError
from precompute.layout import DATA_VARIABLE, app_folder
from precompute.settings import PORTS_TRIED

SERVER = "app.server"


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


def server_environment(folder: Path, address: str, port: int, origins: list[str]) -> dict[str, str]:
    """This process's variables with what was asked on the command line; the server reads all others itself."""
    asked = {DATA_VARIABLE: str(folder.resolve()), "GLOCAL_ADDRESS": address, "GLOCAL_PORT": str(port)}
    if origins:
        asked["GLOCAL_ORIGINS"] = " ".join(origins)
    paths = [str(app_folder().parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | asked | {"PYTHONPATH": os.pathsep.join(paths)}


def become_server(environment: dict[str, str]) -> int:
    """Run the server in place of this process, so that signals reach it; on Windows as a child. Its exit code."""
    command = [sys.executable, "-m", SERVER]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        return subprocess.run(command, env=environment, check=False).returncode
    os.execve(command[0], command, environment)
