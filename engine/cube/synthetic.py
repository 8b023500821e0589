"""What a filter would see of a cube: images made of its spectra."""

import numpy as np

from engine.cube.types import CUBE_UNIT, NANOMAGGY, Cube, Plane
from engine.spectrum.photometry import Filter, band_weights
from engine.stats import mean_of_good
from engine.types import BoolArray, FloatArray

FILTER_COVERED = 0.98  # share of a filter that must lie within the spectra: DR3 lacks the blue end of g
SPECTRUM_COVERED = 0.8  # share of a filter's weight on good pixels of a spaxel


def synthetic_image(cube: Cube, one: Filter) -> Plane | None:
    """Surface brightness of the cube through a filter and its error [nanomaggies/arcsec2], (y, x) each.

    None if the spectra do not cover the filter; NaN for spaxels with too few good pixels in it. For bad pixels the
    others make up, as the mean spectrum of the cube tells.
    """
    weights = _weights(cube, one)
    if weights is None:
        return None
    used = weights > 0
    weights = weights[used]
    share = _good_share(weights, cube.flux[used], cube.good[used])
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = np.tensordot(weights, cube.flux[used], 1) / share
        error = np.sqrt(np.tensordot(weights**2, cube.error[used] ** 2, 1)) / share
    enough = share > SPECTRUM_COVERED
    return Plane(np.where(enough, flux, np.nan), np.where(enough, error, np.nan))


def _good_share(weights: FloatArray, flux: FloatArray, good: BoolArray) -> FloatArray:
    """Of the light that a filter would see of the mean spectrum, what lies on good pixels of each spaxel, (y, x)."""
    expected = weights * _mean_spectrum(flux, good)
    return np.tensordot(expected, good, 1) / expected.sum()


def _weights(cube: Cube, one: Filter) -> FloatArray | None:
    """From the flux of each pixel of a spectrum to nanomaggies/arcsec2, (wave,); None if the filter is not covered."""
    inside = (one.wave >= cube.wave[0]) & (one.wave <= cube.wave[-1])
    photons = one.response * one.wave * np.gradient(one.wave)
    if photons[inside].sum() < FILTER_COVERED * photons.sum():
        return None
    cut = Filter(one.name, one.wave[inside], one.response[inside])
    return (band_weights(cube.wave, cut) * CUBE_UNIT / NANOMAGGY / cube.spaxel_arcsec**2).astype(np.float32)


def _mean_spectrum(flux: FloatArray, good: BoolArray) -> FloatArray:
    """Mean over the good spaxels at each wavelength; 1 everywhere where it is of no use."""
    mean = mean_of_good(flux, good)
    return mean if (mean > 0).all() else np.ones_like(mean)
