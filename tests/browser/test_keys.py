"""Every key of the list in the page's help does on every page what the list says, or nothing where it has nothing."""

import re

import pytest

from app import registry
from tests.browser.conftest import SELECTION, STILL, turn
from tests.browser.driver import expect

pytestmark = pytest.mark.browser

GALAXY = "galaxy"
MAPS = ".page.galaxy .bk-Figure >> visible=true"


def asked(page, name: str) -> str:
    """What the address says of a value; nothing before anything was chosen."""
    found = re.search(rf"[?&]{name}=([^&]*)", page.url)
    return found[1] if found else ""


def galaxy_by_galaxy(page, name: str) -> None:
    before = asked(page, "galaxy_id")
    page.keyboard.press("ArrowRight")
    if name != GALAXY:
        page.wait_for_timeout(200)
        assert asked(page, "galaxy_id") == before
        return
    heading = page.locator("main .heading [data-page=galaxy] h1")
    page.wait_for_function("before => !location.search.includes(`galaxy_id=${before}&`)", arg=before)
    after = heading.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(f"galaxy_id={before}&"))
    expect(heading).not_to_have_text(after)


def spaxel_by_spaxel(page, name: str) -> None:
    if name != GALAXY:
        before = page.url
        page.keyboard.press("Shift+ArrowRight")
        page.wait_for_timeout(200)
        assert page.url == before
        return
    box = page.locator(MAPS).first.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.45 * box["height"])
    expect(page).to_have_url(re.compile(r"spaxel=\d"))
    x, y = map(int, re.split(r"%2C|,", asked(page, "spaxel")))
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile(rf"spaxel={x + 1}(%2C|,){y}(&|$)"))
    page.keyboard.press("Shift+ArrowUp")
    expect(page).to_have_url(re.compile(rf"spaxel={x + 1}(%2C|,){y + 1}(&|$)"))


def search(page, name: str) -> None:
    page.keyboard.press("/")
    expect(page).to_have_url(re.compile("page=galaxy"))
    page.wait_for_function("document.activeElement.shadowRoot || document.activeElement.tagName === 'INPUT'")
    page.keyboard.type("x")
    expect(page.get_by_placeholder("name or CALIFA number")).to_have_value("x")
    page.keyboard.press("Backspace")
    page.locator("header .logo").click()  # out of the field
    turn(page, name)


def page_by_page(page, name: str) -> None:
    place = registry.NAMES.index(name)
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile(f"page={registry.NAMES[(place + 1) % len(registry.NAMES)]}&"))
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(f"page={name}&"))
    turn(page, name)


def whole_axes(page, name: str) -> None:
    planes = page.locator(f".page.{name} .bk-Figure >> visible=true")
    if not planes.count():
        page.keyboard.press("0")
        return
    box = planes.first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.wheel(0, -300)
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="Reset zoom")).to_be_hidden()


def undo_and_redo(page, name: str) -> None:
    rail = page.locator(SELECTION)
    if not rail.is_visible():
        turn(page, "relations")
    rail.get_by_text(">10.8", exact=True).click()
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    turn(page, name)
    page.keyboard.press("Control+z")
    expect(page).to_have_url(re.compile("log_M_star=all"))
    page.keyboard.press("Control+Shift+z")
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    page.keyboard.press("Control+z")
    expect(page).to_have_url(re.compile("log_M_star=all"))


def put_away(page, _name: str) -> None:
    page.locator(".menu summary").click()
    expect(page.locator(".menu")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).not_to_have_attribute("open", "")
    page.evaluate("document.activeElement.blur()")


def this_list(page, _name: str) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


DONE = {
    "← →": galaxy_by_galaxy,
    "Shift + arrows": spaxel_by_spaxel,
    "/": search,
    "[ ]": page_by_page,
    "0": whole_axes,
    "Ctrl Z, Ctrl Shift Z": undo_and_redo,
    "Esc": put_away,
    "?": this_list,
}


def test_every_key_of_the_list_is_tried(kept_page):
    assert kept_page.locator("dialog.keys dt").all_text_contents() == list(DONE)


@pytest.mark.parametrize("keys", DONE)
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_key_does_what_the_list_says(kept_page, name, keys):
    page = kept_page
    turn(page, name)
    DONE[keys](page, name)
    page.wait_for_function(STILL)
