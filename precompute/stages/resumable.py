"""Regions measured chunk by chunk: every finished chunk is kept, so that a run that was stopped can go on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.errors import ClusterError, Interrupted
from engine.inference.arrangement import Models, arrange, with_prior
from engine.inference.posterior import Observed, Posterior, infer
from engine.library.types import Library
from engine.types import FloatArray
from precompute.cluster import Machines, measured_elsewhere
from precompute.io.fingerprints import Rules, fingerprint_of
from precompute.io.finished_chunks import ChunkStore
from precompute.progress import Report
from precompute.settings import REGIONS_PER_CHUNK

HERE = Machines()
AS_USUAL = Rules()


@contextmanager
def measuring(
    observed: Observed, library: Library, out: Path, *, rules: Rules = AS_USUAL, machines: Machines = HERE,
    chunk: int = REGIONS_PER_CHUNK, report: Report = lambda _done, _total: None,
) -> Iterator[Posterior]:  # fmt: skip
    """The posterior of all regions; what an earlier run has finished is taken from the work folder in ``out``.

    The work folder goes when the block ends well: write the survey inside it. Raises Interrupted, with a sentence that
    says how to go on, if the user, the disk or the cluster stops the work.
    """
    n_region = len(observed.sigma_star)
    store = ChunkStore(out, fingerprint_of(observed, library, rules, chunk), n_region, chunk)
    done = {i: found for i in range(store.number) if (found := store.load(i)) is not None}
    with _told_how_to_go_on(store, done):
        report(store.regions_in(done), n_region)
        with closing(_missing(store, done, _Measurement(observed, library, rules), machines)) as fresh:
            for i, posterior in fresh:
                store.save(i, posterior)
                done[i] = posterior
                report(store.regions_in(done), n_region)
        yield Posterior(*(np.concatenate(parts) for parts in zip(*(done[i] for i in sorted(done)), strict=True)))
        store.remove()


class _Measurement(NamedTuple):
    """What is measured with what."""

    observed: Observed
    library: Library
    rules: Rules


def _missing(
    store: ChunkStore, done: dict[int, Posterior], what: _Measurement, machines: Machines
) -> Iterator[tuple[int, Posterior]]:
    """The chunks that are not done, one by one, from this process or from others."""
    missing = [i for i in range(store.number) if i not in done]
    if not missing:
        return

    def cut(chunk: int) -> Observed:
        return Observed(*(part[store.rows(chunk)] for part in what.observed))

    models = arranged(what.library, what.rules.prior)
    least_models = what.rules.least_models
    if machines.here:
        yield from ((i, infer(cut(i), models, least_models=least_models)) for i in missing)
    else:
        yield from measured_elsewhere(machines, models, missing, cut, least_models)


def arranged(library: Library, prior: FloatArray | None) -> Models:
    """The models ready for the search, weighted before the data if a prior (model,) is given."""
    models = arrange(library)
    return models if prior is None else with_prior(models, prior)


@contextmanager
def _told_how_to_go_on(store: ChunkStore, done: dict[int, Posterior]) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, OSError, ClusterError) as stop:
        kept = f"{len(done)} of {store.number} pieces are kept in {store.folder}, the same command goes on from there"
        raise Interrupted(f"{_why(stop)}; {kept if done else 'no piece was finished'}") from stop


def _why(stop: BaseException) -> str:
    if isinstance(stop, KeyboardInterrupt):
        return "stopped"
    if isinstance(stop, OSError) and stop.strerror:
        return f"{stop.strerror}: {stop.filename}" if stop.filename else stop.strerror
    return str(stop)
