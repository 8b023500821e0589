"""Ellipses and mean densities against plain geometry."""

import numpy as np
import pytest

from engine.galaxy.structure import Ellipse, elliptical_radius, log_mean_density

FLAT = Ellipse(x_centre=40.0, y_centre=35.0, semi_major=20.0, axis_ratio=0.5, position_angle=0.0)


def exponential_galaxy(ellipse, scale=8.0):
    y, x = np.indices((71, 81))
    radius = elliptical_radius(x, y, ellipse)
    return radius, 3.0 - radius / scale / np.log(10.0)


def test_position_angle_zero_points_north():
    assert elliptical_radius(40.0, 45.0, FLAT) == pytest.approx(10.0)
    assert elliptical_radius(50.0, 35.0, FLAT) == pytest.approx(20.0)


def test_position_angle_ninety_points_east_which_is_towards_smaller_x():
    east = FLAT._replace(position_angle=45.0)
    assert elliptical_radius(30.0, 45.0, east) < elliptical_radius(50.0, 45.0, east)


def test_a_finer_spaxel_shrinks_the_radius():
    assert elliptical_radius(40.0, 45.0, FLAT, spaxel_arcsec=0.5) == pytest.approx(5.0)


@pytest.mark.parametrize("angle", [0.0, 30.0, 120.0])
def test_the_mean_density_of_an_exponential_disc_is_analytic(angle):
    radius, log_mu = exponential_galaxy(FLAT._replace(position_angle=angle))
    t = 20.0 / 8.0
    truth = 3.0 + np.log10(2.0 * (1.0 - np.exp(-t) * (1.0 + t)) / t**2)
    assert log_mean_density(log_mu.ravel(), radius.ravel(), 20.0) == pytest.approx(truth, abs=0.01)


def test_holes_do_not_lower_the_mean():
    radius, log_mu = exponential_galaxy(FLAT)
    whole = log_mean_density(log_mu.ravel(), radius.ravel(), 20.0)
    kept = np.random.default_rng(1).uniform(size=log_mu.shape) < 0.7
    assert log_mean_density(log_mu[kept], radius[kept], 20.0) == pytest.approx(whole, abs=0.02)
    log_mu[~kept] = np.nan
    assert log_mean_density(log_mu.ravel(), radius.ravel(), 20.0) == pytest.approx(whole, abs=0.02)


def test_no_spaxel_inside_gives_no_density():
    assert np.isnan(log_mean_density(np.array([2.0]), np.array([30.0]), 20.0))
