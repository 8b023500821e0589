"""Places and directions on arrays of any orientation, against astropy's own coordinates."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from engine.cube.sky import AxisAngles, axis_angles, field_centre, field_corners, pixel_at, sky_position
from tests.engine.cube.scenes import DEC, RA, SHAPE, photograph, places, sky_with, spectra_of, tangent_wcs


def test_an_upright_array_has_x_to_the_west_and_y_to_the_north():
    assert axis_angles(tangent_wcs(SHAPE, 1.0), SHAPE) == pytest.approx(AxisAngles(), abs=0.01)


@pytest.mark.parametrize("angle", [30.0, 90.0, 145.0, -60.0])
def test_a_turned_array_has_turned_axes(angle):
    """tangent_wcs turns so that y points to position angle ``angle``."""
    found = axis_angles(tangent_wcs(SHAPE, 1.0, angle), SHAPE)
    assert np.sin(np.deg2rad(found.y - angle)) == pytest.approx(0.0, abs=1e-3)
    assert np.cos(np.deg2rad(found.x - (angle - 90.0))) == pytest.approx(1.0, abs=1e-3)


def test_a_mirrored_array_has_x_to_the_east():
    wcs = tangent_wcs(SHAPE, 1.0)
    wcs.wcs.cd = wcs.wcs.cd @ np.diag([-1.0, 1.0])
    assert axis_angles(wcs, SHAPE) == pytest.approx(AxisAngles(90.0, 0.0), abs=0.01)


def dec_first(wcs: WCS) -> WCS:
    """The same coordinates with declination as the first world axis, as in fpC frames of DR7."""
    swapped = wcs.deepcopy()
    swapped.wcs.ctype = list(wcs.wcs.ctype)[::-1]
    swapped.wcs.crval = wcs.wcs.crval[::-1]
    swapped.wcs.cd = wcs.wcs.cd[::-1]
    swapped.wcs.set()
    return swapped


def test_the_order_of_world_axes_changes_no_place():
    wcs = tangent_wcs(SHAPE, 1.0, 20.0)
    place = wcs.pixel_to_world([3.0, 60.0], [11.0, 2.0])
    found = pixel_at(dec_first(wcs), place)
    assert np.array(found) == pytest.approx(np.array([[3.0, 60.0], [11.0, 2.0]]))
    corners = field_corners(wcs, SHAPE).separation(field_corners(dec_first(wcs), SHAPE))
    assert corners.arcsec.max() < 1e-6


def test_galactic_coordinates_are_places_like_others():
    centre = SkyCoord(RA, DEC, unit="deg").galactic
    wcs = WCS(fits.Header({
        "CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CRVAL1": centre.l.deg, "CRVAL2": centre.b.deg, "CRPIX1": 5.0,
        "CRPIX2": 7.0, "CDELT1": -1 / 3600, "CDELT2": 1 / 3600,
    }))  # fmt: skip
    assert np.array(pixel_at(wcs, sky_position(RA, DEC))) == pytest.approx(np.array([4.0, 6.0]))
    towards_north = centre.position_angle(SkyCoord(RA, DEC + 0.01, unit="deg").galactic).deg
    assert np.cos(np.deg2rad(axis_angles(wcs, (13, 9)).y + towards_north)) == pytest.approx(1.0, abs=1e-3)


def test_the_middle_of_a_field_is_the_middle_of_its_array():
    middle = field_centre(tangent_wcs(SHAPE, 1.0), SHAPE)
    assert middle.separation(SkyCoord(RA, DEC, unit="deg")).arcsec < 1e-3


def test_an_image_with_declination_first_comes_to_the_grid_as_any_other():
    from engine.cube.images import prepare, to_grid

    sky = sky_with()
    cube, image = spectra_of(sky), photograph(sky)
    plain, _ = to_grid(prepare(image, cube), cube)
    swapped, _ = to_grid(prepare(image._replace(wcs=dec_first(image.wcs)), cube), cube)
    assert swapped == pytest.approx(plain, rel=1e-6, nan_ok=True)
    assert np.isfinite(plain).all()
    assert places(cube.wcs, SHAPE)[0].shape == SHAPE
