"""A survey comes back as it went in, says what it is, and never stands half written."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.columns import GALAXIES_FILE, GALAXY, REGION, REGIONS_FILE, SCHEMA_VERSION
from engine.errors import TableError
from precompute.io import products
from precompute.io.products import META_KEY, file_checksum, read_pair_meta, read_survey, write_survey

HISTORY = {"origin": "mock", "settings": {"n_model": 10}, "inputs": {"grid.fits": "ab" * 32}}


def write(folder, regions, galaxies, **changes):
    return write_survey(folder, regions, galaxies, **(HISTORY | changes))


def test_what_is_written_is_read_back_sorted_by_galaxy_and_place(tmp_path, regions, galaxies):
    name = write(tmp_path, regions, galaxies)
    got, got_galaxies, meta = read_survey(tmp_path)
    order = np.lexsort((regions["x"], regions["y"], regions["galaxy_id"]))
    for column, values in regions.items():
        assert got[column].dtype == np.dtype(REGION[column].dtype)
        np.testing.assert_array_equal(got[column], values[order].astype(REGION[column].dtype))
    np.testing.assert_array_equal(got_galaxies["name"], ["mock 3", "mock 7"])
    assert meta["survey_id"] == name


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(-4, 7, width=32) | st.just(float("nan")), min_size=6, max_size=6))
def test_any_sound_densities_survive_the_round_trip(tmp_path, regions, galaxies, values):
    write(tmp_path, regions | {"log_mu_star": np.array(values)}, galaxies)
    got, _, _ = read_survey(tmp_path, ["region_id", "log_mu_star"])
    np.testing.assert_array_equal(got["log_mu_star"][np.argsort(got["region_id"])], np.float32(values))


def test_the_history_is_complete(tmp_path, regions, galaxies):
    write(tmp_path, regions, galaxies)
    meta = read_pair_meta(tmp_path)
    assert set(meta) == {"schema_version", "survey_id", "origin", "software", "created", "settings", "inputs"}
    assert meta["origin"] == "mock"
    assert meta["created"].endswith("+00:00")
    assert meta["inputs"] == HISTORY["inputs"]


def test_the_same_content_has_the_same_name_and_other_content_another(tmp_path, regions, galaxies):
    name = write(tmp_path / "a", regions, galaxies)
    assert write(tmp_path / "b", regions, galaxies) == name
    assert write(tmp_path / "c", regions | {"weight": regions["weight"] * 2}, galaxies) != name
    assert write(tmp_path / "d", regions, galaxies, settings={"n_model": 11}) != name


@pytest.mark.parametrize(("file", "columns"), [(REGIONS_FILE, REGION), (GALAXIES_FILE, GALAXY)])
def test_every_field_carries_its_unit_description_and_ucd(tmp_path, regions, galaxies, file, columns):
    write(tmp_path, regions, galaxies)
    for field in pq.read_schema(tmp_path / file):
        notes = {key.decode(): value.decode() for key, value in field.metadata.items()}
        column = columns[field.name]
        assert notes["description"] == column.description
        assert u.Unit(notes["unit"]) == u.Unit(column.unit)
        assert check_ucd(notes["ucd"], check_controlled_vocabulary=True)


def test_astropy_reads_both_files_with_units_and_descriptions(tmp_path, regions, galaxies):
    write(tmp_path, regions, galaxies)
    table = Table.read(tmp_path / REGIONS_FILE)
    assert table["log_mu_star"].unit == u.Unit("dex(solMass / pc2)")
    assert table["area_pc2"].unit == u.pc**2
    assert table["log_age_wr"].description == REGION["log_age_wr"].description
    assert table.meta["glocal"]["origin"] == "mock"
    assert list(Table.read(tmp_path / GALAXIES_FILE)["name"]) == ["mock 3", "mock 7"]


def test_files_are_compressed_and_carry_statistics_of_every_column(tmp_path, regions, galaxies):
    write(tmp_path, regions, galaxies)
    group = pq.ParquetFile(tmp_path / REGIONS_FILE).metadata.row_group(0)
    chunks = [group.column(i) for i in range(group.num_columns)]
    assert all(chunk.compression == "ZSTD" and chunk.is_stats_set for chunk in chunks)


def test_one_galaxy_touches_few_row_groups(tmp_path, monkeypatch, regions, galaxies):
    monkeypatch.setattr(products, "ROWS_PER_GROUP", 2)
    write(tmp_path, regions, galaxies)
    file = pq.ParquetFile(tmp_path / REGIONS_FILE)
    ranges = [file.metadata.row_group(i).column(1).statistics for i in range(file.num_row_groups)]
    assert [(s.min, s.max) for s in ranges] == [(3, 3), (3, 7), (7, 7)]


def test_nothing_is_left_of_a_refused_survey(tmp_path, regions, galaxies):
    with pytest.raises(TableError, match="weight is negative"):
        write(tmp_path / "new", regions | {"weight": np.full(6, -1.0)}, galaxies)
    assert not (tmp_path / "new").exists()


def test_an_unknown_origin_is_refused(tmp_path, regions, galaxies):
    with pytest.raises(TableError, match="not 'invented'"):
        write(tmp_path, regions, galaxies, origin="invented")


@pytest.mark.parametrize("broken_call", [1, 2])
def test_a_crash_while_writing_leaves_the_old_pair(tmp_path, monkeypatch, regions, galaxies, broken_call):
    old = write(tmp_path, regions, galaxies)
    calls, plain = [], pq.write_table

    def breaks(*args, **words):
        calls.append(1)
        plain(*args, **words)
        if len(calls) == broken_call:
            raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", breaks)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path, regions, galaxies, settings={"n_model": 99})
    assert_only_the_old_pair(tmp_path, old)


@pytest.mark.parametrize("broken_call", [1, 2])
def test_a_crash_while_replacing_leaves_the_old_pair(tmp_path, monkeypatch, regions, galaxies, broken_call):
    old = write(tmp_path, regions, galaxies)
    calls, plain = [], os.replace

    def breaks(*args):
        calls.append(1)
        if len(calls) == broken_call:
            raise OSError("power cut")
        plain(*args)

    monkeypatch.setattr(os, "replace", breaks)
    with pytest.raises(OSError, match="power cut"):
        write(tmp_path, regions, galaxies, settings={"n_model": 99})
    assert_only_the_old_pair(tmp_path, old)


def assert_only_the_old_pair(folder: Path, name: str):
    assert sorted(path.name for path in folder.iterdir()) == [GALAXIES_FILE, REGIONS_FILE]
    assert read_survey(folder)[2]["survey_id"] == name


def test_a_crash_before_there_was_a_survey_leaves_no_file(tmp_path, monkeypatch, regions, galaxies):
    def breaks(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", breaks)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, regions, galaxies)
    assert list(tmp_path.iterdir()) == []


def test_two_files_of_different_surveys_are_no_pair(tmp_path, regions, galaxies):
    write(tmp_path / "a", regions, galaxies)
    write(tmp_path / "b", regions, galaxies, settings={})
    (tmp_path / "b" / GALAXIES_FILE).replace(tmp_path / "a" / GALAXIES_FILE)
    with pytest.raises(TableError, match="do not belong together"):
        read_survey(tmp_path / "a")


def rewrite_history(path: Path, **changes):
    table = pq.read_table(path)
    meta = json.loads(table.schema.metadata[META_KEY]) | changes
    pq.write_table(table.replace_schema_metadata({META_KEY: json.dumps(meta)}), path)


def test_a_file_of_another_schema_version_is_refused(tmp_path, regions, galaxies):
    write(tmp_path, regions, galaxies)
    rewrite_history(tmp_path / REGIONS_FILE, schema_version=99)
    with pytest.raises(TableError, match=f"has schema version 99, but this Glocal reads version {SCHEMA_VERSION}"):
        read_survey(tmp_path)


def test_a_folder_without_a_survey_a_text_file_and_a_foreign_parquet_file_are_refused(tmp_path):
    with pytest.raises(TableError, match="does not exist"):
        read_survey(tmp_path)
    (tmp_path / REGIONS_FILE).write_text("hello")
    with pytest.raises(TableError, match="is not a Parquet file"):
        read_survey(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / REGIONS_FILE)
    with pytest.raises(TableError, match="not of a Glocal survey"):
        read_survey(tmp_path)


def test_a_column_that_is_not_there_is_named(tmp_path, regions, galaxies):
    write(tmp_path, regions, galaxies)
    with pytest.raises(TableError, match="column sb_r is missing"):
        read_survey(tmp_path, ["x", "sb_r"])


def test_the_checksum_is_sha256(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert file_checksum(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
