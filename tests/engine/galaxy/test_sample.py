"""Selection, volumes and weights against arithmetic."""

import numpy as np
import pytest

from engine.adopted import SKY_AREA_DEG2, SURVEY_AREA_DEG2
from engine.cosmology import comoving_distance
from engine.errors import SampleError
from engine.galaxy.sample import (
    density_correction,
    is_analysed,
    is_merger,
    region_weight,
    spaxel_area_pc2,
    vmax,
)


def test_the_extension_samples_other_cubes_and_excluded_names_are_left_out():
    names = np.array(["NGC1", "NGC2", "UGC11694", "NGC4"])
    chosen = is_analysed(np.array([1, 1001, 875, 4]), names, np.array([True, True, True, False]))
    assert chosen.tolist() == [True, False, False, False]


def test_definite_and_likely_mergers_are_mergers_and_interacting_galaxies_are_not():
    assert is_merger(np.array(["S b(M)", "S c (m)", "S a (i)", "E 3", ""])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_no_galaxy_can_be_seen_throughout_the_whole_volume():
    near, far = comoving_distance(np.array([0.005, 0.03]))
    whole = SURVEY_AREA_DEG2 / SKY_AREA_DEG2 * 4 / 3 * np.pi * (far**3 - near**3)
    sizes, redshifts = np.meshgrid(np.linspace(46, 79, 9), np.linspace(0.0051, 0.0299, 9))
    volumes = vmax(sizes, redshifts)
    assert np.all((volumes > 0) & (volumes < whole))


def test_in_a_static_euclidean_limit_the_volume_follows_the_ratio_of_diameters():
    redshift, diameter = 0.0085, 60.0
    distance = comoving_distance(redshift)
    near, far = distance * diameter / 79.2, distance * diameter / 45.0
    euclid = SURVEY_AREA_DEG2 / SKY_AREA_DEG2 * 4 / 3 * np.pi * (far**3 - near**3)
    assert vmax(diameter, redshift) == pytest.approx(euclid, rel=0.03)


def test_density_scales_the_volume():
    assert vmax(50.0, 0.01, density=0.5) == pytest.approx(vmax(50.0, 0.01) / 2)


def test_the_local_hole_and_the_great_wall_are_in_the_density_correction():
    hole, wall = density_correction(np.array([0.0102, 0.0225]))
    assert hole < 0.6
    assert wall > 1.1


@pytest.mark.parametrize(("diameter", "redshift", "word"), [(30.0, 0.01, "diameter"), (60.0, 0.1, "redshift")])
def test_galaxies_outside_the_selection_are_refused_by_name(diameter, redshift, word):
    with pytest.raises(SampleError, match=word):
        vmax(diameter, redshift)


def test_a_weight_is_area_times_inverse_volume():
    area = spaxel_area_pc2(300.0, 1.0)
    assert area == 90_000.0
    assert region_weight(area, 1e-6) == pytest.approx(0.09)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_weights_are_refused(bad):
    with pytest.raises(SampleError, match="weight"):
        region_weight(np.array([1.0]), bad)
