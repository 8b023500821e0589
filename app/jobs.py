"""Exports and other heavy work: a few at a time, a short queue, a time limit; the page goes on meanwhile."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from app.metrics import JOB_SECONDS, JOBS
from app.settings import Settings, read_settings
from engine.errors import GlocalError

T = TypeVar("T")


class BusyError(GlocalError):
    """Too many exports are under way, or this one took too long."""


class Jobs:
    """A bounded pool of threads. A job that overruns is given up: its visitor gets a message, its result is dropped."""

    def __init__(self, workers: int, queue: int, limit_s: float):
        self.most = workers + queue
        self.limit_s = limit_s
        self.running = 0
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="glocal-job")

    async def run(self, make: Callable[..., T], *words: object) -> T:
        """What ``make(*words)`` returns, computed in a thread; raises BusyError if there is no room or no time."""
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
        finally:
            JOB_SECONDS.observe(time.monotonic() - began)

    async def finish(self, patience_s: float) -> bool:
        """Wait until all jobs are done, or until patience ends; whether they are."""
        end = time.monotonic() + patience_s
        while self.running and time.monotonic() < end:
            await asyncio.sleep(0.05)
        return not self.running

    def _count(self, change: int) -> None:
        self.running += change
        JOBS.set(self.running)


@lru_cache(maxsize=1)
def shared_jobs(settings: Settings | None = None) -> Jobs:
    """The pool of this process."""
    settings = settings or read_settings()
    return Jobs(settings.jobs, settings.queue, settings.job_s)
