"""Other groups' tables become surveys with the right numbers, or are refused in one sentence."""

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.cosmology import FlatLambdaCDM
from astropy.table import MaskedColumn, Table, vstack
from astropy.utils.exceptions import AstropyWarning

from engine.columns import FIRST_OWN_NUMBER, REGIONS_FILE
from engine.errors import GlocalError, SettingsError, TableError
from precompute.io.products import read_survey, write_survey
from precompute.layout import shipped_mappings
from precompute.stages.import_table import ImportRequest, import_table

WRITERS = {".vot": {"format": "votable"}, ".txt": {"format": "ascii.commented_header"}}
PC_PER_ARCSEC = FlatLambdaCDM(H0=70, Om0=0.3, Tcmb0=0).kpc_proper_per_arcmin(0.01).to_value(u.pc / u.arcsec)


@pytest.fixture
def bring_in(tmp_path, their_table, their_mapping, facts):
    """Import the made-up table, with changes, into tmp_path/out; returns the survey and the report."""

    def run(table=None, mapping=their_mapping, galaxy=facts, name="their.ecsv", **request):
        (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
        source = tmp_path / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # FITS has no word for dex
            (their_table if table is None else table).write(source, overwrite=True, **WRITERS.get(source.suffix, {}))
        report = import_table(ImportRequest(source, str(tmp_path / "map.toml"), galaxy, **request), tmp_path / "out")
        return *read_survey(tmp_path / "out"), report

    return run


def refuse(bring_in, tmp_path, message, kind=TableError, **changes):
    with pytest.raises(kind, match=message) as refusal:
        bring_in(**changes)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_linear_densities_become_logs_with_the_imf_offset(bring_in):
    regions, _, _, _ = bring_in()
    np.testing.assert_allclose(regions["log_mu_star"], np.log10([10, 20, 10, 20, 1000, 20, 10, 20]) - 0.2, rtol=1e-6)


def test_logs_in_gyr_become_logs_in_yr(bring_in):
    regions, _, _, _ = bring_in()
    np.testing.assert_allclose(regions["log_age_wr"], 9 + np.linspace(-1, 1, 9)[:8], rtol=1e-6)


def test_relative_errors_become_dex(bring_in):
    regions, _, _, _ = bring_in()
    np.testing.assert_allclose(regions["log_Z_wr_err"], 0.2 / np.log(10), rtol=1e-6)


def test_errors_nobody_gave_are_empty(bring_in):
    regions, _, _, _ = bring_in()
    assert np.isnan(regions["log_age_wr_err"]).all()


def test_velocities_are_relative_to_the_median_of_the_kept_spaxels(bring_in):
    regions, _, _, _ = bring_in()
    np.testing.assert_allclose(regions["v_star"], np.linspace(-35, 35, 8), atol=1e-3)


def test_rows_without_a_value_are_dropped_and_counted(bring_in):
    regions, galaxies, _, report = bring_in()
    assert len(regions["x"]) == galaxies["n_regions"][0] == report.n_kept == 8
    assert report.dropped == {"log_mu_star": 1, "log_age_wr": 0, "log_Z_wr": 0}
    assert "1 spaxels without log_mu_star were left out." in report.sentences()


def test_numbers_that_stand_for_no_value_are_dropped(bring_in, their_table):
    their_table["met"][:2] = -99.0
    assert bring_in(their_table)[3].dropped["log_Z_wr"] == 2


def test_densities_that_are_not_positive_have_no_log_and_are_dropped(bring_in, their_table):
    their_table["Sigma"][:2] = [0.0, -5.0]
    assert bring_in(their_table)[3].dropped["log_mu_star"] == 3


def test_masses_per_spaxel_are_divided_by_the_projected_area(bring_in, their_table, their_mapping):
    their_table["Sigma"].unit = "solMass"
    mapping = their_mapping.replace('unit = "solMass / pc2"', 'unit = "solMass"\nper_spaxel = true')
    regions, _, _, _ = bring_in(their_table, mapping)
    area = PC_PER_ARCSEC**2
    np.testing.assert_allclose(10 ** (regions["log_mu_star"][0] + 0.2) * area, 10.0, rtol=1e-4)


def test_densities_per_kpc2_become_densities_per_pc2(bring_in, their_table, their_mapping):
    their_table["Sigma"] = np.log10(their_table["Sigma"]) + 6
    their_table["Sigma"].unit = "dex(solMass / kpc2)"
    regions, _, _, _ = bring_in(their_table, their_mapping.replace("solMass / pc2", "dex(solMass / kpc2)"))
    np.testing.assert_allclose(regions["log_mu_star"][4], 2.8, rtol=1e-6)


def test_logs_whose_file_states_the_plain_unit_are_read_with_log_true(bring_in, their_table, their_mapping):
    their_table["age"].unit = "Gyr"
    regions, _, _, _ = bring_in(their_table, their_mapping.replace('unit = "dex(Gyr)"', 'unit = "Gyr"\nlog = true'))
    np.testing.assert_allclose(regions["log_age_wr"][0], 8.0, rtol=1e-6)


def test_spaxels_count_from_zero_and_x_grows_to_the_west(bring_in, their_mapping):
    west = bring_in()[0]
    east = bring_in(mapping=their_mapping.replace('y = "row"', 'y = "row"\nx_grows = "east"'))[0]
    assert west["x"].min() == west["y"].min() == 0
    here, there = ((r["x"][r["log_mu_star"] > 2][0], r["v_star"][0] < r["v_star"][1]) for r in (west, east))
    assert (here[0], there[0]) == (1, 1)
    assert here[1] != there[1]


def test_weights_are_area_over_volume(bring_in):
    regions, galaxies, _, _ = bring_in()
    np.testing.assert_allclose(galaxies["pc_per_arcsec"], PC_PER_ARCSEC, rtol=1e-5)
    np.testing.assert_allclose(regions["weight"], PC_PER_ARCSEC**2 / 1e5, rtol=1e-5)


def test_the_centre_is_the_densest_spaxel_and_the_mean_density_needs_the_ellipse(bring_in, facts):
    _, galaxies, _, report = bring_in()
    assert (galaxies["x_centre"][0], galaxies["y_centre"][0]) == (1, 1)
    assert np.isnan(galaxies["log_mu_e"][0])
    assert any("half_light_radius is not known" in note for note in report.notes)
    whole = (*facts, "half_light_radius=0.9", "axis_ratio=1", "position_angle=0")
    assert bring_in(galaxy=whole)[1]["log_mu_e"][0] == pytest.approx(2.8, abs=1e-5)


def test_the_survey_says_it_is_measured_and_from_which_files(bring_in):
    _, galaxies, meta, _ = bring_in()
    assert meta["origin"] == galaxies["origin"][0] == "measured"
    assert set(meta["inputs"]) == {"their.ecsv", "map.toml"}
    assert meta["settings"]["mapping"]["columns"]["log_mu_star"]["imf_offset_dex"] == -0.2


@pytest.mark.parametrize("name", ["their.fits", "their.vot", "their.hdf5", "their.csv", "their.ecsv", "their.txt"])
def test_every_usual_format_gives_the_same_survey(bring_in, their_table, their_mapping, name):
    inner = '\ntable = "T"' if name.endswith("hdf5") else ""
    if name.endswith("hdf5"):
        pytest.importorskip("h5py")
    for column in their_table.colnames:
        if name.endswith(("fits", "vot")) and "dex" in str(their_table[column].unit):
            their_table[column].unit = None  # neither format can say dex(...)
    mapping = their_mapping.replace('y = "row"', 'y = "row"' + inner)
    if inner:
        their_table = HDF5Table(their_table)
    regions, _, _, _ = bring_in(their_table, mapping, name=name)
    assert len(regions["x"]) == 8
    assert regions["log_age_wr"][0] == pytest.approx(8.0)


class HDF5Table:
    """A table that is written with a path inside the file."""

    def __init__(self, table):
        self.table = table

    def write(self, path, overwrite):
        self.table.write(path, path="T", serialize_meta=True, overwrite=overwrite)


def test_a_wrong_unit_is_refused(bring_in, tmp_path, their_table):
    their_table["Sigma"].unit = "solMass / kpc2"
    message = "column Sigma has the unit 'solMass / kpc2', but the mapping says 'solMass / pc2'"
    refuse(bring_in, tmp_path, message, table=their_table)


def test_a_unit_that_cannot_become_ours_is_refused(bring_in, tmp_path, their_table, their_mapping):
    their_table["age"].unit = "km"
    mapping = their_mapping.replace("dex(Gyr)", "km")
    message = "column age in 'km' cannot become log_age_wr"
    refuse(bring_in, tmp_path, message, table=their_table, mapping=mapping)


def test_a_missing_column_is_refused(bring_in, tmp_path, their_table):
    their_table.remove_column("met")
    refuse(bring_in, tmp_path, "their.ecsv: column met is missing", table=their_table)


def test_a_duplicate_region_is_refused(bring_in, tmp_path, their_table):
    twice = vstack([their_table, their_table[:1]])
    refuse(bring_in, tmp_path, "the spaxel x=0, y=0 of galaxy 3 occurs more than once", table=twice)


def test_infinite_values_are_refused(bring_in, tmp_path, their_table):
    their_table["age"][3] = np.inf
    refuse(bring_in, tmp_path, "column age is infinite in 1 rows, the first is row 4", table=their_table)


def test_a_spaxel_without_a_place_is_refused(bring_in, tmp_path, their_table):
    their_table["col"] = their_table["col"].astype(float)
    their_table["col"][3] = np.nan
    refuse(bring_in, tmp_path, r"column x has no value \(NaN\) in row 3", table=their_table)


def test_words_in_a_column_of_numbers_are_refused(bring_in, tmp_path, their_table):
    their_table["met"] = ["low"] * 9
    refuse(bring_in, tmp_path, "column met must hold numbers", table=their_table)


def test_negative_weights_are_refused(bring_in, tmp_path, facts):
    refuse(bring_in, tmp_path, "weight", GlocalError, galaxy=(*facts, "inv_vmax=-1e-5"))
    refuse(bring_in, tmp_path, "vmax must be positive, not -1", galaxy=(*facts, "vmax=-1"))


def test_an_empty_table_is_refused(bring_in, tmp_path, their_table):
    refuse(bring_in, tmp_path, "their.ecsv: the table is empty", table=their_table[:0])


def test_a_table_without_any_value_is_refused(bring_in, tmp_path, their_table):
    their_table["met"] = np.nan
    refuse(bring_in, tmp_path, "no row has values", table=their_table)


def test_a_file_that_is_no_table_is_refused(tmp_path, their_mapping, facts):
    (tmp_path / "map.toml").write_text(their_mapping)
    for name in ("notes.fits", "notes.vot", "notes.hdf5", "notes.xyz"):
        (tmp_path / name).write_text("dear diary\n\x00\x01")
        with pytest.raises(TableError, match=f"{name} is not a table that can be read: it is neither text nor"):
            import_table(ImportRequest(tmp_path / name, str(tmp_path / "map.toml"), facts), tmp_path / "out")
    with pytest.raises(TableError, match="is not a file"):
        import_table(ImportRequest(tmp_path / "no", str(tmp_path / "map.toml"), facts), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_galaxies_in_one_table_are_refused(bring_in, tmp_path, their_table, their_mapping):
    their_table["id"] = ["A"] * 5 + ["B"] * 4
    mapping = their_mapping.replace('y = "row"', 'y = "row"\ngalaxy_name = "id"')
    refuse(bring_in, tmp_path, "holds 2 galaxies", table=their_table, mapping=mapping)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("no_value", "novalue", "map.toml: novalue is not a known entry; known are columns, first_pixel"),
        ("imf_offset_dex", "imf", r"\[columns.log_mu_star\] imf is not a known entry; known are column, file_unit"),
        ("columns.v_star", "columns.velocity", r"\[columns.velocity\] is no column"),
        ("columns.v_star", "columns.weight", r"\[columns.weight\] is no column"),
        ("[columns.log_Z_wr]", "[columns.mg2fe]", r"\[columns.log_Z_wr\] must be given"),
        ('unit = "km / s"', "", r"\[columns.v_star\] unit must be given"),
        ('unit = "km / s"', 'unit = "furlong"', r"\[columns.v_star\]: 'furlong' is not a unit"),
        ('subtract = "median"', 'subtract = "mean"', "subtract must be '' or 'median', not 'mean'"),
        ('x = "col"', 'x = col"', "is not a TOML file"),
        ('x = "col"', 'x = "col"\nx_grows = "up"', "x_grows must be 'west' or 'east', not 'up'"),
        ('x = "col"', "", "x must be given"),
        ('x = "col"', 'x = ""', "x must be text of 1 characters or more, not ''"),
        ("[-99.0]", "-99.0", "no_value must be a list, not -99.0"),
        ("[-99.0]", '["-99"]', "no_value, entry 1 must be a number, not '-99'"),
        ("first_pixel = 1", 'first_pixel = "1"', "first_pixel must be a whole number, not '1'"),
        ("first_pixel = 1", "first_pixel = 1.5", "first_pixel must be a whole number, not 1.5"),
        ("spaxel_arcsec = 1.0", 'spaxel_arcsec = "1.0"', "spaxel_arcsec must be a number, not '1.0'"),
        ("spaxel_arcsec = 1.0", "spaxel_arcsec = 0", "spaxel_arcsec must be above 0, not 0"),
        ("spaxel_arcsec = 1.0", "spaxel_arcsec = inf", "spaxel_arcsec must be a finite number, not inf"),
        ('unit = "km / s"', "unit = 1", r"\[columns.v_star\] unit must be text, not 1"),
        ("= -0.2", '= "-0.2"', r"\[columns.log_mu_star\] imf_offset_dex must be a number, not '-0.2'"),
        ('subtract = "median"', 'log = "no"', r"\[columns.v_star\] log must be true or false, not 'no'"),
        ('column = "vel"', "column = 5", r"\[columns.v_star\] column must be text, not 5"),
        ("first_pixel = 1", "first_pixel = 1\nposition_step = 0.2", "first_pixel counts spaxels"),
        ("first_pixel = 1", "position_origin = [0.0, 0.0]", "position_origin needs position_step"),
        ("first_pixel = 1", "position_step = 0.2\nposition_origin = [0.0]", "position_origin, entry 2 must be given"),
    ],
)
def test_a_mapping_with_a_mistake_is_refused(bring_in, tmp_path, their_mapping, old, new, message):
    refuse(bring_in, tmp_path, message, SettingsError, mapping=their_mapping.replace(old, new, 1))


@pytest.mark.parametrize("columns", ["columns = 5", "columns = ['Sigma']", "[columns]\nlog_mu_star = 'Sigma'"])
def test_columns_that_are_no_tables_are_refused_in_one_sentence(bring_in, tmp_path, their_mapping, columns):
    head = their_mapping[: their_mapping.index("[columns")]
    refuse(bring_in, tmp_path, "columns.* must be a table, not", SettingsError, mapping=head + columns)


def test_a_mapping_that_does_not_exist_is_refused_with_the_shipped_ones(tmp_path):
    with pytest.raises(SettingsError, match=r"there is no mapping 'nobody'.*pipe3d"):
        import_table(ImportRequest(tmp_path, "nobody"), tmp_path / "out")
    assert shipped_mappings() == ["pipe3d"]


@pytest.mark.parametrize(("sign", "writer"), [(-99.9, ".fits"), (999.9, ".hdf5"), (-3.33, ".parquet"), (-99.9, ".vot")])
def test_signs_of_no_value_that_single_precision_cannot_hold_are_recognised(
    bring_in, their_table, their_mapping, monkeypatch, sign, writer
):
    if writer == ".hdf5":
        pytest.importorskip("h5py")
        monkeypatch.setitem(WRITERS, ".hdf5", {"path": "table"})
    for name in ("vel", "met"):
        values = np.asarray(their_table[name], np.float32)
        values[2:4] = sign
        their_table[name] = values
    name = "their" + writer
    regions, _, _, report = bring_in(their_table, their_mapping.replace("-99.0", str(sign)), name=name)
    assert report.dropped["log_Z_wr"] == 2
    kept = [0, 1, 4, 5, 6, 7]
    velocities = np.linspace(3000, 3080, 9)[kept]
    np.testing.assert_allclose(regions["v_star"], velocities - np.median(velocities), atol=1e-3)


def test_a_measurement_near_the_sign_of_no_value_stays(bring_in, their_table, their_mapping):
    their_table["met"][1] = -0.9999
    assert bring_in(their_table, their_mapping.replace("-99.0", "-1.0"))[3].dropped["log_Z_wr"] == 0


def test_an_infinite_value_may_be_the_sign_of_no_value(bring_in, their_table, their_mapping):
    their_table["age"][3] = -np.inf
    assert bring_in(their_table, their_mapping.replace("-99.0", "-inf"))[3].dropped["log_age_wr"] == 1


def test_light_without_a_value_is_no_centre(bring_in, their_table, their_mapping):
    their_table["flux"] = [1.0, 2.0, 1.0, 2.0, 5.0, 2.0, 1.0, 9999.0, 1.0]
    mapping = their_mapping.replace("no_value = [-99.0]", 'light = "flux"\nno_value = [9999.0]')
    _, galaxies, _, _ = bring_in(their_table, mapping)
    assert (galaxies["x_centre"][0], galaxies["y_centre"][0]) == (1, 1)


def test_flags_and_smoothing_levels_of_the_table_are_kept(bring_in, their_table, their_mapping):
    their_table["q"] = [0, 4, 0, 0, 8, 0, 0, 4, 0]
    their_table["lev"] = [1, 2, 3, -99, 3, 2, 1, 5, 1]
    more = '[columns.flags]\ncolumn = "q"\nunit = ""\n[columns.smoothing_level]\ncolumn = "lev"\nunit = ""\n'
    regions = bring_in(their_table, their_mapping + more)[0]
    assert regions["flags"].tolist() == [0, 4, 0, 0, 8, 0, 0, 4]
    assert regions["smoothing_level"].tolist() == [1, 2, 3, 0, 3, 2, 1, 5]  # 0: not known


@pytest.mark.parametrize(
    "spelling",
    [
        "log(solMass/pc2)",
        "log10(Msun/pc^2)",
        "[solMass/pc2]",
        "dex(solMass / pc2)",
        "log10(M_Sun pc**-2)",
        "log Msun/pc2",
    ],
)
def test_a_logarithm_in_any_spelling_is_the_dex_of_the_mapping(
    bring_in, tmp_path, their_table, their_mapping, spelling
):
    their_table["Sigma"] = np.log10(np.nan_to_num(their_table["Sigma"], nan=1.0))
    their_table["Sigma"].unit = u.Unit(spelling, parse_strict="silent")  # as FITS and VOTable readers do
    for unit in ("dex(solMass / pc2)", spelling):
        mapping = their_mapping.replace('unit = "solMass / pc2"', f'unit = "{unit}"')
        regions = bring_in(their_table, mapping)[0]
        np.testing.assert_allclose(regions["log_mu_star"][:2], np.log10([10, 20]) - 0.2, rtol=1e-5)
    refused = their_mapping.replace('unit = "solMass / pc2"', 'unit = "dex(solMass / kpc2)"')
    with pytest.raises(TableError, match=r"column Sigma has the unit .*, but the mapping says 'dex\(solMass / kpc2\)'"):
        bring_in(their_table, refused)


def test_a_unit_in_words_of_the_file_may_be_explained_in_the_mapping(bring_in, their_table, their_mapping):
    their_table["vel"].unit = u.Unit("kilometre per tick", parse_strict="silent")
    with pytest.raises(TableError, match="if both mean the same, add file_unit = 'kilometre per tick'"):
        bring_in(their_table)
    mapping = their_mapping.replace('unit = "km / s"', 'unit = "km / s"\nfile_unit = "kilometre per tick"')
    assert bring_in(their_table, mapping)[3].n_kept == 8


def test_one_galaxy_in_several_spellings_is_one(bring_in, their_table, their_mapping, facts):
    their_table["id"] = MaskedColumn(
        ["NGC 1", "NGC1 ", "ngc 0001", "", "NGC 1"] + ["NGC_1"] * 4, mask=[0] * 4 + [1] + [0] * 4
    )
    mapping = their_mapping.replace('y = "row"', 'y = "row"\ngalaxy_name = "id"')
    galaxies = bring_in(their_table, mapping, galaxy=facts[1:])[1]
    assert galaxies["name"].tolist() == ["NGC 1"]


def test_names_in_latin_1_keep_their_letters(bring_in, their_table, their_mapping, facts, monkeypatch):
    pytest.importorskip("h5py")
    monkeypatch.setitem(WRITERS, ".hdf5", {"path": "table"})
    their_table["id"] = np.array(["Mrk\xe9 5 ".encode("latin-1")] * 9)
    mapping = their_mapping.replace('y = "row"', 'y = "row"\ngalaxy_name = "id"')
    galaxies = bring_in(their_table, mapping, galaxy=facts[1:], name="their.hdf5")[1]
    assert galaxies["name"].tolist() == ["Mrk\xe9 5"]


def test_a_table_that_names_another_galaxy_is_refused(bring_in, tmp_path, their_table, their_mapping):
    their_table["id"] = "NGC 5000"
    mapping = their_mapping.replace('y = "row"', 'y = "row"\ngalaxy_name = "id"')
    refuse(
        bring_in,
        tmp_path,
        "names its galaxy NGC 5000, but --galaxy name=NGC 1 names",
        table=their_table,
        mapping=mapping,
    )
    refuse(bring_in, tmp_path, "column who is missing, which the mapping", mapping=mapping.replace('"id"', '"who"'))


def test_another_galaxy_in_the_header_or_a_column_nobody_mentions_is_told(bring_in, their_table):
    their_table.meta["OBJECT"] = "NGC 5000"
    their_table["Name"] = "M 31"
    words = bring_in(their_table, name="their.fits")[3].sentences()
    assert "Make sure that the table is of NGC 1: its header (OBJECT) names NGC 5000." in words
    assert "Make sure that the table is of NGC 1: its column Name names M 31." in words
    their_table.meta["OBJECT"] = "ngc0001"
    their_table.replace_column("Name", ["NGC 1"] * 9)
    assert not any("Make sure" in sentence for sentence in bring_in(their_table, name="their.fits")[3].sentences())


def test_positions_in_arcsec_are_counted_in_steps_from_an_origin(bring_in, tmp_path, their_table, their_mapping):
    columns, rows = their_table["col"].copy(), their_table["row"].copy()
    their_table["col"], their_table["row"] = (columns - 2) * 0.2, (rows - 2) * 0.2  # as nGIST: from the centre
    refuse(
        bring_in,
        tmp_path,
        "col must give whole spaxels, but row 1 holds -0.2: .* need position_step",
        table=their_table,
    )
    stepped = their_mapping.replace("first_pixel = 1", "position_step = 0.2")
    regions = bring_in(their_table, stepped)[0]
    assert regions["x"].tolist() == (columns - 1)[:8].tolist()
    assert regions["y"].tolist() == (rows - 1)[:8].tolist()
    shifted = stepped.replace("position_step = 0.2", "position_step = 0.2\nposition_origin = [-0.4, 0.0]")
    regions = bring_in(their_table, shifted)[0]
    assert regions["x"].tolist() == columns[:8].tolist()
    assert regions["y"].tolist() == (rows - 2)[:8].tolist()
    their_table["col"][3] += 0.1
    with pytest.raises(
        TableError, match=r"column col must give whole spaxels, but row 4 holds -0\.1: it does not lie on a grid"
    ):
        bring_in(their_table, stepped)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("galaxy_id=1.5", "galaxy_id must be a whole number, not 1.5"),
        ("inv_vmax=0", "the galaxy's inv_vmax must be positive, not 0"),
        ("vmax=0", "the galaxy's vmax must be positive, not 0"),
        ("name=", "the galaxy's name is not known"),
    ],
)
def test_facts_that_would_spoil_the_survey_are_refused(bring_in, tmp_path, facts, change, message):
    refuse(bring_in, tmp_path, message, galaxy=(*facts, change))


def test_two_rows_for_one_galaxy_in_a_table_of_facts_are_refused(bring_in, tmp_path, facts):
    (tmp_path / "facts.csv").write_text("name,redshift\nNGC 2,0.1\nNGC 1,0.01\nngc0001,0.02\n")
    with pytest.raises(TableError, match=r"facts.csv: the galaxy NGC 1 is there 2 times, in rows 2, 3"):
        bring_in(galaxy=(*facts, str(tmp_path / "facts.csv")))


def test_a_galaxy_joins_a_mock_survey_as_mixed(bring_in, tmp_path, regions, galaxies):
    base = write_survey(tmp_path / "mock", regions, galaxies, origin="mock", settings={}, inputs={})
    merged, rows, meta, _ = bring_in(add_to=tmp_path / "mock")
    assert meta["origin"] == "mixed"
    assert meta["settings"]["added_to"]["survey_id"] == base
    assert rows["name"].tolist() == ["mock 3", "mock 7", "NGC 1"]
    assert rows["galaxy_id"].tolist() == [3, 7, FIRST_OWN_NUMBER]  # 3 was taken
    assert rows["origin"].tolist() == ["mock", "mock", "measured"]
    assert rows["n_spaxels_above_cut"].tolist() == [3, 4, 0]
    ours = merged["galaxy_id"] == FIRST_OWN_NUMBER
    assert ours.sum() == 8
    assert np.isfinite(merged["v_star"][ours]).all()
    assert np.isnan(merged["v_star"][~ours]).all()
    assert len(np.unique(merged["region_id"])) == 14
    assert read_survey(tmp_path / "mock")[2]["survey_id"] == base


def test_the_same_galaxy_cannot_join_twice(bring_in, tmp_path):
    bring_in()
    with pytest.raises(TableError, match="already has a galaxy NGC 1"):
        bring_in(add_to=tmp_path / "out")


def test_a_measured_survey_stays_measured_when_another_galaxy_joins(bring_in, tmp_path, facts):
    bring_in()
    _, rows, meta, _ = bring_in(galaxy=(*facts, "name=NGC 2"), add_to=tmp_path / "out")
    assert meta["origin"] == "measured"
    assert rows["name"].tolist() == ["NGC 1", "NGC 2"]


def test_a_mock_survey_is_not_replaced_by_a_slip(bring_in, tmp_path, regions, galaxies):
    base = write_survey(tmp_path / "out", regions, galaxies, origin="mock", settings={}, inputs={})
    with pytest.raises(TableError, match="holds a mock survey: choose another folder for the measured one"):
        bring_in()
    assert read_survey(tmp_path / "out")[2]["survey_id"] == base
    assert bring_in(add_to=tmp_path / "out")[2]["origin"] == "mixed"  # joining it in place is meant


def test_joining_a_survey_of_another_schema_is_refused(bring_in, tmp_path):
    (tmp_path / "old").mkdir()
    Table({"a": [1]}).write(tmp_path / "old" / REGIONS_FILE, format="parquet")
    refuse(bring_in, tmp_path, "not of a Glocal survey", add_to=tmp_path / "old")


class TestNGC4047:
    """The real galaxy: Pipe3D's table through the shipped mapping."""

    @pytest.fixture(scope="class")
    def survey(self, shared, tmp_path_factory):
        pytest.importorskip("h5py")
        out = tmp_path_factory.mktemp("ngc4047")
        table = shared / "ngc4047_pipe3d" / "NGC4047_allpix.pipe3d.hdf5"
        import_table(ImportRequest(table, "pipe3d", sample=shared / "califa_dr3" / "objects.csv"), out)
        return read_survey(out)

    @pytest.fixture(scope="class")
    def source(self, shared):
        pytest.importorskip("h5py")
        return Table.read(shared / "ngc4047_pipe3d" / "NGC4047_allpix.pipe3d.hdf5", path="SSP")

    def test_it_has_every_spaxel_with_a_density(self, survey, source):
        regions, galaxies, meta = survey
        assert len(regions["x"]) == galaxies["n_regions"][0] == np.isfinite(source["sigstar_Avcor"]).sum()
        assert abs(len(regions["x"]) - 4282) <= 1  # one spaxel has an age but no density
        assert meta["origin"] == "measured"

    def test_its_facts_are_those_of_califa(self, survey):
        galaxy = {name: values[0] for name, values in survey[1].items()}
        assert galaxy["galaxy_id"] == 489
        assert galaxy["log_M_star"] == pytest.approx(10.687)
        assert 1 / galaxy["inv_vmax"] == pytest.approx(87100)

    def test_its_centre_lies_where_the_catalogue_puts_it(self, survey, source):
        galaxy = {name: values[0] for name, values in survey[1].items()}
        here = source[(source["ix"] == galaxy["x_centre"]) & (source["iy"] == galaxy["y_centre"])][0]
        east = (here["ra_abs"] - galaxy["ra"]) * np.cos(np.deg2rad(galaxy["dec"])) * 3600
        north = (here["dec_abs"] - galaxy["dec"]) * 3600
        assert np.hypot(east, north) < 2.57  # within the point-spread function

    def test_its_x_grows_to_the_west_and_y_to_the_north(self, source):
        assert np.corrcoef(source["ix"], source["ra_abs"])[0, 1] < -0.99
        assert np.corrcoef(source["iy"], source["dec_abs"])[0, 1] > 0.99

    def test_its_mean_density_fits_half_its_mass_in_half_its_light(self, survey):
        galaxy = {name: float(values[0]) for name, values in survey[1].items() if values.dtype.kind == "f"}
        semi_major = galaxy["half_light_radius"] * galaxy["pc_per_arcsec"]
        expected = galaxy["log_M_star"] - np.log10(2 * np.pi * semi_major**2 * galaxy["axis_ratio"])
        assert galaxy["log_mu_e"] == pytest.approx(expected, abs=0.15)

    def test_its_mass_agrees_with_the_total_within_the_usual_differences(self, survey):
        regions, galaxies, _ = survey
        total = np.log10(np.sum(10.0 ** regions["log_mu_star"].astype(float) * regions["area_pc2"]))
        assert total == pytest.approx(galaxies["log_M_star"][0], abs=0.2)

    def test_the_upstream_error_of_age_is_a_mass_weighted_age_and_is_left_out(self, survey, source):
        known = np.isfinite(source["age_mwt"])
        np.testing.assert_allclose(source["e_age_lwt"][known], source["age_mwt"][known] - 9, atol=1e-5)
        assert np.isnan(survey[0]["log_age_wr_err"]).all()

    def test_other_quantities_that_are_not_ours_stay_out(self, survey):
        assert not {"d4000n", "mg2fe", "hbeta", "sb_r"} & set(survey[0])
