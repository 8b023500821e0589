"""What a cut selects, against a walk over single regions."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.columns import GALAXY
from engine.figures.cut import FITTED, OLD_RIDGE, SEQUENCES, SMOOTHINGS, UNSMOOTHED, YOUNG_SEQUENCE, Cut, Range
from engine.figures.sample import full_sample, region_mask, select, valley_in_force
from engine.figures.table import Table
from engine.relations.green_valley import EQUATION_3, ValleyLine, fit_green_valley
from tests.engine.figures.conftest import make_columns
from tests.reference import figures_plain

FLAT = ValleyLine(0.0, 9.5)


@st.composite
def ranges(draw):
    """Some ranges of columns of either table, open or closed, also empty ones."""
    bounds = {
        "log_M_star": (9.0, 11.5), "log_mu_e": (1.5, 3.5), "log_mu_star": (0.5, 4.0), "log_age_wr": (8.5, 10.2),
        "log_age_wr_err": (0.0, 0.4), "radius_re": (0.0, 5.0),
    }  # fmt: skip
    names = draw(st.lists(st.sampled_from(sorted(bounds)), unique=True, max_size=3))
    end = {name: st.none() | st.floats(*bounds[name]) for name in names}
    return {name: Range(draw(end[name]), draw(end[name])) for name in names}


cuts = st.builds(
    Cut,
    ranges=ranges(),
    sequence=st.sampled_from(SEQUENCES),
    smoothing=st.sampled_from(SMOOTHINGS),
    galaxies=st.none() | st.lists(st.sampled_from(range(10, 110, 10)), max_size=4).map(tuple),
    types=st.none() | st.lists(st.sampled_from(("E", "S b", "Q")), max_size=2).map(tuple),
    valley=st.sampled_from((EQUATION_3, FLAT)),
)
property_test = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plain_mask(table: Table, cut: Cut) -> np.ndarray:
    line = valley_in_force(table, cut.valley, "area/V'max")
    names = ["log_mu_star", "log_age_wr", "log_age_wr_err", "smoothing_level", "galaxy_id"]
    region = [
        {name: table[name][i] for name in names} | {"radius_re": table["radius_re"][i]} for i in range(table.n_regions)
    ]
    galaxy = {
        int(table.galaxy("galaxy_id")[g]): {
            name: table.galaxy(name)[g] for name in GALAXY if name != "galaxy_id" and table.galaxy(name) is not None
        }
        for g in range(len(table.galaxy("galaxy_id")))
    }
    return np.array([figures_plain.holds(cut, row, galaxy[int(row["galaxy_id"])], line) for row in region])


@property_test
@given(cut=cuts)
def test_a_cut_keeps_the_regions_a_walk_over_all_rows_keeps(table, cut):
    mask = region_mask(table, cut)
    expected = plain_mask(table, cut)
    np.testing.assert_array_equal(np.ones(table.n_regions, bool) if mask is None else mask, expected)
    sample = select(table, cut)
    assert sample.n_regions == expected.sum()
    assert sample.n_galaxies == len(np.unique(table["galaxy_id"][expected]))


@property_test
@given(cut=cuts, part=cuts)
def test_a_part_of_a_sample_is_the_sample_of_both_cuts(table, cut, part):
    narrowed = select(table, cut).part(part)
    together = select(table, cut & part)
    assert narrowed.cut == together.cut
    np.testing.assert_array_equal(narrowed["log_mu_star"], together["log_mu_star"])


@property_test
@given(cut=cuts)
def test_columns_in_rising_order_are_the_sorted_columns(table, cut):
    sample = select(table, cut)
    order = np.argsort(sample["log_Z_wr"], kind="stable")
    np.testing.assert_array_equal(sample.rising("log_Z_wr", "log_Z_wr"), sample["log_Z_wr"][order])
    beside = sample["log_M_star"][order], sample.rising("log_M_star", "log_Z_wr")
    in_order = sample["log_Z_wr"][order]
    known = np.isfinite(in_order)
    pairs = [sorted(zip(in_order[known], masses[known], strict=True)) for masses in beside]
    assert pairs[0] == pairs[1]  # rows of equal metallicity may change places


def test_ranges_hold_their_lower_end_and_not_their_upper_one(table):
    mass = table.galaxy("log_M_star")
    cut = Cut(ranges={"log_M_star": Range(float(mass[2]), float(mass[4]))})
    assert set(select(table, cut)["galaxy_id"]) == {30, 40}


def test_the_sequences_share_all_regions_whose_age_and_density_are_known(table):
    known = np.isfinite(table["log_mu_star"]) & np.isfinite(table["log_age_wr"])
    old, young = (region_mask(table, Cut(sequence=name)) for name in (OLD_RIDGE, YOUNG_SEQUENCE))
    assert not (old & young).any()
    np.testing.assert_array_equal(old | young, known)


def test_a_fitted_valley_is_the_fit_to_the_full_sample_whatever_is_selected(table):
    cut = Cut(ranges={"log_M_star": (10.0, None)}, sequence=OLD_RIDGE, valley=FITTED)
    fitted = fit_green_valley(table["log_mu_star"], table["log_age_wr"], table.weight("area"))
    np.testing.assert_array_equal(select(table, cut, "area").line, fitted)


def test_two_sequences_at_once_hold_no_region(table):
    assert select(table, Cut(sequence=OLD_RIDGE) & Cut(sequence=YOUNG_SEQUENCE)).n_regions == 0


def test_a_table_without_smoothing_levels_has_no_region_known_to_be_unsmoothed():
    regions, galaxies = make_columns()
    del regions["smoothing_level"]
    assert select(Table(regions, galaxies), Cut(smoothing=UNSMOOTHED)).n_regions == 0


def test_everything_selected_is_the_table_itself(table):
    sample = select(table)
    assert sample.is_full
    assert sample["log_age_wr"] is table["log_age_wr"]
    assert sample.n_galaxies == len(np.unique(table["galaxy_id"]))


def test_what_a_visitor_draws_by_hand_is_not_kept_with_the_table():
    table = Table(*make_columns())
    full_sample(table, "area")
    before = len(table._made)
    for slope in np.linspace(-1, 1, 20):
        sample = select(table, Cut(sequence=OLD_RIDGE, valley=ValleyLine(slope, 9.4)), "area")
        full_sample(table, "area", sample.cut.valley)
    assert len(table._made) - before < 3


@pytest.mark.parametrize(("part", "kept"), [({}, True), ({"log_M_star": (10.0, None)}, False)])
def test_only_results_of_the_full_sample_are_kept_with_the_table(part, kept):
    table = Table(*make_columns())
    calls = []
    for _ in range(2):
        select(table, Cut(ranges=part)).once("key", lambda: calls.append(1))
    assert len(calls) == (1 if kept else 2)
