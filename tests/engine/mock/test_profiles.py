"""Bulge and disc profiles against arithmetic."""

import numpy as np
import pytest

from engine.mock.profiles import MassProfile, crossing, sersic_density, sersic_mass_inside


@pytest.mark.parametrize("n", [1.0, 2.0, 3.5])
def test_half_of_a_sersic_galaxy_lies_inside_its_half_mass_radius(n):
    assert sersic_mass_inside(3.0, 3.0, n) == pytest.approx(0.5)


@pytest.mark.parametrize("n", [1.0, 2.0, 3.5])
def test_the_density_of_a_sersic_profile_adds_up_to_its_mass(n):
    radius = np.geomspace(1e-6, 10.0, 20_000)
    mass = np.trapezoid(2 * np.pi * radius**2 * sersic_density(radius, 3.0, n), np.log(radius))
    assert mass == pytest.approx(sersic_mass_inside(10.0, 3.0, n), abs=1e-4)


def test_index_one_is_the_exponential_disc():
    radius = np.linspace(0.1, 10, 5)
    scale = 1.0 / 1.67834699  # half-mass radius of an exponential disc in scale lengths
    assert sersic_density(radius, 1.0, 1.0) == pytest.approx(np.exp(-radius / scale) / (2 * np.pi * scale**2))


def test_half_mass_radius_of_a_pure_disc_and_of_its_enlargement():
    disc = MassProfile(*(np.array([v]) for v in (0.0, 1.0, 2.0, 2.0, 0.5)))
    assert disc.half_mass_radius() == pytest.approx([2.0], rel=2e-3)
    assert disc.scaled(3.0).half_mass_radius() == pytest.approx([6.0], rel=2e-3)


def test_half_of_the_mass_of_every_kind_of_galaxy_lies_inside_its_half_mass_radius():
    """Discs of other sizes with bulges of two kinds, in one array and a scalar."""
    bulge, disc, sersic = np.array([0.5, 2.0, 0.5, 1.0]), np.array([2.0, 4.0, 1.0, 2.0]), np.array([2.0, 4.0, 2.0, 4.0])
    galaxies = MassProfile(np.array([0.2, 0.9, 0.6, 0.0]), bulge, disc, sersic, np.full(4, 0.7))
    half = galaxies.half_mass_radius()
    inside = 0.0
    for share, radius, n in ((galaxies.bulge_fraction, bulge, sersic), (1 - galaxies.bulge_fraction, disc, 1.0)):
        inside += share * sersic_mass_inside(half, radius, n)
    assert inside == pytest.approx(0.5, abs=1e-3)
    assert MassProfile(0.2, 0.5, 2.0, 2.0, 0.7).half_mass_radius() == pytest.approx(half[0])


def test_flattening_raises_the_density_and_keeps_the_mass():
    round_one, flat = (MassProfile(0.3, 1.0, 4.0, 2.0, q) for q in (1.0, 0.5))
    assert flat.densities(2.0) == pytest.approx(2.0 * np.array(round_one.densities(2.0)))


def test_crossing_finds_the_outermost_radius_and_says_nan_where_there_is_none():
    radius = np.array([[1.0, 2.0, 3.0, 4.0]] * 2)
    value = np.array([[3.0, 1.0, 3.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    found = crossing(radius, value, 2.0)
    assert found[0] == pytest.approx(3.5)
    assert np.isnan(found[1])
