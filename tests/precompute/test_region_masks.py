"""Masks drawn in ds9, in image and sky coordinates, against the same shapes by hand."""

import numpy as np
import pytest
from astropy.io import fits

from engine.errors import CubeError
from precompute.io.region_masks import read_region_mask
from tests.engine.cube.scenes import SHAPE, tangent_wcs

WCS = tangent_wcs(SHAPE, 1.0)
Y, X = np.indices(SHAPE)


@pytest.fixture
def drawn(tmp_path):
    def mask(*lines, frame="image", header=None):
        head = ["# Region file format: DS9 version 4.1", "global color=green", *([frame] if frame else [])]
        (tmp_path / "mask.reg").write_text("\n".join([*head, *lines, ""]))
        return read_region_mask(tmp_path / "mask.reg", WCS, SHAPE, header)

    return mask


def test_a_circle_covers_the_spaxels_within_its_radius_counting_from_one(drawn):
    assert np.array_equal(drawn("circle(31,21,4.3)"), np.hypot(X - 30, Y - 20) < 4.3)


def test_boxes_ellipses_and_polygons_cover_their_insides(drawn):
    assert np.array_equal(drawn("box(31,21,9,5,0)"), (abs(X - 30) < 4.5) & (abs(Y - 20) < 2.5))
    assert np.array_equal(drawn("ellipse(31,21,6.2,3.1,0)"), np.hypot((X - 30) / 6.2, (Y - 20) / 3.1) < 1)
    triangle = drawn("polygon(10.5,10.5,30.5,10.5,10.5,30.5)")
    assert triangle.sum() == pytest.approx(200, abs=12)


def test_sky_coordinates_go_through_the_wcs_of_the_cube(drawn):
    ra, dec = WCS.all_pix2world(30.0, 20.0, 0)
    assert np.array_equal(drawn(f'circle({ra:.7f},{dec:.7f},4.3")', frame="fk5"), np.hypot(X - 30, Y - 20) < 4.3)


def test_several_regions_add_up_and_a_minus_takes_out(drawn):
    both = drawn("circle(31,21,8.2)", "circle(60,50,3.2)", "-circle(31,21,4.3)")
    ring = (np.hypot(X - 30, Y - 20) < 8.2) & ~(np.hypot(X - 30, Y - 20) < 4.3)
    assert np.array_equal(both, ring | (np.hypot(X - 59, Y - 49) < 3.2))


def test_regions_beyond_the_field_and_empty_files_mask_nothing(drawn):
    assert not drawn("circle(500,500,5)").any()
    assert not drawn().any()


def test_other_shapes_and_files_are_refused(drawn, tmp_path):
    with pytest.raises(CubeError, match=r"mask\.reg holds a line; masks are circles"):
        drawn("line(10,10,20,20)")
    with pytest.raises(CubeError, match="not a ds9 region file"):
        drawn("circle(a,b,c)")
    with pytest.raises(CubeError, match=r"none\.reg is not a file"):
        read_region_mask(tmp_path / "none.reg", WCS, SHAPE)
    (tmp_path / "noise.reg").write_bytes(bytes(range(256)))
    with pytest.raises(CubeError, match="not a ds9 region file"):
        read_region_mask(tmp_path / "noise.reg", WCS, SHAPE)


@pytest.mark.parametrize("frame", ["physical", None, "image"])
def test_physical_coordinates_and_ds9s_default_are_those_of_the_image(drawn, frame):
    """ds9's manual: without a coordinate system regions are in physical ones; without LTM and LTV these are pixels."""
    expected = np.hypot(X - 30, Y - 20) < 4.3
    assert np.array_equal(drawn("circle(31,21,4.3)", frame=frame, header=fits.Header()), expected)
    assert np.array_equal(drawn("circle(31,21,4.3)", frame=frame, header=fits.Header({"LTV1": 0.0})), expected)


def test_frames_change_from_line_to_line(drawn):
    ra, dec = WCS.all_pix2world(59.0, 49.0, 0)
    both = drawn("circle(31,21,4.3)", f'fk5;circle({ra:.7f},{dec:.7f},3.2")', frame="physical")
    assert np.array_equal(both, (np.hypot(X - 30, Y - 20) < 4.3) | (np.hypot(X - 59, Y - 49) < 3.2))


def test_physical_coordinates_of_a_cut_out_are_refused_by_keyword(drawn):
    cut = fits.Header({"LTV1": -6.0, "LTM1_1": 1.0})
    for frame in ("physical", None):
        with pytest.raises(CubeError, match=r"LTV1 = -6 of the cube .* save the regions in image or fk5"):
            drawn("circle(31,21,4.3)", frame=frame, header=cut)
    assert drawn("circle(31,21,4.3)", frame="image", header=cut).any()
    with pytest.raises(CubeError, match='"detector" frame'):
        drawn("circle(31,21,4.3)", frame="detector")
