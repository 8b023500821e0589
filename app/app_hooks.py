"""Bokeh runs this next to main.py, whoever started the server: what the page needs around it is put in place here."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:  # as in main.py
    sys.path.insert(0, ROOT)

from app.server import lifecycle  # noqa: E402 - once it can be found
from app.server.install import install  # noqa: E402

install()


def on_server_loaded(server_context) -> None:
    """The server listens: load and compile before it answers."""
    lifecycle.start(server_context)
