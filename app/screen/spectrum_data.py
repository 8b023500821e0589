"""What the panel of a spaxel draws, as arrays: bands and lines with their names, limits of axes, levels of a plane."""

from typing import NamedTuple

import contourpy
import numpy as np

from app.spectra import PLANE, PosteriorCurve, SpaxelSpectrum
from engine.features import D4000N_BLUE, D4000N_RED, LICK, LINES
from engine.types import FloatArray

FLUX_UNIT = "10⁻¹⁶ erg s⁻¹ cm⁻² Å⁻¹"
TEX_FLUX_UNIT = r"$10^{-16}$ erg s$^{-1}$ cm$^{-2}$ $\mathrm{\AA}^{-1}$"
LEVELS = (0.68, 0.95)  # weight inside the contours of the plane
# Half the width of the axes [dex]: the same for every spaxel, so that widths compare; wider where a posterior is
HALF_WIDTHS = {"log_mu_star": 0.6, "log_age_wr": 0.8, "log_Z_wr": 1.0}
ROUND = 0.1  # dex; axes move in such steps
TAIL = 0.001  # weight that may lie beyond each end of an axis
TALLEST_LINE = 2.2  # of the brightest stellar continuum: what is higher leaves the frame
ABOVE, BELOW = 0.34, 0.17  # room for the names of bands and of lines, as parts of the flux's range
RESIDUAL_SIGMAS = 5.0

# Central bands drawn and where their names stand: the row, 0 the upper one, and the place
_BAND_WORDS = {
    "hdelta_a": ("HδA", 0), "hgamma_a": ("HγA", 0), "fe4531": ("Fe4531", 1), "hbeta": ("Hβ", 0),
    "fe5015": ("Fe5015", 1), "mg2": ("Mg₂, Mgb", 0), "mgb": ("", 0), "fe5270": ("", 1), "fe5335": ("Fe5270, 5335", 1),
}  # fmt: skip
_NAMES_FURTHER_RIGHT = {"fe5335": 110.0}  # Angstrom, out of the way of Fe5015
_LINE_WORDS = {
    "[OII]3727": "[O II]", "Hbeta": "Hβ", "[OIII]5007": "[O III]", "HeI5876": "He I",
    "Halpha": "Hα [N II]", "[SII]6716": "[S II]",
}  # fmt: skip
_LINES_FURTHER = {"Hbeta": -25.0, "[OIII]5007": 45.0, "[SII]6716": 80.0, "Halpha": -60.0, "[OII]3727": 85.0}


class AxisNames(NamedTuple):
    """Names along the wavelength axis: where, and in which row of them."""

    wave: list[float]
    text: list[str]
    row: list[int]


def bands() -> tuple[list[float], list[float]]:
    """Lower and upper ends [Angstrom] of the bands that carry the indices: central ones, and both of D4000n."""
    shown = [index.centre for index in LICK if index.name in _BAND_WORDS] + [D4000N_BLUE, D4000N_RED]
    return [low for low, _ in shown], [high for _, high in shown]


def band_words() -> AxisNames:
    """Names of the bands; D4000n between its two."""
    named = [index for index in LICK if _BAND_WORDS.get(index.name, ("", 0))[0]]
    wave = [float(np.mean(index.centre)) + _NAMES_FURTHER_RIGHT.get(index.name, 0.0) for index in named]
    words = [_BAND_WORDS[index.name] for index in named]
    middle = (D4000N_BLUE[0] + D4000N_RED[1]) / 2
    return AxisNames([*wave, middle], [*(text for text, _ in words), "D4000n"], [*(row for _, row in words), 1])


def line_words() -> AxisNames:
    """Names of the brightest emission lines."""
    named = [line for line in LINES if line.name in _LINE_WORDS]
    wave = [line.wave + _LINES_FURTHER.get(line.name, 0.0) for line in named]
    return AxisNames(wave, [_LINE_WORDS[line.name] for line in named], [0] * len(named))


def flux_limits(spectrum: SpaxelSpectrum) -> tuple[float, float]:
    """Ends of the flux axis: zero is in it, and room for names above and below."""
    stars = _highest(spectrum.stellar) or _highest(spectrum.flux) or 1.0
    peak = max(_highest(spectrum.stellar + spectrum.gas), stars, min(_highest(spectrum.flux), 1.3 * stars))
    top = min(peak, TALLEST_LINE * stars)
    return -BELOW * top, (1 + ABOVE) * top


def residual_limit(spectrum: SpaxelSpectrum) -> float:
    """The residual axis runs from minus this to this."""
    error = spectrum.flux_err[np.isfinite(spectrum.flux_err)]
    return RESIDUAL_SIGMAS * float(np.median(error)) if error.size and np.median(error) > 0 else 1.0


def error_band(spectrum: SpaxelSpectrum) -> tuple[FloatArray, FloatArray]:
    """Flux less and plus its error, (wave,); without width where the flux is bad."""
    good = np.isfinite(spectrum.flux) & np.isfinite(spectrum.flux_err)
    if not good.any():
        return np.zeros_like(spectrum.wave), np.zeros_like(spectrum.wave)
    flux = np.interp(spectrum.wave, spectrum.wave[good], spectrum.flux[good])
    error = np.where(good, spectrum.flux_err, 0.0)
    return flux - error, flux + error


def axis_of(name: str, posterior: PosteriorCurve) -> tuple[float, float]:
    """Ends of the axis of a posterior: round its median, inside the library."""
    first, last = float(posterior.edges[0]), float(posterior.edges[-1])
    if not np.isfinite(posterior.median):
        return first, last
    below = np.cumsum(posterior.share) / np.sum(posterior.share)
    low, high = posterior.edges[[np.searchsorted(below, TAIL), np.searchsorted(below, 1 - TAIL) + 1]]
    middle, half = round(posterior.median / ROUND) * ROUND, HALF_WIDTHS[name]
    return max(first, min(middle - half, float(low))), min(last, max(middle + half, float(high)))


def curve(posterior: PosteriorCurve) -> tuple[FloatArray, FloatArray]:
    """Centres of cells and the posterior over its peak, (cell,) each."""
    density = np.nan_to_num(posterior.density)
    return (posterior.edges[1:] + posterior.edges[:-1]) / 2, density / (density.max() or 1.0)


def between(posterior: PosteriorCurve) -> tuple[FloatArray, FloatArray]:
    """The part of the curve between the 16th and the 84th percentile."""
    x, y = curve(posterior)
    if not np.isfinite(posterior.median):
        return x[:0], y[:0]
    inside = x[(x > posterior.low) & (x < posterior.high)]
    at = np.concatenate([[posterior.low], inside, [posterior.high]])
    return at, np.interp(at, x, y)


def shades(spectrum: SpaxelSpectrum) -> np.ndarray:
    """The plane of age and metallicity as shades 0 to 255, (Z cell, age cell) uint8."""
    density = np.nan_to_num(spectrum.plane.T)
    return (255 * density / (density.max() or 1.0)).astype(np.uint8)


def plane_contours(spectrum: SpaxelSpectrum) -> list[tuple[list[FloatArray], list[FloatArray]]]:
    """Lines round LEVELS of the weight: lists of x (age) and of y (metallicity) for each."""
    density = np.nan_to_num(spectrum.plane.T.astype(float))
    if not density.sum() > 0:
        return [([], []) for _ in LEVELS]
    falling = np.sort(density.ravel())[::-1]
    inside = np.cumsum(falling) / density.sum()
    x, y = ((edges[1:] + edges[:-1]) / 2 for edges in spectrum.plane_edges)
    generator = contourpy.contour_generator(x, y, density)
    found = [generator.lines(falling[np.searchsorted(inside, level)]) for level in LEVELS]
    return [([line[:, 0] for line in lines], [line[:, 1] for line in lines]) for lines in found]


def medians(spectrum: SpaxelSpectrum) -> tuple[float, float]:
    """Median age and metallicity, where the cross of the plane stands."""
    return tuple(spectrum.posteriors[name].median for name in PLANE)


def _highest(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size and finite.max() > 0 else 0.0
