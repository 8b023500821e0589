"""What an installed Glocal puts on a machine: one package, out of the way of others named app, engine or assets."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOOK = "import glocal, engine.adopted, app.settings; print(engine.__file__); print(app.settings.ASSETS)"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which the wheel was unpacked, as pip does."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    built = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = built.glob("*.whl")
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def python(code: str, site: Path, folder: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONSAFEPATH": ""}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=120)  # fmt: skip


def test_the_wheel_installs_one_package_only(installed):
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"glocal"}


def test_the_wheel_holds_no_survey_and_all_that_the_page_needs(installed):
    package = installed / "glocal"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert not [name for name in files if name.endswith(".parquet")]
    tracked = subprocess.run(["git", "ls-files", "assets", "engine", "app"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert {name for name in tracked.stdout.split() if (ROOT / name).is_file()} <= files


def test_installed_packages_win_over_folders_of_the_same_name(installed, tmp_path):
    for name in ("app", "engine", "assets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    done = python(LOOK, installed, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [Path(line).is_relative_to(installed) for line in done.stdout.split()] == [True, True]


def test_another_app_that_was_imported_first_is_named(installed, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    done = python("import app, glocal", installed, tmp_path)
    assert "glocal needs the name 'app'" in done.stderr
    assert str(tmp_path / "app") in done.stderr
