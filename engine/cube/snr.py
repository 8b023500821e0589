"""Signal and noise of the spectra of a cube in a window without lines."""

import numpy as np

from engine.cube.types import Cube
from engine.errors import CubeError, SettingsError
from engine.types import BoolArray, FloatArray

# Rest frame [Angstrom]. No emission line lies inside (nearest: [NI] 5200, [NII] 5755) and no deep absorption; sky
# [OI] 5577 stays outside at any redshift and the sky's sodium up to 0.035; CALIFA's own spectral synthesis normalises
# there too (5635 +- 45, Cid Fernandes+13).
CLEAN_WINDOW = (5590.0, 5680.0)
NOISE_FROM = ("error", "residual")
MIN_PIXELS = 10


def window_snr(
    cube: Cube, redshift: float, window: tuple[float, float] = CLEAN_WINDOW, noise_from: str = "error"
) -> tuple[FloatArray, FloatArray]:
    """Signal and one-sigma noise per Angstrom in each spaxel, (y, x) [1e-16 erg/s/cm2/Angstrom]; NaN: too few pixels.

    noise_from: "error" takes the median of the cube's own errors, "residual" the scatter about a parabola, which counts
    weak absorption as noise and misses what neighbouring pixels share. A noise per pixel of n Angstrom is sqrt(n) times
    larger per Angstrom. Raises CubeError for spectra that do not cover the window.
    """
    if noise_from not in NOISE_FROM:
        raise SettingsError(f"noise comes from one of {', '.join(NOISE_FROM)}, not from {noise_from!r}")
    inside = _pixels_in_window(cube, redshift, window)
    flux = _good_values(cube, cube.flux, inside)
    enough = np.isfinite(flux).sum(axis=0) >= MIN_PIXELS
    signal, noise = np.full((2, flux.shape[1]), np.nan)
    if enough.any():
        signal[enough] = np.nanmedian(flux[:, enough], axis=0)
        noise[enough] = _noise(cube, inside, flux, enough, noise_from)
    step = np.median(np.gradient(cube.wave)[inside])
    return signal.reshape(cube.shape), (noise * np.sqrt(step)).reshape(cube.shape)


def _noise(cube: Cube, inside: BoolArray, flux: FloatArray, enough: BoolArray, noise_from: str) -> FloatArray:
    """One sigma per pixel of the spaxels that have enough good ones; flux (wave, spaxel) at the wavelengths inside."""
    if noise_from == "error":
        return np.nanmedian(_good_values(cube, cube.error, inside)[:, enough], axis=0)
    return _scatter(cube.wave[inside], flux[:, enough])


def _pixels_in_window(cube: Cube, redshift: float, window: tuple[float, float]) -> BoolArray:
    """Which wavelengths lie in a window at rest, (wave,); raises CubeError for too few."""
    rest = cube.wave / (1.0 + redshift)
    inside = (rest >= window[0]) & (rest <= window[1])
    if np.count_nonzero(inside) < MIN_PIXELS:
        raise CubeError(
            f"{cube.name}: at redshift {redshift:g} the spectra cover {rest[0]:.0f}-{rest[-1]:.0f} Angstrom at rest, "
            f"not {window[0]:.0f}-{window[1]:.0f}, where S/N is measured"
        )
    return inside


def _good_values(cube: Cube, values: FloatArray, inside: BoolArray) -> FloatArray:
    """Values (wave, y, x) of some wavelengths as (wave, spaxel), NaN where they are not good."""
    return np.where(cube.good[inside], values[inside], np.nan).reshape(np.count_nonzero(inside), -1)


def _scatter(wave: FloatArray, flux: FloatArray) -> FloatArray:
    """Scatter of each spectrum (wave, spectrum) about its own parabola; NaN do not count."""
    x = (wave - wave.mean()) / np.ptp(wave)
    known = np.isfinite(flux)
    powers = np.stack([x**0, x, x**2])
    normal = np.einsum("iw,ws,jw->sij", powers, known.astype(float), powers)
    right = np.einsum("iw,ws->si", powers, np.where(known, flux, 0.0))
    fit = np.linalg.solve(normal, right[..., None])[..., 0]
    residual = np.where(known, flux - (fit @ powers).T, 0.0)
    return np.sqrt((residual**2).sum(axis=0) / (known.sum(axis=0) - 3))
