"""Facts of a galaxy come from words, files and the CALIFA table; later ones win; mistakes are named."""

import pytest
from astropy.table import QTable, Table

from engine.errors import SampleError, TableError
from precompute.io.galaxy_facts import collect_facts
from precompute.io.tables import plain_name


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
