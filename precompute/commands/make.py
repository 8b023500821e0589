"""Commands that make a survey."""

from pathlib import Path

import typer

from precompute import layout, settings
from precompute.commands.console import MAKE, out
from precompute.commands.workers import leave_if_any, leave_if_failed, machines, tell_galaxy
from precompute.options import (
    AddTo,
    Chunk,
    CompositeShare,
    GalaxyFacts,
    ImportFolder,
    LeastModels,
    LibraryFile,
    MappingName,
    Measured,
    MeasuredTo,
    MockFolder,
    MockNumber,
    MockSmall,
    Models,
    ModelsDrawn,
    ModelsFile,
    NameTable,
    OutFolder,
    PriorFile,
    PriorsName,
    PriorsPlot,
    RealSample,
    RunModels,
    RunWorkers,
    Scheduler,
    Seed,
    StellarModels,
    SurveyFile,
    TheirTable,
    Workers,
)

commands = typer.Typer()


@commands.command(rich_help_panel=MAKE)
def demo(
    to: OutFolder = None, models: Models = settings.N_MODEL_DEMO, seed: Seed = settings.SEED, sample: RealSample = None
) -> None:
    """Build the default **mock** survey: 362 invented galaxies, about 600 000 regions.

    Each region gets a star-formation history, indices and colours with noise, and is then measured as real data
    would be. What was put in is kept beside what was measured. Takes a few minutes.

    Examples: `glocal demo` | `glocal demo --models 60000 --out small`
    """
    build_demo(layout.data_folder(to), models, seed, sample)


def build_demo(folder: Path, models: int, seed: int, sample: Path | None) -> None:
    """Build the mock survey in a folder, and print what it shows next to the paper."""
    from precompute.io.products import refuse_to_replace
    from precompute.progress import progress_bars
    from precompute.stages.demo import run_demo

    refuse_to_replace(folder, "mock")
    with progress_bars(out) as phases:
        summary = run_demo(folder, n_model=models, seed=seed, sample=sample, phases=phases)
    for words, value in summary.items():
        out.print(f"  {words}: {value}", markup=False)
    out.print(f"The mock survey is in {folder}. Look at it with: glocal serve {folder}", markup=False)


@commands.command(rich_help_panel=MAKE)
def library(
    models: Models = settings.N_MODEL_LIBRARY,
    to: LibraryFile = None,
    ssp: StellarModels = None,
    seed: Seed = settings.SEED,
    priors: PriorsName = settings.PRIORS,
    composite_share: CompositeShare = 0.0,
    priors_plot: PriorsPlot = None,
) -> None:
    """Draw a **library** of model galaxies: histories, enrichment and dust, then their indices and colours.

    Examples: `glocal library --models 60000 --priors-plot priors.png` | `glocal library --ssp m62.gz --ssp m72.gz` |
    `glocal library --priors gallazzi05`
    """
    from dataclasses import replace

    from engine.library.priors import prior_set
    from precompute.progress import progress_bars
    from precompute.stages.library import build_and_save, plot_priors

    drawn_from = replace(prior_set(priors), composite_share=composite_share)
    file = to or layout.library_file(layout.data_folder())
    with progress_bars(out) as phases:
        built = build_and_save(
            file, n_model=models, seed=seed, ssp_files=tuple(ssp or ()), priors=drawn_from, phases=phases
        )
    if priors_plot:
        plot_priors(built, priors_plot)
    out.print(f"The library of {models:,} models is in {file}.", markup=False)


@commands.command(rich_help_panel=MAKE)
def measure(  # noqa: PLR0913, PLR0917 (one argument per option)
    survey: Measured,
    library: ModelsFile = None,
    models: ModelsDrawn = None,
    prior: PriorFile = None,
    least_models: LeastModels = None,
    to: MeasuredTo = None,
    workers: Workers = None,
    scheduler: Scheduler = "",
    chunk: Chunk = settings.REGIONS_PER_CHUNK,
) -> None:
    """**Measure a survey again** from its own indices and magnitudes, with another model library or prior.

    Ages, metallicities and densities are new, all else stays. What is finished is kept: if the run is stopped, the
    same command goes on from there.

    Exit codes: 0, all is done; 1, the tables are written, but posteriors or maps of some galaxies could not be renewed;
    2, it was refused or stopped.

    Examples: `glocal measure my-survey --models 500000` | `glocal measure my-survey --scheduler tcp://node1:8786`
    """
    from engine.inference.posterior import FEW_MODELS
    from precompute.cluster import Machines
    from precompute.progress import progress_bars
    from precompute.stages.measure import MeasureRequest, run_measure

    folder = to or survey.resolve().with_name(survey.resolve().name + "-measured")
    machines = Machines(workers or 0, scheduler)
    least = FEW_MODELS if least_models is None else least_models
    request = MeasureRequest(survey, folder, library, models, prior, machines, chunk, least)
    with progress_bars(out) as phases:
        report = run_measure(request, phases)
    for sentence in report.sentences:
        out.print(sentence, markup=False)
    out.print(f"The survey is in {folder}. Look at it with: glocal serve {folder}", markup=False)
    number = len(report.failed)
    leave_if_any(report.failed, f"posteriors or maps of {number} galaxies do not follow the new estimates")


@commands.command("import-table", rich_help_panel=MAKE)
def import_table(
    table: TheirTable,
    mapping: MappingName,
    to: ImportFolder,
    galaxy: GalaxyFacts = None,
    sample: NameTable = None,
    add_to: AddTo = None,
) -> None:
    """Turn a table of **real measurements** of one galaxy into a survey, alone or added to another survey.

    docs/import.md shows how to write a mapping.

    Example: `glocal import-table NGC4047.hdf5 --mapping pipe3d --sample objects.csv --out ngc4047`
    """
    from precompute.stages.import_table import ImportRequest, import_table

    report = import_table(ImportRequest(table, mapping, tuple(galaxy or ()), sample, add_to), to)
    for sentence in report.sentences():
        out.print(sentence, markup=False)
    out.print(f"Look at it with: glocal serve {to}", markup=False)


@commands.command("mock-cubes", rich_help_panel=MAKE)
def mock_cubes(
    folder: MockFolder, number: MockNumber = 6, small: MockSmall = False,
    models: RunModels = settings.N_MODEL_MOCK_CUBES, seed: Seed = settings.SEED,
) -> None:  # fmt: skip
    """Invent **CALIFA-like cubes and SDSS-like images** of galaxies whose maps are known, ready for `glocal run`.

    With noise, a foreground star, cosmic rays, a dead fibre, and coordinates that are slightly wrong. What is true lies
    in the folder truth.

    Example: `glocal mock-cubes trial -n 6` then `glocal run trial/survey.toml`
    """
    from precompute.progress import progress_bars
    from precompute.stages.mock_cubes import SURVEY_FILE, make_mock_cubes

    with progress_bars(out) as phases:
        make_mock_cubes(folder, number, seed=seed, n_model=models, small=small, phases=phases)
    how = f"glocal run {folder / SURVEY_FILE}"
    out.print(f"{number} mock galaxies are in {folder}. Analyse them with: {how}", markup=False)


@commands.command(rich_help_panel=MAKE)
def run(survey_file: SurveyFile, workers: RunWorkers = None, scheduler: Scheduler = "") -> None:
    """From **cubes to maps**: analyse all galaxies of a survey file, and write maps, spectra and the region table.

    Finished galaxies are kept: the same command does what is missing. A galaxy that fails is reported and left out;
    what looks suspicious about a galaxy is printed here and in report.txt.

    Exit codes: 0, all galaxies are done; 1, some failed, the others are in the survey; 2, the run was
    refused or stopped.

    Examples: `glocal run survey.toml` | `glocal run survey.toml --scheduler tcp://node1:8786`
    """
    from precompute.progress import progress_bars
    from precompute.stages.run import run_survey, summary_lines

    with progress_bars(out) as phases:
        summary = run_survey(survey_file, machines(workers, scheduler), phases, told=tell_galaxy)
    for line in (*summary.notes, *summary_lines(summary.outcomes)):
        out.print(line, markup=False)
    out.print(f"The survey is in {summary.out}. Look at it with: glocal serve {summary.out}", markup=False)
    leave_if_failed(summary.outcomes)
