"""The paper's figures as files: ``python -m app.paper`` as a child process, since app and precompute never meet."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class FigureRequest(NamedTuple):
    """What to write. Empty words and lists leave a choice to its default; see ``python -m app.paper --help``."""

    survey: Path
    out: Path
    figures: Sequence[str] = ()
    formats: Sequence[str] = ()
    width: str = "two"
    cuts: Sequence[str] = ()
    weighting: str = "area/V'max"
    min_count: int | None = None
    edges: str = ""
    data: Sequence[str] = ()
    regions: str = ""


def figures_command(request: FigureRequest) -> list[str]:
    """The words that write the figures."""
    words = [sys.executable, "-m", "app.paper", str(request.survey), "--out", str(request.out)]
    words += ["--width", request.width, "--weight", request.weighting]
    repeated = (
        ("--fig", request.figures), ("--format", request.formats), ("--cut", request.cuts), ("--data", request.data),
    )  # fmt: skip
    for option, values in repeated:
        words += [word for value in values for word in (option, value)]
    single = (("--min-count", request.min_count), ("--edges", request.edges), ("--regions", request.regions))
    for option, value in single:
        words += [option, str(value)] if value else []
    return words


def write_figures(request: FigureRequest) -> int:
    """Run the child process; what it prints is shown as it comes. Returns its exit code."""
    return subprocess.run(figures_command(request), check=False).returncode
