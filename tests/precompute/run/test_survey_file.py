"""What a survey file may say, and how a mistake in it is named."""

import re
import tomllib
from pathlib import Path

import pytest

from engine.errors import GlocalError, SettingsError
from engine.pipeline import PipelineSettings
from precompute.io.survey_file import read_survey_file
from precompute.stages.mock_cubes import make_mock_cubes
from precompute.stages.run import run_survey


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[survey]\ncubs = 'a'\n", r"\[survey\] cubs is not a known entry; known are binning, calibrations"),
        ("[survey]\ncubes = 'cube.fits'\n", r"cubes must hold \{name\}"),
        ("[survey]\norigin = 'invented'\n", "origin must be 'mock' or 'measured', not 'invented'"),
        ("[survey]\nbinning = 'square'\n", "binning must be 'adaptive', 'voronoi' or 'none', not 'square'"),
        ("[smoothing]\ntarget = 'high'\n", r"survey.toml: \[smoothing\] target must be a number, not 'high'"),
        ("[smoothing]\ntarget = true\n", "target must be a number, not true"),
        ("[smoothing]\ntarget = inf\n", "target must be a finite number, not inf"),
        ("[smoothing]\ntarge = 3\n", r"\[smoothing\] targe is not a known entry; known are correlation_slope"),
        ("[smoothing]\nlevels = 0\n", "levels must be 1 or more, not 0"),
        ("[smoothing]\nlevels = 2.5\n", "levels must be a whole number, not 2.5"),
        ("[kinematics]\nfit_range = ['a', 5]\n", r"\[kinematics\] fit_range, entry 1 must be a number, not 'a'"),
        ("[kinematics]\nfit_range = [3750]\n", r"\[kinematics\] fit_range, entry 2 must be given"),
        ("[emission]\nthresholds = 4.0\n", "thresholds must be a list, not 4.0"),
        ("[posterior]\nleast_models = -1\n", "least_models must be 0 or more, not -1"),
        ("[survey]\ngalaxies = 'NGC1'\n", "galaxies must be a list, not 'NGC1'"),
        ("[survey]\ngalaxies = ['NGC1', 2]\n", "galaxies, entry 2 must be text, not 2"),
        ("[survey]\ncubes = 'cubes/{name}}.fits'\n", r"cubes must hold \{name\}"),
        ("[library]\nfile = 5\n", "file must be text, not 5"),
        ("[library]\nn_model = 0\n", "n_model must be 1 or more, not 0"),
        ("survey = 5\n", "survey must be a table, not 5"),
        ("[surveys]\n", "surveys is not a known entry; known are emission"),
        ("[survey\n", "not a TOML file"),
    ],
)
def test_a_survey_file_with_a_mistake_is_refused(tmp_path, text, words):
    (tmp_path / "survey.toml").write_text(text)
    with pytest.raises(SettingsError, match=words):
        read_survey_file(tmp_path / "survey.toml")


def test_settings_of_the_file_reach_the_steps(tmp_path):
    (tmp_path / "survey.toml").write_text("[smoothing]\ntarget = 20\n[kinematics]\ndegree = 10\n")
    settings = read_survey_file(tmp_path / "survey.toml").settings
    assert settings.smoothing.target == 20.0
    assert settings.kinematics.degree == 10


def test_the_handbook_lists_every_setting_with_its_default():
    words = (Path(__file__).parents[3] / "docs" / "run.md").read_text()
    for table, settings in PipelineSettings()._asdict().items():
        if table == "binning":
            continue
        [line] = [line for line in words.splitlines() if line.startswith(f"| `[{table}]`")]
        told = tomllib.loads("\n".join(re.findall(r"`(\w+ = [^`]+)`", line)))
        known = {name: list(value) if isinstance(value, tuple) else value
                 for name, value in settings._asdict().items() if value is not None}  # fmt: skip
        assert told == known


def test_mock_cubes_never_replace_a_real_survey(tmp_path):
    (tmp_path / "survey.toml").write_text("[survey]\norigin = 'measured'\n")
    with pytest.raises(SettingsError, match="is not a mock's"):
        make_mock_cubes(tmp_path, 1, seed=1, n_model=100)
    (tmp_path / "survey.toml").unlink()
    (tmp_path / "catalogue.csv").write_text("name\nNGC1\n")
    with pytest.raises(SettingsError, match="in the way"):
        make_mock_cubes(tmp_path, 1, seed=1, n_model=100)


def test_there_is_no_survey_file(tmp_path):
    with pytest.raises(GlocalError, match="there is no survey file"):
        run_survey(tmp_path / "survey.toml")
