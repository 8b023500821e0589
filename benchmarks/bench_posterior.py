"""Time of the posterior for a library of the default size, beside the plain way in the same run.

python benchmarks/bench_posterior.py [models [spaxels]]
"""

import sys
import time
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.adopted import N_REGIONS
from engine.inference.arrangement import arrange
from engine.inference.posterior import Observed, infer
from tests.reference.posterior_plain import posterior_of
from tests.reference.toy_library import toy_library, toy_observed


def seconds(work) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(n_model: int = 60_000, n_spaxel: int = 10_000, repeats: int = 5) -> None:
    """Print the time per spaxel, what a whole survey would take, and the ratio to the plain version."""
    rng = np.random.default_rng(3)
    library = toy_library(n_model, rng, n_sigma=6)
    observed = toy_observed(library, n_spaxel, rng)[0]
    infer(Observed(*(part[:10] for part in observed)), library)  # compiles
    whole = float(np.median([seconds(lambda: infer(observed, library)) for _ in range(repeats)]))
    setup = seconds(lambda: arrange(library))
    per_spaxel = (whole - setup) / n_spaxel
    plain = seconds(lambda: posterior_of(0, observed, library))
    print(f"{n_model} models, {n_spaxel} spaxels, {numba.get_num_threads()} threads, median of {repeats}")
    print(f"arranging the library {setup:.2f} s; per spaxel {1e6 * per_spaxel:.1f} us")
    print(f"a survey of {N_REGIONS} regions would take {setup + per_spaxel * N_REGIONS:.0f} s")
    print(f"plain version {plain:.2f} s per spaxel: {plain / per_spaxel:.0f} x")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
