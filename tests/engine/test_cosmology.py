"""Distances against plain integrals and against each other."""

import numpy as np
import pytest
from scipy.integrate import quad

from engine import cosmology
from engine.adopted import H0, OMEGA_M
from engine.constants import LIGHT_SPEED_KMS
from engine.errors import SettingsError

REDSHIFT = np.array([[0.0, 0.001, 0.005], [0.02, 0.5, 8.0]])


def integrated(redshift):
    """Comoving distance [Mpc] by quadrature of Hogg (1999) eq. 15."""
    inverse_expansion = lambda z: (OMEGA_M * (1 + z) ** 3 + 1 - OMEGA_M) ** -0.5  # noqa: E731
    return LIGHT_SPEED_KMS / H0 * np.array([quad(inverse_expansion, 0, z, epsrel=1e-12)[0] for z in redshift.flat])


@pytest.mark.parametrize(("name", "power"), [("comoving_distance", 0), ("angular_diameter_distance", -1)])
def test_distances_are_integrals_of_the_expansion(name, power):
    wanted = integrated(REDSHIFT).reshape(REDSHIFT.shape) * (1 + REDSHIFT) ** power
    np.testing.assert_allclose(getattr(cosmology, name)(REDSHIFT), wanted, rtol=1e-10)


def test_an_arcsecond_at_redshift_0_03_is_601_parsec():
    wanted = integrated(np.array([0.03]))[0] / 1.03 * 1e6 * np.pi / (180 * 3600)
    assert cosmology.pc_per_arcsec(0.03) == pytest.approx(wanted, rel=1e-10)
    assert wanted == pytest.approx(601, abs=1)  # Wright (2006), calculator


def test_the_nearby_universe_follows_hubbles_law():
    assert cosmology.comoving_distance(1e-6) == pytest.approx(1e-6 * LIGHT_SPEED_KMS / H0, rel=1e-6)


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
