"""A server that goes away: the page says so, takes no clicks, and comes back with what was chosen."""

import re

import pytest

from tests.browser.conftest import READY, SCREEN, SELECTION
from tests.browser.driver import expect
from tests.browser.line import Line
from tests.hosting.conftest import Server

pytestmark = pytest.mark.browser
PING_S = 4.0  # between two pings; a busy machine may keep a page that opens silent for some seconds


@pytest.fixture(scope="module")
def line():
    line = Line()
    yield line
    line.close()


@pytest.fixture(scope="module")
def small_server(tmp_path_factory, small_survey, line):
    """A server with room for two pages, at its own port and at the end of the line."""
    origins = f"127.0.0.1:{line.port}"
    short = {"ping_s": PING_S, "again_s": 2, "keep_session_s": 1}  # as they are, this file would take three minutes
    server = Server(tmp_path_factory.mktemp("line"), small_survey, sessions=2, origins=origins, **short)
    line.server_port = server.port
    yield server
    server.end()


def test_a_line_that_is_dead_without_a_word_is_noticed_within_seconds(browser, small_server, line):
    """As after a laptop's sleep: nothing closes the line, and nothing comes through it."""
    page = browser.new_page(viewport=SCREEN)
    page.goto(f"http://127.0.0.1:{line.port}/app?log_M_star=10.8..")
    page.locator(READY).wait_for(state="attached", timeout=30_000)
    page.wait_for_timeout(3_000 * PING_S)  # a line that lives, but has nothing to say, is left alone
    expect(page.get_by_role("alert")).to_be_hidden()
    page.evaluate("window.same = true")
    line.fall_silent()
    expect(page.get_by_role("alert")).to_contain_text("connection to the server is lost", timeout=8_000 * PING_S)
    assert page.evaluate("document.querySelector('.stage').inert")
    page.wait_for_function("window.same === undefined", timeout=90_000)  # it has loaded itself again
    page.locator(READY).wait_for(state="attached", timeout=30_000)
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    page.close()


def test_a_page_that_finds_no_room_says_so_and_opens_when_there_is_some(browser, small_server):
    address = small_server.root + "/app"
    first, second, third = (browser.new_page(viewport=SCREEN) for _ in range(3))
    for page in (first, second):
        page.goto(address)
        page.locator(READY).wait_for(state="attached", timeout=30_000)
    third.goto(address)
    expect(third.get_by_role("status")).to_contain_text("This instance is full")
    first.close()
    third.locator(READY).wait_for(state="attached", timeout=60_000)
    second.close()
    third.close()


def test_a_page_without_a_line_says_so(browser, small_server):
    """A proxy that passes no websockets, or a full instance."""
    page = browser.new_page(viewport=SCREEN)
    page.route_web_socket("**/ws", lambda socket: socket.close())
    page.goto(small_server.root + "/app")
    expect(page.get_by_role("alert")).to_contain_text("got no line to its server", timeout=30_000)
    page.close()


def test_a_lost_connection_is_told_and_the_address_brings_everything_back(
    browser, small_server, small_survey, tmp_path
):
    """The last of these tests, for the server ends: another one comes in its place, started as people type it."""
    page = browser.new_page(viewport=SCREEN)
    page.goto(f"{small_server.root}/app?log_M_star=10.8..")
    page.locator(READY).wait_for(state="attached", timeout=30_000)
    rail = page.locator(SELECTION)
    count = rail.locator(".count").inner_text()
    small_server.end()
    expect(page.get_by_role("alert")).to_contain_text("connection to the server is lost", timeout=20_000)
    assert page.evaluate("document.querySelector('.stage').inert")
    again = Server(tmp_path, small_survey, plain=True, port=small_server.port)
    try:
        expect(page.get_by_role("alert")).to_be_hidden(timeout=120_000)  # it has loaded itself again
        expect(rail.locator(".count")).to_have_text(count, timeout=30_000)
        expect(page).to_have_url(re.compile("log_M_star=10.8"))
    finally:
        page.close()
        again.end()
