"""Where the app finds its survey and its assets."""

import os
from pathlib import Path

DATA_VARIABLE = "GLOCAL_DATA"
ASSETS = Path(__file__).resolve().parents[1] / "assets"


def data_folder() -> Path:
    """The folder of the survey: ``$GLOCAL_DATA``, else ``assets/data`` below the current folder."""
    return Path(os.environ.get(DATA_VARIABLE) or Path("assets") / "data")
