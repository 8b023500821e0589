"""However a page is asked for and whatever fails while it opens, the visitor reads a sentence, not a white page."""

import re

import pytest

from tests.browser.conftest import READY
from tests.browser.driver import expect
from tests.browser.failing_server import PLACES
from tests.hosting.conftest import Server

pytestmark = pytest.mark.browser

NUMBER = re.compile(r"tell the keeper error [0-9a-f]{8}")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?a=1?b=2", "The link holds “a”, which is not known here."),
        ("?page=drivers?log_M_star=10.8..", "The link asks for page = “drivers?log_M_star=10.8..”"),
        ("??page=drivers", "The link holds “?page”, which is not known here."),
        ("?%FF=%FE&page", "The link holds “"),
    ],
)
def test_an_address_that_is_none_of_ours_opens_the_default_view_and_says_so(app, visit, query, sentence):
    page = visit(f"{app}{query}")
    page.locator(READY).wait_for(state="attached")
    expect(page.locator("p.told[role=status]").first).to_contain_text(sentence)
    expect(page.locator(".page.relations canvas").first).to_be_visible()


@pytest.fixture(scope="module")
def failing(tmp_path_factory, small_survey, window):
    """A server of its own, for its log is full of what fails."""
    server = Server(tmp_path_factory.mktemp("failing"), small_survey, script="tests/browser/failing_server.py")
    page = window.new_page()
    page.goto(f"{server.root}/app")  # the head of every page is kept from the first, and sent before the next is made
    page.locator(READY).wait_for(state="attached")
    page.close()
    yield server
    server.end()


@pytest.mark.parametrize("place", PLACES)
def test_an_exception_while_a_page_opens_is_told_with_its_number(failing, window, place):
    page = window.new_page()
    page.goto(f"{failing.root}/app?fail={place}")
    expect(page.locator("main")).to_contain_text(NUMBER)
    expect(page.locator("main")).not_to_contain_text("RuntimeError")
    number = NUMBER.search(page.locator("main").inner_text())[0].split()[-1]
    assert failing.wrote(f"error {number}")
    assert f"{place} fails, as the link asks" in failing.log
    page.close()
