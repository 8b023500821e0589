"""From start to stop: load and compile before the first visitor, follow changes of the survey, end in order."""

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
import time
from functools import lru_cache
from typing import Protocol
from weakref import WeakSet

from bokeh.application.application import ServerContext
from bokeh.document import Document
from prometheus_client import REGISTRY
from tornado.ioloop import IOLoop

from app import notice
from app.jobs import shared_jobs
from app.metrics import CONNECTIONS, SESSIONS
from app.settings import data_folder, read_settings
from app.store import open_survey
from engine.errors import GlocalError

PATIENCE_S = 20.0  # for exports under way when the server is asked to stop
GOODBYE_S = 0.5  # for the last words to be written to the pages
SENDING_S = 10.0  # for pages on slow lines to take them, and the files they asked for
LOOK_SENT_S = 0.05
GOODBYE = "This instance is being restarted. What you see is kept in the address: reload the page in a moment."
log = logging.getLogger(__name__)


class Line(Protocol):
    """A websocket to a browser."""

    @property
    def is_sending(self) -> bool:
        """Whether something written to it has not left yet."""


class ServerState:
    """What one process knows of itself."""

    def __init__(self) -> None:
        self.contexts: list[ServerContext] = []
        self.lines: WeakSet[Line] = WeakSet()
        self.loaded = False
        self.stopping = False
        self.greeting = ""
        self.began = time.monotonic()
        self._held = 0

    @property
    def ready(self) -> bool:
        """Whether visitors should be sent here."""
        return self.loaded and not self.stopping

    def sessions(self) -> list:
        """All pages in memory."""
        return [session for context in self.contexts for session in context.sessions]

    def count(self) -> None:
        """Bring the gauges up to date."""
        sessions = self.sessions()
        SESSIONS.set(len(sessions))
        CONNECTIONS.set(sum(session.connection_count > 0 for session in sessions))

    def has_let_go(self) -> bool:
        """Whether there are fewer pages in memory than when this was last asked."""
        before = self._held
        self._held = len(self.sessions())
        return self._held < before

    def facts(self) -> dict[str, str]:
        """What the admin page shows, in words."""
        updates = REGISTRY.get_sample_value("glocal_update_seconds_count") or 0.0
        seconds = REGISTRY.get_sample_value("glocal_update_seconds_sum") or 0.0
        memory = REGISTRY.get_sample_value("process_resident_memory_bytes")
        return {
            "process": str(os.getpid()),
            "up for": f"{(time.monotonic() - self.began) / 60:.0f} min",
            "survey": "loaded" if self.loaded else "none",
            "pages in memory": f"{SESSIONS._value.get():.0f}",
            "pages with a browser": f"{CONNECTIONS._value.get():.0f}",
            "updates": f"{updates:.0f}, {1000 * seconds / updates:.0f} ms on average" if updates else "none yet",
            "memory": f"{memory / 1e6:.0f} MB" if memory else "unknown here",
        }


@lru_cache(maxsize=1)
def state() -> ServerState:
    """The state of this process."""
    return ServerState()


def start(context: ServerContext) -> None:
    """Called once the server listens, before it answers: what is done here, no visitor waits for later."""
    known = state()
    first = not known.contexts
    known.contexts.append(context)
    if not first:  # --index serves the same app twice
        return
    began = time.monotonic()
    known.loaded = warm(context)
    log.info("ready after %.1f s", time.monotonic() - began)
    if known.greeting:
        print(known.greeting, flush=True)
    loop = IOLoop.current()
    loop.call_later(read_settings().look_s, _follow)
    loop.add_callback(_take_signals)


def warm(context: ServerContext) -> bool:
    """Open the survey and make a page of it, so that kernels are compiled; False if there is no survey yet."""
    try:
        open_survey(data_folder())
    except GlocalError as error:
        log.error("%s", error)
        return False
    document: Document = context.application_context.application.create_document()
    document.clear()
    gc.collect()
    _give_back()
    gc.freeze()  # once, before there are visitors: frozen later, what they leave behind could never be freed
    return True


def _give_back() -> None:
    """Have the C library return what compilers and closed pages have freed to the system, where it can (glibc)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return


async def _follow() -> None:
    """Read a survey that was replaced now, not when the next visitor waits for it."""
    try:
        await IOLoop.current().run_in_executor(None, open_survey, data_folder())
        state().loaded = True
    except Exception as error:  # whatever it is, the next look may find a sound survey
        if state().loaded:
            log.error("the survey cannot be read any more; open pages keep theirs: %s", error)
        state().loaded = False
    finally:
        if state().has_let_go():
            _give_back()
        IOLoop.current().call_later(read_settings().look_s, _follow)


def _take_signals() -> None:
    """Take SIGTERM over from Bokeh, which would stop in the middle of things."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, lambda: asyncio.ensure_future(stop()))
        except (NotImplementedError, RuntimeError, ValueError):  # Windows; a server in a thread
            return


async def stop() -> None:
    """Say goodbye on open pages, finish exports, end; exports that take longer are lost, and the log says how many."""
    known = state()
    if known.stopping:
        return
    known.stopping = True
    for session in known.sessions():
        document = session.document
        document.add_next_tick_callback(lambda document=document: notice.tell(document, GOODBYE))
    lost = 0 if await shared_jobs().finish(PATIENCE_S) else shared_jobs().unfinished
    await asyncio.sleep(GOODBYE_S if known.sessions() else 0)
    await _sent(known)
    if lost:
        log.warning("exports lost, as they took longer than %g s: %d; who asked for them was told so", PATIENCE_S, lost)
        _end_now()
    IOLoop.current().stop()


def _end_now() -> None:
    """End the process whatever its threads are doing: Python would wait for an export that nobody waits for."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


async def _sent(known: ServerState) -> None:
    """Wait until what was written to the pages has left, as far as they take it."""
    end = time.monotonic() + SENDING_S
    while any(line.is_sending for line in known.lines) and time.monotonic() < end:
        await asyncio.sleep(LOOK_SENT_S)
