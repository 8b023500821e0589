"""The command: quick to answer, one sentence for a refusal, the right call for each word."""

import os
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.main import get_command
from typer.testing import CliRunner

from engine.columns import REGIONS_FILE
from engine.errors import SettingsError
from engine.library.priors import PRIOR_SETS
from precompute import __main__ as command
from precompute import layout
from precompute.io.products import read_survey, write_survey

ROOT = Path(__file__).resolve().parents[2]
RUN = CliRunner()


def glocal(*words, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "precompute", *map(str, words)],
        capture_output=True, text=True, cwd=ROOT, timeout=120, env={**os.environ, "COLUMNS": "100", **environment},
    )  # fmt: skip


def words_of(command, *before: str) -> Iterator[tuple[str, ...]]:
    """All ways to call a command of typer and those below it."""
    yield before
    for name, below in getattr(command, "commands", {}).items():
        yield from words_of(below, *before, name)


@pytest.mark.parametrize("words", words_of(get_command(command.cli)), ids=" ".join)
def test_every_command_explains_itself_and_each_of_its_options(words):
    asked = get_command(command.cli)
    for word in words:
        asked = asked.commands[word]
    done = RUN.invoke(command.cli, [*words, "--help"], env={"COLUMNS": "120"})
    assert done.exit_code == 0
    assert asked.help
    for option in asked.params:
        assert option.help
        assert option.opts[0].lstrip("-").casefold() in done.output.casefold()


def test_libraries_whose_absence_is_explained_are_those_of_the_engine_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = {Requirement(words).name for words in project["optional-dependencies"]["engine"]}
    assert extra == command.COMPUTING_LIBRARIES


def test_help_loads_no_heavy_library():
    code = (
        "import sys, precompute.__main__; print(*{'numpy', 'pandas', 'panel', 'astropy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.split() == []


def test_help_needs_less_than_a_second_of_a_core():
    """Seconds of the processor and not of the clock: how busy the machine is does not matter."""
    before = os.times()
    assert glocal("--help").returncode == 0
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.0


def test_the_version_is_that_of_the_package():
    assert glocal("--version").stdout.startswith("glocal ")


def test_a_refusal_is_one_sentence_without_traceback_and_exit_code_2(tmp_path):
    done = glocal("import-table", tmp_path / "none.fits", "--mapping", "nobody", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("glocal: there is no mapping 'nobody'")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_serving_an_empty_folder_says_how_to_make_a_survey(tmp_path):
    done = glocal("serve", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"glocal: there is no survey in {tmp_path}; make one with: glocal demo --out {tmp_path}\n"


def test_the_data_folder_is_the_given_one_then_the_variable_then_assets(monkeypatch):
    monkeypatch.delenv(layout.DATA_VARIABLE, raising=False)
    assert layout.data_folder() == Path("assets/data")
    monkeypatch.setenv(layout.DATA_VARIABLE, "/elsewhere")
    assert layout.data_folder() == Path("/elsewhere")
    assert layout.data_folder(Path("here")) == Path("here")


def test_a_table_is_imported_from_the_command_line(tmp_path, their_table, their_mapping, facts):
    their_table.write(tmp_path / "t.ecsv")
    (tmp_path / "m.toml").write_text(their_mapping)
    galaxy = [word for fact in facts for word in ("--galaxy", fact)]
    words = ["import-table", tmp_path / "t.ecsv", "--mapping", tmp_path / "m.toml", *galaxy, "--out", tmp_path / "out"]
    done = RUN.invoke(command.cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert "NGC 1: 8 regions from 9 rows." in done.output
    assert len(read_survey(tmp_path / "out")[0]["x"]) == 8


@pytest.fixture
def fake_stages(monkeypatch):
    """The two long computations replaced by recorders; returns what they were asked."""
    asked = {}

    def run_demo(out, **words):
        words.pop("phases")("measuring")(1, 2)
        asked["demo"] = (out, words)
        return {"regions": "12"}

    def build_and_save(out, **words):
        words.pop("phases")
        asked["library"] = (out, words)
        return "built"

    def plot_priors(library, png):
        asked["plot"] = (library, png)

    library = types.SimpleNamespace(build_and_save=build_and_save, plot_priors=plot_priors)
    monkeypatch.setitem(sys.modules, "precompute.stages.demo", types.SimpleNamespace(run_demo=run_demo))
    monkeypatch.setitem(sys.modules, "precompute.stages.library", library)
    return asked


def test_demo_passes_its_options_on_and_reports(fake_stages, tmp_path):
    done = RUN.invoke(command.cli, ["demo", "--out", str(tmp_path), "--models", "500", "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert fake_stages["demo"] == (tmp_path, {"n_model": 500, "seed": 3, "sample": None})
    assert "regions: 12" in done.output


def test_demo_does_not_replace_a_measured_survey(fake_stages, tmp_path, regions, galaxies):
    write_survey(tmp_path, regions, galaxies, origin="measured", settings={}, inputs={})
    done = RUN.invoke(command.cli, ["demo", "--out", str(tmp_path)])
    assert "holds a measured survey" in str(done.exception)
    assert not fake_stages


def test_library_passes_its_options_on_and_plots(fake_stages, tmp_path):
    png = tmp_path / "p.png"
    words = ["library", "--models", "500", "--out", str(tmp_path / "l"), "--priors-plot", str(png)]
    done = RUN.invoke(command.cli, [*words, "--priors", "gallazzi05"])
    assert done.exit_code == 0, done.output
    expected = {"n_model": 500, "seed": 2022, "ssp_files": (), "priors": PRIOR_SETS["gallazzi05"]}
    assert fake_stages["library"] == (tmp_path / "l", expected)
    assert fake_stages["plot"] == ("built", png)


def test_serve_builds_the_demo_only_where_there_is_none(fake_stages, tmp_path, monkeypatch, regions, galaxies):
    served = []
    monkeypatch.setattr("precompute.commands.look._serve", lambda *words: served.append(words) or 0)
    RUN.invoke(command.cli, ["serve", str(tmp_path), "--demo-if-missing"])
    assert fake_stages.pop("demo")[0] == tmp_path
    write_survey(tmp_path, regions, galaxies, origin="mock", settings={}, inputs={})
    RUN.invoke(command.cli, ["serve", str(tmp_path), "--demo-if-missing"])
    assert not fake_stages
    assert [words[0] for words in served] == [tmp_path, tmp_path]


def main_saying(monkeypatch, capsys, error) -> tuple[int, str]:
    def fails():
        raise error

    monkeypatch.setattr(command, "cli", fails)
    with pytest.raises(SystemExit) as left:
        command.main()
    return left.value.code, capsys.readouterr().err


def test_brackets_and_long_sentences_survive_the_printing(monkeypatch, capsys):
    sentence = "[columns.log_age_wr] " + "is wrong " * 40
    code, said = main_saying(monkeypatch, capsys, SettingsError(sentence))
    assert (code, said) == (2, f"glocal: {sentence}\n")


def test_a_missing_computing_library_says_what_to_install(monkeypatch, capsys):
    code, said = main_saying(monkeypatch, capsys, ModuleNotFoundError("x", name="speclite"))
    assert code == 2
    assert "pip install 'glocal[engine]'" in said
    assert "pip install '.[engine]'" in said


def test_other_missing_modules_are_not_hidden(monkeypatch):
    monkeypatch.setattr(command, "cli", lambda: (_ for _ in ()).throw(ModuleNotFoundError("x", name="numpy")))
    with pytest.raises(ModuleNotFoundError):
        command.main()


def test_a_survey_that_is_no_pair_is_not_served(tmp_path, regions, galaxies):
    write_survey(tmp_path, regions, galaxies, origin="mock", settings={}, inputs={})
    (tmp_path / REGIONS_FILE).write_text("broken")
    done = glocal("serve", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"glocal: {tmp_path / REGIONS_FILE} is not a Parquet file\n"


def ran(**done: bool):
    """What a run leaves: one suspicious galaxy, and others that are done or not."""
    from precompute.stages.one_galaxy import Outcome
    from precompute.stages.run import RunSummary

    numbers = {"n_spaxels": 90, "n_above_cut": 100, "level_fractions": [1.0], "suspicious": ["MED_VEL is odd"]}
    outcomes = [Outcome(name, good, "a sentence", numbers if good else {}) for name, good in done.items()]
    return RunSummary(outcomes, set(), Path("survey"), 90, ("objects.csv: columns that are not used: comment",))


@pytest.mark.parametrize(("galaxies", "code"), [({"A": True, "B": True}, 0), ({"A": True, "B": False}, 1)])
def test_a_run_in_which_galaxies_failed_ends_with_exit_code_1_and_says_what_is_suspicious(monkeypatch, galaxies, code):
    def run_survey(_file, _machines, _phases, told):
        summary = ran(**galaxies)
        for outcome in summary.outcomes:
            told(outcome, True)
        return summary

    monkeypatch.setattr("precompute.stages.run.run_survey", run_survey)
    done = RUN.invoke(command.cli, ["run", "survey.toml"], env={"COLUMNS": "200"})
    assert done.exit_code == code
    assert "suspicious: MED_VEL is odd" in done.output
    assert "objects.csv: columns that are not used: comment" in done.output
    assert ("1 of 2 galaxies failed: B" in done.output) == bool(code)
    assert "galaxies are suspicious: A" in done.output


@pytest.mark.parametrize(("galaxies", "code"), [({"A": True, "B": True}, 0), ({"A": True, "B": False}, 1)])
def test_a_comparison_of_smoothings_in_which_galaxies_failed_ends_with_exit_code_1(monkeypatch, galaxies, code):
    from precompute.stages.smoothing import SmoothingComparison

    both = SmoothingComparison(["unsmoothed against smoothed"], 2 * ran(**galaxies).outcomes)
    monkeypatch.setattr("precompute.stages.smoothing.compare_smoothing", lambda *_words, **_more: both)
    done = RUN.invoke(command.cli, ["compare-smoothing", "survey.toml"], env={"COLUMNS": "200"})
    assert done.exit_code == code
    assert "unsmoothed against smoothed" in done.output
    assert ("1 of 2 galaxies failed: B" in done.output) == bool(code)


@pytest.mark.parametrize(("failed", "code"), [([], 0), (["A", "B"], 1)])
def test_measuring_ends_with_exit_code_1_where_files_of_galaxies_do_not_follow(monkeypatch, tmp_path, failed, code):
    from precompute.stages.measure import MeasureReport

    report = MeasureReport(["9 regions were measured"], failed)
    monkeypatch.setattr("precompute.stages.measure.run_measure", lambda *_words: report)
    done = RUN.invoke(command.cli, ["measure", str(tmp_path)], env={"COLUMNS": "200"})
    assert done.exit_code == code
    assert "9 regions were measured" in done.output
    told = "posteriors or maps of 2 galaxies do not follow the new estimates: A, B" in done.output
    assert told == bool(code)


@pytest.mark.parametrize(("failed", "code"), [({}, 0), ({"B": "B.fits is cut short"}, 1)])
def test_a_recovery_that_leaves_galaxies_out_ends_with_exit_code_1(monkeypatch, failed, code):
    from precompute.stages.recovery import RecoveryReport

    monkeypatch.setattr("precompute.stages.recovery.run_recovery", lambda _file: RecoveryReport([], failed))
    done = RUN.invoke(command.cli, ["recovery", "survey.toml"], env={"COLUMNS": "200"})
    assert done.exit_code == code
    assert ("B is left out: B.fits is cut short" in done.output) == bool(code)
    assert ("1 galaxies could not be compared: B" in done.output) == bool(code)


def test_the_report_tells_remarks_below_their_galaxy():
    from precompute.stages.run import report_lines

    lines = report_lines(ran(A=True, B=False).outcomes, set())
    assert [line.strip() for line in lines[:3]] == [
        "done               A: a sentence", "suspicious: MED_VEL is odd", "FAILED             B: a sentence",
    ]  # fmt: skip
    assert lines[-1] == "1 of 1 galaxies are suspicious: A"
