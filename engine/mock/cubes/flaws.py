"""What spoils a cube: noise that neighbours share, a star, a dead fibre, cosmic rays."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from engine.adopted import CALIFA_PIXEL_ANGSTROM, CALIFA_SPAXEL_ARCSEC
from engine.constants import AB_ZERO_FLUX, LIGHT_SPEED
from engine.cube.psf import KERNEL_RADIUS_ARCSEC, moffat_image
from engine.cube.types import CUBE_UNIT
from engine.mock.cubes.settings import CubeMockSettings, califa_wave, star_place
from engine.mock.observe import spaxel_snr
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray

_DEAD = 0.02  # part of the light that a dead fibre passes
_RAY = 60.0  # height of a cosmic ray in errors
_RAY_BORDER = 10  # pixels and spaxels without rays at every edge


class Noise(NamedTuple):
    """One-sigma errors: a map (y, x) times a factor (wave,). Unit of the cube."""

    at_5600: FloatArray
    growth: FloatArray

    @property
    def error(self) -> FloatArray:
        """(wave, y, x) float32."""
        return (self.growth[:, None, None] * self.at_5600).astype(np.float32)


class Spoilt(NamedTuple):
    """Flux (wave, y, x) with all that spoils it, and where it is spoilt."""

    flux: FloatArray
    star: BoolArray  # (y, x) where the star is brighter than the galaxy
    dead: BoolArray  # (y, x)
    cosmic: IntArray  # (ray, 3) wavelength, y, x
    noise: Noise
    scale: float  # flux of the cube over the true one


def spoil(
    clean: FloatArray, sb_r: FloatArray, mock: MockSettings, settings: CubeMockSettings, rng: np.random.Generator
) -> Spoilt:
    """Noise-free light (wave, y, x) [1e-16 erg/s/cm2/Angstrom] with star, dead fibre, noise, rays and a wrong scale."""
    wave = califa_wave()
    red = np.abs(wave - 6200.0).argmin()
    star = _star_light(wave, settings)
    noise = _noise_of(clean + star, sb_r, mock, settings)
    dead = _dead_fibre(settings)
    scale = float(np.exp(settings.wrong_scale * rng.standard_normal()))
    flux = np.where(dead, _DEAD, scale) * (clean + star) + noise.error * _shared_noise(clean.shape, settings, rng)
    cosmic = _cosmic_rays(clean.shape, settings, rng)
    flux[tuple(cosmic.T)] += _RAY * noise.error[tuple(cosmic.T)]
    return Spoilt(flux, star[red] > 0.1 * clean[red], dead, cosmic, noise, scale)


def _cosmic_rays(shape: tuple[int, ...], settings: CubeMockSettings, rng: np.random.Generator) -> IntArray:
    """Where they hit, (ray, 3): pixel, y, x."""
    places = [rng.integers(_RAY_BORDER, n - _RAY_BORDER, settings.n_cosmic) for n in shape]
    return np.stack(places, axis=1)


def _dead_fibre(settings: CubeMockSettings) -> BoolArray:
    """Where a fibre passes no light, (y, x)."""
    rows, columns = settings.shape
    part_x, part_y = settings.dead_place
    y, x = np.indices(settings.shape)
    return np.hypot(x - part_x * (columns - 1), y - part_y * (rows - 1)) < settings.dead_radius


def _star_light(wave: FloatArray, settings: CubeMockSettings) -> FloatArray:
    """A foreground star of flat f_nu in the cube, (wave, y, x) [1e-16 erg/s/cm2/Angstrom]."""
    f_lambda = AB_ZERO_FLUX * LIGHT_SPEED / wave**2 * 10.0 ** (-0.4 * settings.star_magnitude) / CUBE_UNIT
    return (f_lambda[:, None, None] * _star_image(settings)).astype(np.float32)


def _star_image(settings: CubeMockSettings) -> FloatArray:
    """Share of the star's light in each spaxel, (y, x)."""
    spread = moffat_image(settings.psf, CALIFA_SPAXEL_ARCSEC, 2.0 * KERNEL_RADIUS_ARCSEC)
    size = len(spread)
    x, y = star_place(settings.shape, settings)
    n_rows, n_columns = settings.shape
    rows = np.arange(n_rows) - y + size // 2
    columns = np.arange(n_columns) - x + size // 2
    inside = ((rows >= 0) & (rows < size))[:, None] & ((columns >= 0) & (columns < size))
    return np.where(inside, spread[np.clip(rows, 0, size - 1)][:, np.clip(columns, 0, size - 1)], 0.0)


def _noise_of(flux: FloatArray, sb_r: FloatArray, mock: MockSettings, settings: CubeMockSettings) -> Noise:
    """Errors by photons of source and sky at 5600 Angstrom, and more of them in the blue."""
    wave = califa_wave()
    at_5600 = flux[np.abs(wave - 5600.0) < 60.0].mean(axis=0)
    per_pixel = at_5600 / spaxel_snr(sb_r, mock) / np.sqrt(CALIFA_PIXEL_ANGSTROM)
    bluer = np.clip((5600.0 - wave) / (5600.0 - 3750.0), 0.0, None)
    return Noise(per_pixel, 1.0 + (settings.blue_noise - 1.0) * bluer**2)


def _shared_noise(shape: tuple[int, ...], settings: CubeMockSettings, rng: np.random.Generator) -> FloatArray:
    """Noise of unit scatter that neighbouring spaxels share, independent from wavelength to wavelength."""
    white = rng.standard_normal(shape, dtype=np.float32)
    width = settings.noise_correlation / CALIFA_SPAXEL_ARCSEC
    if width <= 0:
        return white
    kernel = gaussian_filter(np.pad([[1.0]], 8), width)
    shared = gaussian_filter(white, (0.0, width, width), mode="wrap")
    return shared / np.float32(np.sqrt((kernel**2).sum()))
