"""What axe-core, the common engine of accessibility checks, finds on every page: nothing serious."""

import pytest

from app import registry
from tests.browser.conftest import turn

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.browser
GRAVE = ("serious", "critical")
NAMED = (
    "() => new Promise(done => setTimeout(done, 150))"  # the page names what Bokeh leaves unnamed 100 ms after a turn
)
OPTIONS = {"preload": False}  # of style sheets and sounds, which no rule that is grave asks for


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", registry.NAMES)
def test_axe_finds_nothing_serious(kept_page, name, theme):
    page = kept_page
    turn(page, name)
    page.evaluate(f"glocal.theme('{theme}')")
    page.evaluate(NAMED)
    found = axe.Axe().run(page, options=OPTIONS).response["violations"]
    page.evaluate("glocal.theme('light')")  # as the next test expects it
    grave = [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
    assert grave == []
