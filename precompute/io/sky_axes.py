"""Sky coordinates of cubes and images, by astropy.wcs: CD, PC, CROTA2, either order of the axes, any projection."""

import re
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area

from engine.errors import CubeError
from precompute.io.fits_files import number_of

OTHER_AXES = re.compile(
    r"(NAXIS|CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME)[3-9]|(CD|PC)\d_[3-9]|(CD|PC)[3-9]_\d|P[VS][3-9]_\d+"
)
SQUARE = 0.02  # relative: sides of a spaxel that differ by more, or cross at another angle, are no square


class SkyAxes(NamedTuple):
    """Celestial coordinates, and the side of a pixel [arcsec]: the root of its area."""

    wcs: WCS
    pixel_arcsec: float


def read_sky_axes(header: fits.Header, path: Path, limits: tuple[float, float]) -> SkyAxes:
    """Coordinates of the first two axes. A CD matrix counts alone, CDELT with PC or CROTA2 only without one.

    limits: sides of a pixel [arcsec] that make sense. Raises CubeError that names the keywords.
    """
    lacking = [key for key in ("CTYPE1", "CTYPE2") if not isinstance(header.get(key), str)]
    lacking += [key for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2") if not np.isfinite(number_of(header, key))]
    if lacking:
        raise CubeError(f"{path} has no sky coordinates: {', '.join(lacking)} not in the header of PRIMARY")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            wcs = WCS(_first_two_axes(header))
            celestial = wcs.has_celestial
            side = 3600.0 * float(np.sqrt(proj_plane_pixel_area(wcs))) if celestial else np.nan
        except Exception as error:  # wcslib has many ways to refuse
            raise CubeError(f"{path} has no sky coordinates that can be used: {_last_line(error)}") from None
    if not celestial:
        raise CubeError(f"{path}: CTYPE1 and CTYPE2 are {header['CTYPE1']!r} and {header['CTYPE2']!r}, not RA and Dec")
    if not limits[0] <= side <= limits[1]:
        raise CubeError(f"{path}: the CD matrix, or CDELT without one, gives pixels of {side:g} arcsec")
    _refuse_other_rotation(header, wcs, path)
    return SkyAxes(wcs, side)


def refuse_oblong(wcs: WCS, path: Path) -> None:
    """Raises CubeError for spaxels that are no squares: distances on a map would depend on the direction."""
    columns = wcs.pixel_scale_matrix.T * 3600.0
    width, height = (float(np.linalg.norm(side)) for side in columns)
    slant = abs(float(columns[0] @ columns[1])) / (width * height)
    if abs(width / height - 1.0) > SQUARE or slant > SQUARE:
        raise CubeError(
            f"{path}: spaxels of {width:.3g} by {height:.3g} arcsec (CD matrix, or CDELT without one) are no squares"
        )


def _first_two_axes(header: fits.Header) -> fits.Header:
    """The cards of the plane of the sky, without those of wavelength."""
    cards = [card for card in header.cards if not OTHER_AXES.fullmatch(card.keyword)]
    plane = fits.Header([card for card in cards if card.keyword not in ("NAXIS", "WCSAXES", "COMMENT", "HISTORY", "")])
    plane["NAXIS"] = 2
    return plane


def _refuse_other_rotation(header: fits.Header, wcs: WCS, path: Path) -> None:
    """A rotation in the keyword of the longitude axis is one that wcslib, by the standard, does not read."""
    if wcs.wcs.has_cd() or wcs.wcs.has_pc():
        return
    unread = f"CROTA{wcs.wcs.lng + 1}"
    read = f"CROTA{wcs.wcs.lat + 1}"
    if number_of(header, unread) not in (0.0, number_of(header, read)) and np.isfinite(number_of(header, unread)):
        raise CubeError(f"{path}: {unread} is {header[unread]}; a rotation is read from {read}, CD or PC")


def _last_line(error: Exception) -> str:
    """What wcslib has to say, without the line of its source."""
    return str(error).strip().splitlines()[-1].strip() if str(error).strip() else type(error).__name__
