"""A served app over a small survey, and a headless browser that collects what the console complains of."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
)  # fmt: skip
SCREEN = {"width": 1366, "height": 768}
START_S = 180  # on a busy machine
WAIT_MS = 60_000
READY = "body[data-ready]"
STILL = "Bokeh.documents[0].is_idle"  # nothing is left to be drawn
SELECTION = "aside[data-rail=selection]"


@pytest.fixture(scope="session")
def start(tmp_path_factory) -> Iterator[Callable[[Path], str]]:
    """Start a server over a data folder on a free port; returns the address of the app.

    Servers end with the tests, and none may have logged a traceback.
    """
    servers: dict[Path, subprocess.Popen] = {}

    def start_one(data: Path) -> str:
        port, log = _free_port(), tmp_path_factory.mktemp("server") / "log"
        command = [sys.executable, "-m", "panel", "serve", "app", "--address", "127.0.0.1", "--port", str(port),
                   "--static-dirs", "style=assets/style"]  # fmt: skip
        with open(log, "wb") as file:
            environment = os.environ | {"GLOCAL_DATA": str(data)}
            server = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=file, stderr=file)
        servers[log] = server
        address = f"http://127.0.0.1:{port}/app"
        _wait_until_it_answers(server, address, log)
        return address

    yield start_one
    for server in servers.values():
        server.terminate()
    for server in servers.values():
        _wait_until_it_ends(server)
    assert [complaint for log in servers for complaint in _tracebacks(log.read_text())] == []


@pytest.fixture(scope="session")
def app(start, small_survey) -> str:
    """Address of the app over the small survey."""
    return start(small_survey)


@pytest.fixture(scope="session")
def link(tmp_path_factory) -> Path:
    """The data folder of the one server that shows other surveys: a link that tests point to theirs."""
    return tmp_path_factory.mktemp("served") / "data"


@pytest.fixture(scope="session")
def address_of_link(start, link) -> str:
    """Address of the app over whatever the link points to."""
    return start(link)


@pytest.fixture
def serve(address_of_link, link) -> Iterator[Callable[[Path], str]]:
    """Have the app show another data folder, until the end of the test; returns its address."""

    def show(data: Path) -> str:
        link.unlink(missing_ok=True)
        link.symlink_to(data)
        return address_of_link

    yield show
    link.unlink(missing_ok=True)


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
    page.wait_for_function(STILL)


def _tracebacks(log: str) -> list[str]:
    """Tracebacks in the words of a server, but for those of bokeh when a browser leaves before its page is made."""
    found = re.findall(r"Traceback.*?(?=\n\d{4}-\d\d-\d\d |\Z)", log, re.DOTALL)
    return [words for words in found if "assert self._session is not None" not in words]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_ends(server: subprocess.Popen) -> None:
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_until_it_answers(server: subprocess.Popen, address: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=START_S).close()
            return
        except urllib.error.HTTPError as error:
            pytest.fail(f"the app answers {error.code}: {log.read_text()[-2000:]}")
        except OSError:
            server.poll()
            time.sleep(0.1)
    pytest.fail(f"the server did not come up: {log.read_text()[-2000:]}")
