"""The cache of compiled kernels: reused as long as nothing changed, renewed when any code behind a kernel did."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import caching

from engine import compiled

ENGINE = Path(compiled.__file__).parent
SHOW = """
import numpy as np
from engine.inference import search
found = np.zeros(3)
search._quantiles(np.ones(1000), found)
print(*found, sum(search._quantiles.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A folder with a copy of the engine, whose kernel was compiled once; tests leave its code as it was."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ENGINE, folder / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    assert run(folder) == [160.0, 500.0, 840.0, 0.0]
    return folder


def run(folder: Path, **environment: str) -> list[float]:
    """What the kernel answers there in a new process, and how often it came from the cache."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=folder, capture_output=True, text=True, timeout=300, check=True,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "", **environment},
    )  # fmt: skip
    return [float(word) for word in done.stdout.split()]


def cached(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.suffix in (".nbi", ".nbc")}


def test_a_second_run_compiles_nothing(copy):
    assert run(copy) == [160.0, 500.0, 840.0, 1.0]


def test_a_constant_changed_in_another_module_changes_the_answer_and_leaves_no_old_files(copy):
    before, stats = cached(copy), copy / "engine" / "stats.py"
    text = stats.read_text()
    stats.write_text("# one line more\n" + text.replace("(0.16, 0.50, 0.84)", "(0.25, 0.50, 0.75)"))
    assert run(copy) == [250.0, 500.0, 750.0, 0.0]
    assert cached(copy) == before
    stats.write_text(text)
    assert run(copy)[:3] == [160.0, 500.0, 840.0]


def test_a_module_that_the_kernel_does_not_use_leaves_it_alone(copy):
    with open(copy / "engine" / "cosmology.py", "a") as file:
        file.write("\n# a remark\n")
    assert run(copy)[3] == 1.0


KERNEL = """
from typing import NamedTuple
from engine.compiled import njit

class Before(NamedTuple):
    values: object

@njit()
def total(one):
    return one.values.sum()
"""
SHOW_TOTAL = """
import numpy as np
from engine import kernel
print(kernel.total(kernel.{name}(np.ones(3))), sum(kernel.total.stats.cache_hits.values()))
"""


def total(folder: Path, name: str) -> list[float]:
    """What the kernel answers for an argument of a class of that name, and how often it came from the cache."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW_TOTAL.format(name=name)], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


def test_a_class_of_arguments_that_was_renamed_does_not_break_old_caches(tmp_path):
    shutil.copytree(ENGINE, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "engine" / "kernel.py"
    module.write_text(KERNEL)
    assert total(tmp_path, "Before") == [3.0, 0.0]
    module.write_text(KERNEL.replace("Before", "Afterwards"))
    assert total(tmp_path, "Afterwards") == [3.0, 0.0]
    assert total(tmp_path, "Afterwards") == [3.0, 1.0]


def test_the_folder_numba_was_told_is_used(copy, tmp_path):
    run(copy, NUMBA_CACHE_DIR=str(tmp_path))
    assert {file.name.split("-")[0] for file in cached(tmp_path)} >= {"search._quantiles"}
    assert run(copy, NUMBA_CACHE_DIR=str(tmp_path))[3] == 1.0


def test_kernels_run_where_nothing_can_be_written(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    twice = compiled.njit()(lambda x: 2.0 * x)
    assert twice(np.float64(3.0)) == 6.0


def test_stamps_follow_imports_through_other_modules():
    assert "engine.stats" in compiled._imports("engine.inference.search")
    assert compiled.code_stamp("engine.stats") != compiled.code_stamp("engine.inference.search")
    assert compiled.code_stamp("engine.stats") == compiled.code_stamp("engine.stats", "engine.types")
