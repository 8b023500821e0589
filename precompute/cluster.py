"""Work done by several processes: some of our own, or a dask cluster that already runs.

What all tasks share, the models above all, travels to every worker once; only arrays and words come back. Each task
keeps to one thread, so a worker's number of threads is the number of cores it uses.
"""

import logging
import os
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from itertools import islice
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numba

from engine.errors import ClusterError
from engine.inference.arrangement import Models
from engine.inference.posterior import Observed, Posterior, infer
from engine.types import FloatArray
from precompute.io.fingerprints import code_version

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10.0  # to reach a scheduler
PATIENCE_SECONDS = 60.0  # for a worker to come (back)
LOOK_SECONDS = 2.0  # between two looks whether anybody is still at work
AHEAD = 2  # chunks per thread that are handed out, so that no worker waits for the next
# dask has workers give memory back at every chance; fits of many small arrays then spend half their time on it
MEMORY = {"MALLOC_TRIM_THRESHOLD_": 2**28, "MALLOC_MMAP_THRESHOLD_": 2**28, "MALLOC_ARENA_MAX": 1}
LOSSES = 3  # times in a row that all workers may die before a chunk is done


class Machines(NamedTuple):
    """Who measures: this many processes of our own, or the dask cluster of a scheduler; neither: this process."""

    workers: int = 0
    scheduler: str = ""

    @property
    def here(self) -> bool:
        """Whether this process does it alone."""
        return not self.workers and not self.scheduler


def measured_elsewhere(
    machines: Machines, models: Models, chunks: list[int], observed: Callable[[int], Observed],
    least_models: float,
) -> Iterator[tuple[int, Posterior]]:  # fmt: skip
    """The posteriors of chunks, in the order in which they are done; raises ClusterError as done_elsewhere does."""
    work = Work(measure_chunk, (models, least_models), lambda chunk: tuple(observed(chunk)))
    for chunk, found in done_elsewhere(machines, work, chunks):
        yield chunk, Posterior(*found)


class Work(NamedTuple):
    """What workers do: call ``task(shared, argument(one))`` for each of many; shared travels to each worker once.

    ``lost`` makes the result of one over which workers died again and again; without it that stops everything.
    ``packages`` is the code that must be the same everywhere. ``alone``: a worker of our own does one task at a time.
    """

    task: Callable
    shared: object
    argument: Callable[[Hashable], object]
    lost: Callable[[Hashable, str], object] | None = None
    packages: tuple[str, ...] = ("engine",)
    alone: bool = False


def done_elsewhere(machines: Machines, work: Work, wanted: list) -> Iterator[tuple[Hashable, object]]:
    """Pairs (one of those wanted, its result) in the order in which they are done.

    A worker that dies is healed: what it had is given to others. Raises ClusterError if nobody can be reached, runs
    other code, or if workers die again and again.
    """
    with _client(machines, work) as client:
        left = list(wanted)
        losses = 0
        while left:
            try:
                for one, result in _once(client, work, list(left)):
                    left.remove(one)
                    losses = 0
                    yield one, result
            except CancelledError:  # the last copy of what is shared died with its worker
                losses += 1
                if losses == LOSSES:
                    raise ClusterError(
                        f"all workers died {losses} times in a row; is their memory too small?"
                    ) from None
                _wait_for_a_worker(client)


def measure_chunk(how: tuple[Models, float], observed: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    """One chunk on a worker, in one thread: as many chunks run at a time as the worker has threads."""
    numba.set_num_threads(1)
    models, least_models = how
    return tuple(infer(Observed(*observed), models, least_models=least_models))


@contextmanager
def _client(machines: Machines, work: Work) -> Iterator["Client"]:
    """A client whose workers run the same code as we do."""
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(logging.CRITICAL):  # ClusterError reports what matters
        own = partial(_own_cluster, machines.workers, 1 if work.alone else max(1, cores() // max(1, machines.workers)))
        with _connected(machines.scheduler) if machines.scheduler else own() as client:
            _wait_for_a_worker(client)
            _check_code(client, *work.packages)
            yield client


@contextmanager
def _own_cluster(workers: int, threads: int) -> Iterator["Client"]:
    """Processes on this machine that listen on loopback only, of this many threads each."""
    import dask
    from distributed import Client, LocalCluster

    with (
        _environment_kept(),
        TemporaryDirectory(prefix="glocal-") as scratch,
        dask.config.set({f"distributed.nanny.pre-spawn-environ.{name}": size for name, size in MEMORY.items()}),
        LocalCluster(
            n_workers=workers, threads_per_worker=threads, host="127.0.0.1",
            dashboard_address="127.0.0.1:0", memory_limit=0, local_directory=scratch, silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client


def cores() -> int:
    """Cores of this machine that we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _environment_kept() -> Iterator[None]:
    """distributed puts what it sets for its workers into our own environment, and leaves it there."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


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


def _check_code(client: "Client", *packages: str) -> None:
    """Other code would give other numbers, or none."""
    try:
        versions = client.run(code_version, *packages)
    except Exception as error:  # whatever an interpreter without our package says
        raise ClusterError(f"the workers of {_address(client)} cannot run this program: {error}") from None
    for worker, version in versions.items():
        if version != (here := code_version(*packages)):
            raise ClusterError(f"the worker {worker} runs {version}, but here runs {here}: install the same")


def _scattered(client: "Client", shared: object) -> "Future":
    """What is shared, on every worker; CancelledError if one of them ends meanwhile."""
    from distributed.comm import CommClosedError

    try:
        [future] = client.scatter([shared], broadcast=True, hash=False)
    except CommClosedError as error:
        _threads(client)  # raises if it is the scheduler that is gone
        raise CancelledError(str(error)) from error
    return future


def _once(client: "Client", work: Work, wanted: list) -> Iterator[tuple[Hashable, object]]:
    """Hand what is shared to all workers and each task to whoever is free; CancelledError if the former is lost."""
    shared = _scattered(client, work.shared)
    waiting = iter(wanted)
    running = {}
    while True:
        room = AHEAD * max(1, _threads(client)) - len(running)
        for one in islice(waiting, max(room, 0)):
            # the key is new every time: a task that was lost with its worker is not remembered as lost
            running[client.submit(work.task, shared, work.argument(one), pure=False)] = one
        if not running:
            return
        for future in _next_done(client, list(running)):
            one = running.pop(future)
            yield one, _result_of(future, one, work)


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


def _result_of(future: "Future", one: Hashable, work: Work) -> object:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as death:
        died = f"{death.allowed_failures + 1} workers died one after the other over"
        where = f"the last at {death.last_worker.address}; is their memory too small?"
        if work.lost is None:
            raise ClusterError(f"{died} the same regions, {where}") from None
        return work.lost(one, f"{died} it, {where}")


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
