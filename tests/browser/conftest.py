"""A served app over a small survey, and a headless browser that collects what the console complains of."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.values import CHOICES, VALUES
from tests.hosting.conftest import Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Lists below the address field, which nobody sees here: to make them was a third of the work of opening a page.
UNSEEN = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
UNUSED = ",".join(("LocalNetworkAccessChecks", "LocalNetworkAccessChecksWebSockets", *UNSEEN))
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--process-per-site", f"--disable-features={UNUSED}",
)  # fmt: skip
SCREEN = {"width": 1366, "height": 768}
WAIT_MS = 60_000
READY = "body[data-ready]"
STILL = "Bokeh.documents[0].is_idle"  # nothing is left to be drawn
LEFT = ("assert self._session is not None", "WebSocketClosedError")  # what bokeh and tornado say of a browser that left
SELECTION = "aside[data-rail=selection]"
ANY = (*CHOICES, "page", "galaxy_id", "spaxel")  # what a test may leave behind for the next
LEFT_ALONE = {value.name: value.form.write(value.default) for value in VALUES if value.name not in ANY}


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


def complaints_of(page) -> list[str]:
    """What reaches the console of a page as an error, from now on."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@contextmanager
def visits(window) -> Iterator[Callable]:
    """Open an address and wait until it is drawn; afterwards no error may have reached the console."""
    pages, complaints = [], []

    def open_(address: str, ready: str = "canvas", size: dict = SCREEN):
        page = window.new_page()
        page.set_viewport_size(size)
        pages.append(page)
        complaints.append(complaints_of(page))
        page.goto(address)
        page.locator(ready).first.wait_for(state="visible")
        return page

    yield open_
    for page in pages:
        page.close()
    assert [words for each in complaints for words in each] == []


@pytest.fixture
def visit(window) -> Iterator[Callable]:
    """Open pages of one test."""
    with visits(window) as open_:
        yield open_


class Kept(NamedTuple):
    """A page, and what the console complained of on it."""

    page: Any
    complaints: list[str]


@pytest.fixture(scope="session")
def _kept(window, app) -> Iterator[Kept]:
    page = window.new_page()
    kept = Kept(page, complaints_of(page))
    page.goto(app)
    page.locator(READY).wait_for(state="attached")
    yield kept
    page.close()


@pytest.fixture
def kept_page(_kept, app, request) -> Iterator:
    """The page that tests share, wherever it was turned to, with the whole survey and everything drawn as at first.

    What a test leaves behind that Reset does not bring back, such as a single plane, costs the next one an opening.
    """
    page, complaints = _kept
    failed = request.session.testsfailed
    if not _is_as_at_first(page):
        _open_again(page, app)
    reset = page.locator(SELECTION).get_by_role("button", name="Reset", include_hidden=True)
    if reset.is_enabled():
        reset.dispatch_event("click")  # the rail is not seen on every page
        page.wait_for_function("button => button.disabled", arg=reset.element_handle())
        page.wait_for_function(STILL)
    yield page
    if request.session.testsfailed > failed:
        _open_again(page, app)  # whatever it was about to do
    told = complaints.copy()
    complaints.clear()
    assert told == []


@pytest.fixture
def home(kept_page):
    """A page as it is first shown: that of the relations, the whole survey selected."""
    turn(kept_page, "relations")
    return kept_page


def _open_again(page, address: str) -> None:
    page.set_viewport_size(SCREEN)
    page.goto(address)
    page.locator(READY).wait_for(state="attached")


def _is_as_at_first(page) -> bool:
    """Whether the address holds nothing that Reset leaves alone, beside the page and the galaxy."""
    asked = dict(parse_qsl(urlsplit(page.url).query))
    return all(asked.get(name, word) == word for name, word in LEFT_ALONE.items())


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
