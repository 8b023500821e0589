"""What a cube, an image and their point spread are to the engine."""

from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS

from engine.adopted import CALIFA_PSF_FWHM_ARCSEC
from engine.types import BoolArray, FloatArray

CUBE_UNIT = 1e-16  # erg/s/cm2/Angstrom, of Cube
NANOMAGGY = 1e-9  # of the flux of AB magnitude 0, of Image
ZERO_POINT = 22.5  # AB magnitude of one nanomaggy


class Plane(NamedTuple):
    """Values and their one-sigma errors on a grid, (y, x) each; NaN where nothing is known."""

    values: FloatArray
    error: FloatArray


class Moffat(NamedTuple):
    """Point spread as a Moffat profile: intensity as (1 + (r / alpha)^2)^-beta."""

    fwhm: float = CALIFA_PSF_FWHM_ARCSEC  # arcsec
    beta: float = 1.7  # mean of CALIFA's field stars as recalled from Garcia-Benito+15: choice

    @property
    def alpha(self) -> float:
        """Core radius [arcsec]."""
        return self.fwhm / (2.0 * np.sqrt(2.0 ** (1.0 / self.beta) - 1.0))


class Cube(NamedTuple):
    """Spectra on a grid of spaxels, as observed, already corrected for the dust of our Galaxy.

    flux, error (one sigma) [1e-16 erg/s/cm2/Angstrom per spaxel] and good, (wave, y, x); 0 where not good. wave
    [Angstrom, air, observed], in steps that may grow; a_v [mag], what was corrected, NaN if the file does not say;
    med_vel [km/s] of the header, NaN if absent: it can be wrong by thousands (NGC2906), so the catalogue's redshift is
    preferred. object_name is the header's, empty if it has none; notes say what had to be assumed or converted.
    """

    name: str
    wave: FloatArray
    flux: FloatArray
    error: FloatArray
    good: BoolArray
    spaxel_arcsec: float
    wcs: WCS
    psf: Moffat = Moffat()
    a_v: float = np.nan
    med_vel: float = np.nan
    object_name: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of spaxels."""
        return self.flux.shape[1:]

    @property
    def step(self) -> float:
        """Width of a spectral pixel [Angstrom]; the median where it changes along the spectrum."""
        return float(np.median(np.diff(self.wave)))


class Image(NamedTuple):
    """An image of the sky in one band: data and error (one sigma) [nanomaggies per pixel], (y, x); NaN where missing.

    psf_fwhm [arcsec], NaN if unknown; calibration says where the zero point comes from, stated_band which band the
    header names (empty: none), notes what had to be assumed.
    """

    band: str
    data: FloatArray
    error: FloatArray
    wcs: WCS
    pixel_arcsec: float
    psf_fwhm: float = np.nan
    calibration: str = "nanomaggies"
    stated_band: str = ""
    notes: tuple[str, ...] = ()
