"""One visitor, one shell: ``panel serve app`` runs this file for each."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:  # panel's command does not look there, whether Glocal is installed or just checked out
    sys.path.insert(0, ROOT)

from app.shell import open_page  # noqa: E402 - once it can be found

open_page()
