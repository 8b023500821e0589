"""Numbers beside the paper's: arithmetic truth, and errors that come from galaxies."""

import json

import numpy as np
import pytest

from engine import adopted
from engine.figures.cut import Cut
from engine.figures.numbers import PRINTED, _line_of_sums, as_json, compare, threshold
from engine.figures.sample import select
from engine.figures.table import Table


def survey(n_galaxies: int = 60, per_galaxy: int = 300, seed: int = 2) -> Table:
    """Galaxies whose regions are old above 10^10.3 and young below, one regions' property constant in each galaxy."""
    rng = np.random.default_rng(seed)
    mass = np.sort(rng.uniform(9.0, 11.5, n_galaxies))
    galaxies = {
        "galaxy_id": np.arange(n_galaxies), "log_M_star": mass, "n_regions": np.full(n_galaxies, per_galaxy),
        "log_mu_e": 0.55 * (mass - 10.0) + 2.4 + 0.3 * rng.standard_normal(n_galaxies),
        "n_spaxels_above_cut": np.full(n_galaxies, 2 * per_galaxy),
    }  # fmt: skip
    of = np.repeat(np.arange(n_galaxies), per_galaxy)
    n = of.size
    log_mu_star = 2.2 + 0.2 * (mass[of] - 10.0) + 0.4 * rng.standard_normal(n)
    regions = {
        "galaxy_id": of, "log_mu_star": log_mu_star, "weight": rng.lognormal(0, 0.5, n), "area_pc2": np.ones(n),
        "log_age_wr": np.where(mass[of] > 10.3, 9.85, 9.2) + 0.05 * rng.standard_normal(n),
        "smoothing_level": np.where(of % 2, 1, 3), "log_age_wr_err": 0.01 * of, "log_Z_wr_err": np.full(n, 0.2),
        "log_mu_star_err": np.full(n, 0.1),
    }  # fmt: skip
    return Table(regions, galaxies)


@pytest.fixture(scope="module")
def numbers():
    found = compare(select(survey()), np.random.default_rng(1), 60)
    return {number.key: number for number in found}


def test_counts_and_shares_are_arithmetic(numbers):
    assert numbers["regions"].here == 18_000
    assert numbers["galaxies"].here == 60
    assert numbers["share_kept"].here == 0.5
    assert numbers["level_1"].here == numbers["level_3"].here == 0.5
    assert numbers["level_2"].here == 0.0
    assert numbers["share_old"].here + numbers["share_young"].here == pytest.approx(1.0)


def test_the_mass_at_which_ages_turn_is_found(numbers):
    assert numbers["threshold_mass"].here == pytest.approx(10.3, abs=0.05)
    assert numbers["threshold_mass"].paper == adopted.LOG_M_STAR_THRESHOLD


def test_regions_below_a_density_of_100_do_not_count_for_the_mass_at_which_ages_turn():
    """ZG22 sec. 5 states it for log mu* above 2; here all sparser regions are old."""
    table = survey()
    sparse = table["log_mu_star"] < 2.0
    table["log_age_wr"][sparse] = 9.85
    found = {number.key: number.here for number in compare(select(table), groups=("balance",))}
    assert sparse.mean() > 0.2
    assert found["threshold_mass"] == pytest.approx(10.3, abs=0.05)


def test_errors_are_those_of_a_quarter_of_a_dex_round_their_density():
    table = survey()
    table["log_age_wr_err"][:] = np.abs(table["log_mu_star"] - 2.0)
    found = {number.key: number.here for number in compare(select(table), groups=("errors",))}
    assert found["log_age_wr_err_at_2"] == pytest.approx(0.125 / 2, abs=0.005)


def test_a_sample_of_one_sequence_has_no_threshold():
    mass = np.array([9.0, 10.0, 11.0])
    assert np.isnan(threshold(mass, np.ones(3), np.zeros(3)))
    assert np.isnan(threshold(mass, np.zeros(3), np.ones(3)))
    assert threshold(mass, np.array([0.0, 0.0, 2.0]), np.array([3.0, 1.0, 0.0])) == 10.5


def test_the_slope_of_local_density_is_the_weighted_least_squares_of_all_regions(numbers):
    table = survey()
    x, y, w = table["log_M_star"], table["log_mu_star"], table.weight("area/V'max")
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(w))
    assert numbers["mu_star_log_M_star_slope"].here == pytest.approx(slope, rel=1e-5)
    rms = np.sqrt(np.average((y - slope * x - intercept) ** 2, weights=w))
    assert numbers["mu_star_log_M_star_scatter"].here == pytest.approx(rms, rel=1e-5)


def test_sums_at_each_place_are_all_a_line_needs():
    x = np.array([1.0, 2.0, 4.0, np.nan])
    y = [2.0 * x, 2.0 * x + 1.0, 2.0 * x - 1.0]
    sums = [np.full(4, 3.0), sum(y), sum(each**2 for each in y)]
    slope, scatter = _line_of_sums(x, sums)
    assert slope == pytest.approx(2.0)
    assert scatter == pytest.approx(np.sqrt(2 / 3))


def test_errors_come_from_galaxies_not_from_regions(numbers):
    """An error column that is constant in each galaxy: its median scatters as that of 60 draws, not of 18 000."""
    found = numbers["log_age_wr_err_at_2"]
    assert found.here == pytest.approx(0.3, abs=0.1)
    assert 0.005 < found.error < 0.08
    assert np.isnan(numbers["regions"].error)


def test_the_share_of_levels_scatters_as_galaxies_do(numbers):
    assert numbers["level_1"].error == pytest.approx(0.5 / np.sqrt(60), rel=0.35)


def test_without_chance_there_are_no_errors_and_the_same_numbers(numbers):
    plain = {number.key: number for number in compare(select(survey()))}
    assert all(np.isnan(number.error) for number in plain.values())
    np.testing.assert_equal([n.here for n in plain.values()], [numbers[key].here for key in plain])


def test_numbers_follow_the_selection():
    young = {n.key: n.here for n in compare(select(survey(), Cut(ranges={"log_M_star": (None, 10.0)})))}
    assert young["share_old"] < 0.01
    assert young["regions"] < 18_000


def test_a_table_without_columns_leaves_their_numbers_out():
    table = survey()
    for name in ("smoothing_level", "log_Z_wr_err"):
        del table._regions[name]
    keys = {number.key for number in compare(select(table))}
    assert "level_1" not in keys
    assert not any("err_at" in key for key in keys)
    assert "valley_slope" in keys


def test_every_number_has_words_and_a_place_in_the_paper(numbers):
    assert set(numbers) == set(PRINTED)
    told = json.loads(json.dumps(as_json(list(numbers.values())), allow_nan=False))
    assert all(line["source"].startswith("ZG22 ") and line["quantity"] for line in told)
    by_key = {line["key"]: line for line in told}
    assert by_key["mu_e_mass_slope"]["paper"] == 0.55
    assert by_key["share_old"]["paper"] is None
