"""Distances against astropy and against each other."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from engine import cosmology
from engine.adopted import H0, OMEGA_M
from engine.errors import SettingsError

REDSHIFT = np.array([[0.0, 0.001, 0.005], [0.02, 0.5, 8.0]])


@pytest.fixture(scope="module")
def peer():
    return FlatLambdaCDM(H0=H0, Om0=OMEGA_M, Tcmb0=0.0)


@pytest.mark.parametrize("name", ["comoving_distance", "angular_diameter_distance", "luminosity_distance"])
def test_distances_agree_with_astropy(peer, name):
    np.testing.assert_allclose(getattr(cosmology, name)(REDSHIFT), getattr(peer, name)(REDSHIFT).value, rtol=1e-10)


def test_an_arcsecond_is_as_long_as_astropy_says(peer):
    kpc_per_arcmin = peer.kpc_proper_per_arcmin(REDSHIFT).value
    np.testing.assert_allclose(cosmology.pc_per_arcsec(REDSHIFT), kpc_per_arcmin * 1000 / 60, rtol=1e-10)


def test_the_nearby_universe_follows_hubbles_law():
    assert cosmology.comoving_distance(1e-6) == pytest.approx(1e-6 * cosmology.SPEED_OF_LIGHT / H0, rel=1e-6)


@pytest.mark.parametrize("redshift", [0.0, 0.005, 0.03, 0.3, 1.5])
def test_a_distance_leads_back_to_its_redshift(redshift):
    distance = cosmology.angular_diameter_distance(redshift)
    assert cosmology.redshift_at_angular_diameter_distance(distance) == pytest.approx(redshift, rel=1e-6, abs=1e-12)


def test_the_inverse_keeps_shape_and_nan():
    distance = np.array([[20.0, np.nan], [100.0, 130.0]])
    redshift = cosmology.redshift_at_angular_diameter_distance(distance)
    assert redshift.shape == distance.shape
    np.testing.assert_array_equal(np.isnan(redshift), np.isnan(distance))


def test_a_negative_redshift_is_refused():
    with pytest.raises(SettingsError, match=r"got -0\.1"):
        cosmology.comoving_distance([0.1, -0.1])


@pytest.mark.parametrize("distance", [-1.0, 5000.0])
def test_a_distance_no_galaxy_has_is_refused(distance):
    with pytest.raises(SettingsError, match="between 0 and"):
        cosmology.redshift_at_angular_diameter_distance(distance)
