"""The ``glocal`` command: build a survey, bring one in, look at it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.errors import GlocalError
from precompute import layout, settings
from precompute.options import (
    Address,
    AddTo,
    BenchFolder,
    BenchJson,
    BenchLibrary,
    BenchRegions,
    BenchSurvey,
    BinEdges,
    Chunk,
    CompositeShare,
    Cuts,
    DemoIfMissing,
    FigureFolder,
    FigureKeys,
    Folder,
    GalaxyFacts,
    Histories,
    ImportFolder,
    LeastModels,
    LibraryFile,
    LineSpectra,
    MappingName,
    Measured,
    MeasuredTo,
    MinCount,
    MockFolder,
    MockNumber,
    MockSmall,
    Models,
    ModelsDrawn,
    ModelsFile,
    NameTable,
    NumberKinds,
    Origins,
    OutFolder,
    PageWidth,
    PictureKinds,
    Port,
    PriorFile,
    PriorsName,
    PriorsPlot,
    RealSample,
    RegionKind,
    RunModels,
    RunWorkers,
    Scheduler,
    SdssTable,
    Seed,
    StellarModels,
    SurveyFile,
    TheirTable,
    UserName,
    UserRemoved,
    UsersFile,
    ValidationFolder,
    ValidationLibrary,
    ValidationRegions,
    ValidationSurvey,
    Weighting,
    Workers,
)

COMPUTE, CHECK, LOOK = "Make a survey", "Check the results", "Look at it"
COMPUTING_LIBRARIES = {
    "speclite", "ppxf", "bagpipes", "h5py", "distributed", "reproject", "photutils", "regions", "vorbin",
    "threadpoolctl",
}  # fmt: skip

cli = typer.Typer(
    name="glocal",
    help="Local and global drivers of stellar populations: build a survey of galaxy regions and explore it in the "
    "browser.\n\nStart with `glocal demo`, then `glocal serve`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
bench = typer.Typer(no_args_is_help=True, help="Measure how fast things are on this machine.")
cli.add_typer(bench, name="bench", rich_help_panel=LOOK)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command; what Glocal refuses is said in one sentence, with exit code 2."""
    try:
        cli()
    except GlocalError as refusal:
        _refuse(str(refusal))
    except OSError as trouble:  # a full disk, a folder that may not be written
        if trouble.strerror is None:
            raise
        _refuse(f"{trouble.strerror}: {trouble.filename}" if trouble.filename else trouble.strerror)
    except ModuleNotFoundError as error:
        if error.name not in COMPUTING_LIBRARIES:
            raise
        _refuse(
            f"{error.name} is not installed: pip install 'glocal[engine]', or pip install '.[engine]' in a checkout"
        )


def _refuse(sentence: str) -> None:
    err.print(f"glocal: {sentence}", markup=False, style="red")
    sys.exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        from precompute.io.products import software_version

        out.print(software_version())
        raise typer.Exit


@cli.callback()
def glocal(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options that belong to no command."""


@cli.command(rich_help_panel=COMPUTE)
def demo(
    to: OutFolder = None, models: Models = settings.N_MODEL_DEMO, seed: Seed = settings.SEED, sample: RealSample = None
) -> None:
    """Build the default **mock** survey: 362 invented galaxies, about 600 000 regions.

    Each region gets a star-formation history, indices and colours with noise, and is then measured as real data
    would be. What was put in is kept beside what was measured. Takes a few minutes.

    Examples: `glocal demo` | `glocal demo --models 60000 --out small`
    """
    _build_demo(layout.data_folder(to), models, seed, sample)


def _build_demo(folder: Path, models: int, seed: int, sample: Path | None) -> None:
    from precompute.io.products import refuse_to_replace
    from precompute.progress import progress_bars
    from precompute.stages.demo import run_demo

    refuse_to_replace(folder, "mock")
    with progress_bars(out) as phases:
        summary = run_demo(folder, n_model=models, seed=seed, sample=sample, phases=phases)
    for words, value in summary.items():
        out.print(f"  {words}: {value}", markup=False)
    out.print(f"The mock survey is in {folder}. Look at it with: glocal serve {folder}", markup=False)


@cli.command(rich_help_panel=COMPUTE)
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


@cli.command(rich_help_panel=COMPUTE)
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
        sentences = run_measure(request, phases)
    for sentence in sentences:
        out.print(sentence, markup=False)
    out.print(f"The survey is in {folder}. Look at it with: glocal serve {folder}", markup=False)


@cli.command("import-table", rich_help_panel=COMPUTE)
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


@cli.command("mock-cubes", rich_help_panel=COMPUTE)
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


@cli.command(rich_help_panel=COMPUTE)
def run(survey_file: SurveyFile, workers: RunWorkers = None, scheduler: Scheduler = "") -> None:
    """From **cubes to maps**: analyse all galaxies of a survey file, and write maps, spectra and the region table.

    Finished galaxies are kept: the same command does what is missing. A galaxy that fails is reported and left out;
    what looks suspicious about a galaxy is said here and in report.txt.

    Exit codes: 0, all galaxies are done; 1, some failed, the others are in the survey; 2, the run was
    refused or stopped.

    Examples: `glocal run survey.toml` | `glocal run survey.toml --scheduler tcp://node1:8786`
    """
    from precompute.progress import progress_bars
    from precompute.stages.run import run_survey, summary_lines

    with progress_bars(out) as phases:
        summary = run_survey(survey_file, _machines(workers, scheduler), phases, told=_tell_galaxy)
    for line in (*summary.notes, *summary_lines(summary.outcomes)):
        out.print(line, markup=False)
    failed = [outcome.name for outcome in summary.outcomes if not outcome.done]
    if failed:
        err.print(f"glocal: {len(failed)} of {len(summary.outcomes)} galaxies failed: {', '.join(failed)}", style="red")
    out.print(f"The survey is in {summary.out}. Look at it with: glocal serve {summary.out}", markup=False)
    if failed:
        raise typer.Exit(1)


@cli.command(rich_help_panel=CHECK)
def recovery(survey_file: SurveyFile) -> None:
    """Set what `glocal run` found on **mock cubes** against what was put into them: offsets, scatter, pulls.

    Example: `glocal recovery trial/survey.toml`
    """
    from precompute.stages.recovery import recovery_lines, run_recovery

    for line in recovery_lines(run_recovery(survey_file)):
        out.print(line, markup=False)


@cli.command("compare-smoothing", rich_help_panel=CHECK)
def compare_smoothing(survey_file: SurveyFile, workers: RunWorkers = None, scheduler: Scheduler = "") -> None:
    """Does **smoothing** change the result? The same cubes by Voronoi bins, and by unsmoothed spaxels alone.

    As in appendix A of ZG22: ages and metallicities against local density, side by side, as a figure and a table.
    Does first what `glocal run` would do; the Voronoi survey lies beside the survey.

    Example: `glocal compare-smoothing trial/survey.toml`
    """
    from precompute.progress import progress_bars
    from precompute.stages import smoothing

    with progress_bars(out) as phases:
        sentences = smoothing.compare_smoothing(survey_file, _machines(workers, scheduler), phases, told=_tell_galaxy)
    for sentence in sentences:
        out.print(sentence, markup=False)


def _machines(workers: int | None, scheduler: str):
    """Who works on galaxies; None: as many processes as there are cores."""
    from precompute.cluster import Machines

    return Machines(workers or 0, scheduler) if workers or scheduler else None


def _tell_galaxy(outcome, new: bool) -> None:
    state = "done" if outcome.done and new else "done before" if outcome.done else "FAILED"
    out.print(f"  {outcome.name}: {state}, {outcome.sentence}", markup=False, style=None if outcome.done else "red")
    for remark in outcome.remarks:
        out.print(f"    {remark}", markup=False, style="yellow" if remark.startswith("suspicious") else "dim")


@cli.command(rich_help_panel=CHECK)
def validate(
    library: ValidationLibrary = None, models: Models = settings.N_MODEL_LIBRARY,
    regions: ValidationRegions = settings.N_REGION_VALIDATION, galaxies: SdssTable = None,
    histories: Histories = settings.N_HISTORY_VALIDATION, survey: ValidationSurvey = None,
    to: ValidationFolder = Path("validation"),
) -> None:  # fmt: skip
    """Show whether the **posteriors are right**: members of the library recovered from noise, and real galaxies.

    With --galaxies, a table of SDSS galaxies with MPA-JHU indices and the published ages and metallicities of
    Gallazzi et al. (2005), ours are set against theirs. Writes a figure and tables.

    With --survey, the errors of a finished mock survey are set against its truth, bin by bin, and nothing else is done.

    Examples: `glocal validate --galaxies galaxies.csv --out validation` | `glocal validate --survey assets/data`
    """
    from precompute.progress import progress_bars
    from precompute.stages.validate import ValidationRequest, run_validate
    from precompute.stages.validate_survey import validate_survey

    if survey:
        report = validate_survey(survey, to)
    else:
        request = ValidationRequest(library, models, regions, galaxies, histories, to)
        with progress_bars(out) as phases:
            report = run_validate(request, phases)
    for line in report:
        out.print(line, markup=False)


@cli.command("validate-lines", rich_help_panel=CHECK)
def validate_lines(to: ValidationFolder = Path("validation"), number: LineSpectra = 60) -> None:
    """Show whether **emission lines are taken out** without bias: Hbeta of mock spectra against its truth.

    From lines below the noise to strong ones, over old, mixed and young stars. Writes a figure and a table.

    Example: `glocal validate-lines --out validation`
    """
    from precompute.progress import progress_bars
    from precompute.stages import validate_lines as stage

    with progress_bars(out) as phases:
        report = stage.validate_lines(to, number, phases)
    for line in report:
        out.print(line, markup=False)


@cli.command(rich_help_panel=LOOK)
def serve(
    folder: Folder = None,
    port: Port = settings.PORT,
    address: Address = settings.ADDRESS,
    allow_origin: Origins = None,
    demo_if_missing: DemoIfMissing = False,
) -> None:
    """Show a survey in the **browser**; Ctrl-C ends it.

    Everything else that can be set is a variable GLOCAL_...; docs/hosting.md lists them and shows how to host a page.

    Examples: `glocal serve` | `glocal serve my-survey --port 5007`
    """
    data = layout.data_folder(folder)
    if not layout.has_survey(data):
        if not demo_if_missing:
            _refuse(f"there is no survey in {data}; make one with: glocal demo --out {data}")
        out.print(f"There is no survey in {data} yet: building the mock survey once.", markup=False)
        _build_demo(data, settings.N_MODEL_DEMO, settings.SEED, None)
    sys.exit(_serve(data, address, port, allow_origin or []))


@cli.command(rich_help_panel=LOOK)
def figures(  # noqa: PLR0913, PLR0917 - one per option
    folder: Folder = None,
    out: FigureFolder = Path("figures"),
    fig: FigureKeys = None,
    format: PictureKinds = None,
    width: PageWidth = "two",
    cut: Cuts = None,
    weight: Weighting = "area/V'max",
    min_count: MinCount = None,
    edges: BinEdges = "",
    data: NumberKinds = None,
    regions: RegionKind = "",
) -> None:
    """Write the **figures of the paper** for print, with captions, and every number beside the paper's (figures.json).

    Examples: `glocal figures survey --out figures` | `glocal figures survey --fig 3 --cut "log_M_star>10.5"`
    """
    from precompute.stages.figures import FigureRequest, write_figures

    survey = layout.data_folder(folder)
    if not layout.has_survey(survey):
        _refuse(f"there is no survey in {survey}; make one with: glocal demo --out {survey}")
    request = FigureRequest(
        survey, out, fig or (), format or (), width, cut or (), weight, min_count, edges, data or (), regions
    )
    sys.exit(write_figures(request))


def _serve(data: Path, address: str, wanted: int, origins: list[str]) -> int:
    from precompute.io.products import read_pair_meta
    from precompute.stages import serve as stage

    meta = read_pair_meta(data)
    port = wanted if "GLOCAL_PORT" in os.environ else stage.free_port(address, wanted)  # a proxy looks for it there
    if port != wanted:
        out.print(f"Port {wanted} is busy; taking {port}.", markup=False)
    out.print(f"Starting with the {meta['origin']} survey in {data}: {stage.size_in_words(data)} ...", markup=False)
    return stage.become_server(stage.server_environment(data, address, port, origins))


@cli.command(rich_help_panel=LOOK)
def password(name: UserName, users: UsersFile = None, remove: UserRemoved = False) -> None:
    """Add a **user** of a hosted page, or change their password; it is asked for, or read from a pipe.

    Without --users the line is printed, for the variable GLOCAL_USERS. Servers that are up notice the change.

    Examples: `glocal password ada --users users` | `glocal password ada --users users --remove`
    """
    from precompute.stages import password as stage

    if remove:
        if users is None:
            _refuse("say with --users from which file")
        stage.remove_user(users, name)
        out.print(f"{name} was removed from {users}.", markup=False)
        return
    word = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if sys.stdin.isatty() else input()
    line = stage.user_line(name, word)
    if users is None:
        out.print(line, markup=False)
        return
    known = stage.set_user(users, line)
    out.print(f"{name}'s password was changed." if known else f"{name} was added to {users}.", markup=False)


@bench.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench_app(context: typer.Context, folder: BenchFolder = None) -> None:
    """Measure **selector to picture** in a headless browser, beside a plain HoloViews page over the same table.

    Needs a checkout and Chromium. Other options go to benchmarks/bench_app.py.
    """
    _run_benchmark("bench_app.py", "--data", layout.data_folder(folder), *context.args)


@bench.command("load", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench_load(context: typer.Context, folder: BenchFolder = None, json: BenchJson = None) -> None:
    """Measure **many visitors at once**: 1, 5, 20 and 50 in one process, and in two behind nginx.

    Needs a checkout, and nginx and Chromium for their parts. Other options go to benchmarks/bench_load.py.
    """
    given = ["--json", json] if json else []
    _run_benchmark("bench_load.py", "--data", layout.data_folder(folder), *given, *context.args)


@bench.command("posterior")
def bench_posterior(
    models: Models = settings.N_MODEL_LIBRARY, regions: BenchRegions = 20_000, library: BenchLibrary = None,
    json: BenchJson = None,
) -> None:  # fmt: skip
    """Measure **the posterior**: time per region beside NumPy and two plain loops, and the worst percentile.

    Draws the library first, unless one is given. Needs a checkout.
    """
    given = [part for name, file in (("--library", library), ("--json", json)) if file for part in (name, file)]
    _run_benchmark("bench_posterior.py", "--models", str(models), "--regions", str(regions), *given)


@bench.command("cubes")
def bench_cubes(
    models: Models = settings.N_MODEL_LIBRARY, library: BenchLibrary = None, survey: BenchSurvey = None,
    small: MockSmall = False, json: BenchJson = None,
) -> None:  # fmt: skip
    """Measure what **a galaxy costs from its cube to its maps**, step by step, and what a survey would take.

    Invents a galaxy, unless a survey file is given. Needs a checkout.
    """
    pairs = (("--library", library), ("--survey", survey), ("--json", json))
    given = [part for name, file in pairs if file for part in (name, file)] + ["--small"] * small
    _run_benchmark("bench_cubes.py", "--models", str(models), *given)


def _run_benchmark(name: str, *options: str | Path) -> None:
    script = layout.CHECKOUT / "benchmarks" / name
    if not script.is_file():
        _refuse(f"benchmarks come with the checkout, not with the installed package: {script} is not there")
    sys.exit(subprocess.run([sys.executable, script, *options], check=False).returncode)


if __name__ == "__main__":
    main()
