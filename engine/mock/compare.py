"""How close a survey comes to the paper, quantity by quantity."""

from typing import NamedTuple

import numpy as np

from engine import adopted
from engine.flags import SpaxelFlag
from engine.mock.coverage import ALL, ALL_REGIONS, coverage_of
from engine.regions import Rows
from engine.relations.green_valley import EQUATION_3, age_peaks, fit_green_valley, is_old_ridge
from engine.types import FloatArray

SET, TUNED, FOLLOWS = "set", "tuned", "follows"


class Comparison(NamedTuple):
    """One quantity, its value in the survey at hand and in ZG22, and what their likeness means for the mock.

    kind: "set" went into the mock; "tuned": an ingredient was chosen so that it comes out; "follows": neither.
    """

    quantity: str
    here: float
    paper: float
    kind: str


def compare_with_paper(regions: Rows, galaxies: Rows) -> list[Comparison]:
    """Everything ZG22 prints that a survey can be held against; regions and galaxies are columns of its tables."""
    few = np.mean(regions["flags"] & SpaxelFlag.FEW_MODELS != 0)
    return [
        *_counts(regions, galaxies),
        *_smoothing(regions),
        *_masses(galaxies),
        *_ages(regions),
        *_errors(regions),
        Comparison("share of regions with fewer than ten models within their errors", few, np.nan, FOLLOWS),
        *_coverages(regions),
    ]


def _counts(regions: Rows, galaxies: Rows) -> list[Comparison]:
    kept = galaxies["n_regions"].sum() / galaxies["n_spaxels_above_cut"].sum()
    return [
        Comparison("galaxies", len(galaxies["galaxy_id"]), adopted.N_GALAXIES, SET),
        Comparison("regions", len(regions["region_id"]), adopted.N_REGIONS, TUNED),
        Comparison("share of spaxels above the cut that is kept", kept, adopted.FRACTION_KEPT, TUNED),
    ]


def _smoothing(regions: Rows) -> list[Comparison]:
    return [
        Comparison(
            f"share at smoothing level {level}",
            np.mean(regions["smoothing_level"] == level),
            share,
            TUNED,  # S/N constant, sky and its scatter were all moved with the five shares in view
        )
        for level, share in enumerate(adopted.SMOOTHING_LEVEL_FRACTIONS, start=1)
    ]


def _masses(galaxies: Rows) -> list[Comparison]:
    """Straight line by least squares through <mu*>e against M*, one point per galaxy."""
    mass, density = galaxies["log_M_star"], galaxies["log_mu_e"]
    good = np.isfinite(density)
    slope, intercept = np.polyfit(mass[good], density[good], 1)
    scatter = np.std(density[good] - slope * mass[good] - intercept)
    return [
        Comparison("slope of log <mu*>e against log M*", slope, adopted.MU_E_MASS_SLOPE, TUNED),
        Comparison("scatter of log <mu*>e at fixed M* [dex]", scatter, adopted.MU_E_MASS_SCATTER_DEX, TUNED),
    ]


def _ages(regions: Rows) -> list[Comparison]:
    log_mu, log_age, weight = regions["log_mu_star"], regions["log_age_wr"], regions["weight"]
    line = fit_green_valley(log_mu, log_age, weight)
    edges = np.arange(2.0, 3.6, 2 * adopted.GREEN_VALLEY_BIN_DEX)
    ridge = np.nanmedian(age_peaks(log_mu, log_age, weight, edges).old)
    old = is_old_ridge(log_mu, log_age)
    return [
        Comparison("slope of the green valley", line.slope, EQUATION_3.slope, TUNED),
        Comparison("intercept of the green valley", line.intercept, EQUATION_3.intercept, TUNED),
        Comparison(
            "green valley at log mu* = 2.5 [log yr]",
            line.slope * 2.5 + line.intercept,
            EQUATION_3.slope * 2.5 + EQUATION_3.intercept,
            TUNED,
        ),
        Comparison("old ridge, peak of log age [log yr]", ridge, adopted.OLD_RIDGE_LOG_AGE, TUNED),
        Comparison("share of weight above the paper's green valley", weight[old].sum() / weight.sum(), np.nan, FOLLOWS),
    ]


def _errors(regions: Rows) -> list[Comparison]:
    return [
        Comparison(
            f"median error of {name} at log mu* = {at:g} [dex]", _median_near(regions, f"{name}_err", at), value, TUNED
        )
        for name, at, value in adopted.MEDIAN_ERRORS
    ]


def _coverages(regions: Rows) -> list[Comparison]:
    """Nothing of ZG22, but of the mock's truth; a Gaussian has 0.68. In bins: `glocal validate --survey`."""
    return [
        Comparison(f"share of true {one.quantity} within the stated errors", one.coverage, np.nan, FOLLOWS)
        for one in coverage_of(regions, fewest=1)
        if (one.sequence, one.by) == (ALL, ALL_REGIONS)
    ]


def _median_near(regions: Rows, name: str, log_mu: float) -> FloatArray:
    """Median of a column in a green-valley bin of mu* around log_mu; NaN if no region is there."""
    near = np.abs(regions["log_mu_star"] - log_mu) < adopted.GREEN_VALLEY_BIN_DEX / 2
    return np.nanmedian(regions[name][near]) if near.any() else np.nan
