"""Broad-band AB photometry of spectra, and surface brightness as the posterior wants it."""

from typing import NamedTuple

import numpy as np

from engine.constants import AB_ZERO_FLUX, LIGHT_SPEED, PC2_SURFACE_BRIGHTNESS
from engine.errors import ShapeError
from engine.types import FloatArray


class Filter(NamedTuple):
    """Response of a filter to photons, in any unit; wave (wave,) Angstrom, in the frame (air) of the spectra."""

    name: str
    wave: FloatArray
    response: FloatArray


def ab_magnitudes(wave: FloatArray, flux: FloatArray, filters: tuple[Filter, ...]) -> FloatArray:
    """AB magnitudes of spectra, counting photons.

    Parameters: wave (wave,) Angstrom; flux (..., wave) erg/s/cm2/Angstrom. Returns (..., filter); NaN where the
    flux through a filter is not positive. Raises ShapeError if the wavelengths do not cover a filter.
    """
    weights = np.stack([band_weights(wave, one) for one in filters], axis=-1)
    through = np.asarray(flux, dtype=float) @ weights
    return -2.5 * np.log10(np.where(through > 0, through, np.nan))


def band_weights(wave: FloatArray, one: Filter) -> FloatArray:
    """Weights (wave,) whose sum with a flux density [erg/s/cm2/Angstrom] is the flux in units of AB magnitude 0.

    Integrals by the trapezoidal rule on the points of the spectrum: both integrals of
    int f_lambda R lambda dlambda / int (c / lambda^2) 3631 Jy R lambda dlambda.
    """
    wave = np.asarray(wave, dtype=float)
    support = one.wave[one.response > 0]
    if wave[0] > support[0] or wave[-1] < support[-1]:
        raise ShapeError(
            f"the spectrum covers {wave[0]:.0f}-{wave[-1]:.0f} Angstrom but the filter {one.name} "
            f"{support[0]:.0f}-{support[-1]:.0f}"
        )
    response = np.interp(wave, one.wave, one.response, left=0.0, right=0.0)
    photons = response * wave * np.gradient(wave)
    return photons / (AB_ZERO_FLUX * LIGHT_SPEED * (photons / wave**2).sum())


def line_fluxes_in_bands(line_wave: FloatArray, line_flux: FloatArray, filters: tuple[Filter, ...]) -> FloatArray:
    """What emission lines add to broad-band fluxes, in units of AB magnitude 0.

    Parameters: line_wave (line,) or (..., line) Angstrom as observed; line_flux (..., line) erg/s/cm2, NaN counts as
    none. Returns (..., filter). A band's flux without lines is 10**(-0.4 mag) less this. Lines outside the spectra,
    [SIII] in z among them, are not in it, nor is the nebular continuum.
    """
    line_wave, line_flux = np.asarray(line_wave, dtype=float), np.nan_to_num(np.asarray(line_flux, dtype=float))
    parts = []
    for one in filters:
        norm = AB_ZERO_FLUX * LIGHT_SPEED * np.trapezoid(one.response / one.wave, one.wave)
        through = np.interp(line_wave, one.wave, one.response, left=0.0, right=0.0) * line_wave
        parts.append((through * line_flux).sum(axis=-1) / norm)
    return np.stack(parts, axis=-1)


def surface_flux(surface_brightness: FloatArray, redshift: FloatArray | float) -> FloatArray:
    """Flux per pc2 in units of sources of absolute magnitude 0, the dimming by distance (1+z)^4 undone.

    Divided by the flux per Msun of a model it is a mass density in Msun/pc2. surface_brightness: AB mag/arcsec2 in
    the rest frame: magnitudes as observed must be K-corrected first (up to 0.1 mag in u and g at redshift 0.03).
    """
    return 10.0 ** (-0.4 * (np.asarray(surface_brightness) - PC2_SURFACE_BRIGHTNESS)) * (1 + np.asarray(redshift)) ** 4
