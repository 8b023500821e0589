"""Where things lie: the data folder, the installed app and its assets, the shipped mappings."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from engine.columns import GALAXIES_FILE, LIBRARY_FILE, REGIONS_FILE

DATA_VARIABLE = "GLOCAL_DATA"
MAPS = "maps"  # folder within a survey
CHECKOUT = Path(__file__).resolve().parents[1]
MAPPINGS = Path(__file__).resolve().parent / "mappings"


def data_folder(given: Path | None = None) -> Path:
    """The folder of the survey: the one given, else ``$GLOCAL_DATA``, else ``assets/data`` below the current folder."""
    return Path(given or os.environ.get(DATA_VARIABLE) or Path("assets") / "data")


def has_survey(folder: Path) -> bool:
    """Whether both files of a survey are there (not whether they are sound)."""
    return all((folder / name).is_file() for name in (REGIONS_FILE, GALAXIES_FILE))


def library_file(folder: Path) -> Path:
    """The model library that belongs to a data folder."""
    return folder / LIBRARY_FILE


def file_stem(name: str) -> str:
    """A galaxy's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", name)


def maps_file(folder: Path, name: str) -> Path:
    """The maps of a galaxy of a survey made by ``glocal run``."""
    return folder / MAPS / f"{file_stem(name)}.fits"


def app_folder() -> Path:
    """The installed app, as panel serves it; found without importing it."""
    return Path(find_spec("app").origin).parent


def style_folder() -> Path:
    """Styles of pages and figures, next to the installed app."""
    return app_folder().parent / "assets" / "style"


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with Glocal."""
    return sorted(path.stem for path in MAPPINGS.glob("*.toml"))
