"""Commands that measure how fast things are."""

import subprocess
import sys
from pathlib import Path

import typer

from precompute import layout, settings
from precompute.commands.console import refuse
from precompute.options import (
    BenchFolder,
    BenchJson,
    BenchLibrary,
    BenchRegions,
    BenchSurvey,
    MockSmall,
    Models,
)

commands = typer.Typer(no_args_is_help=True, help="Measure how fast things are on this machine.")


@commands.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench_app(context: typer.Context, folder: BenchFolder = None) -> None:
    """Measure **selector to picture** in a headless browser, next to a plain HoloViews page over the same table.

    Needs a checkout and Chromium. Other options go to benchmarks/bench_app.py.
    """
    _run_benchmark("bench_app.py", "--data", layout.data_folder(folder), *context.args)


@commands.command("load", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench_load(context: typer.Context, folder: BenchFolder = None, json: BenchJson = None) -> None:
    """Measure **many visitors at once**: 1, 5, 20 and 50 in one process, and in two behind nginx.

    Needs a checkout, and nginx and Chromium for their parts. Other options go to benchmarks/bench_load.py.
    """
    given = ["--json", json] if json else []
    _run_benchmark("bench_load.py", "--data", layout.data_folder(folder), *given, *context.args)


@commands.command("posterior")
def bench_posterior(
    models: Models = settings.N_MODEL_LIBRARY, regions: BenchRegions = 20_000, library: BenchLibrary = None,
    json: BenchJson = None,
) -> None:  # fmt: skip
    """Measure **the posterior**: time per region next to NumPy and two plain loops, and the worst percentile.

    Draws the library first, unless one is given. Needs a checkout.
    """
    given = [part for name, file in (("--library", library), ("--json", json)) if file for part in (name, file)]
    _run_benchmark("bench_posterior.py", "--models", str(models), "--regions", str(regions), *given)


@commands.command("cubes")
def bench_cubes(
    models: Models = settings.N_MODEL_LIBRARY, library: BenchLibrary = None, survey: BenchSurvey = None,
    small: MockSmall = False, json: BenchJson = None,
) -> None:  # fmt: skip
    """Measure what **a galaxy costs from its cube to its maps**, step by step, and what a survey would take.

    Invents a galaxy, unless a survey file is given. Needs a checkout.
    """
    pairs = (("--library", library), ("--survey", survey), ("--json", json))
    given = [part for name, file in pairs if file for part in (name, file)] + ["--small"] * small
    _run_benchmark("bench_cubes.py", "--models", str(models), *given)


def _run_benchmark(name: str, *options: str | Path) -> None:
    script = layout.CHECKOUT / "benchmarks" / name
    if not script.is_file():
        refuse(f"benchmarks come with the checkout, not with the installed package: {script} is not there")
    sys.exit(subprocess.run([sys.executable, script, *options], check=False).returncode)
