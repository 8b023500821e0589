"""The demo stage from end to end, with toy libraries in place of the real ones."""

import dataclasses

import numpy as np
import pytest

from engine.adopted import SNR_MINIMUM_PER_ANGSTROM, SURFACE_BRIGHTNESS_LIMIT
from engine.mock.settings import MockSettings
from engine.mock.toy import toy_library
from precompute.io.products import read_survey
from precompute.stages import demo

SMALL = dataclasses.replace(MockSettings(), n_galaxies=4, log_mass_range=(10.5, 12.0))  # few galaxies to draw from


@pytest.fixture(scope="module", autouse=True)
def toy_models():
    libraries = demo.Libraries(toy_library(3000, seed=1), toy_library(1500, seed=3), toy_library(500, seed=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "build_libraries", lambda *_: libraries)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a survey, the report on it, and how far each phase of its making came."""
    folder, seen = tmp_path_factory.mktemp("demo"), {}
    report = run(folder, phases=lambda words: lambda done, total: seen.update({words: (done, total)}))
    return folder, report, seen


def run(folder, seed=7, **words):
    return demo.run_demo(folder, n_model=500, seed=seed, settings=SMALL, **words)


def test_the_survey_on_disk_says_mock_and_keeps_its_settings_and_its_comparison(made):
    folder, report, _ = made
    regions, galaxies, meta = read_survey(folder)
    assert meta["origin"] == "mock"
    assert meta["settings"]["mock"]["n_galaxies"] == 4
    assert {line["quantity"] for line in meta["settings"]["comparison"]} == set(report)
    assert galaxies["n_regions"].sum() == len(regions["region_id"])
    assert np.all(regions["sb_r"] < SURFACE_BRIGHTNESS_LIMIT)
    assert np.all(regions["snr_per_angstrom"] >= SNR_MINIMUM_PER_ANGSTROM)
    assert not np.array_equal(regions["log_mu_star"], regions["true_log_mu_star"])


def test_the_same_seed_gives_the_same_files_and_another_does_not(made, tmp_path):
    for name, seed in (("again", 7), ("other", 8)):
        run(tmp_path / name, seed)
    first, again, other = (read_survey(folder) for folder in (made[0], tmp_path / "again", tmp_path / "other"))
    assert first[2]["survey_id"] == again[2]["survey_id"] != other[2]["survey_id"]
    assert all(np.array_equal(first[0][name], again[0][name], equal_nan=True) for name in first[0])


def test_every_phase_reports_its_end(made):
    seen = made[2]
    assert {"observing galaxies", "measuring regions"} <= set(seen)
    assert all(done == total for done, total in seen.values())


@pytest.mark.paper
def test_a_real_sample_lends_its_galaxies(shared, tmp_path):
    table = shared / "califa_dr3" / "objects.csv"
    real = demo.real_galaxies(table)
    assert len(real.galaxy_id) == 363
    assert np.all((real.position_angle >= 0) & (real.position_angle < 180))
    few = tmp_path / "few.csv"
    lines = table.read_text().splitlines()
    few.write_text("\n".join(lines[:4]) + "\n")
    run(tmp_path / "survey", sample=few)
    _, galaxies, meta = read_survey(tmp_path / "survey")
    assert galaxies["name"][0] == "mock IC5376"
    assert galaxies["log_M_star"][0] == pytest.approx(10.655, abs=1e-3)
    assert list(meta["inputs"]) == ["few.csv"]
