"""``glocal recovery``: what the pipeline found on mock cubes against what was put into them."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area

from engine.columns import BANDS, INDEX_NAMES
from engine.cube.smoothing import SmoothingSettings, smooth_maps
from engine.errors import SettingsError, TableError
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
from precompute.io.survey_file import read_survey_file
from precompute.io.true_light import read_light
from precompute.layout import MAPS, library_file
from precompute.stages.mock_cubes import TRUTH

ESTIMATES = ("log_mu_star", "log_age_wr", "log_Z_wr")
IDEAL = " of true data"  # estimates from the indices and magnitudes that were put in, under the measured errors
MAGNITUDES = tuple(f"mag_{band}" for band in BANDS)
SMOOTH = (
    *ESTIMATES,
    "v_star",
    "sigma_star",
    *MAGNITUDES,
)  # with true maps to smooth; all else has spectra
TABLE = "recovery.csv"


def run_recovery(survey_file: Path) -> list[Residuals]:
    """Compare all finished galaxies of a mock survey with their truth; writes recovery.csv next to the survey.

    Where spaxels were smoothed the truth is smoothed alike. Raises TableError if there is nothing to compare, or if
    the truth is of a kind without spectra.
    """
    plan = read_survey_file(survey_file)
    if plan.settings.binning == VORONOI:
        raise SettingsError(f"{plan.file}: the truth is not binned; recovery needs binning {ADAPTIVE!r} or {NONE!r}")
    folder = plan.file.parent / TRUTH
    pairs = [(maps, truth) for maps in sorted((plan.out / MAPS).glob("*.fits"))
             if (truth := folder / maps.name).is_file()]  # fmt: skip
    if not pairs:
        raise TableError(f"{plan.file}: no galaxy has both maps in {plan.out / MAPS} and truth in {folder}")
    models = arrange(load_library(plan.library or library_file(plan.out)))
    parts = [_compared(*pair, models, plan.settings) for pair in pairs]
    rows = [
        recovered(name, *(np.concatenate([part[name][k] for part in parts]) for k in range(3))) for name in parts[0]
    ]
    with written_together(plan.out / TABLE) as (fresh,):
        Table(rows=[row._asdict() for row in rows]).write(fresh, format="ascii.csv", overwrite=True)
    return rows


def _compared(
    maps: Path, truth: Path, models: Models, settings: PipelineSettings
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """Measured value, error and truth of the kept spaxels of one galaxy, by quantity."""
    with fits.open(maps, memmap=False) as found, fits.open(truth, memmap=False) as true:
        kept = np.isfinite(found["SB_R"].data)
        put_in = _put_in(true, truth, found["SMOOTHING_LEVEL"].data.astype(int), kept, settings.smoothing)
        put_in["v_star"] -= found[0].header["GLOCAL V_SYSTEMIC"]
        flux = found["LINE_FLUX"].data
        error = found["LINE_FLUX_ERR"].data
        measured = {name: (found[name.upper()].data, found[f"{name.upper()}_ERR"].data)
                    for name in (*SMOOTH, *INDEX_NAMES)}  # fmt: skip
        measured |= {f"flux_{line}": (flux[k], error[k]) for line in TRUE_LINES for k in [LINE_NAMES.index(line)]}
        compared = {name: (value[kept], error[kept], put_in[name]) for name, (value, error) in measured.items()}
        ideal = _ideal(found, kept, put_in, models, settings.posterior.least_models)
    of_ideal = {name + IDEAL: (getattr(ideal, name), *compared[name][1:]) for name in ESTIMATES}
    return compared | of_ideal


def _put_in(
    true: fits.HDUList, path: Path, level: IntArray, kept: BoolArray, smoothing: SmoothingSettings
) -> dict[str, FloatArray]:
    """What the pipeline should find in the kept spaxels: true maps smoothed, and true spectra smoothed and measured."""
    missing = [name for name in SMOOTH if name.upper() not in true]
    if missing:
        raise TableError(f"{path} has no {missing[0].upper()}: make the mock cubes again with this version")
    maps = smooth_maps(np.stack([true[name.upper()].data for name in SMOOTH], axis=-1), level, level > 0, smoothing)
    put_in = dict(zip(SMOOTH, maps[kept].T, strict=True))
    motion = put_in["v_star"], true[0].header["GLOCAL REDSHIFT"]
    return put_in | expected_values(read_light(true, path), level, kept, motion, smoothing)


def _ideal(
    found: fits.HDUList, kept: BoolArray, put_in: dict[str, FloatArray], models: Models, least_models: float
) -> Posterior:
    """Estimates of the kept spaxels, had all been measured as it is; errors, gaps and dispersion as measured."""
    names = [*OBSERVABLES, *(f"{name}_err" for name in OBSERVABLES), "sigma_star"]
    rows = {name: found[name.upper()].data[kept] for name in names}
    rows |= {name: np.where(np.isfinite(rows[name]), put_in[name], np.nan) for name in OBSERVABLES}
    side = 3600.0 * proj_plane_pixel_area(WCS(found["SB_R"].header)) ** 0.5
    observed = observed_from(rows, found[0].header["GLOCAL REDSHIFT"], side)
    return infer(observed, models, least_models=least_models)


def recovery_lines(rows: list[Residuals]) -> list[str]:
    """The table as text."""
    head = f"{'':28s}{'n':>7s}{'offset':>9s}{'scatter':>9s}{'error':>9s}{'pull':>7s}{'width':>7s}"
    words = [
        "",
        f"Rows{IDEAL}: estimates from noise-free indices and magnitudes under the errors of the data. Their offset is",
        "not the measurement's but that of the method: of prior, library and errors. In smoothed spaxels indices and",
        "lines are compared with noise-free spectra, smoothed as the data are; all else against the median of the true",
        "maps, which differs a little from what the median of the spectra shows.",
    ]
    return [head, *(
        f"{row.name:28s}{row.n:7d}{row.offset:+9.3f}{row.scatter:9.3f}{row.error:9.3f}{row.pull:+7.2f}{row.pull_width:7.2f}"
        for row in rows
    ), *words]  # fmt: skip
