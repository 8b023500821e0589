"""Mock galaxies after real ones: their masses, sizes, inclinations and weights, with invented maps."""

from typing import NamedTuple

import numpy as np

from engine.errors import SampleError
from engine.mock.galaxies import MockGalaxies, draw_profiles, light_radii
from engine.mock.populations import LightPerMass
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray

_STEPS = 10  # of the fixed point below, damped; the half-light axis is met to 1 %
_DAMPING = 0.6


class RealGalaxies(NamedTuple):
    """What is known of real galaxies, (galaxy,) each; axes in arcsec along the major axis, angles in deg, Mpc3."""

    galaxy_id: IntArray
    name: np.ndarray
    ra: FloatArray
    dec: FloatArray
    redshift: FloatArray
    log_M_star: FloatArray
    spheroid: BoolArray
    axis_ratio: FloatArray
    position_angle: FloatArray
    half_light_radius: FloatArray
    iso_diameter: FloatArray
    vmax: FloatArray


def mock_after(
    real: RealGalaxies, light: LightPerMass, settings: MockSettings, rng: np.random.Generator
) -> MockGalaxies:
    """Mock galaxies with the facts of real ones, called "mock" and their name; bulges are drawn.

    The mass profile is stretched until its half-light axis is the real one. Raises SampleError if a fact is
    missing or impossible.
    """
    _check(real)
    shape = draw_profiles(real.log_M_star, real.spheroid, real.axis_ratio, settings, rng)
    profile = shape.scaled(real.half_light_radius)
    for _ in range(_STEPS):
        sizes = light_radii(real.log_M_star, real.spheroid, real.redshift, profile, light, settings)
        profile = profile.scaled((real.half_light_radius / sizes.half_light) ** _DAMPING)
    return MockGalaxies(
        galaxy_id=real.galaxy_id,
        name=np.char.add("mock ", real.name.astype(str)),
        redshift=real.redshift,
        log_M_star=real.log_M_star,
        log_M_star_measured=real.log_M_star,
        spheroid=real.spheroid,
        profile=profile,
        position_angle=real.position_angle,
        half_light_radius=real.half_light_radius,
        iso_diameter=real.iso_diameter,
        inv_vmax=1.0 / real.vmax,
        ra=real.ra,
        dec=real.dec,
    )


def _check(real: RealGalaxies) -> None:
    for what in ("redshift", "log_M_star", "axis_ratio", "half_light_radius", "vmax"):
        values = getattr(real, what)
        bad = ~(np.isfinite(values) & (values > 0))
        if np.any(bad):
            raise SampleError(f"{what} of galaxy {real.name[bad][0]} is {values[bad][0]:g}; it must be above 0")
