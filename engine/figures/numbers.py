"""Every number that a figure states, next to the paper's, with an error from drawing the galaxies again.

A *measure* takes a sample and gives a function of multiplicities (galaxy,): how often each galaxy counts. The number
itself counts each galaxy once; its error is the scatter over bootstrap draws of galaxies, not of regions, since regions
of one galaxy are not independent (ZG22 footnote 6).
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from engine import adopted
from engine.figures.arrays import galaxy_column
from engine.figures.sample import GALAXY_INDEX, Sample
from engine.relations.green_valley import EQUATION_3, age_peaks, fit_green_valley, is_old_ridge
from engine.relations.robust import robust_line
from engine.stats import PERCENTILES
from engine.types import FloatArray, IntArray

N_BOOTSTRAP = 100  # choice: an error is then known to 7 %
RIDGE_EDGES = np.arange(2.0, 3.6, 2 * adopted.GREEN_VALLEY_BIN_DEX)  # of log mu*, where the old ridge is flat: choice
VALLEY_AT = 2.5  # log mu* in the middle of the bins that the green valley is fitted to: choice
THRESHOLD_LOG_MU_STAR = 2.0  # ZG22 sec. 5: above it the relation of massive galaxies is flat

Values = dict[str, float]
Multiplicity = IntArray  # (galaxy,)
Measure = Callable[[Sample], Callable[[Multiplicity], Values]]


class Number(NamedTuple):
    """One quantity here and in ZG22 (``source`` says where); NaN where the paper prints none or no error is known."""

    key: str
    quantity: str
    here: float
    error: float
    paper: float
    source: str


def compare(
    sample: Sample,
    rng: np.random.Generator | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    groups: Collection[str] | None = None,
) -> list[Number]:
    """The numbers of a sample; with errors if a generator of random numbers is given.

    groups: which of MEASURES are asked for, by default all. A number whose columns the table lacks is left out.
    """
    asked = [MEASURES[group] for group in MEASURES if groups is None or group in groups]
    measured = [measure(sample) for measure, needs in asked if sample.has(*needs)]
    once = np.ones(len(galaxy_column(sample.table, "galaxy_id")), dtype=int)
    here = _together(measured, once)
    draws = [_together(measured, drawn) for drawn in _bootstrap(sample, rng, n_bootstrap)] if rng else []
    return [_number(key, value, [draw[key] for draw in draws]) for key, value in here.items()]


def _together(measured: list[Callable[[Multiplicity], Values]], multiplicity: Multiplicity) -> Values:
    return {key: value for measure in measured for key, value in measure(multiplicity).items()}


def _bootstrap(sample: Sample, rng: np.random.Generator, n_bootstrap: int) -> Iterator[Multiplicity]:
    """Galaxies of the sample drawn with replacement, as many as there are."""
    present = np.flatnonzero(sample.has_galaxy)
    for _ in range(n_bootstrap):
        drawn = rng.choice(present, present.size)
        yield np.bincount(drawn, minlength=sample.has_galaxy.size)


def _number(key: str, here: float, draws: list[float]) -> Number:
    words, paper, source = PRINTED[key]
    known = [value for value in draws if np.isfinite(value)]
    error = float(np.std(known, ddof=1)) if len(known) > 1 and key not in COUNTED else np.nan
    return Number(key, words, float(here), error, paper, source)


def _counts(sample: Sample) -> Callable[[Multiplicity], Values]:
    counted: Values = {"galaxies": sample.n_galaxies, "regions": sample.n_regions}
    return lambda multiplicity: counted


def _share_kept(sample: Sample) -> Callable[[Multiplicity], Values]:
    kept, above = (galaxy_column(sample.table, name) for name in ("n_regions", "n_spaxels_above_cut"))
    return lambda multiplicity: {"share_kept": np.sum(multiplicity * kept) / np.sum(multiplicity * above)}


def _levels(sample: Sample) -> Callable[[Multiplicity], Values]:
    n_levels = len(adopted.SMOOTHING_LEVEL_FRACTIONS)
    level = sample.column("smoothing_level")
    counts = np.array([_per_galaxy(sample, np.asarray(level == i + 1)) for i in range(n_levels)])
    of_all = _per_galaxy(sample, np.ones(sample.n_regions))

    def shares(multiplicity: Multiplicity) -> Values:
        total = of_all @ multiplicity
        return {f"level_{i + 1}": (counts[i] @ multiplicity) / total for i in range(n_levels)}

    return shares


def _mass_density(sample: Sample) -> Callable[[Multiplicity], Values]:
    mass, density = (galaxy_column(sample.table, name) for name in ("log_M_star", "log_mu_e"))
    present = sample.has_galaxy

    def fitted(multiplicity: Multiplicity) -> Values:
        line = robust_line(mass, density, multiplicity * present)
        return {"mu_e_mass_slope": line.slope, "mu_e_mass_scatter": line.scatter}

    return fitted


def _local_density(sample: Sample) -> Callable[[Multiplicity], Values]:
    """Weighted least squares of log mu* on a galaxy's own quantity: sums per galaxy are all it needs."""
    log_mu_star = np.asarray(sample.column("log_mu_star"), dtype=float)
    known = np.isfinite(log_mu_star)
    weight = np.where(known, sample.weight, 0.0)
    y = np.where(known, log_mu_star, 0.0)
    sums = [_per_galaxy(sample, weight * power) for power in (1.0, y, y * y)]

    def fitted(multiplicity: Multiplicity) -> Values:
        found: Values = {}
        for name in ("log_M_star", "log_mu_e"):
            slope, scatter = _line_of_sums(galaxy_column(sample.table, name), [total * multiplicity for total in sums])
            found |= {f"mu_star_{name}_slope": slope, f"mu_star_{name}_scatter": scatter}
        return found

    return fitted


def _line_of_sums(x: FloatArray, sums: list[FloatArray]) -> tuple[float, float]:
    """Slope and rms about the line from the sums of w, w y and w y^2 at each x."""
    good = np.isfinite(x)
    x = np.asarray(x, dtype=float)[good]
    w, wy, wyy = (total[good] for total in sums)
    x_mean = np.average(x, weights=w)
    y_mean = wy.sum() / w.sum()
    slope = np.sum((x - x_mean) * (wy - y_mean * w)) / np.sum(w * (x - x_mean) ** 2)
    fit = y_mean + slope * (x - x_mean)
    return slope, np.sqrt(np.sum(wyy - 2 * fit * wy + fit**2 * w) / w.sum())


def _ages(sample: Sample) -> Callable[[Multiplicity], Values]:
    log_mu_star = sample.column("log_mu_star")
    log_age = sample.column("log_age_wr")
    weight = sample.weight
    galaxy = sample.column(GALAXY_INDEX)

    def fitted(multiplicity: Multiplicity) -> Values:
        drawn = weight * multiplicity.astype(np.float32)[galaxy]
        line = fit_green_valley(log_mu_star, log_age, drawn)
        ridge = age_peaks(log_mu_star, log_age, drawn, RIDGE_EDGES).old
        return {
            "valley_slope": line.slope,
            "valley_intercept": line.intercept,
            "valley_at": line.slope * VALLEY_AT + line.intercept,
            "ridge_age": float(np.median(ridge[np.isfinite(ridge)])) if np.isfinite(ridge).any() else np.nan,
        }

    return fitted


def _balance(sample: Sample) -> Callable[[Multiplicity], Values]:
    """Weight on either sequence, and the galaxy mass at which its balance tips."""
    log_mu_star = sample.column("log_mu_star")
    log_age = sample.column("log_age_wr")
    known = np.isfinite(log_mu_star) & np.isfinite(log_age)
    is_old = is_old_ridge(log_mu_star, log_age, sample.line)
    dense = known & (log_mu_star >= THRESHOLD_LOG_MU_STAR)
    masks = (known & is_old, known & ~is_old, dense & is_old, dense & ~is_old)
    old, young, dense_old, dense_young = (_per_galaxy(sample, sample.weight * mask) for mask in masks)
    mass = galaxy_column(sample.table, "log_M_star")

    def shares(multiplicity: Multiplicity) -> Values:
        all_old = old @ multiplicity
        all_young = young @ multiplicity
        return {
            "share_old": all_old / (all_old + all_young),
            "share_young": all_young / (all_old + all_young),
            "threshold_mass": threshold(mass, dense_old * multiplicity, dense_young * multiplicity),
        }

    return shares


def threshold(mass: FloatArray, old: FloatArray, young: FloatArray) -> float:
    """The mass that best separates young galaxies, below it, from old ones, above it.

    Parameters: mass, weight of old and of young regions (galaxy,). The step at this mass puts more weight on its right
    side than at any other; NaN if the step is at an end.
    """
    order = np.argsort(mass)
    right_side = np.cumsum(young[order]) + old.sum() - np.cumsum(old[order])
    best = int(np.argmax(right_side))
    if best == mass.size - 1 or right_side[best] <= old.sum():
        return np.nan
    return float(mass[order][best] + mass[order][best + 1]) / 2.0


def _errors(sample: Sample) -> Callable[[Multiplicity], Values]:
    """Medians of the errors near a density, each region counted once, as many times as its galaxy."""
    near = {_error_key(name, at): _sorted_near(sample, f"{name}_err", at) for name, at, _ in adopted.MEDIAN_ERRORS}

    def medians(multiplicity: Multiplicity) -> Values:
        return {key: _median(values, multiplicity[galaxy]) for key, (values, galaxy) in near.items()}

    return medians


def _sorted_near(sample: Sample, name: str, log_mu_star: float) -> tuple[FloatArray, IntArray]:
    """Rising errors of regions in a green-valley bin round a density, and their galaxies; (region,) each."""
    values = sample.column(name)
    near = np.abs(sample.column("log_mu_star") - log_mu_star) < adopted.GREEN_VALLEY_BIN_DEX / 2
    rows = np.flatnonzero(near & np.isfinite(values))
    rows = rows[np.argsort(values[rows])]
    return values[rows], sample.column(GALAXY_INDEX)[rows]


def _median(values: FloatArray, multiplicity: IntArray) -> float:
    """Median of rising values that count so many times (engine.stats)."""
    reached = np.cumsum(multiplicity)
    if reached.size == 0 or reached[-1] == 0:
        return np.nan
    return float(values[np.searchsorted(reached, PERCENTILES[1] * reached[-1])])


def _per_galaxy(sample: Sample, values: FloatArray) -> FloatArray:
    """Sum of values of the regions of each galaxy, (galaxy,)."""
    return np.bincount(sample.column(GALAXY_INDEX), values, minlength=sample.has_galaxy.size)


def _error_key(name: str, at: float) -> str:
    return f"{name}_err_at_{at:g}"


MEASURES: dict[str, tuple[Measure, tuple[str, ...]]] = {  # with the columns that each needs
    "counts": (_counts, ()),
    "share kept": (_share_kept, ("n_spaxels_above_cut",)),
    "levels": (_levels, ("smoothing_level",)),
    "mass and mean density": (_mass_density, ("log_mu_e",)),
    "local density": (_local_density, ("log_mu_star", "log_mu_e")),
    "ages": (_ages, ("log_mu_star", "log_age_wr")),
    "balance": (_balance, ("log_mu_star", "log_age_wr")),
    "errors": (_errors, tuple(f"{name}_err" for name, *_ in adopted.MEDIAN_ERRORS)),
}
COUNTED = ("galaxies", "regions")
_SEC_3 = "sec. 3"
_SEC_4 = "sec. 4.1"
_EQ_3 = "eq. 3"

# key: words, the paper's value, where it is printed
PRINTED: dict[str, tuple[str, float, str]] = {
    "galaxies": ("galaxies", adopted.N_GALAXIES, "sec. 2.1"),
    "regions": ("regions", adopted.N_REGIONS, "sec. 2.1"),
    "share_kept": ("share of spaxels above the cut that is kept", adopted.FRACTION_KEPT, "sec. 2.1"),
    **{
        f"level_{i}": (f"share at smoothing level {i}", share, "app. A")
        for i, share in enumerate(adopted.SMOOTHING_LEVEL_FRACTIONS, start=1)
    },
    "mu_e_mass_slope": ("slope of log <mu*>e against log M*", adopted.MU_E_MASS_SLOPE, _SEC_3),
    "mu_e_mass_scatter": ("scatter of log <mu*>e at fixed M* [dex]", adopted.MU_E_MASS_SCATTER_DEX, _SEC_3),
    "mu_star_log_M_star_slope": ("slope of log mu* against log M*", adopted.MU_STAR_SLOPE, _SEC_3),
    "mu_star_log_M_star_scatter": ("scatter of log mu* at fixed M* [dex]", adopted.MU_STAR_SCATTER_DEX, _SEC_3),
    "mu_star_log_mu_e_slope": ("slope of log mu* against log <mu*>e", adopted.MU_STAR_SLOPE, _SEC_3),
    "mu_star_log_mu_e_scatter": ("scatter of log mu* at fixed <mu*>e [dex]", adopted.MU_STAR_SCATTER_DEX, _SEC_3),
    "valley_slope": ("slope of the green valley", EQUATION_3.slope, _EQ_3),
    "valley_intercept": ("intercept of the green valley", EQUATION_3.intercept, _EQ_3),
    "valley_at": (
        f"green valley at log mu* = {VALLEY_AT:g} [log yr]", EQUATION_3.slope * VALLEY_AT + EQUATION_3.intercept, _EQ_3,
    ),
    "ridge_age": ("old ridge, peak of log age [log yr]", adopted.OLD_RIDGE_LOG_AGE, _SEC_4),
    "share_old": ("share of weight on the old ridge", np.nan, _SEC_4),
    "share_young": ("share of weight on the young sequence", np.nan, _SEC_4),
    "threshold_mass": (
        "galaxy mass at which regions above log mu* = 2 turn from young to old [log Msun]",
        adopted.LOG_M_STAR_THRESHOLD, "sec. 5",
    ),
    **{
        _error_key(name, at): (f"median error of {name} at log mu* = {at:g} [dex]", value, "sec. 2.2")
        for name, at, value in adopted.MEDIAN_ERRORS
    },
}  # fmt: skip


def as_json(numbers: list[Number]) -> list[dict[str, Any]]:
    """Numbers as plain JSON; null where there is none."""
    return [
        {
            "key": number.key, "quantity": number.quantity, "here": _plain(number.here), "error": _plain(number.error),
            "paper": _plain(number.paper), "source": f"ZG22 {number.source}",
        }
        for number in numbers
    ]  # fmt: skip


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
