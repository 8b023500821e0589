"""Figures for print: every mark drawn, the size and type of the journal, words and numbers that belong to them."""

import json
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits, votable
from astropy.table import Table
from astropy.units import Unit
from astropy.wcs import WCS
from matplotlib.text import Text
from PIL import Image

from app.paper import caption, images, numbers, pictures, regions, tables
from app.paper.__main__ import main
from app.paper.layout import panel_rows
from app.paper.look import WIDTHS
from app.paper.marks import DRAWN
from app.paper.plot import draw_figure
from app.paper.shown import show
from app.screen import fills
from app.store import open_survey
from app.style import styles
from engine.columns import GALAXY, REGION
from engine.figures.arrays import View
from engine.figures.catalogue import FIGURES
from engine.figures.cut import Cut
from engine.figures.marks import MARKS, MedianMap
from engine.figures.planes import weighted_count
from engine.figures.words import parse_cut
from tests.app.print import assert_fits_the_journal, seen_words

MASSIVE = parse_cut(["log_M_star>10.0"])


@pytest.fixture(scope="module")
def survey(small_survey):
    return open_survey(small_survey)


@pytest.fixture(scope="module")
def figure_3(survey):
    return show(survey, "3", MASSIVE, link="http://here/app?log_M_star=10")


@pytest.fixture(scope="module")
def png_of_3(figure_3):
    return Image.open(BytesIO(pictures.picture(figure_3, "one", "png")))


def test_paper_knows_every_mark():
    assert set(DRAWN) == set(MARKS)


def test_screen_and_paper_count_alike(survey):
    columns = survey["log_mu_star"], survey["log_age_wr"], survey.weight("area/V'max")
    limits, cells = (0.83, 4.17, 8.4, 10.2), (150, 126)
    plain = weighted_count(*columns, limits, cells)
    np.testing.assert_allclose(fills.count(*columns, limits, cells), plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_fits_the_journal_in_type_that_can_be_read_and_no_words_collide(survey, key, columns):
    assert_fits_the_journal(draw_figure(show(survey, key), columns), columns, {8.0})


def test_what_is_hidden_on_the_screen_is_hidden_on_paper_and_in_the_key(survey):
    shown = show(survey, "3", MASSIVE)
    less = replace(shown, hidden=frozenset({"contours", "old ridge", "insets"}))
    both = [draw_figure(each) for each in (shown, less)]
    n_lines = [sum(len(ax.lines) for ax in page.axes) for page in both]
    assert n_lines[1] < n_lines[0]
    colours = [{line.get_color() for ax in page.axes for line in ax.lines} for page in both]
    assert colours[0] - colours[1] == {styles().of("old ridge").colour, styles().of("contours").colour}
    keys = [{text.get_text() for text in page.legends[0].get_texts()} for page in both]
    assert "old ridge" in " ".join(keys[0] - keys[1])
    assert [sum(len(ax.child_axes) for ax in page.axes) for page in both] == [6, 0]
    assert "insets" not in " ".join(text.get_text() for text in seen_words(both[1]))


def test_an_inset_that_was_swapped_is_swapped_on_paper(survey):
    shown = show(survey, "3", MASSIVE)
    plain, swapped = (draw_figure(each).axes[0] for each in (shown, replace(shown, swapped=True)))
    pictures = [np.asarray(ax.images[0].get_array()) for ax in (plain, plain.child_axes[0])]
    for ax, picture in zip((swapped, swapped.child_axes[0]), reversed(pictures), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), picture)


def test_every_panel_of_a_figure_is_drawn_in_either_width():
    for shown in FIGURES.values():
        for columns in WIDTHS:
            drawn = [panel.name for row in panel_rows(shown, columns) for panel in row]
            assert sorted(drawn) == sorted(panel.name for panel in shown.panels)


def test_a_png_has_300_dots_per_inch_and_says_what_it_is(png_of_3):
    assert png_of_3.width == round(240 / 72 * 300)
    assert png_of_3.info["dpi"][0] == pytest.approx(300, abs=0.1)
    assert "MOCK" in png_of_3.info["Title"]
    assert "log M∗ from 10" in png_of_3.info["Description"]
    assert png_of_3.info["Source"] == "http://here/app?log_M_star=10"


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="no pdffonts here")
def test_a_pdf_has_the_width_of_the_page_and_its_fonts_inside_as_text(figure_3, tmp_path):
    file = tmp_path / "figure.pdf"
    file.write_bytes(pictures.picture(figure_3, "two", "pdf"))
    fonts = subprocess.run(["pdffonts", file], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert fonts
    assert all("TrueType" in font and font.split()[-5] == "yes" for font in fonts)
    told = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True).stdout
    assert "Page size:       504 x" in told
    words = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
    assert "green valley" in words
    assert "MOCK" in words


def test_an_svg_is_drawn_in_points_of_the_page(figure_3):
    assert b'width="504pt"' in pictures.picture(figure_3, "two", "svg")


def test_the_same_figure_can_be_made_twice(figure_3, png_of_3):
    again = Image.open(BytesIO(pictures.picture(figure_3, "one", "png")))
    np.testing.assert_array_equal(again, png_of_3)


@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_has_a_caption_with_selection_weights_counts_and_sources(survey, key):
    shown = show(survey, key, MASSIVE)
    words = caption.caption_file(shown)
    assert FIGURES[key].title in words
    assert "Selected: log M∗ from 10." in words
    assert "weighted by projected area and 1/V′max" in words
    assert f"{shown.sample.n_galaxies} galaxies" in words
    assert "doi:10.1093/mnras/stac370" in words
    assert "glocal figures" in words
    assert "from app.notebook import figure" in words
    assert "MOCK" in words
    assert "<su" not in words


def test_a_caption_states_the_valley_in_force_where_it_acts(survey):
    assert "0.095 log μ∗ + 9.40 (ZG22 eq. 3)" in caption.caption(show(survey, "3"))
    assert "0.2 log μ∗ + 9.10 (set by hand)" in caption.caption(show(survey, "4", parse_cut(["valley=0.2,9.1"])))
    assert "valley" not in caption.caption(show(survey, "1"))


def test_powers_are_set_as_powers(figure_3):
    assert "10⁹·⁸ yr" in caption.caption(figure_3)
    assert "$10^{9.8}$ yr" in caption.latex_caption(figure_3)
    assert r"1/V'_\mathrm{max}$" in caption.latex_caption(figure_3)
    assert "<" not in caption.latex_caption(figure_3)


def test_the_command_of_a_caption_makes_the_same_selection(survey):
    cut = parse_cut(["log_M_star>10.1", "sequence=old ridge", "valley=fitted"])
    words = caption.command(show(survey, "6", cut, View(weighting="area", min_count=9), (9.5, 10.5)))
    assert "--cut 'sequence=old ridge'" in words
    assert "--weight area --min-count 9 --edges 9.5,10.5" in words


@pytest.mark.parametrize("key", FIGURES)
def test_the_numbers_behind_a_figure_are_those_of_its_arrays(survey, key):
    shown = show(survey, key, MASSIVE)
    columns, words = numbers.line_table(shown)
    assert set(columns) == set(words)
    assert len({len(values) for values in columns.values()}) == 1
    assert set(columns["panel"]) <= {panel.name for panel in shown.figure.panels}
    if key == "3":
        median = shown.arrays["log_Z_wr-log_mu_star", 3]
        rows = (columns["panel"] == "log_Z_wr-log_mu_star") & (columns["line"] == "median")
        np.testing.assert_array_equal(columns["log_mu_star"][rows], median.x)
        np.testing.assert_array_equal(columns["log_Z_wr"][rows], median.median)
        np.testing.assert_array_equal(columns["log_Z_wr_p84"][rows], median.high)


def test_the_older_peaks_are_those_of_the_old_ridge(figure_3):
    columns, _ = numbers.line_table(figure_3)
    old, young = (columns["log_age_wr"][columns["line"] == name] for name in ("old ridge", "young sequence"))
    assert np.nanmax(young) < np.nanmin(old)


def test_bars_of_colours_have_the_ends_of_their_maps(survey):
    """Medians and scatters of Fig. 5: on paper and on the screen."""
    shown = show(survey, "5")
    marks = [
        (mark, shown.arrays[panel.name, i])
        for panel in shown.figure.panels
        for i, mark in enumerate(panel.marks)
        if isinstance(mark, MedianMap)
    ]
    ends = [arrays.z_limits for _, arrays in marks]
    bars = [ax._colorbar.norm for ax in draw_figure(shown).axes if hasattr(ax, "_colorbar")]
    assert sorted((bar.vmin, bar.vmax) for bar in bars) == sorted(ends)
    assert [fills.fill_of(*one).ends for one in marks] == ends
    assert all(low < high for low, high in ends)


@pytest.mark.parametrize("kind", tables.WRITERS)
def test_tables_come_back_with_values_units_and_ucds(survey, kind):
    shown = show(survey, "2", MASSIVE)
    columns, words = numbers.line_table(shown)
    content = tables.table_file(columns, words, numbers.facts(shown), kind)
    values, unit, ucd = READERS[kind](content, "log_mu_star")
    np.testing.assert_allclose(values, columns["log_mu_star"])
    standard = kind in ("fits", "votable")
    assert str(unit).replace(" ", "") == ("log(solMass.pc-2)" if standard else "dex(solMass/pc2)")
    assert ucd == "phys.density"
    assert b"MOCK" in content


UNITS = {column.unit for column in (*REGION.values(), *GALAXY.values())} - {"dex"}  # which no standard names


@pytest.mark.filterwarnings("ignore:The unit 'Angstrom'")  # VOUnits would rather have nm
@pytest.mark.parametrize("standard", ["fits", "vounit"])
@pytest.mark.parametrize("unit", sorted(UNITS))
def test_exported_units_are_those_of_the_columns_as_both_standards_spell_them(unit, standard):
    spelt, wanted = tables.standard_unit(unit), Unit(unit)
    if unit.startswith("dex("):
        spelt, wanted = spelt.removeprefix("log(").removesuffix(")"), wanted.physical_unit
    assert Unit(spelt, format=standard) == wanted


def _read_ecsv(content, name):
    table = Table.read(content.decode(), format="ascii.ecsv")
    return table[name], table[name].unit, table[name].meta["ucd"]


def _read_fits(content, name):
    table = fits.open(BytesIO(content))[1]
    i = table.columns.names.index(name) + 1
    return table.data[name], table.header[f"TUNIT{i}"], table.header[f"TUCD{i}"]


def _read_parquet(content, name):
    table = pq.read_table(BytesIO(content))
    metadata = table.schema.field(name).metadata
    return table.column(name).to_numpy(), metadata[b"unit"].decode(), metadata[b"ucd"].decode()


def _read_votable(content, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", votable.exceptions.W50)  # astropy does not know log(...)
        table = votable.parse(BytesIO(content)).get_first_table()
    field = table.get_field_by_id_or_name(name)
    return np.ma.filled(table.array[name], np.nan), field.unit, field.ucd


READERS = {"ecsv": _read_ecsv, "fits": _read_fits, "parquet": _read_parquet, "votable": _read_votable}


def test_images_have_axes_of_quantities(survey):
    shown = show(survey, "5")
    with fits.open(BytesIO(images.image_file(shown))) as file:
        first = file[1]
        world = WCS(first.header)
        assert list(world.wcs.ctype) == ["log_M_star", "log_mu_star"]
        assert first.header["CUNIT2"] == "log(solMass.pc-2)"
        assert first.header["BUNIT"] == "log(yr)"
        arrays = shown.arrays[shown.figure.panels[0].name, 0]
        np.testing.assert_allclose(first.data, arrays.value, rtol=1e-6)
        ends = world.wcs_pix2world([[0.5, 0.5], [first.data.shape[1] + 0.5, first.data.shape[0] + 0.5]], 1)
        np.testing.assert_allclose(ends.T.ravel(), arrays.limits)


def test_selected_regions_and_galaxies_keep_all_their_columns(survey):
    shown = show(survey, "3", parse_cut(["log_M_star>11.2"]))
    columns, words = regions.region_table(shown)
    assert len(columns["region_id"]) == shown.sample.n_regions
    assert {"sb_r", "mag_u", "radius_re"} <= set(columns)
    np.testing.assert_array_equal(columns["log_age_wr"], shown.sample["log_age_wr"])
    galaxies, _ = regions.galaxy_table(shown)
    assert (galaxies["log_M_star"] >= 11.2).all()
    assert len(galaxies["galaxy_id"]) == shown.sample.n_galaxies
    few = {name: values[:100] for name, values in columns.items()}
    for kind in tables.WRITERS:
        assert tables.table_file(few, words, {}, kind)


def test_the_command_writes_pictures_captions_numbers_and_regions(small_survey, tmp_path, capsys):
    words = ["--fig", "b1", "--format", "svg", "--cut", "log_M_star>10", "--data", "ecsv", "--regions", "parquet"]
    assert main([str(small_survey), "--out", str(tmp_path), *words]) == 0
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        "figure-B1-mock.svg", "figure-B1-mock-caption.txt", "figure-B1-mock-caption.tex", "figure-B1-mock.ecsv",
        "figure-B1-mock-planes.fits", "figures.json", "regions.parquet", "galaxies.parquet",
    }  # fmt: skip
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["selected"] == "log M∗ from 10"
    assert {"valley_slope", "mu_e_mass_slope", "share_old"} <= {number["key"] for number in told["numbers"]}
    assert "Fig. B1: figure-B1-mock.svg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--fig", "9"], "no figure '9'"),
        (["--cut", "mass>3"], "mass"),
        (["--cut", "log_M_star>30"], "no region"),
        (["--edges", "10,9"], "must rise"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(small_survey, tmp_path, capsys, words, named):
    assert main([str(small_survey), "--out", str(tmp_path), *words]) == 2
    refusal = capsys.readouterr().err
    assert refusal.startswith("glocal: ")
    assert named in refusal
    assert not list(tmp_path.iterdir())


def test_measured_data_wear_no_stamp(survey, monkeypatch):
    monkeypatch.setitem(survey.__dict__, "stamp", "")
    shown = show(survey, "7", Cut())
    assert "mock" not in shown.stem
    assert "MOCK" not in caption.caption(shown)
    assert not [text for text in draw_figure(shown, "one").findobj(Text) if "MOCK" in text.get_text()]


def test_paper_needs_no_dashboard():
    code = (
        "import sys\n"
        "for name in ('panel', 'bokeh', 'datashader', 'holoviews'): sys.modules[name] = None\n"
        "import app.paper.__main__\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120)
    assert done.returncode == 0, done.stderr
