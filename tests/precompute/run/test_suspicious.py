"""Data that look well and are wrong are called suspicious, in little memory on a running cluster."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from precompute.cluster import MEMORY, Machines
from precompute.io.products import read_survey
from precompute.stages.run import run_survey
from tests.precompute.run.changes import change_row, spoil


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
