"""Age, metallicity and stellar mass density of regions from a library of model galaxies (ZG22 sec. 2.2).

Every model counts with exp(-chi2 / 2); the posterior of a quantity is the distribution of its values under these
weights. Each region looks at the whole library twice: once for its best chi-square, once to sum the weights of
the blocks that hold anything good. The plain version, in tests/reference, sorts instead and judges this one.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import NamedTuple

import numba
import numpy as np

from engine.errors import ShapeError
from engine.flags import SpaxelFlag
from engine.inference.arrangement import CELL_DEX, Models, arrange
from engine.inference.likelihood import N_BAND, N_INDEX, Whitened, whiten
from engine.inference.weighing import weigh_models
from engine.library.types import Library
from engine.types import FloatArray, IntArray, Progress

FEW_MODELS = 10.0  # effective number, (sum w)^2 / sum w^2
GOOD_CHI2_SIGMA = 5.0  # choice: a best chi-square above n + 5 sqrt(2 n) is no good fit of n observables

_CHUNK = 1024  # spaxels per task: less than a second of work, so that progress is seen


class Observed(NamedTuple):
    """What is measured of each region; NaN, or an error that is not positive, leaves an observable out."""

    indices: FloatArray  # (spaxel, 5) in the order of columns.INDEX_NAMES
    index_errors: FloatArray  # (spaxel, 5)
    flux: FloatArray  # (spaxel, 5) ugriz, unit of Library.flux per pc2
    flux_errors: FloatArray  # (spaxel, 5)
    sigma_star: FloatArray  # (spaxel,) km/s; NaN: the middle of the grid


class Posterior(NamedTuple):
    """Medians and half 16-84 ranges, (spaxel,) each; NaN where there is no value, the reason in flags."""

    log_mu_star: FloatArray  # log Msun/pc2
    log_mu_star_err: FloatArray
    log_age_wr: FloatArray  # log yr
    log_age_wr_err: FloatArray
    log_Z_wr: FloatArray  # log Zsun
    log_Z_wr_err: FloatArray
    chi2: FloatArray  # of the best model
    flags: IntArray  # bits of engine.flags.SpaxelFlag, int16


def infer(observed: Observed, library: Library, progress: Progress | None = None) -> Posterior:
    """Posterior medians and errors of mu_star, age and metallicity of every region.

    Parameters: observed and library as described there; progress(done, total) is called now and then.
    All models count equally before the data. Raises ShapeError if arrays do not fit or no model is usable.
    """
    n_spaxel = _checked(observed)
    models = arrange(library)
    data = whiten(*(np.asarray(part, dtype=float) for part in observed[:4]), models.flux_unit)
    sigma = _nearest(np.asarray(observed.sigma_star, dtype=float), np.asarray(library.sigma_grid, dtype=float))
    answer = np.full((n_spaxel, 11), np.nan)
    for done in _run(_tasks(sigma), data, models, answer):
        if progress is not None:
            progress(done, n_spaxel)
    return _posterior(answer, data, models)


def _checked(observed: Observed) -> int:
    n_spaxel = np.shape(observed.sigma_star)[0]
    shapes = ((n_spaxel, N_INDEX),) * 2 + ((n_spaxel, N_BAND),) * 2
    for name, wanted in zip(Observed._fields, shapes, strict=False):
        if np.shape(getattr(observed, name)) != wanted:
            raise ShapeError(f"{name} has the shape {np.shape(getattr(observed, name))}, not {wanted}")
    return n_spaxel


def _nearest(sigma_star: FloatArray, grid: FloatArray) -> IntArray:
    """Place in the grid, (spaxel,)."""
    known = np.where(np.isfinite(sigma_star), sigma_star, grid[grid.size // 2])
    return np.abs(known[:, None] - grid).argmin(axis=1)


def _tasks(sigma: IntArray) -> list[tuple[int, IntArray]]:
    """Pairs (place in the sigma grid, spaxels) that can be worked on apart."""
    tasks = []
    for place in np.unique(sigma):
        rows = np.flatnonzero(sigma == place)
        tasks += [(place, part) for part in np.split(rows, range(_CHUNK, rows.size, _CHUNK))]
    return tasks


def _run(tasks: list, data: Whitened, models: Models, answer: FloatArray) -> Iterator[int]:
    """Work through the tasks on all cores, writing into answer; yields the number of spaxels done so far."""

    def work(task):
        place, rows = task
        part = (column[rows] for column in data[:4])
        answer[rows] = weigh_models(*part, models.blocks[place], models.age_cell, models.Z_cell)
        return rows.size

    pool = ThreadPoolExecutor(numba.get_num_threads())
    try:
        yield from accumulate(pool.map(work, tasks))
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupted run ends after the tasks at hand


def _posterior(answer: FloatArray, data: Whitened, models: Models) -> Posterior:
    """Medians, errors and flags from the columns of weighing.weigh_models."""
    n_index, n_band = (np.count_nonzero(weight > 0, axis=1) for weight in (data.index_weight, data.flux_weight))
    measured = n_index + n_band > 0
    answer[~measured] = np.nan
    answer[(n_band == 0) | (data.flux <= 0).all(axis=1), 0:3] = np.nan  # no light, no mass
    mu = answer[:, 0:3] + data.log_unit[:, None]
    age = models.age_start + answer[:, 3:6] * CELL_DEX
    Z = models.Z_start + answer[:, 6:9] * CELL_DEX
    estimates = [part for low, median, high in (mu.T, age.T, Z.T) for part in (median, (high - low) / 2)]
    return Posterior(*estimates, answer[:, 9], _flags(n_index, n_band, answer[:, 9], answer[:, 10]))


def _flags(n_index: IntArray, n_band: IntArray, chi2: FloatArray, n_effective: FloatArray) -> IntArray:
    n = n_index + n_band
    reasons = (
        (SpaxelFlag.INDEX_MASKED, n_index < N_INDEX),
        (SpaxelFlag.PHOTOMETRY_MASKED, n_band < N_BAND),
        (SpaxelFlag.FEW_MODELS, n_effective < FEW_MODELS),
        (SpaxelFlag.NO_GOOD_MODEL, chi2 > n + GOOD_CHI2_SIGMA * np.sqrt(2 * n)),
        (SpaxelFlag.NOT_MEASURED, n == 0),
    )
    return np.sum([int(flag) * true for flag, true in reasons], axis=0).astype(np.int16)
