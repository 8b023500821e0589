"""``survey.toml``: where the cubes, images and the catalogue of a survey lie, and how they are to be analysed."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

from pydantic import AfterValidator, Field, create_model

from engine.columns import MEASURED, MOCK
from engine.errors import SettingsError
from engine.pipeline import BINNINGS, PipelineSettings
from precompute.io.settings_errors import StrictTable, checked_settings, read_toml
from precompute.settings import N_MODEL_LIBRARY, SEED

CUBES = "cubes/{name}.COMB.rscube.fits.gz"
IMAGES = "images/{name}-{band}.fits"


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


def _pattern(*fields: str) -> type[str]:
    """The type of a pattern of file names that holds these fields in braces, each of them and no other."""

    def check(pattern: str) -> str:
        found = re.findall(r"{(.*?)}", pattern)
        stray_brace = set("{}") & set(re.sub(r"{\w+}", "", pattern))
        if pattern and (set(found) != set(fields) or stray_brace):
            wanted = " and ".join(f"{{{field}}}" for field in fields)
            raise ValueError(f"must hold {wanted}, but is {pattern!r}")
        return pattern

    return Annotated[str, AfterValidator(check)]


class SurveySection(StrictTable):
    """[survey]: the files and what they are."""

    name: str = ""  # empty: the folder's
    origin: Literal[MOCK, MEASURED] = MEASURED
    cubes: _pattern("name") = CUBES
    images: _pattern("name", "band") = IMAGES
    masks: _pattern("name") = ""
    calibrations: _pattern("name") = ""
    catalogue: str = "catalogue.csv"
    out: str = "survey"
    galaxies: tuple[str, ...] = ()
    binning: Literal[BINNINGS] = PipelineSettings().binning


class LibrarySection(StrictTable):
    """[library]: a file, or how many models to draw."""

    file: str | None = None
    n_model: Annotated[int, Field(ge=1)] = N_MODEL_LIBRARY
    seed: Annotated[int, Field(ge=0)] = SEED


def _table_of(step: type[NamedTuple]) -> type[StrictTable]:
    """The model of a table that changes settings of one step of the pipeline; no number of them is negative."""
    limited = {int: Annotated[int, Field(ge=1)], float: Annotated[float, Field(ge=0)]}
    fields: dict[str, Any] = {
        name: (limited.get(kind, kind), step._field_defaults[name]) for name, kind in get_type_hints(step).items()
    }
    return create_model(step.__name__, __base__=StrictTable, **fields)


OF_STEPS = {name: type(value) for name, value in PipelineSettings()._asdict().items() if name != "binning"}
TABLES = {name: _table_of(step) for name, step in OF_STEPS.items()}
SurveyFile = create_model(
    "SurveyFile",
    __base__=StrictTable,
    survey=(SurveySection, SurveySection()),
    library=(LibrarySection, LibrarySection()),
    **{name: (table, table()) for name, table in TABLES.items()},
)


def read_survey_file(path: Path) -> SurveyPlan:
    """Read and check a survey file; raises SettingsError that names the entry."""
    path = Path(path)
    if not path.is_file():
        raise SettingsError(f"there is no survey file {path}; `glocal mock-cubes` makes one to start from")
    given = checked_settings(SurveyFile, read_toml(path), path)
    survey = given.survey
    library = given.library
    folder = path.resolve().parent
    return SurveyPlan(
        file=path.resolve(),
        name=survey.name or folder.name,
        origin=survey.origin,
        catalogue=folder / survey.catalogue,
        cubes=survey.cubes,
        images=survey.images,
        masks=survey.masks,
        calibrations=survey.calibrations,
        out=folder / survey.out,
        galaxies=survey.galaxies,
        library=None if library.file is None else folder / library.file,
        n_model=library.n_model,
        seed=library.seed,
        settings=_pipeline_settings(given),
    )


def _pipeline_settings(given: Any) -> PipelineSettings:
    steps = {name: step(**dict(getattr(given, name))) for name, step in OF_STEPS.items()}
    return PipelineSettings(binning=given.survey.binning, **steps)
