"""One galaxy of ``glocal run``: files in, files out, and what happened in words; never an exception."""

import errno
import json
import traceback
import zlib
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numba
import numpy as np

from engine.columns import BANDS, REGION
from engine.cube.masks import MaskSettings
from engine.cube.noise import NoiseCheck
from engine.cube.registration import RegistrationFlag, RegistrationReport
from engine.cube.smoothing import level_fractions
from engine.cube.types import Cube, Image
from engine.errors import CubeError, GlocalError
from engine.flags import SpaxelFlag
from engine.galaxy.structure import ELLIPSE_COLUMNS, covered_share, ellipse_of, elliptical_radius, log_mean_density
from engine.pipeline import Analysed, Materials, PipelineSettings, Target, analyse
from engine.regions import Rows, region_rows
from engine.spectra_schema import Axis, Header, estimates_id
from engine.types import BoolArray, IntArray
from precompute.clock import Clock
from precompute.io.atomic import written_together
from precompute.io.cubes import read_cube
from precompute.io.fits_files import read_header
from precompute.io.galaxy_facts import Facts
from precompute.io.map_files import write_maps
from precompute.io.products import file_checksum, software_version
from precompute.io.region_masks import read_region_mask
from precompute.io.sdss_images import read_sdss_image, read_ts_field
from precompute.io.spectra import (
    Posteriors,
    analysed_cells,
    axes_of,
    lost_spaxels,
    read_spectra_header,
    spectra_files,
    write_cells,
    write_flags,
)
from precompute.layout import file_stem, maps_file
from precompute.stages.galaxy_rows import galaxy_row
from precompute.stages.signs import notes_of, refuse_mixed_images, suspicious_signs

PIECES = "galaxies"
LOST_TO = (SpaxelFlag.FOREGROUND, SpaxelFlag.BAD_PIXELS, SpaxelFlag.SNR_TOO_LOW)  # counted in the report
FAILURES = "failures"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
ADVICE = "add it to the catalogue"


class Job(NamedTuple):
    """What is to be done for one galaxy; travels to workers."""

    facts: Facts
    catalogue: Path
    cube: Path
    images: dict[str, Path]  # those that are there, by band
    mask: Path | None
    calibration: Path | None  # tsField file of DR7 images in counts
    out: Path
    origin: str
    settings: PipelineSettings
    fingerprint: str

    @property
    def name(self) -> str:
        """The galaxy's name."""
        return str(self.facts["name"])

    @property
    def piece(self) -> Path:
        """Its rows of the tables; written last, so it tells that all else is there."""
        return self.out / PIECES / f"{file_stem(self.name)}.npz"

    @property
    def maps(self) -> Path:
        """Its maps."""
        return maps_file(self.out, self.name)


class Outcome(NamedTuple):
    """What became of a galaxy, in a sentence and in numbers; ``fatal`` if no other galaxy would fare better."""

    name: str
    done: bool
    sentence: str
    numbers: dict
    fatal: bool = False

    @property
    def remarks(self) -> list[str]:
        """What is suspicious about the galaxy and what was assumed, a line each."""
        signs = [f"suspicious: {sign}" for sign in self.numbers.get("suspicious", [])]
        return signs + [f"note: {note}" for note in self.numbers.get("notes", [])]


class Piece(NamedTuple):
    """Rows of one galaxy for both tables, and the outcome that goes with them."""

    regions: Rows
    galaxy: Facts
    outcome: Outcome


def run_galaxy(materials: Materials, job: Job) -> Outcome:
    """Analyse one galaxy and write its files; whatever goes wrong is the outcome."""
    try:
        with one_thread():
            return _run(materials, job)
    except GlocalError as refusal:
        return Outcome(job.name, False, str(refusal), {})
    except MemoryError:
        return Outcome(job.name, False, "there was not enough memory", {})
    except OSError as error:
        words = f"{error.strerror or error}: {error.filename}" if error.filename else str(error.strerror or error)
        return Outcome(job.name, False, words, {}, fatal=error.errno in DISK_FULL)
    except Exception as error:  # a galaxy never stops a survey
        return Outcome(job.name, False, _reported(job, error), {})


@contextmanager
def one_thread():
    """All kernels and linear algebra in this thread alone: galaxies run side by side instead."""
    from threadpoolctl import threadpool_limits

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        numba.set_num_threads(before)


def _reported(job: Job, error: Exception) -> str:
    file = job.out / FAILURES / f"{file_stem(job.name)}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(traceback.format_exc())
    return f"an error of the program, {type(error).__name__} ({error}); {file} tells where"


def _run(materials: Materials, job: Job) -> Outcome:
    step = Clock()
    step("reading")
    label = f"{job.catalogue}, {job.name}"
    row = galaxy_row(job.facts, origin=job.origin, spaxel_arcsec=1.0, label=label, advice=ADVICE)
    files = _read(job)
    refuse_mixed_images(files.images)
    row["spaxel_arcsec"] = files.cube.spaxel_arcsec
    target = Target(float(row["redshift"]), float(row.get("ra", np.nan)), float(row.get("dec", np.nan)))
    found = analyse(files.cube, files.images, target, materials, job.settings, drawn=files.drawn, step=step)
    step("writing")
    regions = _rows(found, row)
    numbers = (
        _numbers(found, files.cube, job.settings.masks) | _locate(row, found) | _remarks(files, target, found, job)
    )
    row["n_regions"] = len(regions["x"])
    row["n_spaxels_above_cut"] = numbers["n_above_cut"]

    def outcome() -> Outcome:
        all_numbers = numbers | step.numbers()
        return Outcome(job.name, True, _sentence(all_numbers), all_numbers)

    return _write(_Finished(found, regions, row, files.cube.good.any(axis=0)), materials, job, outcome)


class _Read(NamedTuple):
    """What was read of one galaxy."""

    cube: Cube
    images: tuple[Image, ...]
    drawn: BoolArray | None  # (y, x) spaxels the user masked


class _Finished(NamedTuple):
    """What is written of one galaxy."""

    found: Analysed
    regions: Rows
    row: Facts
    field: BoolArray  # (y, x) spaxels with data


def _read(job: Job) -> _Read:
    cube = read_cube(job.cube, job.name)
    if "r" not in job.images:
        raise CubeError(f"{job.name}: there is no r image, by which spaxels are selected")
    images = tuple(
        read_sdss_image(path, band, read_ts_field(job.calibration, band) if job.calibration else None)
        for band, path in job.images.items()
    )
    drawn = read_region_mask(job.mask, cube.wcs, cube.shape, read_header(job.cube)) if job.mask else None
    return _Read(cube, images, drawn)


def _remarks(files: _Read, target: Target, found: Analysed, job: Job) -> dict[str, Any]:
    """What looks wrong about the galaxy, what was assumed, and what is missing."""
    return {
        "suspicious": suspicious_signs(files.cube, files.images, target, found, job.settings),
        "notes": notes_of(files.cube, files.images, target),
        "missing_bands": [band for band in BANDS if band not in job.images],
    }


def _rows(found: Analysed, row: Facts) -> Rows:
    """Rows of the region table of one galaxy."""
    spaxels = {name: values for name, values in found.spaxels.items() if name in REGION}
    facts = {name: row[name] for name in ("galaxy_id", "pc_per_arcsec", "spaxel_arcsec", "inv_vmax")}
    return region_rows(spaxels, **facts)


def _locate(row: Facts, found: Analysed) -> dict:
    """Centre, axes and mean density of the galaxy, written into its row; the share of the ellipse the map covers."""
    for name, at in zip(ELLIPSE_COLUMNS[:2], found.binned.centre, strict=True):
        row.setdefault(name, at)
    angles = found.axis_angles
    row["x_axis_angle"] = angles.x
    row["y_axis_angle"] = angles.y
    ellipse = ellipse_of(row)
    if ellipse is None:
        return {"ellipse_covered": None}
    side = row["spaxel_arcsec"]
    radius = elliptical_radius(found.spaxels["x"], found.spaxels["y"], ellipse, side)
    density = found.spaxels["log_mu_star"]
    row["log_mu_e"] = log_mean_density(density, radius, ellipse.semi_major, side)
    return {"ellipse_covered": round(covered_share(density, radius, ellipse, side), 3)}


def _numbers(found: Analysed, cube: Cube, masks: MaskSettings) -> dict:
    """What the report says of a galaxy."""
    binned = found.binned
    above = cube.good.any(axis=0) & (binned.grid.magnitudes("r") <= masks.brightness_limit)
    flags = np.asarray(found.spaxels["flags"], int)
    counts = {
        "n_spaxels": int(binned.kept.sum()),
        "n_above_cut": int(above.sum()),
        "lost": _counts_of(LOST_TO, binned.flags[above]),
        "level_fractions": [round(float(part), 4) for part in level_fractions(binned.smoothing.level, binned.kept)],
    }
    spectra = {
        "redshift_of_spectra": _rounded(found.measured.redshift.redshift, 5),
        "v_systemic": round(found.measured.stars.v_systemic, 2),
        "flags": _counts_of([flag for flag in SpaxelFlag if flag.value], flags),
    }
    return counts | _numbers_of_data(binned.report, binned.noise_check) | spectra


def _numbers_of_data(report: RegistrationReport, noise: NoiseCheck) -> dict:
    """How well cube and images fit, and the cube's errors its pixels."""
    return {
        "shift_arcsec": [round(report.shift.x, 3), round(report.shift.y, 3)],
        "flux_ratio": {band: round(ratio, 4) for band, (ratio, _) in report.flux_ratio.items()},
        "error_ratio": _rounded(noise.ratio, 3),
        "error_factor": _rounded(noise.factor, 3),
        "cosmic_ray_share": _rounded(noise.cosmic_ray_share, 6),
        "registration": [flag.name.lower() for flag in RegistrationFlag if flag.value and report.flags & flag],
    }


def _counts_of(which: Iterable[SpaxelFlag], flags: IntArray) -> dict[str, int]:
    """How many spaxels have each of some flags, by its name."""
    return {flag.name.lower(): int(((flags & flag.value) > 0).sum()) for flag in which}


def _rounded(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def _sentence(numbers: dict) -> str:
    words = [f"{numbers['n_spaxels']:,} regions of {numbers['n_above_cut']:,} spaxels above the cut"]
    words += [f"no {band} image" for band in numbers["missing_bands"]]
    words += [word.replace("_", " ") for word in numbers["registration"]]
    return ", ".join(words) + f", {numbers['seconds']:.0f} s"


def _write(galaxy: _Finished, materials: Materials, job: Job, outcome: Callable[[], Outcome]) -> Outcome:
    """All files of a galaxy, whole or not at all; the outcome is asked for last, and kept with the rows."""
    found = galaxy.found
    regions = galaxy.regions
    facts = _facts(galaxy, job)
    files = (job.maps, *spectra_files(job.out, galaxy.row["galaxy_id"]), job.piece)
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
    with written_together(*files) as (maps, spectra, flags, piece):
        write_maps(found, facts, maps)
        axes = axes_of(materials.models, Axis.of_points(found.measured.rest.wave))
        header = Header(job.name, estimates_id(regions), axes, facts)
        posteriors = Posteriors(materials.models, job.settings.posterior.least_models)
        write_cells(spectra, header, analysed_cells(found, posteriors))
        lost = lost_spaxels(found.binned.flags, galaxy.field & ~found.binned.kept)
        write_flags(flags, header._replace(axes=None), lost)
        result = outcome()
        head = {"fingerprint": job.fingerprint, "galaxy": _plain(galaxy.row), "outcome": result._asdict()}
        with open(piece, "wb") as file:
            np.savez(file, head=np.array(json.dumps(head)), **regions)
    return result


def _facts(galaxy: _Finished, job: Job) -> dict[str, Any]:
    """Where the files of a galaxy come from, for their headers."""
    return {
        "galaxy": job.name,
        "origin": job.origin,
        "software": software_version(),
        "redshift": float(galaxy.row["redshift"]),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": job.fingerprint,
        "settings": repr(job.settings),
        "v_systemic": float(galaxy.found.measured.stars.v_systemic),
        "inputs": {path.name: file_checksum(path) for path in (job.cube, *job.images.values())},
    }


def _plain(row: Facts) -> Facts:
    return {name: value if isinstance(value, str) else np.asarray(value).item() for name, value in row.items()}


def read_piece(job: Job) -> Piece | None:
    """What an earlier run finished of a galaxy; None if it is not there, broken, or of other inputs or settings."""
    try:
        with open(job.piece, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            head = json.loads(str(file["head"]))
            if head["fingerprint"] != job.fingerprint or not job.maps.is_file():
                return None
            regions = {name: file[name] for name in file.files if name != "head"}
            if not _has_its_spectra(job, regions):
                return None
            return Piece(regions, head["galaxy"], Outcome(**head["outcome"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error):
        return None


def _has_its_spectra(job: Job, regions: Rows) -> bool:
    """Whether files of spectra lie there that were made with these estimates, and not measured again since."""
    wanted = estimates_id(regions)
    files = spectra_files(job.out, int(job.facts["galaxy_id"]))
    try:
        return all(read_spectra_header(path).estimates_id == wanted for path in files)
    except GlocalError:
        return False
