"""Spectra of single spaxels: read from their row group alone, drawn with their posteriors, missing ones explained."""

import json
import shutil
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from app import spectra
from app.pages import galaxy_words as words
from app.pages.galaxy import GalaxyPage
from app.paper.page import Note, page_file
from app.screen import map_data, spectrum_data
from app.store import Survey
from engine.columns import META_KEY
from engine.errors import TableError
from engine.flags import SpaxelFlag
from engine.spectra_schema import estimates_id
from precompute.io.products import read_survey, write_survey
from tests.app.print import assert_fits_the_journal
from tests.app.visitors import open_galaxy
from tests.conftest import write_small_survey

pytestmark = pytest.mark.usefixtures("as_served")
GALAXY = 5  # of the small survey, the one with spectra


@pytest.fixture(scope="module")
def survey(spectra_survey) -> Survey:
    """Eight made-up galaxies, one with spectra."""
    return Survey(spectra_survey)


@pytest.fixture(scope="module")
def regions(survey) -> dict:
    """Columns of the galaxy with spectra."""
    return survey.galaxy_maps(GALAXY)


@pytest.fixture
def page(survey) -> GalaxyPage:
    """The page of the galaxy with spectra."""
    return open_galaxy(survey, galaxy_id=GALAXY)


@pytest.fixture(scope="module")
def clicked(survey, regions) -> GalaxyPage:
    """The page with a spaxel chosen, of which tests change nothing but what stands below the maps."""
    row = _measured(regions)
    return open_galaxy(survey, galaxy_id=GALAXY, spaxel=(int(regions["x"][row]), int(regions["y"][row])))


def _measured(regions: dict, place: int = 700) -> int:
    return int(np.flatnonzero(np.isfinite(regions["log_mu_star"]))[place])


def _read(survey: Survey, regions: dict, row: int) -> spectra.SpaxelSpectrum:
    x, y = regions["x"][row], regions["y"][row]
    return spectra.read_spectrum(survey.folder, GALAXY, x, y, belongs_to=estimates_id(regions))


@pytest.mark.parametrize("place", [0, 31, 32, 1500])
def test_every_spaxel_is_found_with_its_own_posterior(survey, regions, place):
    row = _measured(regions, place)
    read = _read(survey, regions, row)
    for name in spectra.ESTIMATES:
        cell = np.diff(read.posteriors[name].edges)[0]
        assert read.posteriors[name].median == pytest.approx(regions[name][row], abs=cell)
        half_width = (read.posteriors[name].high - read.posteriors[name].low) / 2
        assert half_width == pytest.approx(regions[f"{name}_err"][row], abs=cell)


def test_residuals_are_noise_of_the_stated_error_and_bad_pixels_stay_bad(survey, regions):
    read = _read(survey, regions, _measured(regions))
    pull = read.residual / read.flux_err
    assert np.nanstd(pull) == pytest.approx(1, abs=0.1)
    assert np.isnan(read.flux[(read.wave > 5571) & (read.wave < 5589)]).all()


def test_one_spaxel_costs_one_row_group(survey, regions, monkeypatch):
    read_groups = []
    plain = spectra.pq.ParquetFile.read_row_group

    def counted(self, group, **options):
        read_groups.append(group)
        return plain(self, group, **options)

    spectra._group.cache_clear()
    monkeypatch.setattr(spectra.pq.ParquetFile, "read_row_group", counted)
    for row in (64, 65, 95):
        _read(survey, regions, row)
    assert read_groups == [2]


def test_a_spaxel_or_galaxy_without_spectrum_is_none(survey, regions):
    here = {"belongs_to": estimates_id(regions)}
    assert spectra.read_spectrum(survey.folder, GALAXY, 50, 40, **here) is None
    assert spectra.read_spectrum(survey.folder, 1, 36, 34, **here) is None
    assert spectra.read_flags(survey.folder, 1, **here) == {}
    assert spectra.read_flags(survey.folder, GALAXY, **here)[50, 40] == SpaxelFlag.FOREGROUND


def test_a_broken_file_is_told_in_one_sentence(tmp_path):
    (tmp_path / "spectra").mkdir()
    (tmp_path / "spectra" / "7.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(TableError, match=r"7\.parquet is not a file of spectra"):
        spectra.read_spectrum(tmp_path, 7, 1, 1, belongs_to="")


def _change_estimates(folder, change):
    """The survey with other ages of GALAXY, as another measurement would leave it beside the old spectra."""
    regions, galaxies, meta = read_survey(folder)
    mine = regions["galaxy_id"] == GALAXY
    regions["log_age_wr"] = np.where(mine, change(regions["log_age_wr"]), regions["log_age_wr"])
    write_survey(folder, regions, galaxies, origin=meta["origin"], settings={}, inputs={})


@pytest.fixture
def measured_since(tmp_path, spectra_survey) -> Path:
    """The survey with spectra, whose ages are no longer those of the posteriors."""
    folder = shutil.copytree(spectra_survey, tmp_path / "survey")
    _change_estimates(folder, lambda age: age - np.float32(0.2))
    return folder


def test_posteriors_of_another_measurement_are_refused_and_the_page_says_so(measured_since, regions):
    shown = Survey(measured_since)
    page = open_galaxy(shown, galaxy_id=GALAXY)
    row = _measured(regions)
    page.click_spaxel(regions["x"][row], regions["y"][row])
    assert page.detail.spectrum is None
    assert not page.detail.row.visible
    assert "Spectra/5.parquet does not belong to this table" in page.detail.title.object
    assert page.detail.lost == {}
    with pytest.raises(TableError, match="made with other densities, ages or metallicities of mock 005 than"):
        spectra.read_flags(measured_since, GALAXY, belongs_to=estimates_id(shown.galaxy_maps(GALAXY)))


def test_spectra_of_another_survey_under_the_same_number_are_refused(tmp_path, spectra_survey):
    write_small_survey(tmp_path, seed=6)
    shutil.copytree(spectra_survey / "spectra", tmp_path / "spectra")
    other = Survey(tmp_path).galaxy_maps(GALAXY)
    with pytest.raises(TableError, match="does not belong to this table"):
        spectra.read_spectrum(tmp_path, GALAXY, other["x"][0], other["y"][0], belongs_to=estimates_id(other))


def test_a_galaxy_that_joins_does_not_part_the_others_from_their_spectra(tmp_path, spectra_survey, regions):
    folder = shutil.copytree(spectra_survey, tmp_path / "survey")
    table, galaxies, meta = read_survey(folder)
    kept = table["galaxy_id"] != 1
    table = {name: values[kept] for name, values in table.items()} | {"region_id": np.arange(kept.sum())}
    galaxies = {name: values[galaxies["galaxy_id"] != 1] for name, values in galaxies.items()}
    write_survey(folder, table, galaxies, origin=meta["origin"], settings={}, inputs={})
    smaller = Survey(folder)
    row = _measured(regions)
    assert smaller.meta["survey_id"] != meta["survey_id"]
    assert _read(smaller, smaller.galaxy_maps(GALAXY), row) is not None


@pytest.mark.parametrize("column", ["log_mu_star", "log_age_wr_err", "log_Z_wr", "x"])
def test_the_identifier_follows_from_every_estimate_and_from_no_order(regions, column):
    first = estimates_id(regions)
    order = np.random.default_rng(1).permutation(len(regions["x"]))
    assert estimates_id({name: values[order].astype(float) for name, values in regions.items()}) == first
    changed = regions[column].copy()
    changed[np.flatnonzero(np.isfinite(changed))[0]] += 1
    assert estimates_id(regions | {column: changed}) != first


@pytest.mark.parametrize("name", ["5.parquet", "5.flags.parquet"])
def test_files_of_another_version_or_of_none_are_refused(tmp_path, spectra_survey, regions, name, monkeypatch):
    folder = shutil.copytree(spectra_survey, tmp_path / "survey")
    table = pq.read_table(folder / "spectra" / name)
    read = spectra.read_flags if "flags" in name else partial(spectra.read_spectrum, x=1, y=1)
    for content, came in (({"schema_version": 99, "estimates_id": "a"}, "99"), ({"galaxy": "mock 005"}, "not said")):
        harmed = table.replace_schema_metadata({META_KEY: json.dumps(content)})
        pq.write_table(harmed, folder / "spectra" / name)
        with pytest.raises(TableError, match=f"{name} has schema version {came} of spectra, but this Glocal reads"):
            read(folder, GALAXY, belongs_to=estimates_id(regions))


def test_quantiles_of_a_flat_posterior_lie_where_they_must():
    edges = np.linspace(8, 10, 21)
    assert spectra.quantiles(edges, np.full(20, 0.05)) == pytest.approx((8.32, 9.0, 9.68))
    assert np.isnan(spectra.quantiles(edges, np.zeros(20))).all()


def test_contours_of_the_plane_hold_the_weight_they_say(survey, regions):
    read = _read(survey, regions, _measured(regions))
    areas = []
    for (xs, ys), level in zip(spectrum_data.plane_contours(read), spectrum_data.LEVELS, strict=True):
        area = sum(0.5 * abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) for x, y in zip(xs, ys, strict=True))
        areas.append(area / (-2 * np.log(1 - level)))  # a Gaussian's ellipse of chi2 = -2 ln(1 - p)
    sigma = [read.posteriors[name].high - read.posteriors[name].median for name in spectra.PLANE]
    expected = np.pi * sigma[0] * sigma[1] * np.sqrt(1 - 0.6**2)
    assert areas == pytest.approx([expected, expected], rel=0.2)
    ages, metals = (np.concatenate(lines) for lines in spectrum_data.plane_contours(read)[1])
    middles = [(values.min() + values.max()) / 2 for values in (ages, metals)]
    assert middles == pytest.approx([read.posteriors[name].median for name in spectra.PLANE], abs=0.03)


def spectrum_of(*, flux=(4.0, 5.0, np.nan, 7.0), share=(0.0, 0.1, 0.8, 0.1)) -> spectra.SpaxelSpectrum:
    """Four pixels, four cells of each posterior, and a plane with its weight at high age and low metallicity."""
    edges = np.linspace(9.0, 9.4, 5)
    one = spectra.PosteriorCurve(edges, np.array(share), *spectra.quantiles(edges, np.array(share)))
    plane = np.zeros((4, 3))
    plane[3, 0], plane[2, 1] = 0.75, 0.25
    error = np.array([0.1, 0.2, np.nan, 0.3])
    stellar, gas = np.array([4.0, 4.0, 4.0, 4.0]), np.array([0.0, 1.0, 2.0, 2.5])
    plane_edges = np.linspace(9.0, 9.4, 5), np.linspace(-0.3, 0.0, 4)
    posteriors = dict.fromkeys(spectra.ESTIMATES, one)
    return spectra.SpaxelSpectrum(
        np.array([5000.0, 5002.0, 5004.0, 5006.0]), np.array(flux), error, stellar, gas, posteriors, plane, plane_edges
    )


def test_the_residual_is_what_neither_stars_nor_gas_explain():
    np.testing.assert_allclose(spectrum_of().residual, [0.0, 0.0, np.nan, 0.5])
    assert spectrum_data.residual_limit(spectrum_of()) == pytest.approx(5 * 0.2)  # five typical errors


@pytest.mark.parametrize(
    ("changes", "highest"),
    [
        ({}, 6.5),  # stars and lines together
        ({"gas": np.array([0.0, 40.0, 0.0, 0.0])}, 2.2 * 4.0),  # the rest of so high a line leaves the frame
        ({"gas": np.zeros(4), "flux": np.array([4.0, 90.0, 4.0, 4.0])}, 1.3 * 4.0),  # a spike that nothing explains
    ],
)
def test_the_flux_axis_holds_zero_stars_and_lines_and_room_for_words(changes, highest):
    low, high = spectrum_data.flux_limits(spectrum_of()._replace(**changes))
    assert (low, high) == pytest.approx((-0.17 * highest, 1.34 * highest))


def test_the_band_of_a_spectrum_is_one_sigma_wide_to_each_side_and_closed_where_it_is_bad():
    low, high = spectrum_data.error_band(spectrum_of())
    np.testing.assert_allclose(low, [3.9, 4.8, 6.0, 6.7])
    np.testing.assert_allclose(high, [4.1, 5.2, 6.0, 7.3])


def test_a_posterior_is_drawn_per_dex_over_its_peak_and_filled_from_16_to_84_per_cent():
    one = spectrum_of().posteriors["log_age_wr"]
    np.testing.assert_allclose(one.density, np.array([0.0, 0.1, 0.8, 0.1]) / 0.1)
    x, y = spectrum_data.curve(one)
    np.testing.assert_allclose(x, [9.05, 9.15, 9.25, 9.35])
    np.testing.assert_allclose(y, [0.0, 0.125, 1.0, 0.125])
    at, up = spectrum_data.between(one)
    assert (at[0], at[-1]) == (one.low, one.high) == pytest.approx((9.2 + 0.1 * 0.06 / 0.8, 9.2 + 0.1 * 0.74 / 0.8))
    np.testing.assert_allclose(up, np.interp(at, x, y))


def test_the_axis_of_a_posterior_holds_all_but_a_thousandth_of_it_on_either_side():
    edges = np.linspace(-1.0, 5.0, 301)
    middle = (edges[1:] + edges[:-1]) / 2
    narrow, broad = (np.exp(-0.5 * ((middle - 2.0) / sigma) ** 2) for sigma in (0.05, 0.5))
    for share in (narrow / narrow.sum(), broad / broad.sum()):
        one = spectra.PosteriorCurve(edges, share, *spectra.quantiles(edges, share))
        low, high = spectrum_data.axis_of("log_mu_star", one)
        assert share[middle < low].sum() <= 0.001
        assert share[middle > high].sum() <= 0.001
        assert (low, high) == pytest.approx((1.4, 2.6)) or high - low == pytest.approx(2 * 3.09 * 0.5, abs=0.05)


def test_the_plane_has_age_along_x_and_metallicity_along_y():
    shades = spectrum_data.shades(spectrum_of())
    assert shades.shape == (3, 4)
    assert (shades[0, 3], shades[1, 2]) == (255, 85)
    assert np.count_nonzero(shades) == 2


def test_a_click_shows_the_spectrum_below_the_maps_and_a_second_click_the_sample(page, regions):
    row = _measured(regions)
    x, y = int(regions["x"][row]), int(regions["y"][row])
    assert (page.detail.row.visible, page.detail.others["sample"].visible) == (False, True)
    page.click_spaxel(x, y)
    assert (page.detail.row.visible, page.detail.others["sample"].visible) == (True, False)
    read = _read(page.survey, regions, row)
    np.testing.assert_array_equal(page.detail.panel.pixels.data["flux"], read.flux)
    assert f"Spaxel ({x}, {y})" in page.detail.title.object
    page.selection.detail = "sample"
    assert (page.detail.row.visible, page.detail.others["sample"].visible) == (False, True)
    page.selection.detail = "spectrum"
    page.click_spaxel(x, y)
    assert (page.detail.row.visible, page.detail.others["sample"].visible) == (False, True)


def test_another_spaxel_changes_data_and_no_figure(page, regions):
    panel = page.detail.panel
    figures = [panel.spectrum, panel.residual, *panel.curves.values(), panel.plane]
    for place in (700, 1500):
        row = _measured(regions, place)
        page.click_spaxel(regions["x"][row], regions["y"][row])
    assert [panel.spectrum, panel.residual, *panel.curves.values(), panel.plane] == figures
    assert page.maps.sky.ring.data == {"x": [int(regions["x"][row])], "y": [int(regions["y"][row])]}


def test_a_spaxel_that_was_not_measured_shows_its_spectrum_and_no_posterior(page, regions):
    row = int(np.flatnonzero(regions["flags"] == SpaxelFlag.NOT_MEASURED.value)[0])
    page.click_spaxel(regions["x"][row], regions["y"][row])
    assert page.detail.row.visible
    assert "no posterior" in page.detail.titles["log_age_wr"].object
    assert not any(span.visible for span in page.detail.panel.cross)


def test_a_spaxel_that_was_not_kept_tells_why(page):
    page.click_spaxel(50, 40)  # a masked star
    assert page.selection.spaxel == (50, 40)
    assert "foreground star" in page.spaxel.object
    assert page.detail.others["sample"].visible
    assert page.maps.sky.ring.data["x"] == [50]
    picture = page.maps.panels[0].picture
    code = picture.there[40 - picture.frame.y0, 50 - picture.frame.x0]
    assert "foreground star" in page.maps.panels[0].source.data["reasons"][0][code]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (SpaxelFlag.BELOW_BRIGHTNESS_CUT, "fainter than the surface-brightness cut"),
        (SpaxelFlag.SNR_TOO_LOW, "S/N too low even after smoothing"),
        (SpaxelFlag.BAD_PIXELS, "too few good wavelengths"),
        (SpaxelFlag.NONE, "no flag tells why"),
    ],
)
def test_flags_of_lost_spaxels_have_words(flags, said):
    assert said in words.lost_words(flags.value)


def test_a_survey_without_spectra_says_so_once_and_shows_no_empty_box(small_survey):
    page = open_galaxy(Survey(small_survey), galaxy_id=5)
    x, y = (int(np.median(page.columns[name])) for name in ("x", "y"))
    page.click_spaxel(x, y)
    assert page.caption.object.count("keeps no spectra") == 1
    assert (page.detail.row.visible, page.detail.others["sample"].visible) == (False, True)
    assert "spectrum" not in page.detail.turner.options.values()


def test_a_galaxy_without_spectra_says_so(survey):
    page = open_galaxy(survey, galaxy_id=2)
    page.click_spaxel(*(int(np.median(page.columns[name])) for name in ("x", "y")))
    assert "No spectrum was kept of this spaxel." in page.detail.title.object
    assert page.detail.others["sample"].visible


def exported(page) -> bytes:
    """The PNG of a page, with its own caption."""
    note = Note("mock 005", page.told, "MOCK survey", "http://here/app?spaxel=1,1", "glocal")
    return page_file(page.paper(note), note)


def test_the_png_shows_the_spectrum_and_wears_the_stamp(page, regions):
    before = Image.open(BytesIO(exported(page))).size
    row = _measured(regions)
    page.click_spaxel(regions["x"][row], regions["y"][row])
    image = Image.open(BytesIO(exported(page)))
    assert image.size != before
    assert "MOCK" in image.info["Title"]
    assert f"Spaxel ({regions['x'][row]}, {regions['y'][row]})" in image.info["Description"]


@pytest.mark.parametrize("columns", ["one", "two"])
@pytest.mark.parametrize("detail", ["spectrum", "sample", "profiles"])
def test_a_galaxy_fits_the_journal_in_type_that_can_be_read_and_no_words_collide(clicked, detail, columns):
    clicked.selection.detail = detail
    note = Note("mock 005", clicked.told, "MOCK survey · seed 5", "http://here/app", "glocal")
    assert_fits_the_journal(clicked.paper(note, columns), columns, {8.0, 9.0})


def test_the_files_of_a_galaxy_show_what_stands_below_its_maps(page):
    """Planes without what the legend hides; profiles where profiles are seen."""
    note = Note("mock 005", page.told, "MOCK survey", "http://here/app", "glocal")
    page.selection.detail = "sample"
    whole = page.paper(note)
    page.selection.show = [name for name in page.selection.show if name not in ("contours", "green valley")]
    less = page.paper(note)
    assert sum(len(ax.lines) for ax in less.axes) < sum(len(ax.lines) for ax in whole.axes)
    page.selection.detail = "profiles"
    assert "Profiles: regions (grey)" in page.told
    labels = [ax.get_xlabel() for ax in page.paper(note).axes]
    assert sum("R_\\mathrm{e}" in label for label in labels) == 4


def test_codes_of_lost_spaxels_leave_regions_as_they_are(regions):
    frame = map_data.frame_of(regions["x"], regions["y"])
    shown = map_data.picture(regions, frame, "log_mu_star", (0, 1))
    place = (int(regions["x"][0]), int(regions["y"][0]))
    told, kinds = map_data.tell_lost(shown, {place: SpaxelFlag.SNR_TOO_LOW.value})
    np.testing.assert_array_equal(told.there, shown.there)
    assert kinds == [SpaxelFlag.SNR_TOO_LOW.value]


def test_every_lost_spaxel_has_the_code_of_its_own_reason(regions):
    frame = map_data.frame_of(np.array([3, 9]), np.array([10, 11]))
    columns = {name: values[:2] for name, values in regions.items()}
    shown = map_data.picture(columns, frame, "log_mu_star", (0, 1))
    dark, noisy = SpaxelFlag.BELOW_BRIGHTNESS_CUT.value, SpaxelFlag.SNR_TOO_LOW.value
    told, kinds = map_data.tell_lost(shown, {(5, 10): dark, (8, 12): noisy, (40, 40): noisy})
    assert kinds == sorted((dark, noisy))
    assert kinds[told.there[10 - frame.y0, 5 - frame.x0] - map_data.NO_VALUE - 1] == dark
    assert kinds[told.there[12 - frame.y0, 8 - frame.x0] - map_data.NO_VALUE - 1] == noisy
    assert (told.there > map_data.NO_VALUE).sum() == 2
