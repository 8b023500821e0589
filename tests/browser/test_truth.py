"""The page says what is so: controls without effect, galaxies that cannot be read, zooms, empty planes, the pointer."""

import re
import shutil

import pyarrow.parquet as pq
import pytest

from tests.browser.conftest import READY, turn
from tests.browser.conftest import SELECTION as RAIL
from tests.browser.driver import expect

pytestmark = pytest.mark.browser

PLANE = ".page.relations .bk-Figure >> visible=true"


def ready(page):
    page.locator(READY).wait_for(state="attached")
    return page


def centre(page, plane: str = PLANE) -> tuple[float, float]:
    box = page.locator(plane).first.bounding_box()
    return box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"]


def test_copy_link_works_where_the_browser_has_no_clipboard(home):
    """As on plain http by host name."""
    page = home
    page.evaluate("""() => {
        Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true })
        document.execCommand = () => { window.copied = document.activeElement.value; return true }
    }""")
    page.get_by_text("Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("window.copied") == page.url
    page.evaluate("() => { delete navigator.clipboard; delete document.execCommand; delete window.copied }")


def test_a_control_that_can_do_nothing_is_off_and_says_why(serve, visit, small_survey, tmp_path):
    for name in ("regions", "galaxies"):
        table = pq.read_table(small_survey / f"{name}.parquet")
        kept = [column for column in table.column_names if column != "smoothing_level"]
        pq.write_table(table.select(kept), tmp_path / f"{name}.parquet")
    page = ready(visit(f"{serve(tmp_path)}?smoothing=unsmoothed"))
    rail = page.locator(RAIL)
    expect(rail).to_contain_text("This table has no smoothing level")
    expect(rail.get_by_role("button", name="unsmoothed", exact=True)).to_be_disabled()
    expect(page.get_by_text("The link asks for smoothing, which does nothing here")).to_be_visible()


def test_a_galaxy_that_cannot_be_read_leaves_the_last_one_whole(serve, visit, small_survey, tmp_path):
    folder = shutil.copytree(small_survey, tmp_path / "survey")
    page = ready(visit(f"{serve(folder)}?page=galaxy&galaxy_id=4", ".page.galaxy canvas"))
    heading, rail = page.locator("main .heading [data-page=galaxy] h1"), page.locator("aside[data-rail=galaxy]")
    expect(heading).to_have_text("mock 004")
    facts = rail.locator("table.facts").first.inner_text()
    with open(folder / "regions.parquet", "r+b") as file:  # as a copy onto the open file does
        file.truncate(100)
    page.get_by_role("button", name="next").click()
    expect(rail.locator(".warning")).to_contain_text("mock 005 cannot be shown")
    expect(heading).to_have_text("mock 004")
    assert rail.locator("table.facts").first.inner_text() == facts
    expect(page).to_have_url(re.compile("galaxy_id=4"))


def test_a_zoom_is_in_the_link_outlives_a_double_click_and_is_reset_alone(home, visit):
    page = home
    page.locator(RAIL).get_by_text(">10.8", exact=True).click()
    before = page.evaluate("history.length")
    page.mouse.move(*centre(page))
    page.mouse.wheel(0, -300)
    expect(page).to_have_url(re.compile("zoom=[^&]+relations"))
    zoomed = re.search("zoom=[^&]*", page.url)[0]
    page.mouse.dblclick(*centre(page))
    expect(page).to_have_url(re.compile("plane=log_age_wr"))
    assert re.search("zoom=[^&]*", page.url)[0] == zoomed
    again = ready(visit(page.url))
    expect(again.get_by_role("button", name="Reset zoom")).to_be_visible()
    assert re.search("zoom=[^&]*", again.url)[0] == zoomed
    page.get_by_role("button", name="Reset zoom").click()
    expect(page).to_have_url(re.compile("zoom=(&|$)"))
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    assert page.evaluate("history.length") == before
    page.mouse.dblclick(*centre(page))
    expect(page).to_have_url(re.compile("plane=(&|$)"))  # all planes again


def test_an_empty_selection_and_its_planes_say_so(app, visit):
    page = ready(visit(f"{app}?log_M_star=11.8..11.9"))
    expect(page.locator(RAIL).locator(".count")).to_have_text("0 regions")
    expect(page.get_by_text("No region lies in this selection").first).to_be_visible()
    expect(page.locator(".page.relations .message").first).to_contain_text(
        "No region lies in this selection. Widen a range or press Reset."
    )


def test_an_empty_plane_says_why(app, visit):
    page = ready(visit(f"{app}?zoom=relations.log_age_wr:8.41..8.42&min_count=9999"))
    expect(page.locator(".page.relations .message").first).to_contain_text(
        "Nothing lies in this part of the plane. Reset the zoom."
    )
    turn(page, "drivers")
    expect(page.locator(".page.drivers .message").first).to_contain_text(
        "No cell holds 9999 of the selected regions. Ask for fewer regions a bin"
    )


def test_a_line_tells_what_the_hand_can_do_and_the_pointer_reads_values(home):
    page = home
    expect(page.locator(".page.relations .hand")).to_contain_text("Click: galaxies of that place. Drag or wheel: zoom.")
    page.mouse.move(*centre(page))
    expect(page.locator(".page.relations .readout")).to_contain_text(
        re.compile(r"log μ. \d\.\d\d · log Age\S* \d+\.\d\d")
    )
    page.mouse.move(5, 5)
    expect(page.locator(".page.relations .readout")).to_have_text("")


def test_forced_colours_still_show_what_is_chosen(home):
    page = home
    page.emulate_media(forced_colors="active")
    rail = page.locator(RAIL)
    chosen, other = (rail.get_by_role("button", name=name, exact=True).first for name in ("old ridge", "young"))
    chosen.click()
    expect(chosen).to_have_attribute("aria-pressed", "true")
    colours = [each.evaluate("button => getComputedStyle(button).backgroundColor") for each in (chosen, other)]
    page.emulate_media(forced_colors="none")
    assert colours[0] != colours[1]
