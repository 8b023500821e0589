"""Tables are refused for the right reason, in one sentence that names the column and what came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.columns import REGION, REGION_COLUMNS
from engine.errors import TableError
from engine.table_checks import check_column, check_galaxies, check_pair, check_regions

NUMERIC = [c for c in REGION_COLUMNS if c.limits]


def sound_regions(n: int = 4) -> dict:
    table = {c.name: np.full(n, 0.5 * sum(c.limits) if c.limits else 0) for c in REGION_COLUMNS if c.required}
    return table | {"region_id": np.arange(n), "galaxy_id": np.zeros(n, int), "x": np.arange(n), "y": np.zeros(n, int)}


def sound_galaxies() -> dict:
    numbers = {
        "galaxy_id": 0, "redshift": 0.01, "log_M_star": 10, "log_mu_e": 2, "inv_vmax": 1e-5, "pc_per_arcsec": 200,
        "spaxel_arcsec": 1, "n_regions": 4,
    }  # fmt: skip
    table = {name: np.array([value]) for name, value in numbers.items()}
    return table | {"name": np.array(["mock"]), "origin": np.array(["mock"])}


def test_sound_tables_pass_and_come_back_in_the_declared_types_and_order():
    checked = check_regions(dict(reversed(sound_regions().items())))
    assert list(checked) == [c.name for c in REGION_COLUMNS if c.required]
    assert all(checked[name].dtype == np.dtype(REGION[name].dtype) for name in checked)
    check_pair(checked, check_galaxies(sound_galaxies()))


def refuse(change: dict, message: str, check=check_regions, table=sound_regions):
    with pytest.raises(TableError, match=message) as refusal:
        check(table() | change, "their.fits")
    assert str(refusal.value).startswith("their.fits")
    assert "\n" not in str(refusal.value)


def test_a_negative_weight_is_refused():
    refuse({"weight": np.array([1.0, 2.0, -3.0, 1.0])}, r"weight is negative in row 2 \(-3 pc2 / Mpc3\)")


def test_infinite_values_are_refused_everywhere():
    refuse(
        {"log_age_wr": np.array([9.0, np.inf, 9.0, -np.inf])}, "log_age_wr is infinite in 2 rows, the first is row 1"
    )


def test_nan_is_refused_where_a_value_is_needed():
    refuse({"weight": np.array([1.0, np.nan, 1.0, 1.0])}, r"weight has no value \(NaN\) in row 1")


def test_nan_is_allowed_where_a_region_without_value_is_kept():
    assert np.isnan(check_regions(sound_regions() | {"log_mu_star": np.full(4, np.nan)})["log_mu_star"]).all()


def test_the_same_spaxel_twice_is_refused():
    refuse({"x": np.array([0, 1, 1, 2])}, "spaxel x=1, y=0 of galaxy 0 occurs more than once")


def test_the_same_region_number_twice_is_refused():
    refuse({"region_id": np.array([0, 5, 5, 2])}, "region_id 5 occurs more than once")


def test_a_missing_column_is_named():
    table = sound_regions()
    del table["log_Z_wr"]
    with pytest.raises(TableError, match="column log_Z_wr is missing"):
        check_regions(table)


def test_an_unknown_column_is_named():
    refuse({"mu": np.zeros(4)}, "no column is called 'mu'")


def test_an_empty_table_is_refused():
    with pytest.raises(TableError, match="is empty"):
        check_regions({name: values[:0] for name, values in sound_regions().items()})


def test_columns_of_different_length_are_refused():
    refuse({"weight": np.ones(3)}, "column weight has 3 rows, but")


def test_whole_numbers_must_be_whole():
    refuse({"x": np.array([0.0, 1.0, 1.5, 2.0])}, "column x must hold whole numbers")


def test_words_where_numbers_belong_are_refused():
    refuse({"weight": np.array(["a", "b", "c", "d"])}, "column weight must be a list of numbers")


def test_an_age_beyond_its_limits_is_refused_with_its_unit():
    refuse({"log_age_wr": np.array([9.0, 9.0, 9.0, 12.0])}, r"outside 5 to 10.5 in row 3 \(12 dex\(yr\)\)")


def test_an_unknown_origin_of_a_galaxy_is_refused():
    refuse({"origin": np.array(["guess"])}, "mock or measured, not 'guess'", check_galaxies, sound_galaxies)


def test_the_same_galaxy_twice_is_refused():
    twice = {name: np.repeat(values, 2) for name, values in sound_galaxies().items()}
    refuse(twice, "galaxy_id 0 occurs more than once", check_galaxies, sound_galaxies)


def test_regions_without_a_galaxy_are_refused():
    regions = check_regions(sound_regions() | {"galaxy_id": np.array([0, 0, 9, 9])})
    with pytest.raises(TableError, match="regions of galaxy 9 have no row in the galaxy table"):
        check_pair(regions, sound_galaxies())


def test_a_wrong_count_of_regions_is_refused():
    with pytest.raises(TableError, match="galaxy 0 has 4 regions, but n_regions says 3"):
        check_pair(sound_regions(), sound_galaxies() | {"n_regions": np.array([3])})


@given(st.sampled_from(NUMERIC), st.lists(st.floats(), min_size=1, max_size=20))
def test_whatever_passes_is_finite_or_allowed_nan_and_within_limits(column, values):
    try:
        passed = check_column(np.array(values), column, "table")
    except TableError:
        return
    assert not np.isinf(passed).any()
    assert column.may_be_nan or not np.isnan(passed).any()
    low, high = column.limits
    finite = passed[~np.isnan(passed)]
    assert np.all((finite >= low) & (finite <= high))
