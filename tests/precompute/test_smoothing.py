"""The comparison of smoothings on made-up surveys whose differences are known."""

import numpy as np
import pytest
from astropy.io import ascii as text_tables
from astropy.io import fits
from astropy.table import Table

from engine.columns import MOCK
from engine.errors import SampleError, SettingsError
from precompute.io.products import read_survey, write_survey
from precompute.stages import smoothing as stage
from precompute.stages.run import RunSummary
from tests.conftest import write_small_survey

OF_TILES, OF_SMOOTHED = -0.05, 0.30  # dex that ages are off in Voronoi bins and in smoothed spaxels


def write(folder, change):
    """The small survey with its ages changed by a function of its columns; returns columns and galaxies."""
    write_small_survey(folder)
    regions, galaxies, _ = read_survey(folder)
    true = dict(regions)
    regions["log_age_wr"] = change(regions).astype(np.float32)
    write_survey(folder, regions, galaxies, origin=MOCK, settings={}, inputs={})
    return true, galaxies


@pytest.fixture
def survey_file(tmp_path, monkeypatch):
    """A survey file of a mock with results of both binnings beside it; nothing is run."""
    monkeypatch.setattr(stage, "run_plan", lambda plan, *_more: RunSummary([], set(), plan.out, 0))
    file = tmp_path / "survey.toml"
    file.write_text(f'[survey]\nname = "made up"\norigin = "{MOCK}"\ncatalogue = "facts.csv"\nout = "survey"\n')
    (tmp_path / "facts.csv").write_text("galaxy_id,name,redshift\n1,mock 001,0.01\n")
    smoothed = lambda regions: np.where(regions["smoothing_level"] > 1, OF_SMOOTHED, 0.0)  # noqa: E731
    true, galaxies = write(tmp_path / "survey", lambda regions: regions["log_age_wr"] + smoothed(regions))
    write(tmp_path / "survey-voronoi", lambda regions: regions["log_age_wr"] + OF_TILES)
    for number, name in zip(galaxies["galaxy_id"], galaxies["name"], strict=True):
        write_truth(tmp_path / "truth", str(name), true, true["galaxy_id"] == number)
    return file


def write_truth(folder, name, regions, mine):
    folder.mkdir(exist_ok=True)
    hdus = [fits.PrimaryHDU()]
    for column in ("log_mu_star", "log_age_wr", "log_Z_wr"):
        plane = np.full((80, 80), np.nan, np.float32)
        plane[regions["y"][mine], regions["x"][mine]] = regions[column][mine]
        hdus.append(fits.ImageHDU(plane, name=column.upper()))
    fits.HDUList(hdus).writeto(folder / f"{stage.file_stem(name)}.fits")


def test_each_sample_holds_its_regions_and_its_shift(survey_file):
    plan = stage.read_survey_file(survey_file)
    samples = {one.name: one for one in stage.gather(plan, stage.voronoi_plan(plan))}
    assert list(samples) == [stage.ALL, stage.UNSMOOTHED, stage.TILES, stage.TRUE]
    regions, _, _ = read_survey(plan.out)
    first = regions["smoothing_level"] == 1
    assert len(samples[stage.UNSMOOTHED].regions["x"]) == first.sum()
    assert (samples[stage.UNSMOOTHED].regions["smoothing_level"] == 1).all()
    truth = samples[stage.TRUE].lines["log_age_wr"]
    shift, width = stage.distance(truth, samples[stage.TILES].lines["log_age_wr"])
    assert shift == pytest.approx(OF_TILES, abs=1e-5)
    assert width == pytest.approx(1.0, abs=1e-3)
    shift, _ = stage.distance(samples[stage.TRUE].lines["log_Z_wr"], samples[stage.ALL].lines["log_Z_wr"])
    assert shift == 0.0
    assert stage.distance(truth, samples[stage.ALL].lines["log_age_wr"])[0] > 0.1


def test_words_table_and_figure_come_out(survey_file):
    words = stage.compare_smoothing(survey_file).sentences
    plan = stage.read_survey_file(survey_file)
    assert any(line.startswith(f"{stage.TILES} against {stage.ALL}") for line in words)
    assert (plan.out / stage.FIGURE).read_bytes()[:4] == b"\x89PNG"
    table: Table = text_tables.read(plan.out / stage.TABLE)
    rows = {(row["sample"], row["quantity"], row["log_mu_star"]): row["median"] for row in table}
    pairs = [(rows[key], rows[(stage.TRUE, *key[1:])]) for key in rows if key[0] == stage.TILES]
    ages = [(found, true) for (found, true), key in zip(pairs, (k for k in rows if k[0] == stage.TILES), strict=True)
            if key[1] == "log_age_wr"]  # fmt: skip
    assert len(ages) > 3
    assert [found - true for found, true in ages] == pytest.approx([OF_TILES] * len(ages), abs=2e-4)


def test_a_survey_without_unsmoothed_regions_cannot_be_compared(survey_file):
    plan = stage.read_survey_file(survey_file)
    regions, galaxies, _ = read_survey(plan.out)
    regions["smoothing_level"][:] = 2
    write_survey(plan.out, regions, galaxies, origin=MOCK, settings={}, inputs={})
    with pytest.raises(SampleError, match="every region is smoothed"):
        stage.gather(plan, stage.voronoi_plan(plan))


def test_a_survey_in_voronoi_bins_is_refused(survey_file):
    survey_file.write_text(survey_file.read_text() + 'binning = "voronoi"\n')
    with pytest.raises(SettingsError, match="adaptive"):
        stage.compare_smoothing(survey_file)
