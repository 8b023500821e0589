"""Measuring a survey again: same numbers in any number of pieces and processes, and nothing finished is ever lost."""

import errno
import os
import re
import shutil
import threading
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.spectra import read_flags, read_spectrum
from engine.columns import MOCK, REGIONS_FILE
from engine.errors import ClusterError, Interrupted, ModelGridError, SettingsError, ShapeError, TableError
from engine.flags import KEPT, SpaxelFlag
from engine.inference.arrangement import arrange
from engine.inference.posterior import FEW_MODELS, Observed, Posterior, infer
from engine.inference.region_table import observed_from, with_measurements
from engine.spectra_schema import SPECTRA, estimates_id
from precompute import cluster
from precompute.cluster import Machines, measured_elsewhere
from precompute.io import library as library_io
from precompute.io.fingerprints import Rules, fingerprint_of
from precompute.io.library import load_library, save_library
from precompute.io.products import read_survey, write_survey
from precompute.io.spectra import axes_of, read_spectra_header, spectra_files
from precompute.stages import renew_spectra, resumable
from precompute.stages.measure import MeasureRequest, read_prior, run_measure
from precompute.stages.resumable import measuring
from tests.conftest import write_small_survey
from tests.reference.toy_library import toy_library, toy_observed
from tests.spectra_files import WAVE, write_spectra

MEASURED = ("log_mu_star", "log_age_wr", "log_Z_wr")
PIECE = 40  # regions: nine pieces and a half


@pytest.fixture(scope="module")
def library():
    return toy_library(1000, np.random.default_rng(1))


@pytest.fixture(scope="module")
def observed(library):
    return toy_observed(library, 9 * PIECE + PIECE // 2, np.random.default_rng(2))[0]


@pytest.fixture(scope="module")
def survey_to_copy(tmp_path_factory, library):
    """Folder of a survey of two galaxies with its library beside it."""
    folder = tmp_path_factory.mktemp("survey")
    write_small_survey(folder, n_galaxies=2)
    regions, galaxies, _ = read_survey(folder)
    regions = {name: values[::15].copy() for name, values in regions.items()}  # enough, and faster
    regions |= {f"mag_{band}": regions[f"mag_{band}"] + 17 for band in "ugriz"}  # as of real spaxels
    for name in MEASURED:  # one region was never measured
        regions[name][-1] = regions[f"{name}_err"][-1] = np.nan
    regions["flags"][-1] = SpaxelFlag.NOT_MEASURED
    galaxies["n_regions"] = np.array([(regions["galaxy_id"] == number).sum() for number in galaxies["galaxy_id"]])
    write_survey(folder, regions, galaxies, origin=MOCK, settings={}, inputs={})
    save_library(library, folder / "library.npz")
    return folder


@pytest.fixture
def survey(survey_to_copy, tmp_path):
    """A copy of it that a test may change."""
    return shutil.copytree(survey_to_copy, tmp_path / "survey")


def change(folder, **columns):
    """The survey with columns replaced; None takes one out."""
    regions, galaxies, meta = read_survey(folder)
    regions = {name: values for name, values in (regions | columns).items() if values is not None}
    write_survey(folder, regions, galaxies, origin=meta["origin"], settings={}, inputs={})


def assert_same(one: Posterior, other: Posterior):
    for name in Posterior._fields:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def cutter(observed, size):
    return lambda chunk: Observed(*(part[chunk * size : (chunk + 1) * size] for part in observed))


def stopped_after(number, error, monkeypatch):
    """The posterior works so many times, then the error comes; returns the calls."""
    calls = []

    def once(part, models, *, least_models):
        if len(calls) == number:
            raise error
        calls.append(len(part.sigma_star))
        return infer(part, models, least_models=least_models)

    monkeypatch.setattr(resumable, "infer", once)
    return calls


def test_a_survey_measured_again_has_new_estimates_and_keeps_all_else(survey, tmp_path, library):
    out = tmp_path / "out"
    assert "1,000 models" in run_measure(MeasureRequest(survey, out, chunk=100)).sentences[0]
    (before, galaxies, meta), (after, galaxies_after, meta_after) = read_survey(survey), read_survey(out)
    of = np.searchsorted(galaxies["galaxy_id"], before["galaxy_id"])
    whole = infer(
        observed_from(before, galaxies["redshift"][of], galaxies["spaxel_arcsec"][of]), library, least_models=FEW_MODELS
    )
    for name in MEASURED:
        np.testing.assert_allclose(after[name], getattr(whole, name), atol=0.002)
    kept = set(before) - set(Posterior._fields)
    assert all(np.array_equal(before[name], after[name], equal_nan=True) for name in kept)
    assert np.array_equal(before["flags"] & SpaxelFlag.SMOOTHED, after["flags"] & SpaxelFlag.SMOOTHED)
    assert np.array_equal(galaxies["log_M_star"], galaxies_after["log_M_star"])
    assert not np.array_equal(galaxies["log_mu_e"], galaxies_after["log_mu_e"])
    assert meta_after["origin"] == meta["origin"]
    assert meta_after["settings"]["survey"]["survey_id"] == meta["survey_id"]
    assert sorted(path.name for path in out.iterdir()) == ["galaxies.parquet", "regions.parquet"]


def test_a_stopped_run_goes_on_with_what_is_missing(observed, library, tmp_path, monkeypatch):
    calls = stopped_after(3, KeyboardInterrupt(), monkeypatch)
    with pytest.raises(Interrupted, match=r"stopped; 3 of 10 pieces are kept in .* the same command goes on"):
        with measuring(observed, library, tmp_path, chunk=PIECE):
            pass
    monkeypatch.undo()
    calls = stopped_after(99, None, monkeypatch)
    with measuring(observed, library, tmp_path, chunk=PIECE) as posterior:
        assert calls == [PIECE] * 6 + [PIECE // 2]
        assert_same(posterior, Posterior(*map(np.concatenate, zip(*_serial(observed, library, PIECE), strict=True))))
    assert list(tmp_path.iterdir()) == []


def _serial(observed, library, size):
    models = arrange(library)
    return [
        infer(cutter(observed, size)(i), models, least_models=FEW_MODELS)
        for i in range(-(-len(observed.sigma_star) // size))
    ]


def test_pieces_survive_when_the_survey_cannot_be_written(observed, library, tmp_path):
    with pytest.raises(Interrupted, match="No space left on device: f; 10 of 10 pieces are kept"):
        with measuring(observed, library, tmp_path, chunk=PIECE):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "f")
    assert len(list(tmp_path.glob("measuring-*/*.npz"))) == 10


def test_a_full_disk_keeps_the_finished_pieces(observed, library, tmp_path, monkeypatch):
    save, written = resumable.ChunkStore.save, []

    def fails(store, chunk, posterior):
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(chunk)
        save(store, chunk, posterior)

    monkeypatch.setattr(resumable.ChunkStore, "save", fails)
    with pytest.raises(Interrupted, match="No space left on device; 2 of 10 pieces are kept"):
        with measuring(observed, library, tmp_path, chunk=PIECE):
            pass


@pytest.mark.parametrize("harm", ["cut short", "one byte", "foreign", "empty"])
def test_a_piece_that_is_broken_or_foreign_is_measured_again(observed, library, tmp_path, monkeypatch, harm):
    with pytest.raises(Interrupted), measuring(observed, library, tmp_path, chunk=PIECE):
        raise KeyboardInterrupt
    first, second = sorted(tmp_path.glob("measuring-*/*.npz"))[:2]
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    harmed = {"cut short": content[:-200], "one byte": content, "foreign": second.read_bytes(), "empty": b""}
    first.write_bytes(harmed[harm])
    calls = stopped_after(99, None, monkeypatch)
    with measuring(observed, library, tmp_path, chunk=PIECE) as posterior:
        assert calls == [PIECE]
        assert np.array_equal(posterior.log_age_wr[:PIECE], _serial(observed, library, PIECE)[0].log_age_wr)


def test_the_fingerprint_follows_from_all_that_determines_the_result(observed, library):
    first = fingerprint_of(observed, library, Rules(), 100)
    assert first == fingerprint_of(observed, library, Rules(), 100)
    others = [
        fingerprint_of(observed._replace(sigma_star=observed.sigma_star + 1), library, Rules(), 100),
        fingerprint_of(observed, library._replace(log_Z_wr=library.log_Z_wr + 1), Rules(), 100),
        fingerprint_of(observed, library._replace(meta={"seed": 7}), Rules(), 100),
        fingerprint_of(observed, library, Rules(np.ones(1000)), 100),
        fingerprint_of(observed, library, Rules(None, 0.0), 100),
        fingerprint_of(observed, library, Rules(), 101),
    ]
    assert len({first, *others}) == 7


def test_a_prior_takes_models_out(survey, tmp_path, library):
    young = library.log_age_wr < 9.0
    np.save(tmp_path / "prior.npy", young.astype(float))
    np.savetxt(tmp_path / "prior.txt", young)
    for name in ("prior.npy", "prior.txt"):
        run_measure(MeasureRequest(survey, tmp_path / "out", prior=tmp_path / name))
        assert np.nanmax(read_survey(tmp_path / "out")[0]["log_age_wr"]) < 9.01


def test_a_prior_that_does_not_fit_is_refused(survey, tmp_path):
    np.save(tmp_path / "prior.npy", np.ones(3))
    with pytest.raises(ShapeError, match=r"the prior has the shape \(3,\), not \(1000,\)"):
        run_measure(MeasureRequest(survey, tmp_path / "out", prior=tmp_path / "prior.npy"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("prior.txt", b"one two"),
        ("prior.npy", b"PK\x03\x04 cut short"),
        ("prior.npy", b"\x93NUMPY"),
        ("prior.npy", b""),
    ],
)
def test_a_file_that_is_no_prior_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=f"{re.escape(name)} is not a prior, one weight per model"):
        read_prior(tmp_path / name)


def test_missing_values_and_bad_errors_are_flagged_region_by_region(survey, tmp_path):
    regions = read_survey(survey)[0]
    names = [name for name in regions if f"{name}_err" in regions and name not in MEASURED]
    bad = {name: regions[name].copy() for name in (*names, "hbeta_err", "mag_g_err", "mag_u_err")}
    bad["hbeta"][0], bad["hbeta_err"][1], bad["mag_g_err"][2], bad["mag_u_err"][3] = np.nan, 0.0, -1.0, np.nan
    for name in names:
        bad[name][4] = np.nan  # nothing at all
        if not name.startswith("mag"):
            bad[name][5] = np.nan  # no index
    bad["mag_r"][6] = -80.0  # no density is so high
    change(survey, **bad)
    run_measure(MeasureRequest(survey, tmp_path / "out"))
    after = read_survey(tmp_path / "out")[0]
    flags = [SpaxelFlag(int(f)) for f in after["flags"][:7]]
    assert all(SpaxelFlag.INDEX_MASKED in flags[i] for i in (0, 1, 5))
    assert all(SpaxelFlag.PHOTOMETRY_MASKED in flags[i] for i in (2, 3))
    assert not any(SpaxelFlag.NOT_MEASURED in flag for flag in flags)
    assert after["log_age_wr"][4] == regions["log_age_wr"][4]
    assert after["log_mu_star"][6] == regions["log_mu_star"][6]


def test_a_galaxy_without_observables_keeps_its_values(survey, tmp_path):
    regions = read_survey(survey)[0]
    gone = regions["galaxy_id"] == 2
    names = [name for name in regions if f"{name}_err" in regions and name not in MEASURED]
    change(survey, **{name: np.where(gone, np.nan, regions[name]) for name in names})
    assert "keep their values" in run_measure(MeasureRequest(survey, tmp_path / "out")).sentences[-1]
    after = read_survey(tmp_path / "out")[0]
    assert np.array_equal(after["log_age_wr"][gone], regions["log_age_wr"][gone], equal_nan=True)
    assert not np.array_equal(after["log_age_wr"][~gone], regions["log_age_wr"][~gone], equal_nan=True)


def test_densities_that_cannot_be_measured_again_stay_and_the_message_names_them(survey, tmp_path):
    regions = read_survey(survey)[0]
    dark = regions["galaxy_id"] == 2  # indices, but no magnitude
    change(survey, **{f"mag_{band}": np.where(dark, np.nan, regions[f"mag_{band}"]) for band in "ugriz"})
    number = np.isfinite(regions["log_mu_star"][dark]).sum()
    words = run_measure(MeasureRequest(survey, survey)).sentences  # in place, where they would be lost for good
    after, galaxies, _ = read_survey(survey)
    for name in ("log_mu_star", "log_mu_star_err"):
        np.testing.assert_array_equal(after[name][dark], regions[name][dark])
    assert not np.array_equal(after["log_age_wr"][dark], regions["log_age_wr"][dark], equal_nan=True)
    assert f"{number:,} regions keep the log μ∗ they had, which cannot be measured again." in words
    assert f"{(~np.isfinite(regions['log_mu_star'][dark])).sum()} regions have no log μ∗." in words
    assert not (after["flags"][dark & np.isfinite(after["log_mu_star"])] & SpaxelFlag.NOT_MEASURED).any()
    kept = dark & np.isfinite(after["log_mu_star"])
    np.testing.assert_array_equal((after["flags"] & SpaxelFlag.DENSITY_KEPT) > 0, kept)
    assert not (after["flags"] & (SpaxelFlag.AGE_KEPT | SpaxelFlag.METALLICITY_KEPT)).any()
    again = run_measure(MeasureRequest(survey, survey)).sentences
    assert again == words
    assert read_survey(survey)[1]["log_mu_e"].tolist() == galaxies["log_mu_e"].tolist()


def test_a_region_that_cannot_be_measured_keeps_all_that_belongs_to_its_values(survey, tmp_path):
    regions = read_survey(survey)[0]
    names = [name for name in regions if f"{name}_err" in regions and name not in MEASURED]
    bad = {name: regions[name].copy() for name in (*names, *MEASURED)}
    for name in names:
        bad[name][:2] = np.nan
    for name in MEASURED:
        bad[name][1] = np.nan  # and this one has nothing to keep
    change(survey, **bad)
    words = run_measure(MeasureRequest(survey, tmp_path / "out")).sentences
    after = read_survey(tmp_path / "out")[0]
    for name in Posterior._fields[:-1]:
        assert after[name][0] == regions[name][0]
    assert after["flags"][0] == regions["flags"][0] | sum(KEPT.values())
    assert SpaxelFlag.NOT_MEASURED in SpaxelFlag(int(after["flags"][1]))
    assert "1 regions keep the log μ∗, log Age_wr and log Z∗wr they had, which cannot be measured again." in words
    assert "1 regions have no log μ∗, log Age_wr and log Z∗wr." in words


def of_galaxy(folder, number):
    regions = read_survey(folder)[0]
    return {name: values[regions["galaxy_id"] == number] for name, values in regions.items()}


def assert_posteriors_are_those_of_the_table(folder, number):
    rows = of_galaxy(folder, number)
    for row in range(0, len(rows["x"]), 17):
        found = read_spectrum(folder, number, rows["x"][row], rows["y"][row], belongs_to=estimates_id(rows))
        for name in MEASURED:
            assert found.posteriors[name].median == pytest.approx(rows[name][row], abs=0.02)
    assert read_flags(folder, number, belongs_to=estimates_id(rows))


@pytest.mark.parametrize("out", ["survey", "out"])
def test_posteriors_of_spectra_are_those_of_the_new_estimates(survey, tmp_path, out):
    write_spectra(survey, 1)
    old = of_galaxy(survey, 1)
    before = read_spectrum(survey, 1, old["x"][5], old["y"][5], belongs_to=estimates_id(old))
    report = run_measure(MeasureRequest(survey, tmp_path / out))
    assert "Posteriors of 1 galaxies follow the new estimates." in report.sentences
    assert report.failed == []
    assert_posteriors_are_those_of_the_table(tmp_path / out, 1)
    belongs = {"belongs_to": estimates_id(of_galaxy(tmp_path / out, 1))}
    after = read_spectrum(tmp_path / out, 1, old["x"][5], old["y"][5], **belongs)
    for name in SPECTRA:
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    header = read_spectra_header(spectra_files(tmp_path / out, 1).spectra)
    assert header.history["posteriors"]["library"]["source"] == "toy"
    assert not (tmp_path / out / "spectra" / "2.parquet").exists()


def test_a_posterior_stays_where_its_estimate_stays(survey):
    regions = read_survey(survey)[0]
    change(survey, **{f"mag_{band}": np.full(len(regions["x"]), np.nan) for band in "ugriz"})
    run_measure(MeasureRequest(survey, survey))  # ages on the cells of the toy library
    write_spectra(survey, 1, cells=axes_of(arrange(load_library(survey / "library.npz")), WAVE))
    rows = of_galaxy(survey, 1)
    place = rows["x"][5], rows["y"][5]
    before = read_spectrum(survey, 1, *place, belongs_to=estimates_id(rows))
    run_measure(MeasureRequest(survey, survey, least_models=0))
    after = read_spectrum(survey, 1, *place, belongs_to=estimates_id(of_galaxy(survey, 1)))
    np.testing.assert_array_equal(after.posteriors["log_mu_star"].share, before.posteriors["log_mu_star"].share)
    assert not np.array_equal(after.posteriors["log_age_wr"].share, before.posteriors["log_age_wr"].share)


@pytest.mark.parametrize("harm", ["of another table", "broken"])
def test_spectra_that_do_not_belong_or_are_broken_are_named_and_the_tables_are_written(survey, tmp_path, harm):
    for number in (1, 2):
        write_spectra(survey, number)
    files = spectra_files(survey, 1)
    if harm == "broken":
        files.spectra.write_bytes(files.spectra.read_bytes()[:5000])
    else:
        regions = read_survey(survey)[0]
        change(survey, log_age_wr=np.where(regions["galaxy_id"] == 1, 9.0, regions["log_age_wr"]))
    report = run_measure(MeasureRequest(survey, tmp_path / "out"))
    assert "Posteriors of 1 galaxies follow the new estimates." in report.sentences
    assert report.sentences[-1].startswith("Posteriors of mock 001 are left as they are: ")
    assert report.failed == ["mock 001"]
    assert_posteriors_are_those_of_the_table(tmp_path / "out", 2)


def test_posteriors_that_cannot_be_computed_again_are_named(survey, monkeypatch):
    for number in (1, 2):
        write_spectra(survey, number)
    renew = renew_spectra.renew_posteriors

    def fails_on_the_first(old, *more):
        if old == spectra_files(survey, 1):
            raise TableError(f"{old.spectra} has other spaxels than the table")
        renew(old, *more)

    monkeypatch.setattr(renew_spectra, "renew_posteriors", fails_on_the_first)
    report = run_measure(MeasureRequest(survey, survey))
    assert report.sentences[-1].startswith("Posteriors of mock 001 could not be computed again: ")
    assert report.failed == ["mock 001"]
    assert_posteriors_are_those_of_the_table(survey, 2)


def test_a_stop_while_posteriors_are_renewed_loses_nothing_and_the_same_command_goes_on(survey, monkeypatch):
    for number in (1, 2):
        write_spectra(survey, number)
    before = read_survey(survey)[2]["survey_id"]
    renew, renewed = renew_spectra.renew_posteriors, []

    def full_disk_at_the_second(*args):
        if len(renewed) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        renewed.append(args)
        renew(*args)

    monkeypatch.setattr(renew_spectra, "renew_posteriors", full_disk_at_the_second)
    with pytest.raises(Interrupted, match="No space left on device; 1 of 1 pieces are kept"):
        run_measure(MeasureRequest(survey, survey))
    assert read_survey(survey)[2]["survey_id"] == before
    monkeypatch.setattr(renew_spectra, "renew_posteriors", lambda *args: renewed.append(args) or renew(*args))
    monkeypatch.setattr(resumable, "infer", lambda *_args, **_options: pytest.fail("measured again"))
    run_measure(MeasureRequest(survey, survey))
    assert len(renewed) == 2
    for number in (1, 2):
        assert_posteriors_are_those_of_the_table(survey, number)


def test_a_survey_without_observables_is_refused(tmp_path, regions, galaxies):
    write_survey(tmp_path, regions, galaxies, origin="mock", settings={}, inputs={})
    with pytest.raises(TableError, match=r"none of the columns d4000n, .* is there"):
        run_measure(MeasureRequest(tmp_path, tmp_path / "out"))


def test_an_observable_without_its_errors_is_refused(survey, tmp_path):
    change(survey, hbeta_err=None)
    with pytest.raises(TableError, match="column hbeta_err is missing"):
        run_measure(MeasureRequest(survey, tmp_path / "out"))


def test_infinite_observables_are_refused_before_any_work(survey, tmp_path):
    table = pq.read_table(survey / REGIONS_FILE)
    at, values = table.schema.get_field_index("mag_g"), table["mag_g"].to_numpy().copy()
    values[3] = np.inf
    pq.write_table(table.set_column(at, table.schema.field(at), [values]), survey / REGIONS_FILE)
    with pytest.raises(TableError, match="column mag_g is infinite in row 3"):
        run_measure(MeasureRequest(survey, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_infinite_value_given_to_the_posterior_counts_as_missing(observed, library):
    odd = observed._replace(indices=observed.indices.copy(), flux_errors=observed.flux_errors.copy())
    odd.indices[0, 1], odd.flux_errors[1, 2] = np.inf, np.inf
    flags = infer(odd, library).flags
    assert flags[0] & SpaxelFlag.INDEX_MASKED
    assert flags[1] & SpaxelFlag.PHOTOMETRY_MASKED


@pytest.mark.parametrize("harm", ["cut short", "format", "indices"])
def test_a_library_that_does_not_fit_is_refused(survey, tmp_path, library, monkeypatch, harm):
    file = survey / "library.npz"
    if harm == "cut short":
        file.write_bytes(file.read_bytes()[:20_000])
    else:
        value = {"format": 99, "indices": ("other",)}[harm]
        monkeypatch.setattr(library_io, {"format": "FORMAT", "indices": "INDEX_NAMES"}[harm], value)
        save_library(library, file)
        monkeypatch.undo()
    with pytest.raises(ModelGridError, match="is not a model library of this version"):
        run_measure(MeasureRequest(survey, tmp_path / "out"))


def test_flags_of_an_earlier_measurement_give_way_and_others_stay():
    nothing = np.zeros(2)
    posterior = Posterior(*[nothing + 1.0] * 2, nothing + 9.0, *[nothing] * 4, np.array([0, 16]))
    old = SpaxelFlag.SMOOTHED | SpaxelFlag.NOT_MEASURED
    assert with_measurements({"flags": np.full(2, int(old))}, posterior)["flags"].tolist() == [1, 17]


def test_two_workers_give_what_one_process_gives_and_one_killed_in_the_middle_is_replaced(
    observed, library, monkeypatch
):
    clients, check = [], cluster._check_code
    monkeypatch.setattr(cluster, "_check_code", lambda client, *code: clients.append(client) or check(client, *code))
    before = dict(os.environ)
    found = {}
    for chunk, posterior in measured_elsewhere(
        Machines(workers=2), arrange(library), list(range(19)), cutter(observed, PIECE // 2), FEW_MODELS
    ):
        found[chunk] = posterior
        if len(found) == 2:
            first, second = clients[0].run(os.getpid).values()
            assert len({first, second, os.getpid()}) == 3
            os.kill(first, 9)
    for chunk, one in enumerate(_serial(observed, library, PIECE // 2)):
        assert_same(found[chunk], one)
    assert dict(os.environ) == before  # what workers need stays with them


def test_a_scheduler_that_does_not_answer_is_named_in_one_sentence(observed, library, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    machines = Machines(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(Interrupted, match=r"no dask scheduler answers at tcp://127.0.0.1:9"):
        with measuring(observed, library, tmp_path, machines=machines):
            pass


def test_a_running_cluster_works_and_the_loss_of_its_workers_is_said(observed, library, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.2)
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as running:
        machines, models = Machines(scheduler=running.scheduler_address), arrange(library)
        assert len(list(measured_elsewhere(machines, models, [0, 1], cutter(observed, PIECE), FEW_MODELS))) == 2
        monkeypatch.setattr(cluster, "code_version", lambda _package: f"process {os.getpid()}")
        with pytest.raises(ClusterError, match=r"but here runs process [0-9]+: install the same"):
            list(measured_elsewhere(machines, models, [0], cutter(observed, PIECE), FEW_MODELS))
        running.scale(0)
        start = time.monotonic()
        while running.scheduler.workers and time.monotonic() < start + 10:
            threading.Event().wait(0.05)
        with pytest.raises(ClusterError, match="has no worker"):
            list(measured_elsewhere(machines, models, [0], cutter(observed, PIECE), FEW_MODELS))


def test_options_that_exclude_each_other_are_refused(survey, tmp_path):
    with pytest.raises(SettingsError, match="exclude each other"):
        run_measure(MeasureRequest(survey, tmp_path, library=survey / "library.npz", n_model=500))
    with pytest.raises(SettingsError, match="exclude each other"):
        run_measure(MeasureRequest(survey, tmp_path, machines=Machines(2, "tcp://127.0.0.1:1")))
