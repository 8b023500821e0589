"""Completeness limits from mass-to-light ratios that are known."""

import numpy as np
import pytest

from engine.adopted import M_SUN_R_AB
from engine.relations.completeness import completeness_limits
from engine.relations.green_valley import EQUATION_3


def regions(log_ml, log_age, n=4000, seed=8):
    """Regions of one mass-to-light ratio: brightness follows from mu_star (science.md: 1.49 at 22.5 and M/L 1)."""
    rng = np.random.default_rng(seed)
    log_mu_star = rng.uniform(0.5, 4.0, n)
    sb_r = M_SUN_R_AB + 21.572 - 2.5 * (log_mu_star - log_ml)
    return log_mu_star, sb_r, np.full(n, log_age), np.ones(n)


def test_the_limits_are_those_of_the_mass_to_light_ratios():
    old, young = regions(np.log10(3.0), 9.9), regions(np.log10(0.5), 8.8)
    limits = completeness_limits(*(np.concatenate(pair) for pair in zip(old, young, strict=True)), EQUATION_3)
    assert limits == pytest.approx((1.97, 1.19), abs=0.01)


def test_a_brighter_limit_costs_0_4_dex_per_magnitude():
    table = regions(0.0, 8.8)
    deep, shallow = (completeness_limits(*table, EQUATION_3, limit=limit)[1] for limit in (22.5, 21.5))
    assert shallow - deep == pytest.approx(0.4, abs=1e-9)


def test_a_sequence_without_regions_has_no_limit():
    assert np.isnan(completeness_limits(*regions(0.0, 8.8), EQUATION_3)[0])


def test_regions_far_above_the_limit_do_not_count_and_others_by_their_weight():
    """M/L 1 near the limit; M/L 3 and much weight more than a magnitude above it, M/L 5 and little weight near it."""
    near, heavy = regions(0.0, 8.8), regions(np.log10(5.0), 8.8)
    bright = [column[regions(np.log10(3.0), 8.8)[1] < 21.4] for column in regions(np.log10(3.0), 8.8)]
    heavy[3][:] = 1e-3
    bright[3][:] = 10.0
    columns = (np.concatenate(parts) for parts in zip(near, heavy, bright, strict=True))
    assert completeness_limits(*columns, EQUATION_3)[1] == pytest.approx(1.49, abs=0.01)
