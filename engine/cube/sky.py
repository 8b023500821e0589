"""Places on the sky and in arrays, whatever the order of a header's axes, its frame and its rotation."""

import warnings
from typing import NamedTuple

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from engine.types import FloatArray


class Pixel(NamedTuple):
    """Column and row, counted from 0 at the centre of the first pixel."""

    x: FloatArray
    y: FloatArray


class AxisAngles(NamedTuple):
    """Position angles [deg], north through east, of the directions in which x and y grow."""

    x: float = -90.0  # to the west
    y: float = 0.0  # to the north


def sky_position(ra: float, dec: float) -> SkyCoord:
    """A place of a catalogue: ICRS, degrees."""
    return SkyCoord(ra, dec, unit=u.deg, frame="icrs")


def pixel_at(wcs: WCS, place: SkyCoord) -> Pixel:
    """Where a place (or places) on the sky lies in an array; NaN where the projection does not reach it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # distortions do not converge far outside an image
        x, y = wcs.world_to_pixel(place)
    return Pixel(np.asarray(x, dtype=float), np.asarray(y, dtype=float))


def field_corners(wcs: WCS, shape: tuple[int, int]) -> SkyCoord:
    """The four outer corners of an array (rows, columns) on the sky."""
    bottom = -0.5
    left = -0.5
    top = shape[0] - 0.5
    right = shape[1] - 0.5
    return wcs.pixel_to_world([left, right, left, right], [bottom, bottom, top, top])


def field_centre(wcs: WCS, shape: tuple[int, int]) -> SkyCoord:
    """The middle of an array (rows, columns) on the sky, ICRS."""
    return wcs.pixel_to_world((shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0).icrs


def axis_angles(wcs: WCS, shape: tuple[int, int]) -> AxisAngles:
    """How an array (rows, columns) lies on the sky at its middle; north up and east left is AxisAngles()."""
    x = (shape[1] - 1) / 2.0
    y = (shape[0] - 1) / 2.0
    middle, along_x, along_y = (wcs.pixel_to_world(x + dx, y + dy).icrs for dx, dy in ((0, 0), (0.5, 0), (0, 0.5)))
    return AxisAngles(_angle(middle, along_x), _angle(middle, along_y))


def _angle(start: SkyCoord, end: SkyCoord) -> float:
    """Position angle from one place to another [deg], -180 to 180, without noise of rounding."""
    return float(np.round(start.position_angle(end).wrap_at(180 * u.deg).deg, 6))
