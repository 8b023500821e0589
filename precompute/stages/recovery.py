"""``glocal recovery``: what the pipeline found on mock cubes against what was put into them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area

from engine.columns import BANDS, INDEX_NAMES
from engine.cube.smoothing import SmoothingSettings, smooth_maps
from engine.errors import CubeError, SettingsError, TableError
from engine.inference.arrangement import Models, arrange
from engine.inference.posterior import Posterior, infer
from engine.inference.region_table import OBSERVABLES, observed_from
from engine.mock.expected import TRUE_LINES, expected_values
from engine.mock.recovery import Residuals, recovered
from engine.pipeline import ADAPTIVE, NONE, VORONOI, PipelineSettings
from engine.spectrum.lines import LINE_NAMES
from engine.types import BoolArray, FloatArray, IntArray
from precompute.io.atomic import written_together
from precompute.io.library import load_library
from precompute.io.map_files import MapHDUs, read_map_hdus, refuse_without
from precompute.io.survey_file import SurveyPlan, read_survey_file
from precompute.io.true_light import read_light
from precompute.layout import MAPS, library_file
from precompute.stages.mock_cubes import TRUTH

ESTIMATES = ("log_mu_star", "log_age_wr", "log_Z_wr")
IDEAL = " of true data"  # estimates from the indices and magnitudes that were put in, under the measured errors
MAGNITUDES = tuple(f"mag_{band}" for band in BANDS)
SMOOTH = (*ESTIMATES, "v_star", "sigma_star", *MAGNITUDES)  # with true maps to smooth; all else has spectra
WITH_ERRORS = (*SMOOTH, *INDEX_NAMES)
NEEDED = (
    "SB_R", "SMOOTHING_LEVEL", "LINE_FLUX", "LINE_FLUX_ERR",
    *(name.upper() for name in WITH_ERRORS), *(f"{name.upper()}_ERR" for name in WITH_ERRORS),
)  # fmt: skip
TABLE = "recovery.csv"


class RecoveryReport(NamedTuple):
    """Measured against true values by quantity, and why galaxies could not be compared, by name."""

    rows: list[Residuals]
    failed: dict[str, str]


class _GalaxyFiles(NamedTuple):
    """What was found on a galaxy and what was put into it."""

    name: str
    maps: Path
    truth: Path


def run_recovery(survey_file: Path) -> RecoveryReport:
    """Compare all finished galaxies of a mock survey with their truth; writes recovery.csv next to the survey.

    Where spaxels were smoothed the truth is smoothed alike. A galaxy whose files are damaged, or whose truth is of a
    kind without spectra, is left out and in the report. Raises TableError if there is nothing to compare.
    """
    plan = read_survey_file(survey_file)
    if plan.settings.binning == VORONOI:
        raise SettingsError(f"{plan.file}: the truth is not binned; recovery needs binning {ADAPTIVE!r} or {NONE!r}")
    galaxies = _galaxies_with_truth(plan)
    models = arrange(load_library(plan.library or library_file(plan.out)))
    compared = []
    failed = {}
    for galaxy in galaxies:
        try:
            compared.append(_compared(galaxy, models, plan.settings))
        except (CubeError, TableError) as error:
            failed[galaxy.name] = str(error)
    if not compared:
        raise TableError(f"no galaxy could be compared: {'; '.join(failed.values())}")
    rows = [_over_all(name, compared) for name in compared[0]]
    with written_together(plan.out / TABLE) as (fresh,):
        Table(rows=[row._asdict() for row in rows]).write(fresh, format="ascii.csv", overwrite=True)
    return RecoveryReport(rows, failed)


def _galaxies_with_truth(plan: SurveyPlan) -> list[_GalaxyFiles]:
    folder = plan.file.parent / TRUTH
    files = [_GalaxyFiles(maps.stem, maps, folder / maps.name) for maps in sorted((plan.out / MAPS).glob("*.fits"))]
    galaxies = [galaxy for galaxy in files if galaxy.truth.is_file()]
    if not galaxies:
        raise TableError(f"{plan.file}: no galaxy has both maps in {plan.out / MAPS} and truth in {folder}")
    return galaxies


class _Compared(NamedTuple):
    """One quantity in the kept spaxels, (spaxel,) each."""

    measured: FloatArray
    error: FloatArray
    truth: FloatArray


def _over_all(name: str, galaxies: list[dict[str, _Compared]]) -> Residuals:
    """One quantity over the spaxels of all galaxies."""
    of_galaxies = [galaxy[name] for galaxy in galaxies]
    return recovered(name, *(np.concatenate(values) for values in zip(*of_galaxies, strict=True)))


def _compared(galaxy: _GalaxyFiles, models: Models, settings: PipelineSettings) -> dict[str, _Compared]:
    """Every quantity of one galaxy; CubeError or TableError for files that cannot be used."""
    found = read_map_hdus(galaxy.maps)
    refuse_without(found, NEEDED, galaxy.maps)
    kept = np.isfinite(found["SB_R"].data)
    level = found["SMOOTHING_LEVEL"].data.astype(int)
    put_in = _put_in(read_map_hdus(galaxy.truth), galaxy.truth, level, kept, settings.smoothing)
    put_in["v_star"] -= found["PRIMARY"].header["GLOCAL V_SYSTEMIC"]
    compared = {
        name: _Compared(value[kept], error[kept], put_in[name]) for name, (value, error) in _measured(found).items()
    }
    ideal = _ideal(found, kept, put_in, models, settings.posterior.least_models)
    of_ideal = {name + IDEAL: compared[name]._replace(measured=getattr(ideal, name)) for name in ESTIMATES}
    return compared | of_ideal


def _measured(found: MapHDUs) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Maps of values and errors, (y, x) each, by quantity."""
    measured = {name: (found[name.upper()].data, found[f"{name.upper()}_ERR"].data) for name in WITH_ERRORS}
    for line in TRUE_LINES:
        plane = LINE_NAMES.index(line)
        measured[f"flux_{line}"] = found["LINE_FLUX"].data[plane], found["LINE_FLUX_ERR"].data[plane]
    return measured


def _put_in(
    true: MapHDUs, path: Path, level: IntArray, kept: BoolArray, smoothing: SmoothingSettings
) -> dict[str, FloatArray]:
    """What the pipeline should find in the kept spaxels: true maps smoothed, and true spectra smoothed and measured."""
    missing = [name for name in SMOOTH if name.upper() not in true]
    if missing:
        raise TableError(f"{path} has no {missing[0].upper()}: make the mock cubes again with this version")
    maps = smooth_maps(np.stack([true[name.upper()].data for name in SMOOTH], axis=-1), level, level > 0, smoothing)
    put_in = dict(zip(SMOOTH, maps[kept].T, strict=True))
    motion = put_in["v_star"], true["PRIMARY"].header["GLOCAL REDSHIFT"]
    return put_in | expected_values(read_light(true, path), level, kept, motion, smoothing)


def _ideal(
    found: MapHDUs, kept: BoolArray, put_in: dict[str, FloatArray], models: Models, least_models: float
) -> Posterior:
    """Estimates of the kept spaxels, had all been measured as it is; errors, gaps and dispersion as measured."""
    names = [*OBSERVABLES, *(f"{name}_err" for name in OBSERVABLES), "sigma_star"]
    rows = {name: found[name.upper()].data[kept] for name in names}
    rows |= {name: np.where(np.isfinite(rows[name]), put_in[name], np.nan) for name in OBSERVABLES}
    side = 3600.0 * proj_plane_pixel_area(WCS(found["SB_R"].header)) ** 0.5
    observed = observed_from(rows, found["PRIMARY"].header["GLOCAL REDSHIFT"], side)
    return infer(observed, models, least_models=least_models)


def recovery_lines(report: RecoveryReport) -> list[str]:
    """The table as text, and why galaxies are not in it."""
    head = f"{'':28s}{'n':>7s}{'offset':>9s}{'scatter':>9s}{'error':>9s}{'pull':>7s}{'width':>7s}"
    words = [
        "",
        f"Rows{IDEAL}: estimates from noise-free indices and magnitudes under the errors of the data. Their offset is",
        "not the measurement's but that of the method: of prior, library and errors. In smoothed spaxels indices and",
        "lines are compared with noise-free spectra, smoothed as the data are; all else against the median of the true",
        "maps, which differs a little from what the median of the spectra shows.",
    ]
    left_out = [f"{name} is left out: {reason}" for name, reason in report.failed.items()]
    return [head, *(
        f"{row.name:28s}{row.n:7d}{row.offset:+9.3f}{row.scatter:9.3f}{row.error:9.3f}{row.pull:+7.2f}{row.pull_width:7.2f}"
        for row in report.rows
    ), *words, *left_out]  # fmt: skip
