"""What is suspicious is said, and what is sound is not."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.cube.noise import NoiseCheck
from engine.cube.types import Cube, Image
from engine.errors import CubeError
from engine.flags import SpaxelFlag
from engine.pipeline import PipelineSettings, Target
from engine.spectrum.kinematics import FULL, SYSTEMIC
from engine.spectrum.redshift import NOT_FOUND, RedshiftFound
from precompute.stages.signs import notes_of, refuse_mixed_images, suspicious_signs
from tests.engine.cube.scenes import DEC, RA, tangent_wcs

SHAPE = (20, 20)
WCS = tangent_wcs(SHAPE, 1.0)
C = 299792.458  # km/s
Z = 0.0071
AS_CATALOGUED, FAIR = RedshiftFound(Z, 0.9, 0.9), NoiseCheck(1.0, 1.0, 1e-4)
THERE = Target(Z, RA, DEC)


def cube_of(name="NGC2906", object_name="NGC2906", med_vel=np.nan, notes=()):
    nothing = np.zeros((2, *SHAPE), np.float32)
    return Cube(
        name, np.array([5000.0, 5002.0]), nothing, nothing, nothing == 0, 1.0, WCS, med_vel=med_vel,
        object_name=object_name, notes=notes,
    )  # fmt: skip


def images_of(**stated):
    data = np.ones((4, 4))
    return tuple(Image(band, data, data, WCS, 1.0, stated_band=name) for band, name in stated.items())


def analysed(
    *, shown=AS_CATALOGUED, mode=None, v_star=0.0, v_systemic=5.0, check=FAIR,
    flags=0, map_flags=0, brightest=(9.5, 9.5),
):  # fmt: skip
    """What an analysis of 100 regions found, sound unless told otherwise."""
    stars = SimpleNamespace(
        mode=np.full(100, FULL) if mode is None else mode, snr_per_pixel=np.full(100, 20.0),
        v_star=np.full(100, v_star), v_systemic=v_systemic,
    )  # fmt: skip
    binned = SimpleNamespace(
        noise_check=check, brightest=brightest, flags=np.full(SHAPE, map_flags), cube=cube_of(), kept=None
    )
    measured = SimpleNamespace(redshift=shown, stars=stars)
    return SimpleNamespace(binned=binned, measured=measured, spaxels={"flags": np.full(100, flags)}, wcs=WCS)


def signs(found=None, cube=None, images=None, target=THERE):
    return suspicious_signs(
        cube or cube_of(), images or images_of(g="g", r="r"), target, found or analysed(), PipelineSettings()
    )


def test_a_sound_galaxy_has_no_sign():
    assert signs() == []
    assert signs(target=Target(Z)) == []
    assert signs(analysed(shown=NOT_FOUND)) == []


@pytest.mark.parametrize("name", ["NGC2906", "NGC 2906", "ngc02906", "NGC2906 V500", "", "unknown"])
def test_a_name_in_another_spelling_is_no_sign(name):
    assert signs(cube=cube_of(object_name=name)) == []


def test_another_name_in_the_header_is_said():
    assert signs(cube=cube_of(object_name="NGC4047")) == ["OBJECT of the cube is 'NGC4047'"]


def test_a_redshift_that_the_spectra_do_not_show_is_said():
    (said,) = signs(analysed(shown=RedshiftFound(Z + 0.003, 0.9, 0.3)))
    assert said == "the spectra show a redshift of 0.0101, the catalogue has 0.0071 (+892 km/s)"
    assert signs(analysed(shown=RedshiftFound(Z + 0.003, 0.2, 0.1))) == []  # too uncertain to say


def test_the_trap_of_ngc2906_is_said():
    """MED_VEL of its COMB cube is 8731 km/s, the galaxy's 2130 km/s."""
    assert signs(cube=cube_of(med_vel=8730.8)) == [
        "MED_VEL of the cube is 8,731 km/s, the catalogue's redshift 2,129 km/s"
    ]
    assert signs(cube=cube_of(med_vel=C * Z + 100.0)) == []
    assert signs(cube=cube_of(med_vel=-999.0)) == []


def test_fits_that_fell_back_and_velocities_at_the_limit_are_said():
    found = analysed(mode=np.where(np.arange(100) < 60, SYSTEMIC, FULL), v_star=599.0, v_systemic=-600.0)
    assert signs(found) == [
        "60% of the kinematic fits with enough S/N fell back",
        "the systemic velocity, -600 km/s from the redshift, is at the search limit",
        "100% of the velocities are at the search limit of 600 km/s",
    ]


def test_a_position_far_from_the_light_is_said():
    assert signs(analysed(brightest=(9.5, 21.8))) == [
        "the brightest spot of the field is 12 arcsec from the catalogue's position"
    ]


def test_wrong_errors_and_too_many_cosmic_rays_are_said():
    assert signs(analysed(check=NoiseCheck(2.04, 2.04, 0.004))) == [
        "the errors are 2.0 times smaller than the scatter of neighbouring pixels, they were multiplied by 2.0",
        "0.40% of the pixels were taken as cosmic rays",
    ]
    assert signs(analysed(check=NoiseCheck(0.2, 1.0, 0.0))) == [
        "the errors are 5.0 times larger than the scatter of neighbouring pixels"
    ]


def test_what_most_regions_lack_is_said():
    flags = SpaxelFlag.INDEX_MASKED.value | SpaxelFlag.NO_GOOD_MODEL.value
    assert signs(analysed(flags=flags, map_flags=SpaxelFlag.BAD_PIXELS.value)) == [
        "100% of the regions lack an index",
        "100% of the regions fit no model",
        "100% of the spaxels above the cut have too few good pixels",
    ]


def test_spaxels_beyond_the_hexagon_of_the_fibres_are_not_missed():
    found = analysed(map_flags=SpaxelFlag.BAD_PIXELS.value)
    empty = cube_of()._replace(good=np.zeros((2, *SHAPE), bool))
    found.binned.cube = empty
    assert signs(found) == []


def test_a_filter_that_contradicts_the_files_name_is_said():
    """Tools that resample images copy one header to all of them, so it may be the header that is wrong."""
    copied = images_of(g="g", r="g", i="g")
    refuse_mixed_images(copied)
    assert signs(images=copied) == ["FILTER of the r image is g", "FILTER of the i image is g"]


def test_images_that_bear_each_others_names_are_refused():
    with pytest.raises(
        CubeError, match="the images are mixed up: FILTER of the g image is r, FILTER of the r image is g"
    ):
        refuse_mixed_images(images_of(u="u", g="r", r="g"))
    refuse_mixed_images(images_of(u="", g="g", r="r"))


def test_what_was_assumed_is_noted():
    images = images_of(r="r")
    images = (images[0]._replace(notes=("SEEING is 0",)),)
    assert notes_of(cube_of(notes=("wavelengths are in vacuum",)), images, Target(Z)) == [
        "wavelengths are in vacuum",
        "SEEING is 0",
        "the catalogue has no position: the brightest spot is taken as the centre",
    ]
