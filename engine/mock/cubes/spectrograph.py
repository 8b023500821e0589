"""Stars and lines of the sky as the cube's instrument sees them, before noise."""

from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve

from engine.adopted import CALIFA_FWHM_ANGSTROM, CALIFA_PIXEL_ANGSTROM, CALIFA_SPAXEL_ARCSEC
from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS
from engine.cube.psf import moffat_image
from engine.cube.types import CUBE_UNIT
from engine.mock.cubes.settings import CubeMockSettings
from engine.mock.cubes.sky import MockSky, dimming
from engine.spectrum.decouple import cubic_read
from engine.spectrum.lines import line_table
from engine.spectrum.templates import SSP_FWHM_ANGSTROM
from engine.types import FloatArray, IntArray

_LOG_STEP = 6e-5  # of ln(lambda), 18 km/s: a third of the narrowest dispersion
_EVEN_STEP = 0.5  # Angstrom, of the grid on which the instrument blurs
_BEYOND = 80.0  # Angstrom at rest on either side, for what moves in
_ROWS = 512  # spectra at a time: bounds the memory
_LINE_REACH = 14  # pixels to each side of a line
ALL_LINES = slice(None)


class _Pixels(NamedTuple):
    """Pixels of the sky in a row, (pixel,) each."""

    model: IntArray
    v_star: FloatArray  # km/s
    sigma_star: FloatArray
    scale: FloatArray  # from spectra of 1 Msun/pc2 at redshift 0 to those of the mass there, in the unit of cubes


def star_planes(sky: MockSky, wave: FloatArray, redshift: float) -> FloatArray:
    """Stars of every pixel of the sky, moved and broadened, (wave, y, x) float32 [1e-16 erg/s/cm2/Angstrom]."""
    log_wave, resolved = _at_resolution(sky, wave, redshift)
    transform = fft.rfft(resolved, axis=1)
    position = (np.log(wave / (1 + redshift)) - log_wave[0]) / _LOG_STEP
    pixels = _pixels(sky, redshift)
    planes = np.empty((wave.size, pixels.model.size), np.float32)
    for start in range(0, pixels.model.size, _ROWS):
        rows = slice(start, start + _ROWS)
        some = _Pixels(*(values[rows] for values in pixels))
        moved = _moved(transform[some.model], some.v_star, some.sigma_star, resolved.shape[1])
        planes[:, rows] = (some.scale[:, None] * cubic_read(moved, position)).T
    return planes.reshape(wave.size, *sky.model.shape)


def _pixels(sky: MockSky, redshift: float) -> _Pixels:
    mass = 10.0 ** sky.maps.log_mu_star.ravel()
    scale = mass * dimming(redshift) / CUBE_UNIT * CALIFA_SPAXEL_ARCSEC**2
    return _Pixels(sky.model.ravel(), sky.maps.v_star.ravel(), sky.maps.sigma_star.ravel(), scale)


def _moved(transform: FloatArray, v_star: FloatArray, sigma_star: FloatArray, n_pixel: int) -> FloatArray:
    """Spectra (row, pixel) at velocities and dispersions (row,) [km/s], from their Fourier transforms (row, frequency).

    There a shift and a Gaussian are products. In single precision, as cubes are; n_pixel is even.
    """
    omega = np.linspace(0.0, np.pi, transform.shape[1], dtype=np.float32) / np.float32(_LOG_STEP * LIGHT_SPEED_KMS)
    broadening = np.exp(-0.5 * (omega * sigma_star[:, None].astype(np.float32)) ** 2)
    phase = omega * v_star[:, None].astype(np.float32)
    moved = transform * broadening
    moved *= np.cos(phase) - np.complex64(1j) * np.sin(phase)
    return fft.irfft(moved, n_pixel, axis=1, overwrite_x=True)


def line_planes(
    sky: MockSky, wave: FloatArray, redshift: float, gas_sigma: float, chosen: slice | list[int] = ALL_LINES
) -> FloatArray:
    """Chosen emission lines of every pixel of the sky, (wave, y, x) float32 [1e-16 erg/s/cm2/Angstrom].

    gas_sigma: dispersion of the gas [km/s]; it moves with the stars.
    """
    v_star = sky.maps.v_star.ravel()
    planes = np.zeros((wave.size, v_star.size), np.float32)
    fluxes = sky.line_flux[chosen].reshape(-1, v_star.size)
    for rest, flux in zip(line_table().wave[chosen], fluxes, strict=True):
        centre = rest * (1 + redshift) * np.exp(v_star / LIGHT_SPEED_KMS)
        width = np.hypot(CALIFA_FWHM_ANGSTROM / FWHM_PER_SIGMA, centre * gas_sigma / LIGHT_SPEED_KMS)
        _add_line(planes, wave, centre, width, flux)
    return planes.reshape(wave.size, *sky.model.shape)


def blurred(planes: FloatArray, settings: CubeMockSettings) -> FloatArray:
    """Planes (plane, y, x) of the sky at the cube's point spread, in its field; empty planes stay empty."""
    kernel = moffat_image(settings.psf, CALIFA_SPAXEL_ARCSEC)
    rows, columns = settings.shape
    top = (planes.shape[1] - rows) // 2
    left = (planes.shape[2] - columns) // 2
    result = np.zeros((len(planes), rows, columns), np.float32)
    for plane in np.flatnonzero(planes.any(axis=(1, 2))):
        whole = fftconvolve(planes[plane], kernel, mode="same")
        result[plane] = whole[top : top + rows, left : left + columns]
    return result


def _add_line(planes: FloatArray, wave: FloatArray, centre: FloatArray, width: FloatArray, flux: FloatArray) -> None:
    """Add a Gaussian line to each spectrum of planes (wave, spaxel); centre, width [Angstrom] and flux (spaxel,)."""
    every: IntArray = np.arange(centre.size)
    nearest = np.round((centre - wave[0]) / CALIFA_PIXEL_ANGSTROM).astype(int)
    for step in range(-_LINE_REACH, _LINE_REACH + 1):
        pixel = nearest + step
        inside = (pixel >= 0) & (pixel < wave.size)
        place = np.where(inside, pixel, 0)
        profile = np.exp(-0.5 * ((wave[place] - centre) / width) ** 2) / (np.sqrt(2 * np.pi) * width)
        planes[place[inside], every[inside]] += (profile * flux / CUBE_UNIT)[inside]


def _at_resolution(sky: MockSky, wave: FloatArray, redshift: float) -> tuple[FloatArray, FloatArray]:
    """ln(lambda) (pixel,) on an even grid at rest, and the spectra (model, pixel) on it, blurred by the instrument.

    The grid goes on beyond the cube until its number of pixels suits Fourier transforms.
    """
    low = wave[0] / (1 + redshift) - _BEYOND
    high = wave[-1] / (1 + redshift) + _BEYOND
    n_pixel = 2 * fft.next_fast_len(int(np.ceil(np.log(high / low) / _LOG_STEP / 2)), real=True)
    log_wave = np.log(low) + _LOG_STEP * np.arange(n_pixel)
    at = np.exp(log_wave)
    even = np.arange(low, at[-1] + _EVEN_STEP, _EVEN_STEP)
    blur = _instrument_fwhm(redshift) / FWHM_PER_SIGMA / _EVEN_STEP
    on_log = np.empty((len(sky.spectra), log_wave.size), np.float32)
    for row, spectrum in enumerate(sky.spectra):
        seen = gaussian_filter1d(np.interp(even, sky.wave, spectrum), blur, mode="nearest")
        on_log[row] = np.interp(at, even, seen)
    return log_wave, on_log


def _instrument_fwhm(redshift: float) -> float:
    """What the instrument adds to the width of the models, at rest [Angstrom]."""
    return float(np.sqrt((CALIFA_FWHM_ANGSTROM / (1 + redshift)) ** 2 - SSP_FWHM_ANGSTROM**2))
