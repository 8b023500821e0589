"""A gesture in the browser becomes one zoom of the selection, once it is over."""

import pytest
from bokeh.document import Document
from bokeh.models import Range1d
from panel.io.state import set_curdoc

from app.screen import zooms
from app.screen.zooms import SETTLE_MS, Zooms
from app.selection import Selection


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(zooms, "time", clock)
    return clock


@pytest.fixture
def document():
    document = Document()
    with set_curdoc(document):
        yield document


@pytest.fixture
def followed(document):
    """Zooms of a page with one axis from 0 to 4."""
    followed = Zooms("relations", Selection())
    followed.follow({"log_mu_star": Range1d(0, 4, reset_start=0, reset_end=4)})
    return followed


def call_back(document):
    """Have the one callback that waits called, as after its time."""
    (waiting,) = document.session_callbacks
    document.remove_timeout_callback(waiting)
    waiting.callback()


def test_a_burst_of_views_is_kept_once_and_only_when_none_has_come_for_a_while(followed, document, clock):
    heard = []
    followed.selection.param.watch(lambda event: heard.append(event.new), "zoom")
    axis = followed.ranges["log_mu_star"]
    for start in (0.5, 1.0):
        axis.update(start=start, end=3.0)
        clock.now += 0.5e-3 * SETTLE_MS
    call_back(document)  # half the time since the last view
    assert heard == []
    clock.now += 0.6e-3 * SETTLE_MS
    call_back(document)
    assert heard == [{"relations.log_mu_star": (1.0, 3.0)}]
    assert document.session_callbacks == []


def test_an_axis_that_is_moved_by_the_selection_is_not_kept_again(followed, document, clock):
    followed.selection.zoom = {"relations.log_mu_star": (1.0, 2.0)}
    heard = []
    followed.selection.param.watch(lambda event: heard.append(event.new), "zoom")
    followed.apply()
    clock.now += 1.0
    call_back(document)
    assert heard == []
    assert followed.windows() == {"log_mu_star": (1.0, 2.0)}


def test_an_axis_that_goes_home_is_forgotten(followed, document, clock):
    axis = followed.ranges["log_mu_star"]
    axis.update(start=1.0, end=3.0)
    clock.now += 1.0
    call_back(document)
    axis.update(start=0.0, end=4.0)
    clock.now += 1.0
    call_back(document)
    assert followed.selection.zoom == {}
