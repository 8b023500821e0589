"""The wavelength axis of cubes and row-stacked spectra, by astropy.wcs; in air whatever the file has."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from engine.errors import CubeError
from engine.spectrum.air import vacuum_to_air
from engine.types import FloatArray
from precompute.io.fits_files import number_of
from precompute.io.header_units import angstrom_scale

STEP_RANGE, WAVE_RANGE = (0.1, 20.0), (2000.0, 20000.0)  # Angstrom
METRE = 1e10  # Angstrom
# Words of instruments for a linear axis in air, CALIFA's WAVELENGTH among them; the standard has AWAV and WAVE
LINEAR_WORDS = ("", "LINEAR", "WAVELENGTH", "WAVELENG", "WAVELNTH", "WAVELEN", "LAMBDA", "LAM", "ANGSTROM")
STANDARD_WORDS = ("WAVE", "AWAV", "WAVE-LOG", "AWAV-LOG")
READ = "WAVE, AWAV, WAVE-LOG, AWAV-LOG, WAVELENGTH, LAMBDA and LINEAR"


class WaveAxis(NamedTuple):
    """Wavelengths [Angstrom, air, as observed] (wave,), and what was done to get them, in sentences."""

    wave: FloatArray
    notes: tuple[str, ...]


def read_wave_axis(header: fits.Header, axis: int, n: int, path: Path) -> WaveAxis:
    """Wavelengths of n pixels along an axis (from 1): linear or logarithmic, in air or vacuum, in any unit of length.

    Raises CubeError that names the keyword for another kind of axis and for values that are no wavelengths.
    """
    kind = str(header.get(f"CTYPE{axis}", "")).strip().upper()
    if kind not in LINEAR_WORDS + STANDARD_WORDS:
        raise CubeError(f"{path}: CTYPE{axis} is {header[f'CTYPE{axis}']!r}, no wavelengths that are read ({READ})")
    _refuse_coupled(header, axis, path)
    start = number_of(header, f"CRVAL{axis}")
    step = _step(header, axis)
    scale = _scale(header, axis, start, path)
    if header.get("DC-FLAG") == 1:  # of IRAF: steps of log10
        wave, notes = (
            10.0 ** _along(header, axis, n, (start, step), ""),
            ["wavelengths are in steps of log10 (DC-FLAG)"],
        )
    else:
        wave = scale * _along(header, axis, n, (start, step), kind)
        notes = []
    if kind.endswith("-LOG"):
        notes.append(f"wavelengths are in logarithmic steps (CTYPE{axis} {kind})")
    if not _plausible(wave):
        keys = f"CRVAL{axis} and CD{axis}_{axis} or CDELT{axis}"
        raise CubeError(f"{path}: {keys} give {scale * start:g} Angstrom in steps of {scale * step:g}")
    why_vacuum = _why_vacuum(header, axis, kind)
    if why_vacuum:
        notes.append(f"wavelengths are in vacuum ({why_vacuum}) and were converted to air")
        wave = vacuum_to_air(wave)
    return WaveAxis(wave, tuple(notes))


def _step(header: fits.Header, axis: int) -> float:
    """Width of a pixel in the header's unit: the CD matrix counts, CDELT (1 next to it in CALIFA) only without one."""
    step = number_of(header, f"CD{axis}_{axis}")
    if np.isfinite(step) and step != 0:
        return step
    factor = number_of(header, f"PC{axis}_{axis}")
    return number_of(header, f"CDELT{axis}") * (factor if np.isfinite(factor) else 1.0)


def _scale(header: fits.Header, axis: int, start: float, path: Path) -> float:
    """Angstrom per unit of the axis; without a unit Angstrom, or metres where only these make sense."""
    unit = str(header.get(f"CUNIT{axis}", "")).strip()
    if not unit:
        return METRE if WAVE_RANGE[0] <= METRE * start <= WAVE_RANGE[1] else 1.0
    scale = angstrom_scale(unit)
    if scale is None:
        raise CubeError(f"{path}: CUNIT{axis} is {unit!r}, not a unit of wavelength")
    return scale


def _along(header: fits.Header, axis: int, n: int, line: tuple[float, float], kind: str) -> FloatArray:
    """World coordinates of n pixels, in the unit of the header."""
    if not np.isfinite(line).all() or line[1] == 0:
        return np.full(n, np.nan)
    pixel = number_of(header, f"CRPIX{axis}")
    wcs = WCS(naxis=1)
    wcs.wcs.ctype = [kind if kind in STANDARD_WORDS else ""]
    wcs.wcs.crval = [line[0]]
    wcs.wcs.cdelt = [line[1]]
    wcs.wcs.crpix = [pixel if np.isfinite(pixel) else 1.0]
    return wcs.wcs_pix2world(np.arange(n, dtype=float), 0)[0]


def _plausible(wave: FloatArray) -> bool:
    steps = np.diff(wave)
    inside = WAVE_RANGE[0] <= wave[0] and wave[-1] <= WAVE_RANGE[1]
    return bool(inside and np.all((steps >= STEP_RANGE[0]) & (steps <= STEP_RANGE[1])))


def _why_vacuum(header: fits.Header, axis: int, kind: str) -> str:
    """The keyword that says that wavelengths are in vacuum; empty if they are in air."""
    stated = str(header.get("AIRORVAC", "")).strip().lower()
    if stated:
        return "AIRORVAC" if stated.startswith("vac") else ""
    if header.get("VACUUM") in (True, 1):
        return "VACUUM"
    return f"CTYPE{axis} {kind}" if kind.startswith("WAVE") and kind in STANDARD_WORDS else ""


def _refuse_coupled(header: fits.Header, axis: int, path: Path) -> None:
    """Wavelengths that change across the field are not one axis."""
    others = [other for other in (1, 2, 3) if other != axis]
    pairs = [(axis, other) for other in others] + [(other, axis) for other in others]
    for key in (f"{matrix}{i}_{j}" for matrix in ("CD", "PC") for i, j in pairs):
        if np.isfinite(number_of(header, key)) and number_of(header, key) != 0:
            raise CubeError(f"{path}: {key} is {header[key]}, so that wavelength and place depend on each other")
