"""Maps of invented galaxies: mass, field, scatter and the rules of the two sequences."""

import dataclasses

import numpy as np
import pytest

from engine.cosmology import pc_per_arcsec
from engine.mock.maps import draw_maps, draw_patches, field_of_view, kinematics, mass_maps, random_field
from engine.mock.populations import expected_log_Z, old_probability, young_log_age
from engine.mock.settings import MockSettings

WIDE = dataclasses.replace(MockSettings(), map_shape=(400, 400))


@pytest.mark.parametrize("i", [0, 3])
def test_the_mass_of_the_maps_is_the_mass_of_the_galaxy(galaxies, i):
    galaxy = galaxies.row(i)
    mass = sum(part.sum() for part in mass_maps(galaxy, WIDE)) * pc_per_arcsec(galaxy.redshift) ** 2
    assert mass == pytest.approx(10.0**galaxy.log_M_star, rel=0.02)


def test_clumps_move_mass_and_add_none(galaxies):
    galaxy, settings = galaxies.row(1), MockSettings()
    smooth = sum(mass_maps(galaxy, settings)).sum()
    maps = draw_maps(galaxy, settings, np.random.default_rng(1))
    assert (10.0**maps.log_mu_star).sum() == pytest.approx(smooth)


def test_the_field_is_a_hexagon_of_the_right_area():
    width, height = MockSettings().field_arcsec
    assert field_of_view(MockSettings()).sum() == pytest.approx(0.75 * width * height, rel=0.02)


def test_a_random_field_has_unit_scatter_and_remembers_its_neighbours():
    field = random_field((400, 400), 3.0, np.random.default_rng(4))
    assert field.std() == pytest.approx(1.0, abs=0.1)
    near, far = (np.mean(field[:, :-step] * field[:, step:]) for step in (1, 30))
    assert near > 0.9
    assert abs(far) < 0.15


def test_regions_are_older_in_denser_places_heavier_galaxies_and_spheroids():
    settings, log_mu = MockSettings(), np.linspace(1.0, 4.0, 7)
    chance = {
        (mass, kind): old_probability(log_mu, 0.0, mass, np.array(kind), settings)
        for mass in (9.5, 10.3, 11.0) for kind in (False, True)
    }  # fmt: skip
    assert all(np.all(np.diff(p) >= 0) for p in chance.values())
    assert np.all(chance[11.0, False] >= chance[10.3, False])
    assert np.all(chance[10.3, False] >= chance[9.5, False])
    assert np.all(chance[10.3, True] >= chance[10.3, False])


def test_the_young_sequence_ages_with_density_and_metals_follow_density_mass_and_youth():
    settings = MockSettings()
    assert young_log_age(3.0, 11.0, settings) > young_log_age(2.0, 11.0, settings)
    assert young_log_age(1.0, 9.0, settings) < young_log_age(1.0, 11.0, settings)
    assert expected_log_Z(3.0, 11.0, 1.0, settings) > expected_log_Z(2.0, 11.0, 1.0, settings)
    assert expected_log_Z(2.0, 9.5, 1.0, settings) < expected_log_Z(2.0, 10.3, 1.0, settings)
    assert expected_log_Z(2.0, 10.3, 1.0, settings) == expected_log_Z(2.0, 11.5, 1.0, settings)
    assert 0 < expected_log_Z(2.0, 11.0, 0.0, settings) - expected_log_Z(2.0, 11.0, 1.0, settings) <= 0.1


def test_ages_of_galaxies_differ_more_in_their_faint_outskirts_than_inside(galaxies):
    """The offset of a galaxy grows by a half per dex of density below 10^2.5, and not above."""
    even = dict(old_age_scatter=(0.0, 0.1), young_age_scatter=(0.0, 0.1), clumps=0.0, patch_log_mu=-9.0)
    settings = dataclasses.replace(MockSettings(), **even)
    one, two = (draw_maps(galaxies.row(1), settings, np.random.default_rng(seed)) for seed in (1, 2))
    same = one.old == two.old
    grown = (two.log_age - one.log_age)[same] / (1.0 + 0.5 * np.maximum(2.5 - one.log_mu_star, 0.0))[same]
    assert (one.log_mu_star[same] < 1.5).any()
    assert grown == pytest.approx(grown[0])
    assert abs(grown[0]) > 1e-3


def test_a_galaxy_rotates_about_its_minor_axis(galaxies):
    flat = int(np.argmin(galaxies.profile.axis_ratio))
    maps = draw_maps(galaxies.row(flat), MockSettings(), np.random.default_rng(1))
    assert maps.v_star == pytest.approx(-maps.v_star[::-1, ::-1], abs=1e-6)
    assert np.abs(maps.v_star).max() > 50.0


def test_patches_hold_about_equal_mass_and_are_single_spaxels_where_it_is_dense():
    settings, rng = MockSettings(), np.random.default_rng(8)
    log_mu = np.repeat(np.linspace(1.5, 3.5, 400)[:, None], 400, axis=1)
    y, x = draw_patches(log_mu, settings, rng)
    size = np.unique(y * 400 + x, return_counts=True)[1]
    of_spaxel = np.zeros((400, 400))
    of_spaxel.ravel()[np.unique(y * 400 + x)] = size
    for low, high in ((100, 150), (200, 250)):  # rows, within which the density hardly changes
        found = of_spaxel[low:high]
        density = 10.0 ** log_mu[low:high].mean()
        assert found[found > 0].mean() == pytest.approx(10.0**settings.patch_log_mu / density, rel=0.3)
    dense = log_mu > settings.patch_log_mu
    assert (y[dense] == np.indices(dense.shape)[0][dense]).all()


def test_spaxels_of_a_patch_share_their_stars_and_not_their_density(galaxies):
    settings = MockSettings(patch_log_mu=9.0)  # a galaxy has few chosen spaxels then
    maps = draw_maps(galaxies.row(2), settings, np.random.default_rng(2))
    assert np.unique(maps.log_age).size < 100
    assert np.unique(maps.rank).size == np.unique(maps.log_age).size
    assert np.unique(maps.log_mu_star).size > 5000


def test_bulges_are_hotter_than_discs(galaxies):
    """The dispersion of Faber & Jackson in a bulge, that of the disc outside, squares mixed in between."""
    galaxy, settings = galaxies.row(0), MockSettings()
    hot = settings.dispersion[0] * 10.0 ** (settings.dispersion[1] * (galaxy.log_M_star - 10.0))
    shares = {0.0: settings.disc_dispersion, 1.0: hot, 0.5: np.sqrt((hot**2 + settings.disc_dispersion**2) / 2)}
    for share, expected in shares.items():
        sigma_star = kinematics(galaxy, np.full(settings.map_shape, share), settings)[1]
        assert sigma_star == pytest.approx(expected)


def test_a_disc_rotates_in_proportion_to_the_sine_of_its_inclination(galaxies):
    """cos^2 i = (q^2 - q0^2) / (1 - q0^2) for axis ratio q and thickness q0 (Hubble 1926)."""
    galaxy, settings = galaxies.row(0), MockSettings()
    sines = {1.0: 0.0, np.sqrt(0.25 + 0.75 * settings.disc_thickness**2): np.sqrt(0.75), settings.disc_thickness: 1.0}
    fastest = []
    for axis_ratio in sines:
        seen = galaxy._replace(profile=galaxy.profile._replace(axis_ratio=axis_ratio), position_angle=0.0)
        fastest.append(np.abs(kinematics(seen, np.zeros(settings.map_shape), settings)[0]).max())
    assert np.array(fastest) / fastest[-1] == pytest.approx(list(sines.values()), rel=0.01)
    assert fastest[-1] > 50.0


def test_old_regions_lie_behind_less_dust_than_young_ones(galaxies):
    settings = dataclasses.replace(MockSettings(), dust_scatter=0.0)
    maps = [draw_maps(galaxies.row(i), settings, np.random.default_rng(i)) for i in range(6)]
    old, young = (np.concatenate([part.depth[part.old == kind] for part in maps]) for kind in (True, False))
    assert (set(old), set(young)) == ({0.10}, {0.40})  # MockSettings.dust_depth
