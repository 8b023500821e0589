"""The galaxy page in a browser: galaxies open, spaxels tell their values, files are as seen."""

import re
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.screen import map_data
from app.store import Survey
from tests.browser.conftest import STILL, turn
from tests.browser.driver import expect

pytestmark = pytest.mark.browser

READY = ".page.galaxy canvas"
RAIL = "aside[data-rail=galaxy]"


@pytest.fixture(scope="module")
def survey(small_survey) -> Survey:
    """The survey the app serves, read here too."""
    return Survey(small_survey)


@pytest.fixture
def opened(kept_page) -> Callable:
    """Open a galaxy by its name on the page that tests share; no spaxel is chosen."""

    def open_(name: str):
        turn(kept_page, "galaxy")
        kept_page.evaluate(f"glocal.ask('galaxy {int(name.removeprefix('mock '))}')")
        expect(_heading(kept_page)).to_have_text(name)
        expect(kept_page).to_have_url(re.compile("spaxel=(&|$)"))
        kept_page.wait_for_function(STILL)
        return kept_page

    return open_


def _heading(page):
    return page.locator("main .heading [data-page=galaxy] h1")


def _map(page, place: int = 0):
    return page.locator(".page.galaxy .bk-Figure").nth(place)


def _still(page, place: int) -> bytes:
    """Pixels of a map once it stands still, but for its 1 px border, whose corner the browser draws anew by a shade."""
    last = b""
    for _ in range(100):
        image = Image.open(BytesIO(_map(page, place).screenshot())).convert("RGB")
        if (now := image.crop((1, 1, image.width - 1, image.height - 1)).tobytes()) == last:
            break
        last = now
        page.wait_for_timeout(100)
    return last


def _place(page, columns: dict, x: int, y: int) -> tuple[float, float]:
    """Where a spaxel of the first map lies on the screen."""
    left, right, bottom, top = map_data.square_window(map_data.frame_of(columns["x"], columns["y"]))
    box = _map(page).bounding_box()
    across, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
    return box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]


def _press(page, key: str) -> None:
    page.locator("body[data-ready]").wait_for(state="attached")  # a page draws before it hears keys and clicks
    page.keyboard.press(key)


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def test_the_tab_opens_a_galaxy_with_four_maps(app, visit, survey):
    page = visit(app)
    page.get_by_role("link", name="Galaxy", exact=True).click()
    largest = survey.galaxies.loc[survey.galaxies["n_regions"].idxmax(), "name"]
    expect(_heading(page)).to_have_text(largest)
    expect(page.locator(".page.galaxy select")).to_have_count(4)
    expect(page.locator(".stamp")).to_contain_text("MOCK")


def test_a_link_opens_its_galaxy_and_spaxel(app, visit, survey):
    columns = survey.galaxy_maps(3)
    x, y = int(columns["x"][500]), int(columns["y"][500])
    page = visit(f"{app}?page=galaxy&galaxy_id=3&spaxel={x},{y}", READY)
    expect(_heading(page)).to_have_text("mock 003")
    expect(page.locator(RAIL)).to_contain_text(f"Spaxel ({x}, {y})")


def test_an_unknown_galaxy_is_told_and_another_one_opens(app, visit):
    page = visit(f"{app}?page=galaxy&galaxy_id=4711", READY)
    expect(page.locator(f"{RAIL} .warning")).to_have_text("This survey has no galaxy 4711.")
    expect(_heading(page)).to_contain_text("mock")


def test_a_click_on_a_spaxel_shows_its_values(opened, survey):
    page = opened("mock 005")
    columns = survey.galaxy_maps(5)
    row = int(np.flatnonzero(np.isfinite(columns["log_mu_star"]))[700])
    page.mouse.click(*_place(page, columns, columns["x"][row], columns["y"][row]))
    rail = page.locator(RAIL)
    expect(rail).to_contain_text(f"Spaxel ({columns['x'][row]}, {columns['y'][row]})")
    for name in map_data.ESTIMATES:
        value, error = _number(columns[name][row]), _number(columns[f"{name}_err"][row])
        expect(rail).to_contain_text(f"{value} ± {error}")
    expect(page).to_have_url(re.compile("spaxel="))


def test_hover_tells_value_and_error_and_why_a_spaxel_is_grey(opened, survey):
    page = opened("mock 004")
    columns = survey.galaxy_maps(4)
    row = int(np.flatnonzero(np.isfinite(columns["log_mu_star"]))[700])
    said = f"{_number(columns['log_mu_star'][row])} ± {_number(columns['log_mu_star_err'][row])}"
    page.mouse.move(*_place(page, columns, columns["x"][row], columns["y"][row]))
    expect(page.get_by_text(said)).to_be_visible()
    page.mouse.move(*_place(page, columns, 50, 40))  # where the small survey masks a star
    expect(page.get_by_text("no region here")).to_be_visible()


def test_the_search_finds_a_galaxy_by_name_and_tells_when_there_is_none(opened):
    page = opened("mock 003")
    search = page.locator(f"{RAIL} input[type=text]").first
    search.fill("MOCK 2")
    search.press("Enter")
    expect(page.locator(f"{RAIL} .warning")).to_contain_text("MOCK 2")
    search.fill("mock 002")
    search.press("Enter")
    expect(_heading(page)).to_have_text("mock 002")
    expect(page.locator(f"{RAIL} .warning")).to_have_count(0)


def test_arrow_keys_step_through_galaxies_and_shifted_ones_through_spaxels(opened, survey):
    page = opened("mock 004")
    columns = survey.galaxy_maps(4)
    x, y = int(np.median(columns["x"])), int(np.median(columns["y"]))
    page.mouse.click(*_place(page, columns, x, y))
    expect(page.locator(RAIL)).to_contain_text(f"Spaxel ({x}, {y})")
    _press(page, "Shift+ArrowUp")
    expect(page.locator(RAIL)).to_contain_text(f"Spaxel ({x}, {y + 1})")
    _press(page, "ArrowRight")
    expect(_heading(page)).to_have_text("mock 005")
    _press(page, "ArrowLeft")
    expect(_heading(page)).to_have_text("mock 004")


def test_another_quantity_changes_its_map_only(opened):
    page = opened("mock 006")
    before = [_still(page, place) for place in (0, 1)]
    second = page.locator(".page.galaxy select").nth(1)
    was = second.input_value()
    second.select_option(label=map_data.quantity("v_star").axis)
    expect(page).to_have_url(re.compile("maps=log_mu_star%2Cv_star"))
    for _ in range(20):
        if _still(page, 1) != before[1]:
            break
    assert _still(page, 1) != before[1]
    assert _still(page, 0) == before[0]
    second.select_option(was)
    expect(page).to_have_url(re.compile("maps=log_mu_star%2Clog_age_wr"))


def test_a_click_in_the_plane_of_galaxies_opens_one(opened):
    page = opened("mock 001")
    box = page.locator(".page.galaxy .bk-Figure").nth(6).bounding_box()
    for step in range(12, 100, 2):  # the dots lie near a diagonal, that of mock 001 first: clicks meet some
        page.mouse.click(box["x"] + box["width"] * step / 100, box["y"] + box["height"] * (0.95 - step / 110))
        if "mock 001" not in _heading(page).inner_text():
            break
    expect(_heading(page)).not_to_have_text("mock 001")


def test_a_png_of_the_galaxy_says_mock_and_carries_the_link(opened):
    page = opened("mock 002")
    with page.expect_download() as download:
        page.get_by_text("Export").click()
        page.get_by_role("button", name="Figure: PNG", exact=True).click()
    image = Image.open(BytesIO(download.value.path().read_bytes()))
    assert image.width == 2100
    assert "MOCK" in image.info["Title"]
    assert "galaxy_id=2" in image.info["Description"]
    assert download.value.suggested_filename == "glocal-mock-002.png"


def test_real_ngc4047_opens_and_tells_what_its_table_lacks(serve, visit, shared, tmp_path):
    from precompute.stages.import_table import ImportRequest, import_table

    table = shared / "ngc4047_pipe3d" / "NGC4047_allpix.pipe3d.hdf5"
    import_table(ImportRequest(table, "pipe3d", sample=shared / "califa_dr3" / "objects.csv"), tmp_path)
    page = visit(f"{serve(tmp_path)}?page=galaxy", READY)
    expect(_heading(page)).to_have_text("NGC4047")
    expect(page.locator(".stamp")).to_have_count(0)
    expect(page.locator(".page.galaxy")).to_contain_text("This table has no errors of mass")


def test_a_spaxel_that_was_not_kept_says_why_and_a_click_shows_the_spectrum_of_another(serve, visit, spectra_survey):
    address = serve(spectra_survey)
    page = visit(f"{address}?page=galaxy&galaxy_id=5&spaxel=50,40", READY)
    expect(page.locator(RAIL)).to_contain_text("Not kept: a foreground star")
    expect(page.get_by_text("rest wavelength")).to_be_hidden()
    columns = Survey(spectra_survey).galaxy_maps(5)
    row = int(np.flatnonzero(np.isfinite(columns["log_mu_star"]))[700])
    x, y = int(columns["x"][row]), int(columns["y"][row])
    page.mouse.click(*_place(page, columns, x, y))
    expect(page.get_by_text("rest wavelength")).to_be_visible()
    expect(page.get_by_text("emission lines", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"spaxel={x}%2C{y}"))
    page.get_by_text("In the sample").click()
    expect(page.get_by_text("rest wavelength")).to_be_hidden()
    expect(page).to_have_url(re.compile("detail=sample"))


def test_a_link_brings_the_spectrum_of_its_spaxel_back_and_keys_step_on(serve, visit, spectra_survey):
    columns = Survey(spectra_survey).galaxy_maps(5)
    row = int(np.flatnonzero(np.isfinite(columns["log_mu_star"]))[700])
    x, y = int(columns["x"][row]), int(columns["y"][row])
    page = visit(f"{serve(spectra_survey)}?page=galaxy&galaxy_id=5&spaxel={x},{y}", READY)
    expect(page.get_by_text("rest wavelength")).to_be_visible()
    _press(page, "Shift+ArrowRight")
    expect(page.locator(RAIL)).to_contain_text(f"Spaxel ({x + 1}, {y})")


def test_a_survey_without_spectra_says_so(opened):
    page = opened("mock 006")
    expect(page.locator(".page.galaxy .caption")).to_contain_text("This survey keeps no spectra")
