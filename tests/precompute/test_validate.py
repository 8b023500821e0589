"""The validation command on a small library, and tables of galaxies it must read or refuse."""

import gzip

import numpy as np
import pytest
from astropy.table import Table

from engine.errors import TableError
from engine.flags import SpaxelFlag
from engine.inference.posterior import Percentiles
from precompute.io.library import save_library
from precompute.io.sdss_indices import MPA_NAMES, SdssGalaxies, read_sdss_galaxies
from precompute.settings import SEED
from precompute.stages import validate_mixtures
from precompute.stages.validate import FIGURE, TABLE, ValidationRequest, run_validate
from precompute.stages.validate_galaxies import (
    GALAXY_TABLE,
    agreement,
    compare_galaxies,
    dispersions_of,
    galaxies_in_words,
    save_galaxies,
)
from tests.reference.toy_library import toy_library


def galaxy_rows(n=3):
    """A table as the public one: ages near 9.9, solar metallicity, all indices but Fe4531 and Fe5015."""
    columns = {"plate": np.arange(n), "mjd": np.arange(n), "fiberid": np.arange(n), "v_disp": np.linspace(100, 250, n)}
    values = {"d4000n": 1.8, "hbeta": 1.9, "hdelta_a": -1.5, "hgamma_a": -4.5, "mg2": 0.25, "mgb": 4.2, "fe5270": 2.8,
              "fe5335": 2.5}  # fmt: skip
    for ours, value in values.items():
        columns[f"{MPA_NAMES[ours]}_sub"] = np.full(n, value)
        columns[f"{MPA_NAMES[ours]}_sub_err"] = np.full(n, 0.05 * abs(value))
    for p, off in ((16, -0.1), (50, 0.0), (84, 0.1)):
        columns[f"g05_logage_p{p}"] = np.full(n, 9.9 + off)
        columns[f"g05_logz_p{p}"] = np.full(n, -1.7 + off)
    return Table(columns)


@pytest.fixture
def galaxies(tmp_path):
    path = tmp_path / "galaxies.csv"
    galaxy_rows().write(path)
    return path


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "library.npz"
    save_library(toy_library(3000, np.random.default_rng(61)), path)
    return path


@pytest.mark.slow
def test_the_command_writes_figure_and_tables_and_tells_both_comparisons(library, galaxies, tmp_path, monkeypatch):
    monkeypatch.setattr(validate_mixtures, "N_POOL", 4000)
    request = ValidationRequest(library, 0, 120, galaxies, 300, tmp_path / "out")
    words = "\n".join(run_validate(request))
    assert "truths as the prior" in words
    assert "3 galaxies (" in words
    assert "median offset" in words
    assert "indices that no galaxy has: [Mg2Fe]" in words
    assert (tmp_path / "out" / FIGURE).read_bytes()[:4] == b"\x89PNG"
    table = Table.read(tmp_path / "out" / TABLE)
    assert table["rms"].unit == "dex"
    assert set(table["quantity"]) == {"log_age_wr", "log_Z_wr", "log_mu_star"}
    assert len(Table.read(tmp_path / "out" / GALAXY_TABLE)) == 3


def test_published_metallicities_are_taken_relative_to_the_sun(galaxies):
    found = read_sdss_galaxies(galaxies)
    np.testing.assert_allclose(found.log_Z[:, 1], -1.7 + 1.699, atol=1e-3)  # absolute Z over 0.02
    assert list(found.name) == ["0-0-0", "1-1-1", "2-2-2"]


@pytest.mark.parametrize("nothing", [np.nan, -9999.0, -99.0])
@pytest.mark.parametrize("end", ["", "_err"])
def test_an_index_without_value_or_error_is_left_out(tmp_path, nothing, end):
    rows = galaxy_rows()
    rows[f"lick_hb_sub{end}"][1] = nothing
    rows.write(tmp_path / "holes.csv")
    found = read_sdss_galaxies(tmp_path / "holes.csv")
    assert np.isnan(found.indices[1, 1])
    assert np.isfinite(found.indices[[0, 2], 1]).all()


def test_a_table_without_some_indices_is_read(tmp_path):
    rows = galaxy_rows()
    rows.remove_columns(["d4000_n_sub", "d4000_n_sub_err"])
    rows.write(tmp_path / "fewer.csv")
    found = read_sdss_galaxies(tmp_path / "fewer.csv")
    assert np.isnan(found.indices[:, 0]).all()
    assert np.isfinite(found.indices[:, 1]).all()


@pytest.mark.parametrize("column", ["v_disp", "g05_logage_p50"])
def test_a_table_that_lacks_a_column_is_refused_by_name(tmp_path, column):
    rows = galaxy_rows()
    rows.remove_column(column)
    rows.write(tmp_path / "lacking.csv")
    with pytest.raises(TableError, match=f"lacking.csv lacks the columns {column}"):
        read_sdss_galaxies(tmp_path / "lacking.csv")


def test_what_is_no_table_no_galaxy_or_no_number_is_refused(tmp_path):
    (tmp_path / "noise.bin").write_bytes(b"\x00\x01\x02")
    with pytest.raises(TableError, match="is not a table that can be read"):
        read_sdss_galaxies(tmp_path / "noise.bin")
    galaxy_rows(0).write(tmp_path / "empty.csv")
    with pytest.raises(TableError, match="the table is empty"):
        read_sdss_galaxies(tmp_path / "empty.csv")
    rows = galaxy_rows()
    rows["v_disp"] = ["fast", "slow", "still"]
    rows.write(tmp_path / "words.csv")
    with pytest.raises(TableError, match="v_disp must hold numbers, but row 1 holds 'fast'"):
        read_sdss_galaxies(tmp_path / "words.csv")
    rows = galaxy_rows()["v_disp", "g05_logage_p16", "g05_logage_p50", "g05_logage_p84", "g05_logz_p16",
                         "g05_logz_p50", "g05_logz_p84"]  # fmt: skip
    rows.write(tmp_path / "bare.csv")
    with pytest.raises(TableError, match="no index to measure by"):
        read_sdss_galaxies(tmp_path / "bare.csv")


def test_the_table_of_galaxies_is_read_in_any_plain_form(galaxies, tmp_path):
    expected = read_sdss_galaxies(galaxies)
    text = galaxies.read_text()
    forms = {
        "bom.csv": text.encode("utf-8-sig"),
        "sky.csv": ("#Table1\n" + text).encode(),
        "tabs.txt": text.replace(",", "\t").upper().encode(),
        "semicolons.csv": text.replace(",", ";").encode(),
        "zipped.csv.gz": gzip.compress(text.encode()),
    }
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        for mine, theirs in zip(read_sdss_galaxies(tmp_path / name), expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_infinite_values_and_names_that_differ_in_case_alone_are_refused(tmp_path):
    rows = galaxy_rows()
    rows["v_disp"][1] = np.inf
    rows.write(tmp_path / "infinite.csv")
    with pytest.raises(TableError, match="column v_disp is infinite in 1 rows, the first is row 2"):
        read_sdss_galaxies(tmp_path / "infinite.csv")
    rows = galaxy_rows()
    rows["V_DISP"] = 1.0
    rows.write(tmp_path / "twice.csv")
    with pytest.raises(TableError, match="two columns are called v_disp, but for capitals"):
        read_sdss_galaxies(tmp_path / "twice.csv")


def test_a_galaxy_that_cannot_be_judged_says_why_and_the_others_count(galaxies, tmp_path):
    """Another table of the kind: words for nothing, names in capitals, dispersions that SDSS does not trust."""
    lines = galaxies.read_text().splitlines()
    names, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    for place, name in enumerate(names):
        if name.endswith(("_sub", "_sub_err")):
            rows[0][place] = "null"
    rows[1][names.index("v_disp")] = "850"
    text = "\n".join([",".join(names).upper(), *map(",".join, rows)])
    (tmp_path / "other.csv").write_text(text + "\n")
    comparison = compare_galaxies(read_sdss_galaxies(tmp_path / "other.csv"), 300, SEED)
    words = "\n".join(galaxies_in_words(comparison))
    assert "not measured" in words
    assert "σ∗ unknown or outside" in words
    assert "2 galaxies (" in words
    table = Table.read(save_galaxies(tmp_path, comparison))
    assert table["flags_mattolini25"][0] & SpaxelFlag.NOT_MEASURED


def test_many_dispersions_share_their_models():
    galaxies = SdssGalaxies(np.arange(200).astype(str), np.linspace(60, 500, 200), *[np.full((200, 5), np.nan)] * 2,
                            *[np.full((200, 3), np.nan)] * 2)  # fmt: skip
    assert np.unique(dispersions_of(galaxies)).size <= 36
    few = SdssGalaxies(*(part[:20] for part in galaxies))
    assert np.unique(dispersions_of(few)).size > 15


def test_agreement_is_that_of_plain_arithmetic_and_names_who_is_far_off():
    """Errors of 0.05 on both sides combine to 0.0707: the last galaxy is 4.2 of them away."""
    published = np.full((4, 1), 9.5) + np.array([-0.05, 0.0, 0.05])
    off = np.array([0.0, 0.05, -0.1, 0.3])
    ours = published + off[:, None]
    none = np.full((4, 5), np.nan)
    galaxies = SdssGalaxies(np.array(list("abcd")), np.full(4, 150.0), none, none, published, published)
    nothing = np.zeros(4)
    found = Percentiles(ours, ours, ours, nothing, nothing, nothing, nothing.astype(np.int16), nothing + 1)
    one = agreement(galaxies, found, "log_age_wr")
    assert one.offset == pytest.approx(0.025)
    assert one.scatter == pytest.approx(np.std(off))
    assert one.half_width == pytest.approx((0.3 + 0.1) / 2)
    assert one.error_ratio == pytest.approx(1.0)
    assert (one.within_one, one.within_two) == (0.5, 0.75)
    assert list(galaxies.name[one.far_off]) == ["d"]
