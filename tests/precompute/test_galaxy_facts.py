"""Facts of a galaxy come from words, files and the CALIFA table; later ones win; mistakes are named."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from engine.errors import SampleError, TableError
from engine.galaxy.sample import vmax
from precompute.io.califa import read_califa_objects
from precompute.io.galaxy_facts import collect_facts, notes_on_sources, read_catalogue
from precompute.io.tables import plain_name
from precompute.stages.galaxy_rows import galaxy_row


@pytest.fixture
def galaxy_file(tmp_path):
    """Two galaxies in a small CSV."""
    path = tmp_path / "galaxies.csv"
    Table({"name": ["NGC0036", "IC 1"], "redshift": [0.02, 0.01], "log_M_star": [11.0, 10.0]}).write(path)
    return path


def test_names_match_without_spaces_case_and_leading_zeros():
    assert plain_name("ngc 0036") == plain_name("NGC36")
    assert plain_name("NGC100") != plain_name("NGC10")


def test_key_value_pairs_win_over_files(galaxy_file):
    facts = collect_facts((str(galaxy_file), "redshift=0.5"), None, "NGC36")
    assert facts == {"name": "NGC0036", "redshift": 0.5, "log_M_star": 11.0}


def test_a_file_of_many_galaxies_needs_a_name(galaxy_file):
    with pytest.raises(TableError, match="holds many galaxies: say which one"):
        collect_facts((str(galaxy_file),), None, "")


def test_a_galaxy_that_is_not_there_is_named(galaxy_file):
    with pytest.raises(TableError, match="there is no galaxy NGC9999"):
        collect_facts((str(galaxy_file), "name=NGC9999"), None, "")


@pytest.mark.parametrize(
    ("source", "message"),
    [("axisratio=0.5", "unknown fact 'axisratio'"), ("redshift=near", "redshift must be a number, not 'near'")],
)
def test_a_mistaken_pair_is_refused(source, message):
    with pytest.raises(TableError, match=message):
        collect_facts((source,), None, "")


def test_a_wrong_unit_and_a_file_without_any_known_column_are_refused(tmp_path):
    QTable({"half_light_radius": [1.0], "colour": [2.0]}, units={"half_light_radius": "deg"}).write(tmp_path / "g.ecsv")
    with pytest.raises(TableError, match="half_light_radius has the unit 'deg', but must be in arcsec"):
        collect_facts((str(tmp_path / "g.ecsv"),), None, "")
    QTable({"vmax": [1e5]}, units={"vmax": "kpc3"}).write(tmp_path / "kpc.ecsv")
    with pytest.raises(TableError, match="vmax has the unit 'kpc3', but must be in Mpc3"):
        collect_facts((str(tmp_path / "kpc.ecsv"),), None, "")
    QTable({"vmax": [1e5]}, units={"vmax": "Mpc3"}).write(tmp_path / "Mpc.ecsv")
    assert collect_facts((str(tmp_path / "Mpc.ecsv"),), None, "") == {"vmax": 1e5}
    Table({"colour": [2.0]}).write(tmp_path / "h.ecsv")
    with pytest.raises(TableError, match="no column that is known: it has colour; known are axis_ratio"):
        collect_facts((str(tmp_path / "h.ecsv"),), None, "")


def test_a_sample_that_is_not_califa_is_refused(galaxy_file):
    with pytest.raises(SampleError, match="lacks the CALIFA DR3 columns"):
        collect_facts((), galaxy_file, "IC1")


def test_the_califa_table_gives_the_redshift_behind_the_volume(shared):
    facts = collect_facts((), shared / "califa_dr3" / "objects.csv", "ngc 4047")
    assert (facts["name"], facts["galaxy_id"], facts["redshift"], facts["vmax"]) == ("NGC4047", 489, 0.0115, 87100)


GIVEN = {"name": "NGC 1", "redshift": 0.01, "log_M_star": 10.0}


def row_of(**facts):
    return galaxy_row(GIVEN | facts, origin="measured", spaxel_arcsec=1.0, label="table, NGC 1", advice="add it")


def test_one_over_vmax_is_enough_for_the_weight():
    assert row_of(inv_vmax=1e-5)["inv_vmax"] == 1e-5
    assert row_of(vmax=1e5)["inv_vmax"] == pytest.approx(1e-5)
    with pytest.raises(TableError, match="needs vmax"):
        row_of()


def test_a_diameter_gives_the_volume_corrected_for_the_density_at_its_redshift():
    """V'max = delta Vmax; at redshift 0.0092 the CALIFA volume has 0.65 of the mean density (sample._DELTA)."""
    row = row_of(redshift=0.0092, iso_diameter=60.0)
    assert row["inv_vmax"] == pytest.approx(1 / (0.65 * vmax(60.0, 0.0092)))


@pytest.mark.parametrize(("stated", "kept"), [(380.43, 20.43), (135.0, 135.0), (200.0, 20.0), (-30.0, 150.0)])
def test_an_axis_has_no_direction_so_its_angle_is_below_180(stated, kept):
    assert row_of(inv_vmax=1e-5, position_angle=stated)["position_angle"] == pytest.approx(kept)


def test_a_fact_outside_its_limits_is_refused_with_the_galaxys_name():
    with pytest.raises(TableError, match=r"table, NGC 1: column axis_ratio"):
        row_of(inv_vmax=1e-5, axis_ratio=1.2)


def test_every_galaxy_of_the_papers_sample_has_a_sound_row(shared):
    """UGC04176 has a position angle of 380 deg in DR3."""
    path = shared / "califa_dr3" / "objects.csv"
    rows = [galaxy_row(facts, origin="measured", spaxel_arcsec=1.0, label=str(path), advice="")
            for facts in read_catalogue(path).galaxies]  # fmt: skip
    assert len(rows) == 363
    assert max(row["position_angle"] for row in rows) < 180


CATALOGUE = {"name": ["NGC0036", "IC 1"], "redshift": [0.02, 0.01], "log_M_star": [11.0, 10.0], "vmax": [1e5, 2e5]}


def test_columns_that_are_not_known_are_left_out_and_listed(tmp_path):
    path = tmp_path / "catalogue.csv"
    Table(CATALOGUE | {"comment": ["nice", ""], "axisratio": [0.5, 0.6]}).write(path)
    galaxies, notes = read_catalogue(path)
    assert galaxies == [{key: values[row] for key, values in CATALOGUE.items()} for row in (0, 1)]
    assert notes == ("catalogue.csv: columns that are not used: comment, axisratio (meant as axis_ratio?)",)
    assert notes_on_sources((str(path), "redshift=0.1")) == list(notes)


@pytest.mark.parametrize("rename", [str.upper, str.lower, str.title])
def test_columns_are_known_in_any_case_and_behind_a_byte_order_mark(tmp_path, rename):
    table = Table(CATALOGUE)
    table.rename_columns(table.colnames, [rename(name) for name in table.colnames])
    table.write(tmp_path / "plain.csv")
    text = (tmp_path / "plain.csv").read_text()
    (tmp_path / "marked.csv").write_text(text, encoding="utf-8-sig")
    for file in ("plain.csv", "marked.csv"):
        assert [facts["log_M_star"] for facts in read_catalogue(tmp_path / file).galaxies] == [11.0, 10.0]
        assert [facts["name"] for facts in read_catalogue(tmp_path / file).galaxies] == CATALOGUE["name"]


@pytest.mark.parametrize(("file", "kind"), [("c.csv", None), ("c.txt", "ascii.csv"), ("c.dat", "ascii.basic")])
def test_numbers_that_are_names_keep_their_zeros(tmp_path, file, kind):
    Table(CATALOGUE | {"name": ["0012", "2906"]}).write(tmp_path / file, format=kind)
    assert [facts["name"] for facts in read_catalogue(tmp_path / file).galaxies] == ["0012", "2906"]


def _califa(path: Path) -> Table:
    return Table.read(path / "califa_dr3" / "objects.csv")


def _with_flags(table: Table, words: np.ndarray) -> Table:
    table["flag_release_comb"] = words
    return table


CALIFA_FORMS = {
    "as.txt": lambda table: table.write("as.txt", format="ascii.csv"),
    "as.dat": lambda table: table.write("as.dat", format="ascii.basic"),
    "upper.csv": lambda table: Table(table, names=[name.upper() for name in table.colnames]).write("upper.csv"),
    "topcat.csv": lambda table: _with_flags(
        table, np.where(np.ma.filled(table["flag_release_comb"], 0) == 1, "true", "false")
    ).write("topcat.csv"),
    "topcat.fits": lambda table: _with_flags(table, np.ma.filled(table["flag_release_comb"], 0) == 1).write(
        "topcat.fits"
    ),
}


@pytest.mark.parametrize("form", CALIFA_FORMS)
def test_the_califa_table_gives_the_same_sample_in_every_form_it_is_kept(shared, tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    CALIFA_FORMS[form](_califa(shared))
    galaxies = read_catalogue(tmp_path / form).galaxies
    as_it_is = read_catalogue(shared / "califa_dr3" / "objects.csv").galaxies
    assert len(galaxies) == 363
    assert [facts["name"] for facts in galaxies] == [facts["name"] for facts in as_it_is]
    assert [facts["redshift"] for facts in galaxies] == pytest.approx([facts["redshift"] for facts in as_it_is])


def test_a_califa_table_with_words_for_numbers_is_refused_by_column(shared, tmp_path):
    table = _califa(shared)
    table["sdss_z"] = ["near"] * len(table)
    table.write(tmp_path / "words.csv")
    with pytest.raises(SampleError, match=r"column sdss_z must hold numbers: .*near"):
        read_califa_objects(tmp_path / "words.csv")


def test_a_table_that_names_another_galaxy_is_refused(galaxy_file):
    with pytest.raises(TableError, match="the table names its galaxy NGC4047, but --galaxy name=NGC2906 names another"):
        collect_facts(("name=NGC2906",), None, "NGC4047")
    assert collect_facts(("name=ngc 36", str(galaxy_file)), None, "NGC0036")["redshift"] == 0.02


def test_a_file_about_one_other_galaxy_is_refused_and_names_it(tmp_path):
    Table({"name": ["NGC0001"], "redshift": [0.03]}).write(tmp_path / "one.csv")
    source = (str(tmp_path / "one.csv"),)
    assert collect_facts(source, None, "") == {"name": "NGC0001", "redshift": 0.03}
    assert collect_facts(source, None, "ngc 1")["redshift"] == 0.03
    with pytest.raises(TableError, match="there is no galaxy NGC2, only NGC0001"):
        collect_facts(source, None, "NGC2")


def test_the_one_galaxy_of_a_file_is_looked_up_in_the_sample(shared, tmp_path):
    Table({"name": ["NGC4047"], "log_M_star": [10.0]}).write(tmp_path / "one.csv")
    facts = collect_facts((str(tmp_path / "one.csv"),), shared / "califa_dr3" / "objects.csv", "")
    assert (facts["galaxy_id"], facts["log_M_star"]) == (489, 10.0)


def test_two_rows_of_one_galaxy_are_not_chosen_between(tmp_path):
    Table({"name": ["NGC1", "IC2", "ngc 0001"], "redshift": [0.03, 0.1, 0.04]}).write(tmp_path / "two.csv")
    with pytest.raises(TableError, match="the galaxy NGC1 is there 2 times, in rows 1, 3"):
        collect_facts((str(tmp_path / "two.csv"),), None, "NGC1")


def test_weights_and_numbers_that_make_no_sense_are_refused():
    with pytest.raises(TableError, match="inv_vmax must be positive, not 0"):
        row_of(inv_vmax=0.0)
    with pytest.raises(TableError, match=r"galaxy_id must be a whole number, not 1\.5"):
        row_of(inv_vmax=1e-5, galaxy_id=1.5)
    with pytest.raises(TableError, match="the galaxy's name is not known"):
        row_of(inv_vmax=1e-5, name="")


def _with_unit_of_mass(path: Path, unit: str) -> Path:
    Table(CATALOGUE).write(path)
    fits.setval(path, "TUNIT3", value=unit, ext=1)
    return path


@pytest.mark.parametrize("unit", ["dex(solMass)", "log(solMass)", "log10(Msun)", "[Msun]", "log(M_sun)"])
def test_a_mass_in_logs_is_known_however_its_unit_is_spelt(tmp_path, unit):
    galaxies = read_catalogue(_with_unit_of_mass(tmp_path / "units.fits", unit)).galaxies
    assert [facts["log_M_star"] for facts in galaxies] == [11.0, 10.0]


def test_a_unit_that_is_none_is_refused_by_file_and_column(tmp_path):
    with pytest.raises(TableError, match=r"units\.fits: column log_M_star: 'stones' is not a unit"):
        read_catalogue(_with_unit_of_mass(tmp_path / "units.fits", "stones"))
    with pytest.raises(TableError, match=r"log_M_star has the unit 'Msun', but must be in dex\(solMass\)"):
        read_catalogue(_with_unit_of_mass(tmp_path / "linear.fits", "Msun"))
