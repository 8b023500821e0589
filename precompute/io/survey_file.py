"""``survey.toml``: where the cubes, images and the catalogue of a survey lie, and how they are to be analysed."""

import math
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from engine.columns import MEASURED, MOCK
from engine.errors import SettingsError
from engine.pipeline import BINNINGS, PipelineSettings
from precompute.settings import N_MODEL_LIBRARY, SEED

OF_PIPELINE = tuple(name for name in PipelineSettings._fields if name != "binning")  # a table each
TABLES = ("survey", "library", *OF_PIPELINE)
OF_SURVEY = {"name", "origin", "cubes", "images", "masks", "calibrations", "catalogue", "out", "galaxies", "binning"}
OF_LIBRARY = {"file", "n_model", "seed"}
CUBES, IMAGES = "cubes/{name}.COMB.rscube.fits.gz", "images/{name}-{band}.fits"


class SurveyPlan(NamedTuple):
    """What a survey file says. Patterns of file names hold {name}, images {band} too; paths are absolute."""

    file: Path
    name: str
    origin: str
    catalogue: Path
    cubes: str
    images: str
    masks: str  # of ds9 region files; empty: none
    calibrations: str  # of tsField files, for DR7 images in counts; empty: none
    out: Path
    galaxies: tuple[str, ...]  # empty: all of the catalogue that have a cube
    library: Path | None
    n_model: int
    seed: int
    settings: PipelineSettings

    def cube_of(self, name: str) -> Path:
        """The cube of a galaxy, there or not."""
        return self._path(self.cubes, name)

    def image_of(self, name: str, band: str) -> Path:
        """The image of a galaxy in one band."""
        return self._path(self.images, name, band)

    def mask_of(self, name: str) -> Path | None:
        """The user's region file of a galaxy, if there is one."""
        return self._if_there(self.masks, name)

    def calibration_of(self, name: str) -> Path | None:
        """The tsField file with the calibration of a galaxy's images, if there is one."""
        return self._if_there(self.calibrations, name)

    def _if_there(self, pattern: str, name: str) -> Path | None:
        path = self._path(pattern, name) if pattern else None
        return path if path and path.is_file() else None

    def _path(self, pattern: str, name: str, band: str = "") -> Path:
        return self.file.parent / pattern.format(name=name, band=band)


def read_survey_file(path: Path) -> SurveyPlan:
    """Read and check a survey file; raises SettingsError that names the entry."""
    path = Path(path)
    given = _tables(path)
    survey, library = given.get("survey", {}), given.get("library", {})
    _refuse_unknown(survey, OF_SURVEY, f"{path}: [survey]")
    _refuse_unknown(library, OF_LIBRARY, f"{path}: [library]")
    origin = survey.get("origin", MEASURED)
    if origin not in (MOCK, MEASURED):
        raise SettingsError(f"{path}: origin is {MOCK} or {MEASURED}, not {origin!r}")
    folder = path.resolve().parent
    return SurveyPlan(
        file=path.resolve(), name=str(survey.get("name", folder.name)), origin=origin,
        catalogue=folder / _text(survey, "catalogue", "catalogue.csv", path),
        cubes=_pattern(survey, "cubes", CUBES, ("name",), path),
        images=_pattern(survey, "images", IMAGES, ("name", "band"), path),
        masks=_pattern(survey, "masks", "", ("name",), path),
        calibrations=_pattern(survey, "calibrations", "", ("name",), path),
        out=folder / _text(survey, "out", "survey", path),
        galaxies=_names(survey, path),
        library=folder / _text(library, "file", "", path) if "file" in library else None,
        n_model=_whole(library, "n_model", N_MODEL_LIBRARY, path), seed=_whole(library, "seed", SEED, path),
        settings=_settings(given, survey, path),
    )  # fmt: skip


def _tables(path: Path) -> dict:
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
    except FileNotFoundError:
        raise SettingsError(f"there is no survey file {path}; `glocal mock-cubes` makes one to start from") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a TOML file that can be read: {error}") from None
    _refuse_unknown(given, set(TABLES), str(path))
    for name, part in given.items():
        if not isinstance(part, dict):
            raise SettingsError(f"{path}: {name} must be a table, [{name}]")
    return given


def _settings(given: dict, survey: dict, path: Path) -> PipelineSettings:
    binning = survey.get("binning", PipelineSettings().binning)
    if binning not in BINNINGS:
        raise SettingsError(f"{path}: binning is one of {', '.join(BINNINGS)}, not {binning!r}")
    defaults = PipelineSettings(binning=binning)
    parts = {name: _replaced(getattr(defaults, name), given.get(name, {}), f"{path}: [{name}]")
             for name in OF_PIPELINE}  # fmt: skip
    if parts["posterior"].least_models < 0:
        raise SettingsError(
            f"{path}: [posterior] least_models must be 0 or more, not {parts['posterior'].least_models}"
        )
    return defaults._replace(**parts)


def _replaced(settings: NamedTuple, given: dict, label: str) -> NamedTuple:
    """Settings with entries of a table in the place of defaults, each of the default's kind."""
    _refuse_unknown(given, set(settings._fields), label)
    values = {name: _alike(value, getattr(settings, name), f"{label} {name}") for name, value in given.items()}
    return settings._replace(**values)


def _alike(value: object, default: object, label: str) -> object:
    if isinstance(value, list):
        value = tuple(float(part) if type(part) is int else part for part in value)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if default is None:  # a number for each of many, or nothing
        default = value if isinstance(value, tuple) and all(isinstance(part, float) for part in value) else (1.0, 2.0)
    if [*map(type, _parts(value))] != [*map(type, _parts(default))] or type(value) is not type(default):
        raise SettingsError(f"{label} must be like {_as_toml(default)}, not {_as_toml(value)}")
    if not all(math.isfinite(part) for part in _parts(value) if isinstance(part, float)):
        raise SettingsError(f"{label} must be a finite number, not {_as_toml(value)}")
    if type(value) is int and value < 1:
        raise SettingsError(f"{label} must be 1 or more, not {value}")
    return value


def _parts(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _as_toml(value: object) -> str:
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def _names(survey: dict, path: Path) -> tuple[str, ...]:
    names = survey.get("galaxies", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingsError(f"{path}: galaxies must be a list of names, not {names!r}")
    return tuple(names)


def _refuse_unknown(given: dict, known: set[str], label: str) -> None:
    strange = sorted(set(given) - known)
    if strange:
        raise SettingsError(f"{label}: unknown entry {strange[0]!r}; known are {', '.join(sorted(known))}")


def _text(table: dict, key: str, default: str, path: Path) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise SettingsError(f"{path}: {key} must be text, not {value!r}")
    return value


def _pattern(table: dict, key: str, default: str, fields: tuple[str, ...], path: Path) -> str:
    pattern = _text(table, key, default, path)
    found = re.findall(r"{(.*?)}", pattern)
    if pattern and (set(found) != set(fields) or set("{}") & set(re.sub(r"{\w+}", "", pattern))):
        wanted = " and ".join(f"{{{field}}}" for field in fields)
        raise SettingsError(f"{path}: {key} must hold {wanted}, but is {pattern!r}")
    return pattern


def _whole(table: dict, key: str, default: int, path: Path) -> int:
    value = table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingsError(f"{path}: {key} must be a whole number above 0, not {value!r}")
    return value
