"""Serving: a free port, panel's flags, and a child that ends when we end."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import SettingsError
from precompute.io.products import write_survey
from precompute.stages.serve import free_port, origins_of, run_server, serve_command, size_in_words

ROOT = Path(__file__).resolve().parents[2]

# stands for panel: opens the port, says who and where it is, and ends on SIGTERM
STAND_IN = """
import os, signal, socket, sys, time
port, note = int(sys.argv[1]), sys.argv[2]
listener = socket.create_server(("127.0.0.1", port))
def end(*_):
    open(note, "a").write(" ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(note, "w").write(f"{os.getpid()} {os.environ['GLOCAL_DATA']} {os.environ['MALLOC_ARENA_MAX']}")
while True: time.sleep(0.05)
"""
WRAPPER = """
import sys
from pathlib import Path
from precompute.stages.serve import run_server
port, note = sys.argv[1:3]
command = [sys.executable, "-c", sys.argv[3], port, note]
sys.exit(run_server(command, Path("data"), "127.0.0.1", int(port), lambda: print("ready", flush=True)))
"""


def test_a_busy_port_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        found = free_port("127.0.0.1", port)
        assert port < found < port + 50
    assert free_port("127.0.0.1", port) == port


@pytest.mark.parametrize("address", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_refused(address):
    with pytest.raises(SettingsError, match="is not an address of this machine"):
        free_port(address, 5006)


def test_pages_of_this_machine_and_of_named_hosts_may_connect():
    assert origins_of("127.0.0.1", 5006, []) == ["127.0.0.1:5006", "localhost:5006"]
    assert origins_of("0.0.0.0", 5006, ["glocal.org", "a.b:443"])[2:] == ["glocal.org:5006", "a.b:443"]


def test_the_size_of_a_survey_is_said_in_words(tmp_path, regions, galaxies):
    write_survey(tmp_path, regions, galaxies, origin="mock", settings={}, inputs={})
    assert size_in_words(tmp_path) == "6 regions of 2 galaxies"


def test_panel_accepts_every_flag_we_give():
    words = serve_command("127.0.0.1", 5006, ["localhost:5006"])
    helped = subprocess.run(
        [sys.executable, "-m", "panel", "serve", "--help"], capture_output=True, text=True, timeout=120
    )
    assert words[1:4] == ["-m", "panel", "serve"]
    assert Path(words[4]).name == "app"
    assert all(word in helped.stdout for word in words if word.startswith("--"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_too(tmp_path, number):
    port, note = free_port("127.0.0.1", 15100), tmp_path / "note"
    words = [sys.executable, "-c", WRAPPER, str(port), str(note), STAND_IN]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            wait_for(lambda: note.exists() and note.read_text())
            child, data, arenas = note.read_text().split()
            process.send_signal(number)
            assert process.wait(20) == 0
        finally:
            process.terminate()  # else a failure would wait for ever
    assert data == str(ROOT / "data")
    assert arenas == "2"
    assert note.read_text().endswith(" ended")
    with pytest.raises(ProcessLookupError):
        os.kill(int(child), 0)


def test_a_server_that_fails_hands_on_its_code(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    asked = []
    assert run_server(command, tmp_path, "127.0.0.1", free_port("127.0.0.1", 15200), lambda: asked.append(1)) == 3
    assert asked == []


def wait_for(condition, seconds: float = 10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
