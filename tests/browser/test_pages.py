"""Every page of the registry in a browser: words, figure, selection, files, keys, narrow windows."""

import re
from contextlib import suppress
from itertools import zip_longest

import numpy as np
import pytest

from app import registry
from app.values import INSETS, OVERLAYS
from engine.figures.axes import LIMITS
from engine.figures.catalogue import FIGURES
from engine.figures.cut import Cut, Range
from engine.figures.sample import select
from tests.browser.conftest import READY, turn, visits
from tests.browser.conftest import SELECTION as RAIL
from tests.browser.driver import expect, playwright

pytestmark = pytest.mark.browser

FIGURE_PAGES = [entry for entry in registry.PAGES if entry.figures]
# Of the figures that pages switch between, each one once: a link holds one for every page.
SWITCHES = [entry.keys for entry in FIGURE_PAGES if len(entry.keys) > 1]
LINKS = [[key for key in keys if key] for keys in zip_longest(*SWITCHES)]
BORDERS = 40, 10, 6, 22  # px around the frame of a plane: left, right, top, bottom (app.screen.parts)
SIZES = [(1024, 768), (683, 384), (400, 800)]


@pytest.mark.parametrize("entry", FIGURE_PAGES, ids=lambda entry: entry.name)
def test_a_tab_opens_its_question_its_panels_and_numbers_that_follow_the_selection(home, small_survey, entry):
    from app.store import Survey

    page = home
    page.get_by_role("link", name=entry.label, exact=True).click()
    section = page.locator(f".page.{entry.name}")
    expect(section).to_be_visible()
    expect(page.locator(f"main .heading [data-page={entry.name}] h1")).to_have_text(entry.heading)
    expect(section.locator(".bk-Figure")).to_have_count(len(FIGURES[entry.keys[0]].panels))
    expect(section.locator("canvas").first).to_be_visible()
    page.locator(RAIL).get_by_text(">10.8", exact=True).click()
    sample = select(Survey(small_survey), Cut(ranges={"log_M_star": Range(10.8)}))
    counted = f"{sample.n_regions:,}".replace(",", r"\s?") + f" regions of {sample.n_galaxies} galaxies"
    expect(section.locator(".numbers")).to_contain_text(re.compile(counted))


@pytest.mark.parametrize("keys", LINKS, ids=",".join)
def test_a_link_opens_every_figure_with_its_caption(app, visit, keys):
    entries = [next(entry for entry in FIGURE_PAGES if key in entry.keys) for key in keys]
    first = entries[-1].name
    page = visit(f"{app}?page={first}&figures={','.join(keys)}", f".page.{first} canvas")
    page.locator(READY).wait_for(state="attached")
    for entry, key in zip(entries, keys, strict=True):
        turn(page, entry.name)
        words = re.sub(r"<[^>]*>", "", FIGURES[key].caption)
        expect(page.locator(f".page.{entry.name} .caption")).to_have_text(words)


@pytest.mark.parametrize(
    ("name", "ending"), [("Figure: PDF", "pdf"), ("Lines and points: ECSV", "ecsv"), ("Words: Python", "py")]
)
def test_files_download(kept_page, name, ending):
    page = kept_page
    turn(page, "drivers")
    with page.expect_download() as download:
        page.get_by_text("Export").click()
        page.get_by_role("button", name=name, exact=True).click()
    assert download.value.suggested_filename.startswith("glocal-figure-5-mock")
    assert download.value.suggested_filename.endswith(ending)
    content = download.value.path().read_bytes()
    assert content.startswith(b"%PDF") if ending == "pdf" else b"figure" in content


def test_the_data_page_tells_which_table_is_loaded(kept_page):
    page = kept_page
    turn(page, "data")
    expect(page.locator(".page.data")).to_contain_text("mock: an invented survey")
    expect(page.locator(".page.data")).to_contain_text("SHA-256")
    expect(page.locator(".page.data")).to_contain_text("@article{ZibettiGallazzi2022")


def test_a_click_on_a_galaxy_opens_it(app, visit, small_survey):
    from app.store import Survey

    galaxies = Survey(small_survey).galaxies
    page = visit(f"{app}?page=masses&plane=log_mu_e-log_M_star", ".page.masses canvas >> visible=true")
    page.locator(READY).wait_for(state="attached")
    box = page.locator(".page.masses .bk-Figure >> visible=true").bounding_box()
    left, right, top, bottom = BORDERS
    for mass, density in zip(galaxies["log_M_star"], galaxies["log_mu_e"], strict=True):
        across = (mass - LIMITS["log_M_star"][0]) / np.ptp(LIMITS["log_M_star"])
        up = (density - LIMITS["log_mu_e"][0]) / np.ptp(LIMITS["log_mu_e"])
        x = box["x"] + left + across * (box["width"] - left - right)
        y = box["y"] + top + (1 - up) * (box["height"] - top - bottom)
        page.mouse.click(x, y)
        with suppress(playwright.TimeoutError):
            page.wait_for_url("**page=galaxy**", wait_until="commit", timeout=1000)
            break
    expect(page).to_have_url(re.compile("page=galaxy"))


def test_a_click_in_a_plane_lists_the_galaxies_of_that_place(home):
    page = home
    box = page.locator(".page.relations .bk-Figure").first.bounding_box()
    place = page.get_by_role("dialog", name="Galaxies at this place")
    page.mouse.dblclick(box["x"] + 0.35 * box["width"], box["y"] + 0.2 * box["height"])  # one panel alone, no list
    expect(page.locator(".page.relations .bk-Figure >> visible=true")).to_have_count(1)
    page.wait_for_timeout(500)
    expect(place).to_be_hidden()
    box = page.locator(".page.relations .bk-Figure >> visible=true").bounding_box()
    page.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.25 * box["height"])
    expect(place).to_be_visible()
    expect(place).to_contain_text(re.compile(r"\d+ regions? of \d+ galax"))
    page.keyboard.press("Escape")
    expect(place).to_be_hidden()
    page.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.25 * box["height"])
    name = place.locator("tbody button").first.inner_text()
    place.get_by_role("button", name="Select these galaxies").click()
    expect(page).to_have_url(re.compile("galaxies=[0-9]"))
    page.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.25 * box["height"])
    place.locator("tbody button").first.click()
    expect(page.locator("main .heading [data-page=galaxy] h1")).to_have_text(name)
    turn(page, "relations")
    page.mouse.dblclick(box["x"] + 0.35 * box["width"], box["y"] + 0.25 * box["height"])
    expect(page).to_have_url(re.compile("plane=(&|$)"))  # all planes again


def test_keys_turn_pages_undo_and_redo(home):
    page = home
    page.locator(RAIL).get_by_text(">10.8", exact=True).click()
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    page.keyboard.press("Control+z")
    expect(page).to_have_url(re.compile("log_M_star=all"))
    page.keyboard.press("Control+Shift+z")
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile(f"page={registry.NAMES[1]}"))


def test_buttons_expose_which_of_them_is_down_and_sliders_have_names(home):
    page = home
    rail = page.locator(RAIL)
    expect(rail.get_by_role("button", name="old ridge", exact=True).first).to_have_attribute("aria-pressed", "false")
    rail.get_by_role("button", name="old ridge", exact=True).first.click()
    expect(rail.get_by_role("button", name="old ridge", exact=True).first).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("slider", name="Galaxy mass, lower end")).to_be_visible()


def test_the_legend_lists_what_the_page_draws(home):
    page = home
    shown = page.locator(f"{RAIL} .legend .bk-btn >> visible=true")
    expect(shown).to_have_text(list(OVERLAYS))
    turn(page, "drivers")
    expect(shown).to_have_text([INSETS])
    turn(page, "errors")
    expect(shown).to_have_text(["median"])
    shown.click()
    turn(page, "relations")
    expect(page.locator(f"{RAIL} .legend .bk-btn.bk-active >> visible=true")).to_have_count(len(OVERLAYS) - 1)


def test_back_leaves_no_trail_of_views_and_copy_link_hands_out_this_one(home):
    page = home
    before = page.evaluate("history.length")
    page.locator(RAIL).get_by_text(">10.8", exact=True).click()
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    assert page.evaluate("history.length") == before
    page.evaluate("navigator.clipboard.writeText = async (words) => { window.copied = words }")
    page.get_by_text("Copy link").click()
    page.wait_for_function("window.copied")
    assert page.evaluate("window.copied") == page.url
    page.evaluate("() => { delete navigator.clipboard.writeText; delete window.copied }")


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}px")
def narrow(request, app, window):
    """A page in a window that was narrow when it opened, with its width."""
    width, height = request.param
    with visits(window) as visit:
        page = visit(app, "body", {"width": width, "height": height})
        page.locator(READY).wait_for(state="attached")
        yield page, width


@pytest.mark.parametrize("entry", registry.PAGES, ids=lambda entry: entry.name)
def test_narrow_windows_scroll_and_nothing_is_cut_at_the_side(narrow, entry):
    page, width = narrow
    turn(page, entry.name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("(main => main.scrollWidth - main.clientWidth)(document.querySelector('main'))") <= 0


@pytest.mark.parametrize("narrow", SIZES[1:2], indirect=True, ids=lambda size: f"{size[0]}px")
def test_the_rail_folds_into_a_drawer(narrow):
    page, _ = narrow
    turn(page, "relations")
    expect(page.locator(RAIL)).to_be_hidden()
    page.get_by_role("button", name="Selection").click()
    expect(page.locator(RAIL)).to_be_visible()
    page.evaluate("glocal.drawer()")  # as the next test expects it
