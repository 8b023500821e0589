"""The command that writes the paper's figures hands every choice to the child process that draws them."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import precompute.__main__ as command
from app.paper.__main__ import _parser
from precompute.stages import figures as stage

RUN = CliRunner()
WORDS = [
    "--out", "here", "--fig", "3", "--fig", "B1", "--format", "png", "--width", "one", "--cut", "log_M_star>10.5",
    "--cut", "sequence=old ridge", "--weight", "area", "--min-count", "20", "--edges", "9.5,10.5", "--data", "fits",
    "--regions", "ecsv",
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    requests = []
    monkeypatch.setattr(stage, "write_figures", lambda request: requests.append(request) or 0)
    return requests


def test_every_choice_reaches_the_child_process_and_is_understood_there(asked, small_survey):
    done = RUN.invoke(command.cli, ["figures", str(small_survey), *WORDS])
    assert done.exit_code == 0, done.output
    words = stage.figures_command(asked[0])
    assert words[:3] == [sys.executable, "-m", "app.paper"]
    understood = _parser().parse_args(words[3:])
    assert understood.survey == small_survey
    assert understood.out == Path("here")
    assert (understood.fig, understood.format, understood.width) == (["3", "B1"], ["png"], "one")
    assert understood.cut == ["log_M_star>10.5", "sequence=old ridge"]
    assert (understood.weight, understood.min_count, understood.edges) == ("area", 20, "9.5,10.5")
    assert (understood.data, understood.regions) == (["fits"], "ecsv")


def test_defaults_are_those_of_the_child_process(asked, small_survey):
    RUN.invoke(command.cli, ["figures", str(small_survey), "--out", "here"])
    understood = _parser().parse_args(stage.figures_command(asked[0])[3:])
    assert understood == _parser().parse_args([str(small_survey), "--out", "here"])


def test_the_exit_code_is_that_of_the_child_process(small_survey, tmp_path):
    request = stage.FigureRequest(small_survey, tmp_path, cuts=["nonsense"])
    assert stage.write_figures(request) == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_survey_is_refused(asked, tmp_path):
    done = RUN.invoke(command.cli, ["figures", str(tmp_path)])
    assert done.exit_code == 2
    assert not asked
