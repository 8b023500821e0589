"""What axe-core, the common engine of accessibility checks, finds on every page: nothing serious."""

import pytest

from app import registry
from tests.browser.conftest import turn

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.browser
GRAVE = ("serious", "critical")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", registry.NAMES)
def test_axe_finds_nothing_serious(home, name, theme):
    page = home
    turn(page, name)
    page.evaluate(f"glocal.theme('{theme}')")
    page.wait_for_timeout(500)
    found = axe.Axe().run(page).response["violations"]
    page.evaluate("glocal.theme('light')")  # as the next test expects it
    grave = [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
    assert grave == []
