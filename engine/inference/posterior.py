"""Age, metallicity and stellar mass density of regions from a library of model galaxies (ZG22 sec. 2.2).

Every model counts with exp(-chi2 / 2); the posterior of a quantity is the distribution of its values under these
weights. The plain version, in tests/reference, sorts all models of every region and judges this one.

Where data are so good that few models of the library come within their errors, the posterior shows the gaps between
models and not the errors, and is too narrow. On request the errors of such a region are inflated until enough
models count. `glocal validate` shows what that does to the coverage of the truth.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import NamedTuple

import numba
import numpy as np

from engine.errors import ShapeError
from engine.flags import SpaxelFlag
from engine.inference.arrangement import (
    CELL_DEX,
    Ends,
    Models,
    arrange,
    compact_order,
    features,
    place_of,
    with_prior,
)
from engine.inference.leaves import Searched
from engine.inference.likelihood import N_BAND, N_INDEX, Whitened, whiten
from engine.inference.search import TEAM, Weighed, WhitenedRegions, weigh_regions
from engine.library.dispersion import place_in_grid
from engine.library.types import Library
from engine.types import BoolArray, FloatArray, IntArray, Progress

FEW_MODELS = 10.0  # effective number, (sum w)^2 / sum w^2; choice: `glocal validate` shows the coverage with it
MOST_OF_PRIOR = 0.1  # choice: small libraries, and priors that leave few models, are not asked for more than this share
WIDENINGS = tuple(2.0 ** (step / 3) for step in range(1, 10))  # errors are tried larger by these factors; choice
GOOD_CHI2_SIGMA = 5.0  # choice: a best chi-square above n + 5 sqrt(2 n) is no good fit of n observables

# Steps between two nodes of the grid of dispersions: within 5 km/s, or 0.01 A in [MgFe]'; choice.
# Each that occurs costs some ms, in which the models are interpolated
DISPERSION_PARTS = 5

_CHUNK = 512  # spaxels per task: a fraction of a second of work, so that progress is seen
_NEGLECT = 1e-3  # share of the weight that may be missing; tests and benchmark show what it does to percentiles
# Regions that few models fit, that are far from all or very sharp are done again in float64, neglecting less: where
# the weight lies in single models, little of it decides at which of them a percentile falls
_CAREFUL_MODELS = 50.0
_CAREFUL_CHI2 = 1e3
_CAREFUL_SNR = 3e3
_CAREFUL_NEGLECT = 1e-6


class Observed(NamedTuple):
    """What is measured of each region; NaN, or an error that is not positive, leaves an observable out."""

    indices: FloatArray  # (spaxel, 5) in the order of columns.INDEX_NAMES
    index_errors: FloatArray  # (spaxel, 5)
    flux: FloatArray  # (spaxel, 5) ugriz, unit of Library.flux per pc2
    flux_errors: FloatArray  # (spaxel, 5)
    sigma_star: FloatArray  # (spaxel,) km/s; NaN: the middle of the grid


class Percentiles(NamedTuple):
    """16, 50 and 84 % of each posterior, (spaxel, 3); NaN where there is no value, the reason in flags."""

    log_mu_star: FloatArray  # log Msun/pc2
    log_age_wr: FloatArray  # log yr
    log_Z_wr: FloatArray  # log Zsun
    chi2: FloatArray  # (spaxel,) of the most probable model: the smallest, if all models count equally
    n_effective: FloatArray  # (spaxel,) number of models within the errors as given, (sum w)^2 / sum w^2
    visited: FloatArray  # (spaxel,) share of the library that was looked at
    flags: IntArray  # (spaxel,) bits of engine.flags.SpaxelFlag
    widening: FloatArray  # (spaxel,) factor by which the errors were inflated for the percentiles, and only for them


class Posterior(NamedTuple):
    """Medians and half 16-84 ranges, (spaxel,) each; NaN where there is no value, the reason in flags."""

    log_mu_star: FloatArray  # log Msun/pc2
    log_mu_star_err: FloatArray
    log_age_wr: FloatArray  # log yr
    log_age_wr_err: FloatArray
    log_Z_wr: FloatArray  # log Zsun
    log_Z_wr_err: FloatArray
    chi2: FloatArray  # of the most probable model
    flags: IntArray  # bits of engine.flags.SpaxelFlag


def infer(
    observed: Observed, library: Library | Models, progress: Progress | None = None, *,
    prior: FloatArray | None = None, leave_out: IntArray | None = None, least_models: float = 0.0,
) -> Posterior:  # fmt: skip
    """Posterior medians and errors of mu_star, age and metallicity of every region; arguments as of percentiles."""
    found = percentiles(observed, library, progress, prior=prior, leave_out=leave_out, least_models=least_models)
    return Posterior(
        log_mu_star=_median(found.log_mu_star),
        log_mu_star_err=half_range(found.log_mu_star),
        log_age_wr=_median(found.log_age_wr),
        log_age_wr_err=half_range(found.log_age_wr),
        log_Z_wr=_median(found.log_Z_wr),
        log_Z_wr_err=half_range(found.log_Z_wr),
        chi2=found.chi2,
        flags=found.flags,
    )


def _median(percentiles: FloatArray) -> FloatArray:
    return percentiles[:, 1]


def half_range(percentiles: FloatArray) -> FloatArray:
    """Half of the range from 16 to 84 %, (spaxel,) of percentiles (spaxel, 3), or one of (3,)."""
    low, _, high = percentiles.T
    return (high - low) / 2


def percentiles(
    observed: Observed, library: Library | Models, progress: Progress | None = None, *,
    prior: FloatArray | None = None, leave_out: IntArray | None = None, least_models: float = 0.0,
) -> Percentiles:  # fmt: skip
    """16, 50 and 84 % of the posteriors of mu_star, age and metallicity of every region.

    library: models as drawn, or already arranged (arrangement.arrange), which saves seconds if it is used again.
    prior: weight of each model of the library before the data, on any scale; all equal if not given. leave_out:
    (spaxel,) row of the library that does not count for a region, -1 for none. least_models: effective number of
    models up to which errors are inflated, at most by the last of WIDENINGS; chi-square, number of models and
    flags stay those of the errors as given. progress(done, total) is called now and then. Raises ShapeError if arrays
    do not fit or no model is usable.
    """
    asked = prepare(observed, library, prior=prior, leave_out=leave_out)
    n_spaxel = asked.place.size
    answer = Widened(Weighed.empty(n_spaxel), np.ones(n_spaxel))
    for done in _run(_tasks(asked.place, _alike(observed)), asked, asked.enough(least_models), answer):
        if progress is not None:
            progress(done, n_spaxel)
    return _percentiles(answer, asked.data, asked.models)


class Widened(NamedTuple):
    """What the models say of each region, and the factor by which its errors were inflated for the percentiles."""

    weighed: Weighed
    widening: FloatArray  # (spaxel,)


class Asked(NamedTuple):
    """Regions and models ready for the kernels."""

    models: Models
    data: Whitened
    place: FloatArray  # (spaxel,) in the grid of dispersions, in steps of 1 / DISPERSION_PARTS
    left_out: IntArray  # (spaxel,) place among the models, -1 for none

    @property
    def regions(self) -> WhitenedRegions:
        """All regions as the search takes them."""
        return WhitenedRegions(self.data.data, self.data.inverse, self.left_out)

    def enough(self, least_models: float) -> float:
        """Effective number of models to ask for: of few models before the data, only a share."""
        return min(least_models, MOST_OF_PRIOR * self.models.n_prior)

    def searched(self, place: float) -> Searched:
        """The models at one dispersion and their boxes, by straight lines between the nodes of the grid."""
        models = self.models
        below = int(place)
        share = np.float32(place % 1)
        tables = (models.rows, models.leaf_boxes, models.branch_boxes)
        if share:
            there = [table[below] + share * (table[below + 1] - table[below]) for table in tables]
        else:
            there = [table[below] for table in tables]
        rows, leaf_boxes, branch_boxes = there
        return Searched(
            rows=rows,
            leaf_boxes=leaf_boxes,
            branch_boxes=branch_boxes,
            log_r=models.log_r,
            age_cell=models.age_cell,
            Z_cell=models.Z_cell,
            penalty=models.penalty,
            leaf_penalty=models.leaf_penalty,
        )


def prepare(
    observed: Observed, library: Library | Models, *, prior: FloatArray | None = None, leave_out: IntArray | None = None
) -> Asked:
    """Check the arguments of percentiles and bring them into the form the kernels work with."""
    n_spaxel = checked(observed)
    models = library if isinstance(library, Models) else arrange(library)
    if prior is not None:
        models = with_prior(models, prior)
    data = whiten(*(np.asarray(part, dtype=float) for part in observed[:4]))
    left_out = np.full(n_spaxel, -1) if leave_out is None else _left_out(leave_out, n_spaxel, models)
    place = place_in_grid(observed.sigma_star, models.sigma_grid)
    return Asked(models, data, np.round(place * DISPERSION_PARTS) / DISPERSION_PARTS, left_out)


def checked(observed: Observed) -> int:
    """Number of regions; raises ShapeError if the arrays do not fit each other."""
    n_spaxel = np.shape(observed.sigma_star)[0]
    shapes = ((n_spaxel, N_INDEX),) * 2 + ((n_spaxel, N_BAND),) * 2
    for name, wanted in zip(Observed._fields, shapes, strict=False):
        if np.shape(getattr(observed, name)) != wanted:
            raise ShapeError(f"{name} has the shape {np.shape(getattr(observed, name))}, not {wanted}")
    return n_spaxel


def _left_out(leave_out: IntArray, n_spaxel: int, models: Models) -> IntArray:
    rows = np.asarray(leave_out)
    if rows.shape != (n_spaxel,) or rows.min(initial=0) < -1 or rows.max(initial=-1) >= models.n_library:
        raise ShapeError(f"leave_out must hold {n_spaxel} rows of a library of {models.n_library}, or -1")
    return place_of(models, rows)


def _alike(observed: Observed) -> IntArray:
    """Order of the regions in which successive ones look alike: they need the same leaves of the library."""
    indices, flux = (np.asarray(part, dtype=float) for part in (observed.indices, observed.flux))
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = features(indices, flux)
    return compact_order(np.where(np.isfinite(alike), alike, 0.0), (TEAM,))


def _tasks(places: FloatArray, order: IntArray) -> list[tuple[float, IntArray]]:
    """Pairs (place in the grid of dispersions, spaxels) that can be worked on apart."""
    tasks = []
    for place in np.unique(places):
        rows = order[places[order] == place]
        tasks += [(float(place), part) for part in np.split(rows, range(_CHUNK, rows.size, _CHUNK))]
    return tasks


def _run(tasks: list[tuple[float, IntArray]], asked: Asked, enough: float, answer: Widened) -> Iterator[int]:
    """Work through the tasks on all cores, writing into the answer; yields the number of spaxels done so far."""

    def work(task: tuple[float, IntArray]) -> int:
        place, rows = task
        found = _weigh_widened(asked.regions.some(rows), asked.searched(place), enough)
        answer.weighed.put(rows, found.weighed)
        answer.widening[rows] = found.widening
        return rows.size

    pool = ThreadPoolExecutor(numba.get_num_threads())
    try:
        yield from accumulate(pool.map(work, tasks))
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupted run ends after the tasks at hand


def _weigh_widened(regions: WhitenedRegions, searched: Searched, enough: float) -> Widened:
    """Answers whose percentiles are, where too few models count, those of larger errors; and by which factor."""
    weighed = _weigh_with_care(regions, searched)
    widening = np.ones(len(regions.data))
    n_effective = weighed.n_effective.copy()
    for factor in WIDENINGS:
        few = (n_effective > 0) & (n_effective < enough)
        if not few.any():
            break
        again = _weigh_with_care(regions.some(few).inflated(factor), searched)
        weighed.put_percentiles(few, again)
        n_effective[few] = again.n_effective
        widening[few] = factor
    return Widened(weighed, widening)


def _weigh_with_care(regions: WhitenedRegions, searched: Searched) -> Weighed:
    """Answers in float32, and in float64 where that would not do."""
    weighed = weigh_regions(regions.single(), searched, _NEGLECT)
    delicate = (weighed.n_effective < _CAREFUL_MODELS) | (weighed.chi2 > _CAREFUL_CHI2)
    delicate |= np.abs(regions.data).max(axis=1) > _CAREFUL_SNR
    if delicate.any():
        weighed.put(delicate, weigh_regions(regions.some(delicate), searched, _CAREFUL_NEGLECT))
    return weighed


def _percentiles(answer: Widened, data: Whitened, models: Models) -> Percentiles:
    """Percentiles in the units of the tables, and flags."""
    weighed, widening = answer
    n_index, n_band = _counts(data)
    unknown = (n_index + n_band == 0) | (weighed.n_effective == 0)  # nothing was observed, or no model is left
    for part in weighed:
        part[unknown] = np.nan
    weighed.log_scale[~data.lit] = np.nan
    age = models.age_start + weighed.age * CELL_DEX
    Z = models.Z_start + weighed.metal * CELL_DEX
    flags = _flags(n_index, n_band, weighed.chi2, weighed.n_effective)
    flags |= np.where(unknown, SpaxelFlag.NOT_MEASURED, 0)
    flags |= np.where(_leans(age, Z, models.ends), SpaxelFlag.LIBRARY_EDGE, 0)
    log_mu_star = weighed.log_scale + data.log_unit[:, None]
    return Percentiles(log_mu_star, age, Z, weighed.chi2, weighed.n_effective, weighed.visited, flags, widening)


def _counts(data: Whitened) -> tuple[IntArray, IntArray]:
    """How many indices and how many bands are measured, (spaxel,) each."""
    measured = data.inverse > 0
    return measured[:, :N_INDEX].sum(axis=1), measured[:, N_INDEX:].sum(axis=1)


def _leans(age: FloatArray, Z: FloatArray, ends: Ends) -> BoolArray:
    """Whether 16 % of a posterior or more lie among the outermost models, (spaxel,); from percentiles (spaxel, 3)."""
    return (age[:, 0] < ends.youngest) | (Z[:, 0] < ends.poorest) | (Z[:, 2] > ends.richest)


def _flags(n_index: IntArray, n_band: IntArray, chi2: FloatArray, n_effective: FloatArray) -> IntArray:
    n = n_index + n_band
    reasons = (
        (SpaxelFlag.INDEX_MASKED, n_index < N_INDEX),
        (SpaxelFlag.PHOTOMETRY_MASKED, n_band < N_BAND),
        (SpaxelFlag.FEW_MODELS, n_effective < FEW_MODELS),
        (SpaxelFlag.NO_GOOD_MODEL, chi2 > n + GOOD_CHI2_SIGMA * np.sqrt(2 * n)),
    )
    return np.sum([int(flag) * true for flag, true in reasons], axis=0)
