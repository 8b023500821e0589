"""What the keeper can count: visitors, updates, errors, exports. Nothing here knows who a visitor is."""

import time

import param
from prometheus_client import Counter, Gauge, Histogram

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)  # s
LAST = 1000.0  # precedence: watchers of the page have 0

SESSIONS = Gauge("glocal_sessions", "Pages held in memory")
CONNECTIONS = Gauge("glocal_connections", "Pages with an open browser")
REFUSED = Counter("glocal_refused", "Visitors asked to wait because the instance was full")
UPDATES = Histogram("glocal_update_seconds", "Time from a choice to the pictures that follow it", buckets=STEPS)
ERRORS = Counter("glocal_errors", "Errors that a visitor was told of by number")
JOBS = Gauge("glocal_jobs", "Exports being made or waiting")
JOB_SECONDS = Histogram("glocal_job_seconds", "Time an export took", buckets=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0))
REOPENED = Counter("glocal_surveys_opened", "How often a survey was read, at the start and when its files changed")


def time_updates(selection: param.Parameterized) -> None:
    """Measure what follows each choice; call it before anything else watches the selection."""
    names = [name for name in selection.param if name != "name"]
    began: list[float] = []

    def start(*_events: object) -> None:
        began[:] = [time.perf_counter()]

    def stop(*_events: object) -> None:
        if began:
            UPDATES.observe(time.perf_counter() - began.pop())

    selection.param.watch(start, names)
    selection.param.watch(stop, names, precedence=LAST)
