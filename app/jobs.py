"""Exports and other heavy work: a few at a time, a short queue, a time limit; the page goes on meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TypeVar

from app.metrics import JOB_SECONDS, JOBS
from app.settings import Settings, read_settings
from engine.errors import GlocalError

T = TypeVar("T")
LOOK_S = 0.05  # between two looks whether jobs are done
REFUSAL_S = 0.5  # for refusals to be sent
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
        self.unfinished = 0  # jobs that were given up when the process had to end
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
        done, _ = await asyncio.wait({future, self._end}, timeout=self.limit_s, return_when=asyncio.FIRST_COMPLETED)
        JOB_SECONDS.observe(time.monotonic() - began)
        if future in done and not future.cancelled():
            return future.result()
        future.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
        raise BusyError(ENDING if done else f"this export took longer than {self.limit_s:g} s and was given up")

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

        Who still waits for one then gets BusyError, and a moment to hear it.
        """
        self.ending = True
        done = await self._are_done(patience_s)
        self.unfinished = self.running
        if not self._end.done():
            self._end.set_result(None)
        self._pool.shutdown(wait=False, cancel_futures=True)
        await self._are_done(REFUSAL_S)
        return done

    async def _are_done(self, patience_s: float) -> bool:
        end = time.monotonic() + patience_s
        while (self.running or self.answering) and time.monotonic() < end:
            await asyncio.sleep(LOOK_S)
        return not (self.running or self.answering)

    @cached_property
    def _end(self) -> asyncio.Future:
        """Done when nobody is to wait any longer."""
        return asyncio.get_running_loop().create_future()

    def _count(self, change: int) -> None:
        self.running += change
        JOBS.set(self.running)


@lru_cache(maxsize=1)
def shared_jobs(settings: Settings | None = None) -> Jobs:
    """The pool of this process."""
    settings = settings or read_settings()
    return Jobs(settings.jobs, settings.queue, settings.job_s)
