"""Spectra and posteriors of a galaxy as ``glocal run`` leaves them, made up: what the app's tests read."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from engine.columns import MOCK
from engine.features import LICK, LINES
from engine.flags import SpaxelFlag
from engine.spectra_schema import (
    PDF,
    PLACE,
    PLANE,
    PLANE_COLUMN,
    ROWS_PER_GROUP,
    Axis,
    Header,
    SpectraAxes,
    estimates_id,
)
from precompute.io.spectra import spectra_files, write_cells, write_flags

WAVE = Axis(3700.0, 4.0, 860)
ESTIMATES = {
    "log_mu_star": Axis(-1.0, 0.02, 300), "log_age_wr": Axis(8.0, 0.02, 110), "log_Z_wr": Axis(-2.0, 0.02, 130),
}  # fmt: skip
COARSE = {"log_age_wr": Axis(8.0, 0.1, 22), "log_Z_wr": Axis(-2.0, 0.1, 26)}
AXES = SpectraAxes(WAVE, ESTIMATES, COARSE)
STRENGTHS = {"[OII]3727": 2.0, "Hbeta": 1.0, "[OIII]5007": 0.8, "Halpha": 2.9, "[NII]6583": 1.2, "[SII]6716": 0.5,
             "[SII]6731": 0.4, "[NII]6548": 0.4, "[OIII]4959": 0.28, "Hgamma": 0.45}  # fmt: skip


def write_spectra(folder: Path, galaxy_id: int, seed: int = 3, cells: SpectraAxes = AXES) -> None:
    """Both files of one galaxy of the survey in ``folder``, with posteriors on these cells."""
    rng = np.random.default_rng(seed)
    regions = pq.read_table(folder / "regions.parquet", filters=[("galaxy_id", "=", galaxy_id)]).to_pandas()
    header = Header(f"mock {galaxy_id:03d}", estimates_id(regions), cells, {"origin": MOCK, "software": "glocal"})
    columns = {name: regions[name].to_numpy() for name in PLACE} | _spectra(regions, rng) | _posteriors(regions, cells)
    starts = range(0, len(regions), ROWS_PER_GROUP)
    groups = ({name: values[start : start + ROWS_PER_GROUP] for name, values in columns.items()} for start in starts)
    files = spectra_files(folder, galaxy_id)
    files.spectra.parent.mkdir(exist_ok=True)
    write_cells(files.spectra, header, groups)
    lost = _lost(set(zip(regions["x"], regions["y"], strict=True)))
    write_flags(files.flags, header._replace(axes=None), lost)


def _wave() -> np.ndarray:
    return WAVE.points


def _spectra(regions, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Old spectra are red with deep bands, young ones blue with lines; noise as the table's S/N says."""
    wave, age = _wave(), np.nan_to_num(regions["log_age_wr"].to_numpy(), nan=9.5)[:, None]
    old = np.clip((age - 8.6) / 1.3, 0, 1)
    level = 10 ** (-0.4 * (regions["sb_r"].to_numpy()[:, None] - 20.5))
    slope = (wave / 5500) ** (2.2 * old - 1.2)
    stellar = level * slope * (1 - 0.45 * old / (1 + np.exp((wave - 3990) / 25)))
    for index in LICK:
        middle, half = np.mean(index.centre), (index.centre[1] - index.centre[0]) / 4
        depth = (1 - old) * 0.3 if index.name in {"hdelta_a", "hgamma_a", "hbeta"} else 0.12 * old
        stellar = stellar * (1 - depth * np.exp(-0.5 * ((wave - middle) / half) ** 2))
    shape = sum(
        STRENGTHS.get(line.name, 0) * np.exp(-0.5 * ((wave - line.wave) / 3.0) ** 2) for line in LINES
    )  # fmt: skip
    gas = 0.25 * level * (1 - old) * shape
    snr = regions["snr_per_angstrom"].to_numpy()[:, None] * np.sqrt(WAVE.step) * np.clip(slope, 0.3, 1)
    flux_err = (stellar / snr) * np.ones_like(wave)
    flux = stellar + gas + flux_err * rng.standard_normal(stellar.shape)
    flux[:, (wave > 5570) & (wave < 5590)] = np.nan  # the sky line of every ground-based spectrum
    return {"flux": flux, "flux_err": flux_err, "stellar": stellar, "gas": gas}


def _posteriors(regions, cells: SpectraAxes) -> dict[str, np.ndarray]:
    """Gaussians with the table's medians and errors; age and metallicity fall together."""
    made = {PDF[name]: _gaussian(regions, name, axis) for name, axis in cells.estimates.items()}
    age, z = (_offset(regions, name, cells.plane[name]) for name in PLANE)
    rho = -0.6
    chi2 = (age[:, :, None] ** 2 + z[:, None, :] ** 2 - 2 * rho * age[:, :, None] * z[:, None, :]) / (1 - rho**2)
    plane = np.exp(-0.5 * chi2).reshape(len(regions), -1)
    return made | {PLANE_COLUMN: plane / np.maximum(plane.sum(axis=1, keepdims=True), 1e-30)}


def _offset(regions, name: str, axis: Axis) -> np.ndarray:
    centre = axis.points + axis.step / 2
    return (centre - regions[name].to_numpy()[:, None]) / regions[f"{name}_err"].to_numpy()[:, None]


def _gaussian(regions, name: str, axis: Axis) -> np.ndarray:
    share = np.exp(-0.5 * _offset(regions, name, axis) ** 2)
    return share / np.maximum(share.sum(axis=1, keepdims=True), 1e-30)


def _lost(kept: set[tuple[int, int]]) -> dict[str, np.ndarray]:
    """A masked star at (50, 40); else S/N too low for one side of the field, too faint for all."""
    lost = [(x, y) for y in range(68) for x in range(73) if (x, y) not in kept]
    flags = []
    for x, y in lost:
        star, faint, noisy = np.hypot(x - 50, y - 40) <= 2, SpaxelFlag.BELOW_BRIGHTNESS_CUT, SpaxelFlag.SNR_TOO_LOW
        flags.append((SpaxelFlag.FOREGROUND if star else faint | noisy if x < 36 else faint).value)
    x, y = np.array(lost).T
    return {"x": x, "y": y, "flags": np.array(flags)}
