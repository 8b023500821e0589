"""A server that goes away: the page says so, takes no clicks, and comes back with what was chosen."""

import os
import re
import subprocess
import sys

import pytest

from tests.browser import conftest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
pytestmark = pytest.mark.browser


def start(data, port: int, log) -> subprocess.Popen:
    """A server of its own, that may be ended."""
    command = [sys.executable, "-m", "panel", "serve", "app", "--address", "127.0.0.1", "--port", str(port),
               "--static-dirs", "style=assets/style"]  # fmt: skip
    environment = os.environ | {"GLOCAL_DATA": str(data)}
    with open(log, "ab") as file:
        server = subprocess.Popen(command, cwd=conftest.CHECKOUT, env=environment, stdout=file, stderr=file)
    conftest._wait_until_it_answers(server, f"http://127.0.0.1:{port}/app", log)
    return server


def test_a_lost_connection_is_told_and_the_address_brings_everything_back(browser, small_survey, tmp_path):
    port, log = conftest._free_port(), tmp_path / "log"
    server = start(small_survey, port, log)
    page = browser.new_page(viewport=conftest.SCREEN)
    try:
        page.goto(f"http://127.0.0.1:{port}/app?log_M_star=10.8..")
        page.locator("body[data-ready]").wait_for(state="attached", timeout=30_000)
        rail = page.locator("aside[data-rail=selection]")
        count = rail.locator(".count").inner_text()
        server.terminate()
        server.wait(20)
        expect(page.get_by_role("alert")).to_contain_text("connection to the server is lost", timeout=20_000)
        assert page.evaluate("document.querySelector('.stage').inert")
        server = start(small_survey, port, log)
        expect(page.get_by_role("alert")).to_be_hidden(timeout=120_000)  # it has loaded itself again
        expect(rail.locator(".count")).to_have_text(count, timeout=30_000)
        expect(page).to_have_url(re.compile("log_M_star=10.8"))
    finally:
        page.close()
        server.terminate()
        server.wait(20)
