"""Exports and other heavy work: a few at a time, a short queue, a time limit; the page goes on meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

from app.metrics import JOB_SECONDS, JOBS
from app.settings import Settings, read_settings
from engine.errors import GlocalError

T = TypeVar("T")
LOOK_S = 0.05  # between two looks whether jobs are done
ENDING = "this instance is being restarted: try again in a minute"


class BusyError(GlocalError):
    """Too many exports are under way, or this one took too long."""


class Jobs:
    """A bounded pool of threads. A job that overruns is given up: its visitor gets a message, its result is dropped."""

    def __init__(self, workers: int, queue: int, limit_s: float):
        self.most = workers + queue
        self.limit_s = limit_s
        self.running = 0
        self.answering = 0
        self.ending = False
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="glocal-job")

    async def run(self, make: Callable[..., T], *words: object) -> T:
        """What ``make(*words)`` returns, computed in a thread; raises BusyError if there is no room or no time."""
        if self.ending:
            raise BusyError(ENDING)
        if self.running >= self.most:
            raise BusyError("too many exports are being made at the moment: try again in a minute")
        future = asyncio.get_running_loop().run_in_executor(self._pool, make, *words)
        self._count(1)
        future.add_done_callback(lambda _: self._count(-1))
        began = time.monotonic()
        try:
            return await asyncio.wait_for(asyncio.shield(future), self.limit_s)
        except TimeoutError:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise BusyError(f"this export took longer than {self.limit_s:g} s and was given up") from None
        except asyncio.CancelledError:
            if not self.ending:
                raise
            raise BusyError(ENDING) from None
        finally:
            JOB_SECONDS.observe(time.monotonic() - began)

    @contextmanager
    def answer(self) -> Iterator[None]:
        """What is done in here, a job and the sending of its result, is waited for when the server is to stop."""
        self.answering += 1
        try:
            yield
        finally:
            self.answering -= 1

    async def finish(self, patience_s: float) -> bool:
        """Take no more jobs and wait until all are done and sent, or until patience ends; whether they are.

        Those that have not begun by then are refused: who waits for them gets BusyError.
        """
        self.ending = True
        end = time.monotonic() + patience_s
        while (self.running or self.answering) and time.monotonic() < end:
            await asyncio.sleep(LOOK_S)
        done = not (self.running or self.answering)
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.sleep(LOOK_S)  # for the refusals to be sent
        return done

    def _count(self, change: int) -> None:
        self.running += change
        JOBS.set(self.running)


@lru_cache(maxsize=1)
def shared_jobs(settings: Settings | None = None) -> Jobs:
    """The pool of this process."""
    settings = settings or read_settings()
    return Jobs(settings.jobs, settings.queue, settings.job_s)
