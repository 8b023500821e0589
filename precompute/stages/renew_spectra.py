"""Posteriors next to a survey that was measured again: computed again, so that they are those of the new estimates."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from engine.errors import TableError
from engine.inference.posterior import Observed
from engine.spectra_schema import Header, check_belongs, estimates_id
from engine.types import BoolArray
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
from precompute.stages.remeasured import Remeasured, Renewed, rows_of


class GalaxyFiles(NamedTuple):
    """The files of a galaxy that are to be written again, and what they then hold."""

    galaxy_id: int
    name: str
    old: SpectraFiles
    new: SpectraFiles
    header: Header  # of the old file of spectra
    estimates_id: str  # of the new ones


def renew_spectra(
    survey: Remeasured, make_posteriors: Callable[[], Posteriors], history: dict, phases: Phases
) -> Renewed:
    """Write the posteriors of every galaxy that has spectra, into the new folder.

    make_posteriors: called if there is anything to do. history: goes into the files. Galaxies that an earlier run has
    finished are left as they are. Call it before the tables are written: then the same command goes on after a stop.
    """
    usable, failed = _galaxies_with_spectra(survey)
    missing = [galaxy for galaxy in usable if _estimates_id_of(galaxy.new) != galaxy.estimates_id]
    not_written = _renew_all(survey, missing, make_posteriors(), history, phases) if missing else {}
    done = len(usable) - len(not_written)
    sentences = [f"Posteriors of {done:,} galaxies follow the new estimates."] * bool(done)
    return Renewed(sentences, failed | not_written)


def _renew_all(
    survey: Remeasured, missing: list[GalaxyFiles], posteriors: Posteriors, history: dict, phases: Phases
) -> dict[str, str]:
    """Write the files of some galaxies; returns a sentence for each that could not be written, by its name."""
    report = phases("renewing posteriors of spectra")
    failed = {}
    for number, galaxy in enumerate(missing):
        report(number, len(missing))
        try:
            _renew(survey, galaxy, posteriors, history)
        except TableError as error:
            failed[galaxy.name] = f"Posteriors of {galaxy.name} could not be computed again: {error}."
    report(len(missing), len(missing))
    return failed


def _galaxies_with_spectra(survey: Remeasured) -> tuple[list[GalaxyFiles], dict[str, str]]:
    """The files of galaxies that have them; and a sentence, by name, for those whose files cannot be used."""
    galaxies = survey.before.galaxies
    usable = []
    failed = {}
    for galaxy_id, name in zip(galaxies["galaxy_id"].tolist(), galaxies["name"].tolist(), strict=True):
        if not spectra_files(survey.old_folder, galaxy_id).spectra.is_file():
            continue
        try:
            usable.append(_files_of(survey, galaxy_id, name))
        except TableError as error:
            failed[name] = f"Posteriors of {name} are left as they are: {error}."
    return usable, failed


def _files_of(survey: Remeasured, galaxy_id: int, name: str) -> GalaxyFiles:
    """The files of a galaxy; TableError if they are damaged or not those of the table, old or new."""
    old = spectra_files(survey.old_folder, galaxy_id)
    before = survey.before.regions
    rows = before["galaxy_id"] == galaxy_id
    new_id = estimates_id(rows_of(survey.after, rows))
    header = read_spectra_header(old.spectra)
    if header.estimates_id != new_id:
        check_belongs(header, estimates_id(rows_of(before, rows)), str(old.spectra))
    return GalaxyFiles(galaxy_id, name, old, spectra_files(survey.new_folder, galaxy_id), header, new_id)


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
