"""One broken galaxy is one sentence and stops nothing; a catalogue that cannot be followed stops all at once."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from engine.errors import SampleError, TableError
from precompute.io.products import read_survey
from precompute.stages import one_galaxy
from precompute.stages.run import run_survey
from tests.precompute.run.changes import ALONE, change_row, rerun, spoil


def cut_short(folder):
    path = folder / "cubes" / "MOCK002.COMB.rscube.fits.gz"
    path.write_bytes(path.read_bytes()[:200_000])


def not_fits(folder):
    with gzip.open(folder / "cubes" / "MOCK002.COMB.rscube.fits.gz", "wb") as file:
        file.write(b"no cube\n" * 1000)


def without_redshift(folder):
    table = Table.read(folder / "catalogue.csv")
    table["redshift"] = np.where(table["name"] == "MOCK002", np.nan, table["redshift"])
    table.write(folder / "catalogue.csv", overwrite=True)


def as_v1200(hdus):
    """Only the planes below 4840 Angstrom."""
    for hdu in hdus:
        hdu.data = hdu.data[:570]


def mix_images(folder):
    """The files of g and r under each other's names, with headers that tell."""
    g, r = (folder / "images" / f"MOCK002-{band}.fits" for band in "gr")
    for path, band in ((g, "g"), (r, "r")):
        fits.setval(path, "FILTER", value=band)
    g.rename(folder / "held.fits")
    r.rename(g)
    (folder / "held.fits").rename(r)


HARMS = {
    "RA in hours": (lambda folder: change_row(folder, ra=lambda ra: ra / 15), "seems to be in hours"),
    "another place": (lambda folder: change_row(folder, dec=lambda dec: dec - 5), "5.00 deg from its middle"),
    "high redshift": (lambda folder: change_row(folder, redshift=lambda _: 0.36), "not 5590-5680, where S/N is"),
    "no S/N window": (lambda folder: spoil(folder, as_v1200), "not 5590-5680, where S/N is measured"),
    "images mixed up": (mix_images, "FILTER of the g image is r"),
    "frequencies": (lambda folder: spoil(folder, lambda hdus: hdus[0].header.set("CTYPE3", "FREQ")), "CTYPE3"),
    "cut short": (cut_short, "MOCK002.COMB.rscube.fits.gz"),
    "not FITS": (not_fits, "MOCK002.COMB.rscube.fits.gz"),
    "no ERROR": (lambda folder: spoil(folder, lambda hdus: hdus.pop("ERROR")), "ERROR"),
    "wrong shape": (lambda folder: spoil(folder, lambda hdus: cut(hdus["ERROR"])), "shape"),
    "all masked": (lambda folder: spoil(folder, lambda hdus: fill(hdus["BADPIX"], 1)), "no good pixel"),
    "only NaN": (lambda folder: spoil(folder, lambda hdus: fill(hdus[0], np.nan)), "NaN"),
    "no r image": (lambda folder: (folder / "images" / "MOCK002-r.fits").unlink(), "r image"),
    "no redshift": (without_redshift, "redshift is not known"),
}


def cut(hdu):
    hdu.data = hdu.data[:, :-1]


def fill(hdu, value):
    hdu.data = np.full_like(hdu.data, value)


@pytest.mark.parametrize("harm", HARMS)
def test_a_broken_galaxy_is_one_sentence_and_the_others_stay(broken, harm):
    spoil_it, words = HARMS[harm]
    spoil_it(broken)
    outcomes = rerun(broken)
    assert not outcomes["MOCK002"].done
    assert words in outcomes["MOCK002"].sentence
    assert "\n" not in outcomes["MOCK002"].sentence
    assert outcomes["MOCK001"].done
    assert outcomes["MOCK003"].done
    assert set(read_survey(broken / "survey")[1]["name"]) == {"MOCK001", "MOCK003"}
    assert "FAILED" in (broken / "survey" / "report.txt").read_text()


def test_an_error_of_the_program_is_reported_with_its_place(broken, monkeypatch):
    (broken / "survey" / "maps" / "MOCK002.fits").unlink()
    monkeypatch.setattr(one_galaxy, "analyse", lambda *_, **__: 1 / 0)
    outcome = rerun(broken)["MOCK002"]
    assert "ZeroDivisionError" in outcome.sentence
    assert "1 / 0" in (broken / "survey" / "failures" / "MOCK002.txt").read_text()


def test_galaxies_without_name_or_with_the_same_files_are_refused(broken):
    table = Table.read(broken / "catalogue.csv")
    table["name"] = ["NGC 1", "NGC_1", "B"]
    table.write(broken / "catalogue.csv", overwrite=True)
    with pytest.raises(TableError, match=r"the galaxy NGC1 is there more than once"):
        run_survey(broken / "survey.toml", ALONE)
    (broken / "catalogue.csv").write_text("name,redshift,log_M_star,inv_vmax\n,0.01,10.0,1e-5\nA,0.01,10.0,1e-5\n")
    with pytest.raises(TableError, match="row 1 has no name"):
        run_survey(broken / "survey.toml", ALONE)


def test_a_fact_that_no_galaxy_can_have_is_that_galaxys_failure(broken):
    table = Table.read(broken / "catalogue.csv")
    table["axis_ratio"] = np.where(table["name"] == "MOCK002", 1.7, table["axis_ratio"])
    table.write(broken / "catalogue.csv", overwrite=True)
    outcomes = rerun(broken)
    assert "axis_ratio" in outcomes["MOCK002"].sentence
    assert outcomes["MOCK001"].done


def test_a_catalogue_without_cubes_or_twice_the_same_galaxy_is_refused(broken, tmp_path):
    table = Table.read(broken / "catalogue.csv")
    table["name"] = ["A", "A", "B"]
    table.write(broken / "catalogue.csv", overwrite=True)
    with pytest.raises(TableError, match="A is there more than once"):
        run_survey(broken / "survey.toml", ALONE)
    table["name"] = ["A", "C", "B"]
    table.write(broken / "catalogue.csv", overwrite=True)
    with pytest.raises(SampleError, match=r"no galaxy of .* has a cube"):
        run_survey(broken / "survey.toml", ALONE)
