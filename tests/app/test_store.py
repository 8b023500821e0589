"""A survey in memory: right rows, right weights, and one plain sentence for what is not a survey."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.store import WEIGHTINGS, Survey, open_survey
from engine.errors import TableError
from precompute.io.products import read_survey


@pytest.fixture(scope="module")
def survey(small_survey) -> Survey:
    return open_survey(small_survey)


@pytest.fixture
def copied(small_survey, tmp_path):
    return shutil.copytree(small_survey, tmp_path / "survey")


def rewrite(path, **changes) -> None:
    table = pq.read_table(path)
    meta = json.loads(table.schema.metadata[b"glocal"]) | changes
    pq.write_table(table.replace_schema_metadata({b"glocal": json.dumps(meta)}), path)


def test_columns_are_those_of_the_file(survey, small_survey):
    regions, _, _ = read_survey(small_survey)
    for name in ("log_mu_star", "log_age_wr", "log_Z_wr", "smoothing_level"):
        np.testing.assert_array_equal(survey[name], regions[name])


def test_a_region_carries_the_mass_of_its_own_galaxy(survey, small_survey):
    regions, galaxies, _ = read_survey(small_survey)
    mass = dict(zip(galaxies["galaxy_id"].tolist(), galaxies["log_M_star"].tolist(), strict=True))
    expected = [mass[i] for i in regions["galaxy_id"].tolist()]
    np.testing.assert_allclose(survey["log_M_star"], expected, rtol=1e-6)


def test_the_maps_of_a_galaxy_hold_all_its_columns_and_no_other_galaxy(survey, small_survey):
    regions, galaxies, _ = read_survey(small_survey)
    for galaxy_id in galaxies["galaxy_id"]:
        maps = survey.galaxy_maps(galaxy_id)
        here = regions["galaxy_id"] == galaxy_id
        assert set(maps) == set(regions)
        np.testing.assert_array_equal(maps["d4000n"], regions["d4000n"][here])
        np.testing.assert_array_equal(survey["x"][survey.rows(galaxy_id)], regions["x"][here])


def test_an_unknown_galaxy_has_no_rows_and_no_maps(survey):
    assert survey.rows(-5) == slice(0, 0)
    assert len(survey.galaxy_maps(-5)["x"]) == 0
    assert survey.galaxy_row(-5) is None


def test_weights_are_the_columns_they_are_named_after_with_mean_one(survey, small_survey):
    regions, _, _ = read_survey(small_survey)
    equal = np.ones(len(regions["x"]))
    columns = {"area/V'max": regions["weight"], "area": regions["area_pc2"], "equal": equal}
    assert columns.keys() == set(WEIGHTINGS)
    for weighting, column in columns.items():
        np.testing.assert_allclose(survey.weight(weighting), column / column.mean(dtype=float), rtol=1e-4)


def test_what_visitors_share_cannot_be_changed_in_place(survey):
    for array in (survey["log_mu_star"], survey["log_M_star"], survey.weight("equal"), survey.order("log_Z_wr")):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_an_absent_column_is_none_and_not_an_error(survey):
    assert survey["no_such_column"] is None
    assert not survey.tells("no_such_column")


def test_the_stamp_of_a_mock_says_mock_and_its_seed(survey):
    assert "MOCK" in survey.stamp
    assert "seed 5" in survey.stamp


def test_measured_data_wear_no_stamp(copied):
    for name in ("regions.parquet", "galaxies.parquet"):
        rewrite(copied / name, origin="measured")
    assert open_survey(copied).stamp == ""


def test_a_survey_is_opened_once_and_again_when_its_files_change(copied):
    first = open_survey(copied)
    assert open_survey(copied) is first
    rewrite(copied / "regions.parquet")
    assert open_survey(copied) is not first


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"schema_version": 99}, "schema version 99"), ({"survey_id": "other"}, "do not belong together")],
)
def test_a_survey_of_another_kind_is_refused_in_one_sentence(copied, changes, words):
    rewrite(copied / "galaxies.parquet", **changes)
    with pytest.raises(TableError, match=words):
        open_survey(copied)


def test_a_missing_file_is_named(copied):
    (copied / "galaxies.parquet").unlink()
    with pytest.raises(TableError, match=r"galaxies\.parquet"):
        open_survey(copied)


def test_a_file_that_is_no_parquet_is_named(copied):
    (copied / "regions.parquet").write_text("hello")
    with pytest.raises(TableError, match=r"regions\.parquet"):
        open_survey(copied)
