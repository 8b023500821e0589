"""Facts of a galaxy come from words, files and the CALIFA table; later ones win; mistakes are named."""

import pytest
from astropy.table import QTable, Table

from engine.errors import SampleError, TableError
from precompute.io.galaxy_facts import collect_facts, read_catalogue
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


def test_a_wrong_unit_and_an_unknown_column_in_a_file_are_refused(tmp_path):
    QTable({"half_light_radius": [1.0], "colour": [2.0]}, units={"half_light_radius": "deg"}).write(tmp_path / "g.ecsv")
    with pytest.raises(TableError, match="half_light_radius has the unit 'deg', but must be in arcsec"):
        collect_facts((str(tmp_path / "g.ecsv"),), None, "")
    Table({"colour": [2.0]}).write(tmp_path / "h.ecsv")
    with pytest.raises(TableError, match="unknown fact 'colour'"):
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


def test_an_axis_has_no_direction_so_its_angle_is_below_180():
    assert row_of(inv_vmax=1e-5, position_angle=380.43)["position_angle"] == pytest.approx(20.43)


def test_a_fact_outside_its_limits_is_refused_with_the_galaxys_name():
    with pytest.raises(TableError, match=r"table, NGC 1: column axis_ratio"):
        row_of(inv_vmax=1e-5, axis_ratio=1.2)


def test_every_galaxy_of_the_papers_sample_has_a_sound_row(shared):
    """UGC04176 has a position angle of 380 deg in DR3."""
    path = shared / "califa_dr3" / "objects.csv"
    rows = [galaxy_row(facts, origin="measured", spaxel_arcsec=1.0, label=str(path), advice="")
            for facts in read_catalogue(path)]  # fmt: skip
    assert len(rows) == 363
    assert max(row["position_angle"] for row in rows) < 180
