"""The rooms keep their walls: contracts of imports, packages that stand alone, documented columns and commands."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from types import UnionType

import numpy as np
import pytest
from astropy import units as u
from astropy.io.votable.ucd import check_ucd
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command

from engine.columns import GALAXY_COLUMNS, REGION_COLUMNS
from precompute.__main__ import cli

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SOURCES = sorted(p for package in ("engine", "precompute", "app") for p in (ROOT / package).rglob("*.py"))
COLUMNS = [pytest.param(c, id=c.name) for c in REGION_COLUMNS + GALAXY_COLUMNS]


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=600)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All there is in a file: walked once for all tests, for two million steps take seconds."""
    return list(ast.walk(parsed(path)))


def test_import_contracts_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert done.returncode == 0, done.stdout


def test_the_engine_needs_no_screen_and_no_table_library():
    barred = ("panel", "bokeh", "holoviews", "datashader", "pandas", "pyarrow", "matplotlib", "bagpipes", "speclite")
    code = (
        "import sys, pkgutil, importlib, engine\n"
        f"for name in {barred!r}: sys.modules[name] = None\n"
        "for m in pkgutil.walk_packages(engine.__path__, 'engine.'): importlib.import_module(m.name)\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


def distributions_for(requirements: list[str]) -> set[str]:
    """Names of all that pip installs for these requirements, directly or not."""
    found: set[str] = set()
    waiting = [Requirement(words) for words in requirements]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(words) for words in requires(name) or ()]
    return found


def test_a_base_install_serves_a_survey_and_brings_no_library_that_computes(small_survey):
    base = distributions_for(PROJECT["dependencies"])
    computing = {canonicalize_name(Requirement(words).name) for words in PROJECT["optional-dependencies"]["engine"]}
    assert not computing & base
    owners = packages_distributions()
    barred = [name for name, of in owners.items() if not base & {canonicalize_name(one) for one in of}]
    assert computing <= {canonicalize_name(one) for name in barred for one in owners[name]}
    code = f"""
import importlib, pathlib, pkgutil, sys
sys.modules.update(dict.fromkeys({barred!r}))
import app
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
from app.bokeh_defaults import remember_defaults
from app.registry import PAGES
from app.selection import Selection
from app.shell import Shell
from app.store import open_survey
remember_defaults()  # as the server does
shell = Shell(open_survey(pathlib.Path({str(small_survey)!r})), Selection(galaxy_id=5))
shell.template([])
for entry in PAGES:
    shell.selection.page = entry.name
galaxy = shell.pages["galaxy"]
galaxy.click_spaxel(*(int(galaxy.columns[axis][0]) for axis in "xy"))
assert shell.selection.spaxel is not None
import precompute.__main__, precompute.stages.serve
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_function_is_longer_than_sixty_lines_and_public_ones_say_what_they_do(path):
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node) or ""
            length = node.end_lineno - node.lineno + 1 - len(doc.splitlines())
            assert length <= 60, f"{node.name} has {length} lines"
            public = not node.name.startswith("_") and node.col_offset == 0
            assert doc or not public, f"{node.name} has no docstring"


def annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return [part for part in (*(argument.annotation for argument in given), function.returns) if part is not None]


def bare_tuples(annotation: ast.expr) -> list[ast.Name]:
    """Where an annotation says ``tuple`` without saying what is in it."""
    named = [node.value for node in ast.walk(annotation) if isinstance(node, ast.Subscript)]
    names = [node for node in ast.walk(annotation) if isinstance(node, ast.Name) and node.id == "tuple"]
    return [name for name in names if name not in named]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_tuple_that_is_passed_or_returned_says_what_is_in_it(path):
    functions = [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    bare = [node.name for node in functions for part in annotations(node) if bare_tuples(part)]
    assert not bare


def statements(package: str, kind: type[ast.stmt] | UnionType) -> list[ast.stmt]:
    sources = [path for path in SOURCES if path.is_relative_to(ROOT / package)]
    return [node for path in sources for node in nodes(path) if isinstance(node, kind)]


def is_packed(node: ast.Assign) -> bool:
    """Whether it is ``a, b = x, y``."""
    return isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)


@pytest.mark.parametrize(("package", "most"), [("engine", 0.02), ("precompute", 0.02), ("app", 0.06)])
def test_few_lines_assign_several_things_at_once(package, most):
    assignments = statements(package, ast.Assign)
    assert np.mean([is_packed(node) for node in assignments]) < most


@cache
def size(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Syntax nodes of a function, those nested in it included: how much there is to read, however it is laid out."""
    return sum(1 for _ in ast.walk(function))


@pytest.mark.parametrize("package", ["engine", "precompute", "app"])
def test_no_function_is_dense_and_most_are_small(package):
    sizes = [(function.name, size(function)) for function in statements(package, ast.FunctionDef)]
    assert [(name, number) for name, number in sizes if number > 405] == []
    assert np.mean([number < 200 for _, number in sizes]) > 0.8


def column_numbers(path: Path) -> list[str]:
    """Columns of an array that are read by a number beyond 2, as ``answer[:, 9]``: they should have names."""
    slices = [node.slice for node in nodes(path) if isinstance(node, ast.Subscript)]
    pairs = [part.elts for part in slices if isinstance(part, ast.Tuple) and len(part.elts) == 2]
    return [
        ast.unparse(column)
        for rows, column in pairs
        if isinstance(rows, ast.Slice) and isinstance(column, ast.Constant) and isinstance(column.value, int)
        if column.value > 2
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_columns_beyond_the_third_are_read_by_name(path):
    assert not column_numbers(path)


def test_kernels_are_compiled_with_a_cache_that_notices_changes():
    kernels = [path for path in SOURCES if path.is_relative_to(ROOT / "engine") and path.name != "compiled.py"]
    assert not [
        path.name for path in kernels if re.search(r"numba\.n?jit|cache=True", path.read_text(encoding="utf-8"))
    ]


def test_constants_of_nature_are_written_in_one_place():
    numbers = re.compile(r"299_?792|2\.9979|2\.354|2\.355|1\.4826|1\.0857|20626[45]|21\.572|3\.085[67]\d*e|3\.828e")
    sources = [path for path in SOURCES if path.relative_to(ROOT).as_posix() != "engine/constants.py"]
    code = {path.name: "".join(re.split("#.*", path.read_text(encoding="utf-8"))) for path in sources}
    assert not {name: found for name, text in code.items() if (found := numbers.findall(text))}


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_has_words_a_valid_unit_and_a_valid_ucd(column):
    assert column.label
    assert column.description.endswith(".")
    u.Unit(column.unit)
    assert check_ucd(column.ucd, check_controlled_vocabulary=True)


def test_column_names_are_unique_in_each_table():
    for columns in (REGION_COLUMNS, GALAXY_COLUMNS):
        names = [c.name for c in columns]
        assert len(names) == len(set(names))


def test_the_readme_lists_every_command_of_glocal_and_no_other():
    commands = get_command(cli).commands
    rows = dict(re.findall(r"^\| `glocal ([\w-]+)` \| (.*) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE))
    assert set(rows) == set(commands)
    for name, command in commands.items():
        assert [sub for sub in getattr(command, "commands", ()) if f"`{sub}`" not in rows[name]] == [], name


def test_a_public_class_name_means_one_thing():
    names = [
        node.name
        for path in SOURCES
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize(("package", "least"), [("engine", 0.90), ("precompute", 0.90), ("app", 0.93)])
def test_nine_of_ten_functions_are_short(package, least):
    """Short by named steps; what stays long is mostly compiled kernels that would lose speed in pieces."""
    sizes = [size(function) for function in statements(package, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert np.mean([number < 200 for number in sizes]) >= least
