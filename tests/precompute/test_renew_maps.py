"""Maps beside a survey that is measured again are those of its table, or stay as they are and are named."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from engine.columns import MOCK
from precompute.io.library import save_library
from precompute.io.map_files import write_plain_maps
from precompute.io.products import read_survey, write_survey
from precompute.layout import maps_file
from precompute.stages.measure import MeasureRequest, run_measure
from precompute.stages.renew_maps import RENEWED
from tests.conftest import write_small_survey
from tests.reference.toy_library import toy_library

KEPT = "HBETA"  # a map that measuring again does not change


@pytest.fixture(scope="module")
def survey_to_copy(tmp_path_factory):
    """Folder of a survey of two galaxies with a library and the maps of the first."""
    folder = tmp_path_factory.mktemp("survey")
    write_small_survey(folder, n_galaxies=2)
    regions, galaxies, _ = read_survey(folder)
    regions = {name: values[::12] for name, values in regions.items()}
    galaxies["n_regions"] = np.array([(regions["galaxy_id"] == number).sum() for number in galaxies["galaxy_id"]])
    regions["chi2"] = np.full(len(regions["x"]), 3.0, np.float32)
    write_survey(folder, regions, galaxies, origin=MOCK, settings={}, inputs={})
    save_library(toy_library(500, np.random.default_rng(1)), folder / "library.npz")
    write_maps_of(folder, 1)
    return folder


@pytest.fixture
def survey(survey_to_copy, tmp_path):
    """A copy of it that a test may change."""
    return shutil.copytree(survey_to_copy, tmp_path / "survey")


def of_galaxy(folder, number):
    regions = read_survey(folder)[0]
    return {name: values[regions["galaxy_id"] == number] for name, values in regions.items()}


def write_maps_of(folder, number):
    rows = of_galaxy(folder, number)
    shape = (rows["y"].max() + 3, rows["x"].max() + 2)
    maps = {}
    for name in (*RENEWED, KEPT.lower()):
        maps[name] = np.full(shape, np.nan, np.float32)
        maps[name][rows["y"], rows["x"]] = rows[name]
    flags = np.full(shape, 1, np.int32)
    flags[rows["y"], rows["x"]] = rows["flags"]
    path = maps_file(folder, f"mock {number:03d}")
    path.parent.mkdir()
    facts = {"galaxy": f"mock {number:03d}", "origin": MOCK, "software": "glocal"}
    write_plain_maps(maps, WCS(naxis=2), facts, path, [fits.ImageHDU(flags, name="FLAGS")])


@pytest.mark.parametrize("out", ["survey", "out"])
def test_maps_hold_the_new_estimates_and_keep_all_else(survey, tmp_path, out):
    old_path = maps_file(survey, "mock 001")
    with fits.open(old_path, memmap=False) as hdus:
        before = {hdu.name: hdu.data for hdu in hdus}
    words = run_measure(MeasureRequest(survey, tmp_path / out)).sentences
    assert "Maps of 1 galaxies follow the new estimates." in words
    rows = of_galaxy(tmp_path / out, 1)
    place = rows["y"], rows["x"]
    with fits.open(maps_file(tmp_path / out, "mock 001"), memmap=False) as after:
        for name in (*RENEWED, "flags"):
            np.testing.assert_array_equal(after[name.upper()].data[place], rows[name])
        assert not np.array_equal(after["LOG_AGE_WR"].data, before["LOG_AGE_WR"], equal_nan=True)
        np.testing.assert_array_equal(after[KEPT].data, before[KEPT])
        elsewhere = np.ones(before["FLAGS"].shape, bool)
        elsewhere[place] = False
        np.testing.assert_array_equal(after["FLAGS"].data[elsewhere], before["FLAGS"][elsewhere])
        assert np.isnan(after["LOG_AGE_WR"].data[elsewhere]).all()
        told = {row["key"]: row["value"] for row in Table(after["PROVENANCE"].data)}
    assert told["galaxy"] == "mock 001"
    assert json.loads(told["posteriors"])["library"]["source"] == "toy"


def test_a_survey_measured_twice_in_place_has_the_maps_of_the_second_time(survey):
    run_measure(MeasureRequest(survey, survey))
    run_measure(MeasureRequest(survey, survey, least_models=0))
    rows = of_galaxy(survey, 1)
    with fits.open(maps_file(survey, "mock 001"), memmap=False) as maps:
        np.testing.assert_array_equal(maps["LOG_AGE_WR_ERR"].data[rows["y"], rows["x"]], rows["log_age_wr_err"])


@pytest.mark.parametrize("harm", ["of another table", "broken", "without chi-square"])
def test_maps_that_do_not_belong_or_are_broken_are_named_and_left(survey, harm):
    path = maps_file(survey, "mock 001")
    if harm == "broken":
        path.write_bytes(path.read_bytes()[:100])
    elif harm == "of another table":
        with fits.open(path, mode="update", memmap=False) as maps:
            maps["LOG_AGE_WR"].data += 0.1
    else:
        with fits.open(path, mode="update", memmap=False) as maps:
            del maps["CHI2"]
    before = path.read_bytes()
    report = run_measure(MeasureRequest(survey, survey))
    assert report.sentences[-1].startswith(f"Maps of mock 001 are left as they are: {path}")
    assert report.failed == ["mock 001"]
    assert path.read_bytes() == before
