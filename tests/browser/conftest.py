"""A served app over a small survey, and a headless browser that collects what the console complains of."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hosting.conftest import Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
)  # fmt: skip
SCREEN = {"width": 1366, "height": 768}
WAIT_MS = 60_000
READY = "body[data-ready]"
STILL = "Bokeh.documents[0].is_idle"  # nothing is left to be drawn
LEFT = ("assert self._session is not None", "WebSocketClosedError")  # what bokeh and tornado say of a browser that left
SELECTION = "aside[data-rail=selection]"


@pytest.fixture(scope="session")
def link(tmp_path_factory, small_survey) -> Path:
    """The data folder of the server: a link to the small survey, which tests may point to others."""
    link = tmp_path_factory.mktemp("served") / "data"
    link.symlink_to(small_survey)
    return link


@pytest.fixture(scope="session")
def server(link, tmp_path_factory) -> Iterator[Server]:
    """The one server of these tests, started as people type it; it may not have logged a traceback."""
    server = Server(tmp_path_factory.mktemp("server"), link, plain=True)
    yield server
    server.end()
    assert _tracebacks(server.log) == []


@pytest.fixture(scope="session")
def app(server) -> str:
    """Address of the app over the small survey."""
    return f"{server.root}/app"


@pytest.fixture
def serve(app, link, small_survey) -> Iterator[Callable[[Path], str]]:
    """Have the app show another data folder, until the end of the test; returns its address."""

    def show(data: Path) -> str:
        link.unlink()
        link.symlink_to(data)
        return app

    yield show
    show(small_survey)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; tests are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser) -> Iterator:
    """One window for the pages of all tests: scripts that every page needs are fetched and compiled once."""
    context = browser.new_context(viewport=SCREEN, accept_downloads=True)
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


@contextmanager
def visits(window) -> Iterator[Callable]:
    """Open an address and wait until it is drawn; afterwards no error may have reached the console."""
    pages, complaints = [], []

    def open_(address: str, ready: str = "canvas", size: dict = SCREEN):
        page = window.new_page()
        page.set_viewport_size(size)
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.locator(ready).first.wait_for(state="visible")
        return page

    yield open_
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture
def visit(window) -> Iterator[Callable]:
    """Open pages of one test."""
    with visits(window) as open_:
        yield open_


@pytest.fixture(scope="module")
def kept_page(window, app) -> Iterator:
    """The page that tests of a file share, each of which begins at ``home``."""
    with visits(window) as open_:
        page = open_(app)
        page.locator(READY).wait_for(state="attached")
        yield page


@pytest.fixture
def home(kept_page):
    """A page as it is first shown: that of the relations, the whole survey selected."""
    turn(kept_page, "relations")
    reset = kept_page.locator(SELECTION).get_by_role("button", name="Reset")
    if reset.is_enabled():
        reset.click()
        kept_page.wait_for_function(STILL)
    return kept_page


def turn(page, name: str) -> None:
    """Turn to a page by its tab, and wait until it is there."""
    page.evaluate("name => document.querySelector(`[data-tab=${name}]`).click()", name)
    page.locator(f".page.{name}").wait_for(state="visible")
    page.locator("body:not([aria-busy])").wait_for(state="attached")  # the sign of waiting goes when the page is made
    page.wait_for_function(STILL)


def _tracebacks(log: str) -> list[str]:
    """Tracebacks in the words of a server, but for those when a browser leaves before all it asked for was sent."""
    found = re.findall(r"Traceback.*?(?=\n\d{4}-\d\d-\d\d |\Z)", log, re.DOTALL)
    return [words for words in found if not any(left in words for left in LEFT)]
