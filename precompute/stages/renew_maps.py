"""Maps next to a survey that was measured again: written again with the new estimates."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from engine.errors import CubeError
from engine.inference.posterior import Posterior
from engine.spectra_schema import ESTIMATES
from engine.table_checks import Columns
from precompute.io.atomic import written_together
from precompute.io.fits_files import write_hdus
from precompute.io.map_files import FLAGS, PROVENANCE, provenance_with, read_maps
from precompute.layout import maps_file
from precompute.stages.remeasured import Remeasured, Renewed, rows_of

RENEWED = tuple(name for name in Posterior._fields if name != "flags")


class _MapFiles(NamedTuple):
    """The maps of a galaxy."""

    galaxy_id: int
    name: str
    old: Path
    new: Path


def renew_maps(survey: Remeasured, history: dict) -> Renewed:
    """Write the maps of every galaxy that has them, into the new folder.

    history: goes into the provenance of the files. Maps that are not those of the table, old or new, are left as they
    are. Call it before the tables are written: then the same command goes on after a stop.
    """
    done = 0
    failed = {}
    for files in _galaxies_with_maps(survey):
        try:
            _renew(survey, files, history)
            done += 1
        except CubeError as error:
            failed[files.name] = f"Maps of {files.name} are left as they are: {error}."
    return Renewed([f"Maps of {done:,} galaxies follow the new estimates."] * bool(done), failed)


def _galaxies_with_maps(survey: Remeasured) -> list[_MapFiles]:
    galaxies = survey.before.galaxies
    files = [
        _MapFiles(galaxy_id, name, maps_file(survey.old_folder, name), maps_file(survey.new_folder, name))
        for galaxy_id, name in zip(galaxies["galaxy_id"].tolist(), galaxies["name"].tolist(), strict=True)
    ]
    return [one for one in files if one.old.is_file()]


def _renew(survey: Remeasured, files: _MapFiles, history: dict) -> None:
    """Write the maps of a galaxy; CubeError if they are damaged or not those of the table."""
    hdus = read_maps(files.old, [name.upper() for name in RENEWED])
    rows = survey.before.regions["galaxy_id"] == files.galaxy_id
    before = rows_of(survey.before.regions, rows)
    after = rows_of(survey.after, rows)
    if not (_are_of(hdus, before) or _are_of(hdus, after)):
        raise CubeError(f"{files.old} holds other densities, ages or metallicities than the table")
    place = after["y"], after["x"]
    for name in RENEWED:
        hdus[name.upper()].data[place] = after[name]
    hdus[FLAGS].data[place] = after["flags"]
    hdus[PROVENANCE] = provenance_with(hdus[PROVENANCE], {"posteriors": history})
    files.new.parent.mkdir(parents=True, exist_ok=True)
    with written_together(files.new) as (fresh,):
        write_hdus(list(hdus.values()), fresh)


def _are_of(hdus: dict[str, fits.ImageHDU], rows: Columns) -> bool:
    """Whether the maps hold the estimates of these rows of the table."""
    place = rows["y"], rows["x"]
    shape = hdus[FLAGS].data.shape
    if rows["y"].max(initial=0) >= shape[0] or rows["x"].max(initial=0) >= shape[1]:
        return False
    return all(
        np.array_equal(hdus[name.upper()].data[place], rows[name].astype(np.float32), equal_nan=True)
        for estimate in ESTIMATES
        for name in (estimate, f"{estimate}_err")
    )
