"""A server that goes away: the page says so, takes no clicks, and comes back with what was chosen."""

import re

import pytest

from tests.browser.conftest import READY, SCREEN, SELECTION
from tests.hosting.conftest import Server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
pytestmark = pytest.mark.browser


def test_a_lost_connection_is_told_and_the_address_brings_everything_back(browser, small_survey, tmp_path):
    server = Server(tmp_path, small_survey, plain=True)
    page = browser.new_page(viewport=SCREEN)
    try:
        page.goto(f"{server.root}/app?log_M_star=10.8..")
        page.locator(READY).wait_for(state="attached", timeout=30_000)
        rail = page.locator(SELECTION)
        count = rail.locator(".count").inner_text()
        server.end()
        expect(page.get_by_role("alert")).to_contain_text("connection to the server is lost", timeout=20_000)
        assert page.evaluate("document.querySelector('.stage').inert")
        server = Server(tmp_path, small_survey, plain=True, port=server.port)
        expect(page.get_by_role("alert")).to_be_hidden(timeout=120_000)  # it has loaded itself again
        expect(rail.locator(".count")).to_have_text(count, timeout=30_000)
        expect(page).to_have_url(re.compile("log_M_star=10.8"))
    finally:
        page.close()
        server.end()
