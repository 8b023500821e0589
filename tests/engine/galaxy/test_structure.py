"""Ellipses and mean densities against plain geometry."""

import numpy as np
import pytest

from engine.figures.table import Table
from engine.galaxy.structure import (
    Ellipse,
    covered_share,
    ellipse_of,
    ellipses_of,
    elliptical_radius,
    log_mean_density,
    mean_densities,
)

FLAT = Ellipse(x_centre=40.0, y_centre=35.0, semi_major=20.0, axis_ratio=0.5, position_angle=0.0)


def exponential_galaxy(ellipse, scale=8.0, spaxel=1.0):
    y, x = np.indices((71, 81))
    radius = elliptical_radius(x, y, ellipse, spaxel)
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
@pytest.mark.parametrize(("semi_major", "spaxel"), [(20.0, 1.0), (12.2, 1.0), (12.2, 0.5)])
def test_the_mean_density_of_an_exponential_disc_is_analytic(angle, semi_major, spaxel):
    radius, log_mu = exponential_galaxy(FLAT._replace(position_angle=angle), spaxel=spaxel)
    t = semi_major / 8.0
    truth = 3.0 + np.log10(2.0 * (1.0 - np.exp(-t) * (1.0 + t)) / t**2)
    assert log_mean_density(log_mu.ravel(), radius.ravel(), semi_major, spaxel) == pytest.approx(truth, abs=0.011)


def test_holes_do_not_lower_the_mean():
    radius, log_mu = exponential_galaxy(FLAT)
    whole = log_mean_density(log_mu.ravel(), radius.ravel(), 20.0)
    kept = np.random.default_rng(1).uniform(size=log_mu.shape) < 0.7
    assert log_mean_density(log_mu[kept], radius[kept], 20.0) == pytest.approx(whole, abs=0.02)
    log_mu[~kept] = np.nan
    assert log_mean_density(log_mu.ravel(), radius.ravel(), 20.0) == pytest.approx(whole, abs=0.02)


def test_no_spaxel_inside_gives_no_density():
    assert np.isnan(log_mean_density(np.array([2.0]), np.array([30.0]), 20.0))


THIN = Ellipse(40.0, 35.0, 20.0, 0.3, 30.0)


@pytest.mark.parametrize(
    ("x_angle", "y_angle", "turned"),
    [
        (0.0, -90.0, lambda east, north: (north, -east)),  # x grows to the north, y to the west
        (90.0, 0.0, lambda east, north: (east, north)),  # mirrored: east is right
        (-130.0, -40.0, lambda east, north: _along(east, north, -130.0, -40.0)),
    ],
)
def test_an_ellipse_is_the_same_on_the_sky_in_any_map(x_angle, y_angle, turned):
    rng = np.random.default_rng(1)
    east, north = rng.uniform(-20, 20, (2, 50))
    upright = elliptical_radius(40.0 - east, 35.0 + north, THIN)
    x, y = turned(east, north)
    found = elliptical_radius(40.0 + x, 35.0 + y, THIN._replace(x_axis_angle=x_angle, y_axis_angle=y_angle))
    assert found == pytest.approx(upright)


def _along(east, north, *angles):
    return [east * np.sin(np.deg2rad(angle)) + north * np.cos(np.deg2rad(angle)) for angle in angles]


def test_mean_densities_follow_the_axes_of_each_map():
    y, x = (part.ravel() for part in np.indices((71, 81)))
    ellipse = THIN._replace(x_axis_angle=0.0, y_axis_angle=90.0)
    density = 3.0 - elliptical_radius(x, y, ellipse) / 8.0 / np.log(10.0)
    regions = {"galaxy_id": np.ones(x.size), "x": x, "y": y, "log_mu_star": density}
    names = (
        "x_centre",
        "y_centre",
        "half_light_radius",
        "axis_ratio",
        "position_angle",
        "x_axis_angle",
        "y_axis_angle",
    )
    galaxies = {name: np.array([value]) for name, value in zip(names, ellipse, strict=True)}
    galaxies |= {"galaxy_id": np.array([1]), "spaxel_arcsec": np.array([1.0])}
    truth = log_mean_density(density, elliptical_radius(x, y, ellipse), 20.0)
    assert mean_densities(regions, galaxies) == pytest.approx([truth])
    north_up = {name: values for name, values in galaxies.items() if not name.endswith("axis_angle")}
    assert abs(mean_densities(regions, north_up)[0] - truth) > 0.02


def test_a_row_without_axes_is_north_up_and_one_without_an_ellipse_has_none():
    row = dict(
        zip(("x_centre", "y_centre", "half_light_radius", "axis_ratio", "position_angle"), THIN[:5], strict=True)
    )
    assert ellipse_of(row | {"x_axis_angle": np.nan}) == THIN
    assert ellipse_of(row | {"axis_ratio": np.nan}) is None


ELLIPSE_NAMES = ("x_centre", "y_centre", "half_light_radius", "axis_ratio", "position_angle")


def test_radii_of_a_table_in_half_light_radii_follow_the_axes_of_each_map():
    """One region of the sky, 20 arcsec along the major axis, in a map with north up and in one turned by 130 deg."""
    turned = THIN._replace(x_axis_angle=40.0, y_axis_angle=130.0)
    names = (*ELLIPSE_NAMES, "x_axis_angle", "y_axis_angle")
    galaxies = {name: np.array(values) for name, values in zip(names, zip(THIN, turned, strict=True), strict=True)}
    galaxies |= {"galaxy_id": np.array([1, 2]), "spaxel_arcsec": np.array([1.0, 0.5])}
    east, north = 20.0 * np.sin(np.deg2rad(30.0)), 20.0 * np.cos(np.deg2rad(30.0))
    dx, dy = _along(east, north, 40.0, 130.0)
    regions = {
        "galaxy_id": np.array([1, 2]),
        "x": np.array([40.0 - east, 40.0 + dx / 0.5]),
        "y": np.array([35.0 + north, 35.0 + dy / 0.5]),
    }
    assert Table(regions, galaxies)["radius_re"] == pytest.approx(1.0, rel=1e-5)
    assert ellipses_of({**galaxies, "axis_ratio": None}.get) is None


@pytest.mark.parametrize("side", [1.0, 0.5])
def test_a_map_over_half_of_the_ellipse_covers_half_of_it(side):
    y, x = (part.ravel() for part in np.indices((140, 160)))
    ellipse = THIN._replace(x_centre=80.5, y_centre=70.0)
    radius = elliptical_radius(x, y, ellipse, side)
    half = np.where(x < 80.5, 1.0, np.nan)
    assert covered_share(half, radius, ellipse, side) == pytest.approx(0.5, abs=0.02)
    assert covered_share(np.ones(x.size), radius, ellipse, side) == pytest.approx(1.0, abs=0.02)
    assert np.isnan(covered_share(half, radius, ellipse._replace(semi_major=0.0)))
