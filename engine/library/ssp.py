"""Simple stellar populations: spectra per metallicity and age, and what their wavelengths are."""

from typing import NamedTuple

import numpy as np

from engine.errors import ModelGridError
from engine.features import LINES
from engine.spectrum.air import air_to_vacuum
from engine.types import FloatArray

# Strong lines of an A to F star population, Angstrom in air; those of the calcium triplet from NIST
_LINES_AIR = tuple(line.wave for line in LINES if line.name in ("Hgamma", "Hbeta", "Halpha"))
_LINES_RED = (8542.09, 8662.14)
_HALF_WINDOW = 12.0  # Angstrom around the line, for the centroid
_MAX_OFFSET = 0.5  # Angstrom; a frame further from the lines is no frame


class SSPGrid(NamedTuple):
    """Spectra of stars born together, per Msun formed."""

    wave: FloatArray  # (wave,) Angstrom, air
    age: FloatArray  # (age,) yr, rising; the first may be 0
    metallicity: FloatArray  # (metal,) Z / Zsun, Zsun = 0.02, rising
    flux: FloatArray  # (metal, age, wave) float32, Lsun/Angstrom per Msun formed
    living_fraction: FloatArray  # (metal, age) mass in living stars per Msun formed, without remnants
    imf: str
    version: str
    source: str


def wave_frame(wave: FloatArray, flux: FloatArray) -> str:
    """Whether wavelengths are in air or vacuum, from the absorption lines of a spectrum itself.

    Fits the centroids of the Balmer lines and the calcium triplet (those the spectrum covers) and compares them
    with both scales, which differ by 1.2 to 2.4 Angstrom. A young to middle-aged spectrum of solar metallicity is
    best. wave, flux (wave,). Returns "air" or "vacuum"; raises ModelGridError if the lines tell neither.
    """
    lines = np.array([line for line in _LINES_AIR + _LINES_RED if wave[0] < line - 40 and wave[-1] > line + 40])
    if lines.size == 0:
        raise ModelGridError(
            f"the spectrum covers {wave[0]:.0f}-{wave[-1]:.0f} Angstrom, where no line tells air from vacuum"
        )
    found = np.array([line_centroid(wave, flux, line + 0.7) for line in lines])
    offsets = {"air": np.median(found - lines), "vacuum": np.median(found - air_to_vacuum(lines))}
    frame = min(offsets, key=lambda name: abs(offsets[name]))
    if not abs(offsets[frame]) < _MAX_OFFSET:
        raise ModelGridError(
            f"absorption lines lie {offsets['air']:+.2f} Angstrom from their places in air and "
            f"{offsets['vacuum']:+.2f} from those in vacuum, so the wavelengths are neither"
        )
    return frame


def line_centroid(wave: FloatArray, flux: FloatArray, near: float) -> float:
    """Centre [Angstrom] of an absorption line: centroid of the deeper half of its depth below a straight continuum."""
    window = np.abs(wave - near) < _HALF_WINDOW
    x = wave[window].astype(float)
    y = flux[window].astype(float)
    if x.size < 5:
        raise ModelGridError(f"the spectrum has {x.size} points around {near:.0f} Angstrom, too few to find a line")
    depth = np.interp(x, x[[0, -1]], y[[0, -1]]) - y
    weight = np.clip(depth - 0.5 * depth.max(), 0.0, None) * np.gradient(x)
    if not weight.sum() > 0:
        raise ModelGridError(f"the spectrum has no absorption line at {near:.0f} Angstrom")
    return float((weight * x).sum() / weight.sum())
