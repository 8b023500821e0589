"""Serving: a free port, and the variables by which the server learns what was asked on the command line."""

import os
import socket
from pathlib import Path

import pytest

from app.settings import Settings
from engine.errors import SettingsError
from precompute import settings
from precompute.io.products import write_survey
from precompute.stages.serve import free_port, server_environment, size_in_words


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


def test_the_size_of_a_survey_is_said_in_words(tmp_path, regions, galaxies):
    write_survey(tmp_path, regions, galaxies, origin="mock", settings={}, inputs={})
    assert size_in_words(tmp_path) == "6 regions of 2 galaxies"


def test_the_server_learns_what_was_asked_and_keeps_all_other_settings(monkeypatch):
    monkeypatch.setenv("GLOCAL_SESSIONS", "7")
    asked = server_environment(Path("data"), "127.0.0.2", 5050, ["glocal.example", "a.b:8443"])
    monkeypatch.setattr(os, "environ", asked)
    read = Settings()
    assert read.data == Path("data").resolve()
    assert (read.address, read.port, read.sessions) == ("127.0.0.2", 5050, 7)
    assert read.origins == ("glocal.example", "a.b:8443")


def test_command_and_server_have_the_same_defaults():
    assert (settings.ADDRESS, settings.PORT) == (Settings().address, Settings().port)
