"""A made-up patch of sky, seen by an imager and by a spectrograph of known coordinates, point spread and noise."""

from functools import lru_cache

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates
from scipy.signal import fftconvolve

from engine.cube.psf import moffat_image
from engine.cube.types import CUBE_UNIT, NANOMAGGY, Cube, Image, Moffat
from engine.spectrum.photometry import Filter, band_weights

RA, DEC = 150.0, 20.0
FINE, HALF = 0.25, 100.0  # arcsec: sampling and half side of the sky
WAVE = 3701.0 + 20.0 * np.arange(191)
SHAPE = (72, 78)
SEEING, BLUR = Moffat(1.32, 3.0), Moffat()


def top_hat(band, low, high):
    wave = np.linspace(low, high, 200)
    return Filter(band, wave, np.ones(200))


FILTERS = (top_hat("g", 4000, 5400), top_hat("r", 5500, 6900), top_hat("i", 6900, 8200))


@lru_cache(maxsize=8)
def sky_with(stars=(), scale=9.0, axis_ratio=0.6, clumps=0.2, seed=3):
    """Surface brightness [nanomaggies/arcsec2] of a disc and a bulge with clumps, and of stars (x, y, nanomaggies)."""
    step = np.arange(-HALF, HALF + FINE / 2, FINE)
    x, y = np.meshgrid(step, step)
    along, across = 0.8 * x + 0.6 * y, (0.8 * y - 0.6 * x) / axis_ratio
    radius = np.hypot(along, across)
    bumps = sum(
        np.outer(*(np.exp(-((step - middle) ** 2) / 8) for middle in (b, a)))
        for a, b in np.random.default_rng(seed).uniform(-20, 20, (12, 2))
    )
    sky = 3.0 * np.exp(-radius / scale) * (1 + clumps * bumps) + 15.0 * np.exp(-radius / 2.0)
    for a, b, flux in stars:
        sky[np.abs(step - b).argmin(), np.abs(step - a).argmin()] += flux / FINE**2
    sky.flags.writeable = False  # others ask for the same
    return sky


@lru_cache(maxsize=8)
def _blurred(sky: bytes, psf: Moffat) -> np.ndarray:
    square = np.frombuffer(sky).reshape(round(2 * HALF / FINE) + 1, -1)
    return fftconvolve(square, moffat_image(psf, FINE), mode="same")


def seen_at(sky, psf, x, y):
    """The sky at a point spread, at places east (x, to the left) and north (y) of its middle [arcsec]."""
    return map_coordinates(_blurred(sky.tobytes(), psf), ((y + HALF) / FINE, (x + HALF) / FINE), order=3)


def tangent_wcs(shape, pixel, angle=0.0, offset=(0.0, 0.0)):
    """North up (turned by an angle [deg]), east left, the middle of the grid at RA, DEC plus an offset [arcsec]."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [RA, DEC]
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * pixel / 3600
    inverse = np.linalg.inv(wcs.wcs.cd)
    wcs.wcs.crpix = np.array([(shape[1] + 1) / 2, (shape[0] + 1) / 2]) - inverse @ np.array(offset) / 3600
    return wcs


def places(wcs, shape):
    """Offsets east and north [arcsec] of the pixels of a grid."""
    y, x = np.indices(shape)
    dx, dy = x + 1 - wcs.wcs.crpix[0], y + 1 - wcs.wcs.crpix[1]
    return 3600 * (wcs.wcs.cd[0, 0] * dx + wcs.wcs.cd[0, 1] * dy), 3600 * (
        wcs.wcs.cd[1, 0] * dx + wcs.wcs.cd[1, 1] * dy
    )


def photograph(sky, band="r", *, psf=SEEING, pixel=0.396, shape=(330, 340), angle=33.0, noise=0.02, seed=1, scale=1.0):
    """An image in nanomaggies per pixel, turned on the sky."""
    wcs = tangent_wcs(shape, pixel, angle)
    rng = np.random.default_rng(seed)
    data = scale * seen_at(sky, psf, *places(wcs, shape)) * pixel**2 + rng.normal(0, noise, shape)
    return Image(band, data, np.full(shape, noise), wcs, pixel, psf.fwhm)


def spectra_of(sky, *, psf=BLUR, wrong=(0.0, 0.0), noise=0.01, seed=2, a_v=0.0, colour=0.0):
    """A cube of the sky with spectra flat in f_nu (or tilted); its coordinates are wrong along x and y [arcsec]."""
    true = tangent_wcs(SHAPE, 1.0)
    brightness = seen_at(sky, psf, *places(true, SHAPE))
    flat = WAVE**-2.0 * (WAVE / 6000.0) ** colour
    flat /= (band_weights(WAVE, FILTERS[1]) * flat).sum()
    flux = (flat[:, None, None] * brightness * NANOMAGGY / CUBE_UNIT).astype(np.float32)
    error = np.full(flux.shape, noise * np.median(flux), np.float32)
    flux += np.random.default_rng(seed).normal(0, 1, flux.shape).astype(np.float32) * error
    stated = true.deepcopy()
    stated.wcs.crpix = true.wcs.crpix + np.array(wrong)
    return Cube("mock", WAVE, flux, error, np.ones(flux.shape, bool), 1.0, stated, psf, a_v)
