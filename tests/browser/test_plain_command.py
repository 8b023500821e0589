"""What people type: ``panel serve app``, with no other word, shows the same page."""

import pytest

pytestmark = pytest.mark.browser
FONTS = "Array.from(document.fonts).filter(f => f.status === 'loaded').map(f => f.family)"


@pytest.fixture(scope="module")
def newcomer(browser):
    """A window that has seen nothing of the app yet."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    yield context
    context.close()


@pytest.mark.parametrize("path", ["/app", "/app/", "/"])
def test_the_plain_command_answers_every_request_of_the_page(server, newcomer, path):
    page = newcomer.new_page()
    failed, complaints = [], []
    page.on("response", lambda answer: failed.append((answer.status, answer.url)) if answer.status >= 400 else None)
    page.on("requestfailed", lambda lost: failed.append((0, lost.url)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(server.root + path)
    page.locator("canvas").first.wait_for(state="visible")
    page.wait_for_function(f"{FONTS}.some(name => name.includes('Inter'))")
    assert failed == []
    assert complaints == []
    page.close()


def test_kernels_are_compiled_before_the_first_visitor(server):
    assert server.wrote("ready after")
    assert server.get("/readiness").json() == {"ready": True}
