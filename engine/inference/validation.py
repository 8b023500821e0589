"""Injection and recovery: members of a library are observed with noise and measured with the rest of the library."""

from typing import NamedTuple

import numpy as np

from engine.constants import MAG_PER_E_FOLD
from engine.inference.posterior import Observed, Percentiles
from engine.library.types import Library
from engine.types import BoolArray, FloatArray, IntArray

QUANTITIES = ("log_age_wr", "log_Z_wr", "log_mu_star")


class Injected(NamedTuple):
    """Observations of library members, and what they are."""

    observed: Observed
    member: IntArray  # (spaxel,) row of the library
    log_mu_star: FloatArray  # (spaxel,)


class Recovery(NamedTuple):
    """How well one quantity comes back from one population; each figure with its sampling error."""

    quantity: str
    n: int
    offset: float  # mean of median minus truth, dex
    offset_err: float
    rms: float  # of median minus truth, dex
    rms_err: float
    error: float  # median of the stated errors, dex
    coverage: float  # share of truths within 16 and 84 %
    coverage_err: float


def draw_from_prior(library: Library, n: int, rng: np.random.Generator) -> IntArray:
    """Rows of the library, all alike: what the posteriors assume, so that coverage must come out right."""
    return rng.integers(0, library.log_age_wr.size, n)


def draw_evenly(library: Library, n: int, rng: np.random.Generator, cell: float = 0.1) -> IntArray:
    """Rows of the library spread evenly over the cells [dex] of age and metallicity that it fills."""
    cells = np.stack([np.floor(library.log_age_wr / cell), np.floor(library.log_Z_wr / cell)], axis=-1)
    _, of_model, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    share = 1.0 / count[of_model.ravel()]
    return rng.choice(library.log_age_wr.size, n, p=share / share.sum())


def inject(
    library: Library, member: IntArray, index_errors: FloatArray, magnitude_errors: FloatArray,
    rng: np.random.Generator,
) -> Injected:  # fmt: skip
    """Members seen at a random dispersion and mass density, with Gaussian noise.

    index_errors (5,), magnitude_errors (5,) [mag]: one sigma, the same for all.
    """
    n = member.size
    place = rng.integers(0, library.sigma_grid.size, n)
    log_mu = rng.uniform(1.0, 4.0, n)
    light = library.flux[member] * 10.0 ** log_mu[:, None]
    flux_errors = light * magnitude_errors / MAG_PER_E_FOLD
    index_errors = np.tile(index_errors, (n, 1))
    indices = library.indices[member, place] + index_errors * rng.standard_normal((n, 5))
    flux = light + flux_errors * rng.standard_normal((n, 5))
    return Injected(Observed(indices, index_errors, flux, flux_errors, library.sigma_grid[place]), member, log_mu)


def truths(injected: Injected, library: Library) -> dict[str, FloatArray]:
    """True values by quantity, (spaxel,) each."""
    rows = injected.member
    values = (library.log_age_wr[rows], library.log_Z_wr[rows], injected.log_mu_star)
    return dict(zip(QUANTITIES, values, strict=True))


def recovery(quantity: str, found: Percentiles, truth: FloatArray, which: BoolArray | None = None) -> Recovery:
    """Summary over the regions (or some of them) that have a posterior."""
    percentiles = getattr(found, quantity)
    use = np.isfinite(percentiles[:, 1]) & (True if which is None else which)
    if not use.any():
        return Recovery(quantity, 0, *([np.nan] * 7))
    low, median, high = percentiles[use].T
    return _summary(quantity, low, median, high, truth[use])


def _summary(quantity: str, low: FloatArray, median: FloatArray, high: FloatArray, truth: FloatArray) -> Recovery:
    """Of regions (region,), one or more; sampling errors as of independent regions."""
    n = truth.size
    off = median - truth
    rms = np.sqrt(np.mean(off**2))
    within = float(np.mean((truth >= low) & (truth <= high)))
    return Recovery(
        quantity=quantity,
        n=n,
        offset=off.mean(),
        offset_err=off.std() / np.sqrt(n),
        rms=rms,
        rms_err=np.std(off**2) / (2.0 * max(rms, 1e-12) * np.sqrt(n)),
        error=float(np.median((high - low) / 2)),
        coverage=within,
        coverage_err=np.sqrt(within * (1 - within) / n),
    )
