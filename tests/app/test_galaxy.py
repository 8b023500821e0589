"""The galaxy page without a browser: one selection in, arrays and words out."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.pages import galaxy_words as words
from app.pages.galaxy import FILES_CHANGED, GalaxyPage
from app.paper.page import Note, page_file
from app.screen import map_data, profiles
from app.screen.galaxy_picker import nearest_galaxy, padded
from app.store import Survey
from app.values import MAPS
from engine.columns import FIRST_OWN_NUMBER, MOCK
from engine.flags import SpaxelFlag
from engine.stats import PERCENTILES, weighted_quantile
from precompute.io.products import read_survey
from tests.app.visitors import open_galaxy

pytestmark = pytest.mark.usefixtures("as_served")


@pytest.fixture(scope="module")
def survey(small_survey) -> Survey:
    """Eight made-up galaxies."""
    return Survey(small_survey)


@pytest.fixture
def page(survey) -> GalaxyPage:
    """The page of galaxy 5."""
    return open_galaxy(survey, galaxy_id=5)


@pytest.fixture(scope="module")
def untouched(survey) -> GalaxyPage:
    """The same, of which tests change nothing."""
    return open_galaxy(survey, galaxy_id=5)


def test_four_maps_show_each_value_of_the_file_at_its_place_in_the_sky(untouched, small_survey):
    regions = read_survey(small_survey)[0]
    here = {name: values[regions["galaxy_id"] == 5] for name, values in regions.items()}
    for panel, name in zip(
        untouched.maps.panels, ("log_mu_star", "log_age_wr", "log_Z_wr", "smoothing_level"), strict=True
    ):
        shown = {key: values[0] for key, values in panel.source.data.items()}
        row, column = (here["y"] - shown["y"]).astype(int), (here["x"] - shown["x"]).astype(int)  # from a corner
        np.testing.assert_array_equal(shown["values"][row, column], here[name].astype(np.float32))
        assert np.isfinite(shown["values"]).sum() == np.isfinite(here[name]).sum()
        assert shown["values"].shape == (shown["dh"], shown["dw"])


def test_another_galaxy_changes_data_and_no_figure(page, survey):
    figures = [panel.figure for panel in page.maps.panels]
    page.selection.galaxy_id = 2
    assert [panel.figure for panel in page.maps.panels] == figures
    assert np.isfinite(page.maps.panels[0].source.data["values"][0]).sum() <= len(survey.galaxy_maps(2)["x"])
    assert "mock 002" in page.heading.object
    assert page.picker.here.data["x"][0] == pytest.approx(survey.galaxy_row(2).log_M_star)


def test_colours_span_the_values_of_the_survey_in_every_galaxy_unless_asked(page, survey, small_survey):
    every = read_survey(small_survey)[0]
    of_one = every["log_mu_star"][every["galaxy_id"] == 1]  # the lightest galaxy: its centre is no dense place
    for galaxy_id in (5, 1):
        page.selection.galaxy_id = galaxy_id
        low, high = page.maps.panels[0].mapper.low, page.maps.panels[0].mapper.high
        assert 0.97 < np.mean((every["log_mu_star"] >= low) & (every["log_mu_star"] <= high)) < 1.0
        assert high > np.nanmax(of_one)
    page.selection.map_range = "galaxy"
    low, high = page.maps.panels[0].mapper.low, page.maps.panels[0].mapper.high
    assert high < np.nanmax(of_one)
    assert 0.97 < np.mean((of_one >= low) & (of_one <= high)) < 1.0


def test_a_chooser_changes_its_own_map(page):
    page.maps.choosers[1].value = "v_star"
    assert page.selection.maps == ["log_mu_star", "v_star", "log_Z_wr", "smoothing_level"]
    assert page.maps.panels[1].picture.quantity.name == "v_star"
    assert page.maps.panels[1].mapper.low == -page.maps.panels[1].mapper.high


def test_a_spaxel_is_ringed_in_the_maps_and_in_the_planes(page):
    row = 321
    x, y = int(page.columns["x"][row]), int(page.columns["y"][row])
    page.click_spaxel(x + 0.3, y - 0.4)
    assert page.selection.spaxel == (x, y)
    assert (page.maps.sky.ring.data["x"], page.maps.sky.ring.data["y"]) == ([x], [y])
    assert page.planes.rings[0].data["y"][0] == page.columns["log_age_wr"][row]
    assert words.number(page.columns["log_age_wr"][row]) in page.spaxel.object
    page.click_spaxel(x, y)
    assert page.selection.spaxel is None
    assert page.maps.sky.ring.data["x"] == []


def test_the_ring_goes_when_another_galaxy_opens(page):
    page.click_spaxel(36, 30)
    page.finder.step(1)
    assert page.selection.spaxel is None
    assert page.maps.sky.ring.data["x"] == []


def test_a_link_to_an_unknown_galaxy_opens_the_one_with_most_regions(survey):
    page = open_galaxy(survey, galaxy_id=4711)
    assert page.selection.galaxy_id == int(survey.galaxies.loc[survey.galaxies["n_regions"].idxmax(), "galaxy_id"])
    assert "4711" in page.finder.message.object


def test_a_link_to_unknown_maps_shows_the_default_in_their_place(survey):
    page = open_galaxy(survey, maps=["sb_r", "nonsense", "x", "chi2"])
    assert page.selection.maps == ["sb_r", MAPS[1], MAPS[2], "chi2"]


def test_steps_go_round(page):
    page.selection.galaxy_id = 1
    page.finder.step(-1)
    assert page.selection.galaxy_id == 8


def test_the_exported_png_shows_what_is_seen_and_names_the_galaxy(untouched):
    note = Note("mock 005", "", "MOCK survey", "http://here", "glocal")
    image = Image.open(BytesIO(page_file(untouched.paper(note), note)))
    assert image.width == 2100
    assert untouched.title == "mock 005"


def test_truth_and_difference_can_be_shown_in_a_mock(untouched):
    names = {quantity.name for quantity in map_data.quantities(untouched.columns)}
    assert {"true_log_age_wr", "log_age_wr_minus_true", "mag_u_err", "mgfe_prime"} <= names


def test_a_missing_column_is_a_sentence_in_the_place_of_the_map(page):
    del page.columns["smoothing_level"]
    page._show_maps()
    assert page.maps.panels[3].picture is None
    assert page.maps.panels[3].sentence.visible
    assert "smoothing level" in page.maps.panels[3].sentence.text.replace("\n", " ")


@pytest.mark.parametrize("typed", ["mock 003", "MOCK003", "3", "califa 3"])
def test_the_search_forgives_spaces_case_and_numbers(survey, typed):
    assert words.find_galaxy(survey.galaxies, typed) == 3


@pytest.mark.parametrize("typed", ["mock", "NGC 1", "99", "3x", ""])
def test_the_search_finds_no_galaxy_that_is_not_there(survey, typed):
    assert words.find_galaxy(survey.galaxies, typed) is None


def test_every_search_line_finds_its_own_galaxy(survey):
    frame = survey.galaxies.assign(origin="measured")
    lines = words.search_words(frame)
    assert [words.find_galaxy(frame, line) for line in lines] == frame["galaxy_id"].tolist()


@pytest.mark.parametrize("number", [0, FIRST_OWN_NUMBER, FIRST_OWN_NUMBER + 7])
def test_a_galaxy_without_a_catalogue_number_wears_none_and_is_found_by_its_name(survey, number):
    frame = survey.galaxies.assign(origin="measured")
    frame.loc[0, ["name", "galaxy_id"]] = "NGC 5000", number
    assert words.search_words(frame)[0] == "NGC 5000"
    assert words.search_words(frame)[1].endswith(" · CALIFA 2")
    assert words.find_galaxy(frame, "ngc5000") == number
    assert words.find_galaxy(frame, str(number)) is None
    assert "CALIFA" not in words.heading(frame.iloc[0], 144)
    assert "CALIFA 2 · " in words.heading(frame.iloc[1], 144)


def test_the_search_opens_galaxy_zero(survey, monkeypatch):
    monkeypatch.setattr(words, "find_galaxy", lambda _galaxies, _typed: 0)
    page = open_galaxy(survey, galaxy_id=5)
    opened = []
    monkeypatch.setattr(page.finder, "open", opened.append)
    page.finder.find("ngc5000")
    assert opened == [0]
    assert not page.finder.message.object


def test_the_facts_are_those_of_the_table(survey):
    facts = dict(words.galaxy_facts(survey.galaxy_row(4), old_fraction=0.376))
    values = list(facts.values())
    assert f"{survey.galaxy_row(4).log_M_star:.2f}" in values
    assert "38 %" in values
    assert any(re.fullmatch(r"\d\.\d×10⁻⁶ Mpc⁻³", value) for value in values)


@pytest.mark.parametrize(("value", "said"), [(2.1e-6, "2.1×10⁻⁶"), (0.0, "0"), (np.nan, "–"), (-350.0, "−3.5×10²")])
def test_powers_read_as_in_print(value, said):
    assert words.power(value) == said


def test_a_spaxel_says_its_sequence_smoothing_and_flags():
    columns = {
        "smoothing_level": np.array([3]),
        "flags": np.array([SpaxelFlag.FEW_MODELS | SpaxelFlag.SMOOTHED | SpaxelFlag.LIBRARY_EDGE]),
    }
    said = words.spaxel_sentence(columns, 0, is_old=True)
    assert said == "old ridge; median with a corona of 2 spaxels; few models fit; at the edge of the model library"
    assert words.spaxel_sentence({}, 0, None) == ""


def test_what_a_table_lacks_is_said():
    columns = {
        name: np.ones(2) for name in ("log_mu_star_err", "smoothing_level", "snr_per_angstrom", "sb_r", "d4000n")
    }
    assert words.missing_sentence(columns) == "This table has no errors of age or magnitudes."
    assert words.missing_sentence(columns | {"log_age_wr_err": np.ones(2), "mag_r": np.ones(2)}) == ""


@pytest.mark.parametrize(("x", "y", "upright"), [(np.nan, np.nan, True), (270.0, 0.5, True), (0.0, 90.0, False),
                                                 (90.0, 0.0, False)])  # fmt: skip
def test_a_caption_calls_north_up_only_a_map_that_has_it_so(survey, x, y, upright):
    galaxy = survey.galaxies.iloc[0].copy()
    galaxy["x_axis_angle"], galaxy["y_axis_angle"] = x, y
    for told in (words.caption(galaxy, {}), words.printed_caption(galaxy, {})):
        assert told.startswith("North is up, east left." if upright else "The arrows N and E show north and east.")


def test_grey_spaxels_of_a_mock_name_the_cuts():
    assert "22.5" in words.reasons(MOCK)[map_data.NO_REGION]


def test_a_click_near_a_galaxy_finds_it_and_one_far_off_finds_none(survey):
    first = survey.galaxies.iloc[0]
    assert nearest_galaxy(survey.galaxies, first.log_M_star + 0.01, first.log_mu_e, [2.4, 1.4]) == first.galaxy_id
    assert nearest_galaxy(survey.galaxies, 50.0, 50.0, [2.4, 1.4]) is None


def test_a_galaxy_without_mean_density_is_never_found(survey):
    nowhere = survey.galaxies.assign(log_mu_e=np.nan)
    assert nearest_galaxy(nowhere, 10.0, 2.0, [1.0, 1.0]) is None
    assert padded(np.array([np.nan])) == (0.0, 1.0)
    assert padded(np.array([2.0])) == (1.5, 2.5)


def test_a_galaxy_that_cannot_be_read_leaves_the_last_one_whole(page, survey, monkeypatch):
    before = [panel.source.data["values"][0] for panel in page.maps.panels]
    facts = page.facts.object

    def gone(_survey, _galaxy_id):
        raise OSError("replaced")

    monkeypatch.setattr(Survey, "galaxy_maps", gone)
    page.selection.galaxy_id = 2
    assert page.selection.galaxy_id == 5
    assert page.title == "mock 005"
    assert FILES_CHANGED in page.finder.message.object
    assert "mock 005" in page.heading.object
    assert page.facts.object == facts
    for panel, values in zip(page.maps.panels, before, strict=True):
        np.testing.assert_array_equal(panel.source.data["values"][0], values)


def test_a_double_click_on_a_map_picks_no_spaxel_and_keeps_the_one_picked(page):
    x, y = (int(np.median(page.columns[name])) for name in ("x", "y"))
    page._tapped(x, y)
    page._tapped(x, y)
    assert page.selection.spaxel is None
    page.click_spaxel(x, y)
    page._tapped(x + 1, y)
    page._tapped(x + 1, y)
    assert page.selection.spaxel == (x, y)


def test_zooms_of_maps_spectrum_and_planes_are_kept_in_the_selection_and_come_back(page, survey):
    page.maps.sky.x_range.update(start=30.0, end=40.0)
    page.detail.wave_range.update(start=5000.0, end=5400.0)
    page.planes.ranges["log_age_wr"].update(start=9.0, end=9.5)
    page.zooms.settle()
    kept = {"galaxy.map_x": (30.0, 40.0), "galaxy.wave": (5000.0, 5400.0), "galaxy.log_age_wr": (9.0, 9.5)}
    assert page.selection.zoom == kept
    again = open_galaxy(survey, galaxy_id=5, zoom=dict(kept))
    assert (again.maps.sky.x_range.start, again.maps.sky.x_range.end) == (30.0, 40.0)
    assert (again.detail.wave_range.start, again.detail.wave_range.end) == (5000.0, 5400.0)
    page.selection.zoom = {}
    assert page.maps.sky.x_range.start == page.maps.sky.x_range.reset_start


def test_another_galaxy_is_shown_whole_and_keeps_the_window_of_wavelengths(page):
    page.selection.zoom = {"galaxy.map_x": (30.0, 40.0), "galaxy.wave": (5000.0, 5400.0)}
    page.selection.galaxy_id = 2
    assert page.selection.zoom == {"galaxy.wave": (5000.0, 5400.0)}
    assert page.maps.sky.x_range.start == page.maps.sky.x_range.reset_start


@pytest.mark.parametrize("name", [*map_data.ESTIMATES, "v_star", "snr_per_angstrom"])
def test_profiles_are_weighted_medians_in_bins_of_the_ellipse(untouched, survey, name):
    columns, galaxy = untouched.columns, dict(survey.galaxy_row(5))
    radius = profiles.radii(columns, galaxy)
    found = profiles.profile(radius, columns[name], columns["weight"])
    inside = (radius >= 0.4) & (radius < 0.6) & np.isfinite(columns[name])
    at = int(np.argmin(np.abs(found.band.x - 0.5)))
    quantiles = weighted_quantile(columns[name][inside], columns["weight"][inside], PERCENTILES)
    assert (found.band.low[at], found.band.median[at], found.band.high[at]) == pytest.approx(quantiles, abs=1e-6)


def test_radii_are_those_of_the_ellipse(survey):
    galaxy = dict(survey.galaxy_row(5))
    angle = np.deg2rad(galaxy["position_angle"])
    major = galaxy["x_centre"] - 13.0 * np.sin(angle), galaxy["y_centre"] + 13.0 * np.cos(angle)
    minor = (
        galaxy["x_centre"] + 13.0 * galaxy["axis_ratio"] * np.cos(angle),
        galaxy["y_centre"] + 13.0 * galaxy["axis_ratio"] * np.sin(angle),
    )
    places = {"x": np.array([major[0], minor[0]]), "y": np.array([major[1], minor[1]])}
    np.testing.assert_allclose(profiles.radii(places, galaxy), 1.0, rtol=1e-5)
    assert profiles.radii(places, galaxy | {"half_light_radius": np.nan}) is None
    to_the_north = galaxy | {"x_axis_angle": 0.0, "y_axis_angle": -90.0}  # the map turned by 90 deg
    turned = {
        "x": galaxy["x_centre"] + places["y"] - galaxy["y_centre"],
        "y": galaxy["y_centre"] + places["x"] - galaxy["x_centre"],
    }
    np.testing.assert_allclose(profiles.radii(turned, to_the_north), 1.0, rtol=1e-5)


def test_profiles_show_the_quantities_of_the_maps_and_say_what_is_missing(page):
    page.selection.detail = "profiles"
    assert page.detail.others["profiles"].visible
    np.testing.assert_array_equal(page.maps.profiles.points[1].data["y"], page.columns["log_age_wr"])
    page.selection.maps = ["log_mu_star", "v_star", "log_Z_wr", "smoothing_level"]
    np.testing.assert_array_equal(page.maps.profiles.points[1].data["y"], page.columns["v_star"])
    del page.columns["v_star"]
    page._show_maps()
    assert "This table has no v∗" in page.maps.profile_words[1].object
    assert len(page.maps.profiles.points[1].data["x"]) == 0
