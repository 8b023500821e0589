"""Commands that check results."""

from pathlib import Path

import typer

from precompute import settings
from precompute.commands.console import CHECK, out
from precompute.commands.workers import leave_if_any, leave_if_failed, machines, tell_galaxy
from precompute.options import (
    Histories,
    LineSpectra,
    Models,
    RunWorkers,
    Scheduler,
    SdssTable,
    SurveyFile,
    ValidationFolder,
    ValidationLibrary,
    ValidationRegions,
    ValidationSurvey,
)

commands = typer.Typer()


@commands.command(rich_help_panel=CHECK)
def recovery(survey_file: SurveyFile) -> None:
    """Set what `glocal run` found on **mock cubes** against what was put into them: offsets, scatter, pulls.

    Exit code 1: files of some galaxies could not be read, the others are compared.

    Example: `glocal recovery trial/survey.toml`
    """
    from precompute.stages.recovery import recovery_lines, run_recovery

    report = run_recovery(survey_file)
    for line in recovery_lines(report):
        out.print(line, markup=False)
    leave_if_any(list(report.failed), f"{len(report.failed)} galaxies could not be compared")


@commands.command("compare-smoothing", rich_help_panel=CHECK)
def compare_smoothing(survey_file: SurveyFile, workers: RunWorkers = None, scheduler: Scheduler = "") -> None:
    """Does **smoothing** change the result? The same cubes by Voronoi bins, and by unsmoothed spaxels alone.

    As in appendix A of ZG22: ages and metallicities against local density, side by side, as a figure and a table.
    Does first what `glocal run` would do; the Voronoi survey lies next to the survey. Exit code 1: galaxies failed, the
    others are compared.

    Example: `glocal compare-smoothing trial/survey.toml`
    """
    from precompute.progress import progress_bars
    from precompute.stages import smoothing

    with progress_bars(out) as phases:
        done = smoothing.compare_smoothing(survey_file, machines(workers, scheduler), phases, told=tell_galaxy)
    for sentence in done.sentences:
        out.print(sentence, markup=False)
    leave_if_failed(done.outcomes)


@commands.command(rich_help_panel=CHECK)
def validate(
    library: ValidationLibrary = None, models: Models = settings.N_MODEL_LIBRARY,
    regions: ValidationRegions = settings.N_REGION_VALIDATION, galaxies: SdssTable = None,
    histories: Histories = settings.N_HISTORY_VALIDATION, survey: ValidationSurvey = None,
    to: ValidationFolder = Path("validation"),
) -> None:  # fmt: skip
    """Show whether the **posteriors are right**: members of the library recovered from noise, and real galaxies.

    With --galaxies, a table of SDSS galaxies with MPA-JHU indices and the published ages and metallicities of
    Gallazzi et al. (2005), ours are compared with theirs. Writes a figure and tables.

    With --survey, only the errors of a finished mock survey are compared with its truth, bin by bin.

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


@commands.command("validate-lines", rich_help_panel=CHECK)
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
