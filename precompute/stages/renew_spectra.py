"""Posteriors next to a survey that was measured again: computed again, so that they are those of the new estimates."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.errors import TableError
from engine.inference.posterior import Observed
from engine.spectra_schema import Header, check_belongs, estimates_id
from engine.table_checks import Columns
from engine.types import BoolArray, IntArray
from precompute.io.spectra import (
    Posteriors,
    RegionObservables,
    SpectraFiles,
    axes_of,
    read_spectra_header,
    renew_posteriors,
    spectra_files,
)
from precompute.progress import Phases


class Measurable(NamedTuple):
    """A survey as it was, and which of its regions can be measured again."""

    regions: Columns
    galaxies: Columns
    meta: dict
    measurable: BoolArray  # (region,): those of galaxies with observables
    galaxy: IntArray  # (region,) row in the galaxy table


class Remeasured(NamedTuple):
    """A survey before and after it was measured again, and the folders of both, which may be the same."""

    old_folder: Path
    new_folder: Path
    before: Measurable
    after: Columns  # regions, in the same order
    observed: Observed  # of the measurable regions


class GalaxyFiles(NamedTuple):
    """The files of a galaxy that are to be written again, and what they then hold."""

    galaxy_id: int
    old: SpectraFiles
    new: SpectraFiles
    header: Header  # of the old file of spectra
    estimates_id: str  # of the new ones


def renew_spectra(
    survey: Remeasured, make_posteriors: Callable[[], Posteriors], history: dict, phases: Phases
) -> list[str]:
    """Write the posteriors of every galaxy that has spectra, into the new folder; returns what the user should read.

    make_posteriors: called if there is anything to do. history: goes into the files. Galaxies that an earlier run has
    finished are left as they are. Call it before the tables are written: then the same command goes on after a stop.
    """
    files = []
    troubles = []
    for galaxy in _galaxies_with_spectra(survey):
        (troubles if isinstance(galaxy, str) else files).append(galaxy)
    missing = [galaxy for galaxy in files if _estimates_id_of(galaxy.new) != galaxy.estimates_id]
    failed = _renew_all(survey, missing, make_posteriors(), history, phases) if missing else []
    done = len(files) - len(failed)
    return [f"Posteriors of {done:,} galaxies follow the new estimates."] * bool(done) + troubles + failed


def _renew_all(
    survey: Remeasured, missing: list[GalaxyFiles], posteriors: Posteriors, history: dict, phases: Phases
) -> list[str]:
    """Write the files of some galaxies; returns a sentence for each that could not be written."""
    report = phases("renewing posteriors of spectra")
    failed = []
    for number, galaxy in enumerate(missing):
        report(number, len(missing))
        try:
            _renew(survey, galaxy, posteriors, history)
        except TableError as error:
            failed.append(f"Posteriors of {galaxy.header.galaxy} could not be computed again: {error}.")
    report(len(missing), len(missing))
    return failed


def _galaxies_with_spectra(survey: Remeasured) -> Iterator[GalaxyFiles | str]:
    """The files of galaxies, or a sentence where they cannot be used."""
    before = survey.before.regions
    galaxies = survey.before.galaxies
    for galaxy_id, name in zip(galaxies["galaxy_id"].tolist(), galaxies["name"].tolist(), strict=True):
        old = spectra_files(survey.old_folder, galaxy_id)
        if not old.spectra.is_file():
            continue
        rows = before["galaxy_id"] == galaxy_id
        new_id = estimates_id(_rows_of(survey.after, rows))
        try:
            header = read_spectra_header(old.spectra)
            if header.estimates_id != new_id:
                check_belongs(header, estimates_id(_rows_of(before, rows)), str(old.spectra))
        except TableError as error:
            yield f"Posteriors of {name} are left as they are: {error}."
        else:
            yield GalaxyFiles(galaxy_id, old, spectra_files(survey.new_folder, galaxy_id), header, new_id)


def _estimates_id_of(files: SpectraFiles) -> str:
    """The estimates that both files of a galaxy were made with; empty if they differ, or one is not there."""
    try:
        found = {read_spectra_header(path).estimates_id for path in files}
    except TableError:
        return ""
    return found.pop() if len(found) == 1 else ""


def _renew(survey: Remeasured, galaxy: GalaxyFiles, posteriors: Posteriors, history: dict) -> None:
    """Write both files of a galaxy."""
    regions = survey.before.regions
    rows = regions["galaxy_id"] == galaxy.galaxy_id
    header = Header(
        galaxy.header.galaxy,
        galaxy.estimates_id,
        axes_of(posteriors.models, galaxy.header.axes.wave),
        galaxy.header.history | {"posteriors": history},
    )
    seen = RegionObservables(regions["x"][rows], regions["y"][rows], _observed(survey, rows))
    renew_posteriors(galaxy.old, galaxy.new, header, seen, posteriors)


def _observed(survey: Remeasured, rows: BoolArray) -> Observed:
    """Observables of some regions; NaN where a region cannot be measured."""
    measurable = survey.before.measurable
    found = []
    for values in survey.observed:
        everywhere = np.full((measurable.size, *values.shape[1:]), np.nan)
        everywhere[measurable] = values
        found.append(everywhere[rows])
    return Observed(*found)


def _rows_of(columns: Columns, rows: BoolArray) -> Columns:
    return {name: values[rows] for name, values in columns.items()}
