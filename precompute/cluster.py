"""Regions measured by several processes: some of our own, or a dask cluster that already runs.

The models travel to every worker once, the regions chunk by chunk; only arrays come back. Each task keeps to one
thread, so a worker's number of threads is the number of cores it uses.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numba

from engine.errors import ClusterError
from engine.inference.arrangement import Models
from engine.inference.posterior import Observed, Posterior, infer
from precompute.io.chunks import code_version

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10.0  # to reach a scheduler
PATIENCE_SECONDS = 60.0  # for a worker to come (back)
LOOK_SECONDS = 2.0  # between two looks whether anybody is still at work
AHEAD = 2  # chunks per thread that are handed out, so that no worker waits for the next
LOSSES = 3  # times in a row that all workers may die before a chunk is done


class Machines(NamedTuple):
    """Who measures: so many processes of our own, or the dask cluster of a scheduler; neither: this process."""

    workers: int = 0
    scheduler: str = ""

    @property
    def here(self) -> bool:
        """Whether this process does it alone."""
        return not self.workers and not self.scheduler


def measured_elsewhere(
    machines: Machines, models: Models, chunks: list[int], observed: Callable[[int], Observed]
) -> Iterator[tuple[int, Posterior]]:
    """The posteriors of chunks, in the order in which they are done.

    A worker that dies is healed: its chunks are given to others. Raises ClusterError if nobody can be reached, runs
    other code, or if workers die again and again.
    """
    with _client(machines) as client:
        left, losses = list(chunks), 0
        while left:
            try:
                for chunk, posterior in _once(client, models, list(left), observed):
                    left.remove(chunk)
                    losses = 0
                    yield chunk, posterior
            except CancelledError:  # the last copy of the models died with its worker
                losses += 1
                if losses == LOSSES:
                    raise ClusterError(
                        f"all workers died {losses} times in a row; is their memory too small?"
                    ) from None
                _wait_for_a_worker(client)


def measure_chunk(models: Models, observed: tuple) -> tuple:
    """One chunk on a worker, in one thread: as many chunks run at a time as the worker has threads."""
    numba.set_num_threads(1)
    return tuple(infer(Observed(*observed), models))


@contextmanager
def _client(machines: Machines) -> Iterator["Client"]:
    """A client whose workers run the same code as we do."""
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(logging.CRITICAL):  # what matters is said by ClusterError
        with _connected(machines.scheduler) if machines.scheduler else _own_cluster(machines.workers) as client:
            _wait_for_a_worker(client)
            _check_code(client)
            yield client


@contextmanager
def _own_cluster(workers: int) -> Iterator["Client"]:
    """Processes on this machine that listen on loopback only and share its cores among them."""
    from distributed import Client, LocalCluster

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with (
        TemporaryDirectory(prefix="glocal-") as scratch,
        LocalCluster(
            n_workers=workers, threads_per_worker=max(1, cores // workers), host="127.0.0.1", dashboard_address=None,
            memory_limit=0, local_directory=scratch, silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client


@contextmanager
def _connected(address: str) -> Iterator["Client"]:
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no dask scheduler answers at {address}: {error}") from None
    with client:
        yield client


def _wait_for_a_worker(client: "Client") -> None:
    _threads(client)  # raises if the scheduler is gone
    try:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    except TimeoutError:
        raise ClusterError(f"the cluster {_address(client)} has no worker, {PATIENCE_SECONDS:.0f} s long") from None
    except OSError as error:
        raise _lost(client, error) from None


def _check_code(client: "Client") -> None:
    """Other code would give other numbers, or none."""
    try:
        versions = client.run(code_version)
    except Exception as error:  # whatever an interpreter without our package says
        raise ClusterError(f"the workers of {_address(client)} cannot run this program: {error}") from None
    for worker, version in versions.items():
        if version != code_version():
            raise ClusterError(f"the worker {worker} runs {version}, but here runs {code_version()}: install the same")


def _once(
    client: "Client", models: Models, chunks: list[int], observed: Callable[[int], Observed]
) -> Iterator[tuple[int, Posterior]]:
    """Hand the models to all workers and the chunks to whoever is free; CancelledError if the models are lost."""
    [shared] = client.scatter([models], broadcast=True, hash=False)
    waiting, running = iter(chunks), {}
    while True:
        room = AHEAD * max(1, _threads(client)) - len(running)
        for chunk in islice(waiting, max(room, 0)):
            # the key is new every time: a chunk that was lost with its worker is not remembered as lost
            running[client.submit(measure_chunk, shared, tuple(observed(chunk)), pure=False)] = chunk
        if not running:
            return
        for future in _next_done(client, list(running)):
            yield running.pop(future), _posterior_of(future)


def _next_done(client: "Client", futures: list["Future"]) -> list["Future"]:
    """Those that are done, at least one; raises ClusterError if nobody has been at work for long."""
    from distributed import wait

    deserted = None
    while True:
        try:
            return list(wait(futures, timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            if _threads(client):
                deserted = None
            elif deserted is None:
                deserted = time.monotonic()
            elif time.monotonic() - deserted > PATIENCE_SECONDS:
                raise ClusterError(f"the last worker of {_address(client)} died and none came back") from None


def _posterior_of(future: "Future") -> Posterior:
    from distributed import KilledWorker

    try:
        return Posterior(*future.result())
    except KilledWorker as death:
        raise ClusterError(
            f"{death.allowed_failures + 1} workers died one after the other over the same regions, the last at "
            f"{death.last_worker.address}; is their memory too small?"
        ) from None


def _threads(client: "Client") -> int:
    """Threads of all workers; raises ClusterError if the scheduler is gone."""
    try:
        if client.status == "running":
            return sum(client.nthreads().values())
    except OSError:
        pass
    raise _lost(client)


def _lost(client: "Client", error: Exception | str = "it does not answer any more") -> ClusterError:
    return ClusterError(f"the scheduler {_address(client)} was lost: {error}")


def _address(client: "Client") -> str:
    return client.scheduler.address if client.scheduler else "of dask"
