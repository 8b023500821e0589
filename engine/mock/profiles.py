"""Bulge and disc: projected mass profiles of one galaxy or many, along the major axis."""

from typing import NamedTuple

import numpy as np
from scipy.special import gamma, gammainc, gammaincinv

from engine.types import FloatArray, IntArray


class MassProfile(NamedTuple):
    """Sersic bulge and exponential disc of one flattening; fields broadcast against radii.

    bulge_fraction of the mass; disc_radius, half-mass radius of the disc; bulge_radius, of the bulge, in the
    same unit; sersic, index of the bulge; axis_ratio.
    """

    bulge_fraction: FloatArray
    bulge_radius: FloatArray
    disc_radius: FloatArray
    sersic: FloatArray
    axis_ratio: FloatArray

    def column(self) -> "MassProfile":
        """The same with a trailing axis, to meet radii of shape (galaxy, radius)."""
        return MassProfile(*(np.asarray(field)[..., None] for field in self))

    def densities(self, radius: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mass per unit area of bulge and of disc at a semi-major axis, for a total mass of 1."""
        disc = sersic_density(radius, self.disc_radius, 1.0) * (1.0 - self.bulge_fraction)
        bulge = sersic_density(radius, self.bulge_radius, self.sersic) * self.bulge_fraction
        return bulge / self.axis_ratio, disc / self.axis_ratio

    def scaled(self, factor: FloatArray) -> "MassProfile":
        """The same shape with all radii multiplied."""
        return self._replace(bulge_radius=self.bulge_radius * factor, disc_radius=self.disc_radius * factor)

    def half_mass_radius(self) -> FloatArray:
        """Semi-major axis of the ellipse with half the mass, by interpolation (to about 1e-3)."""
        radius = np.geomspace(0.05, 3.0, 200)  # of the disc's half-mass radius
        disc = sersic_mass_inside(radius, 1.0, 1.0)
        bulge = _bulge_inside(radius, np.asarray(self.bulge_radius) / self.disc_radius, self.sersic)
        fraction = np.asarray(self.bulge_fraction)[..., None]
        inside = fraction * bulge + (1.0 - fraction) * disc
        return self.disc_radius * crossing(np.broadcast_to(radius, inside.shape), inside, 0.5)


def _bulge_inside(radius: FloatArray, half_radius: FloatArray, sersic: FloatArray) -> FloatArray:
    """Share of the mass of each bulge inside each radius, (..., radius); bulges of one kind are computed once."""
    shape = np.broadcast(half_radius, sersic).shape
    pairs = np.stack([np.broadcast_to(part, shape).ravel() for part in (half_radius, sersic)], axis=1)
    kinds, which = np.unique(pairs, axis=0, return_inverse=True)
    inside = sersic_mass_inside(radius, kinds[:, :1], kinds[:, 1:])
    return inside[which.ravel()].reshape(*shape, radius.size)


def sersic_density(radius: FloatArray, half_radius: FloatArray, n: FloatArray | float) -> FloatArray:
    """Sersic profile with a total mass of 1 on a round galaxy; Graham & Driver (2005) eqs. 1 and 4."""
    b = gammaincinv(2.0 * np.asarray(n), 0.5)
    norm = b ** (2.0 * n) / (2.0 * np.pi * n * half_radius**2 * gamma(2.0 * np.asarray(n)))
    return norm * np.exp(-b * (radius / half_radius) ** (1.0 / n))


def sersic_mass_inside(radius: FloatArray, half_radius: FloatArray | float, n: FloatArray | float) -> FloatArray:
    """Share of the mass of a Sersic profile inside a radius; Graham & Driver (2005) eq. 2."""
    b = gammaincinv(2.0 * np.asarray(n), 0.5)
    return gammainc(2.0 * np.asarray(n), b * (radius / half_radius) ** (1.0 / n))


def crossing(radius: FloatArray, value: FloatArray, level: float) -> FloatArray:
    """Outermost radius where each row of value (..., radius) passes the level, linear between points; NaN if never."""
    above = value >= level
    changes = above[..., 1:] != above[..., :-1]
    last = changes.shape[-1] - 1 - np.argmax(changes[..., ::-1], axis=-1)
    v0 = _at(value, last)
    v1 = _at(value, last + 1)
    r0 = _at(radius, last)
    r1 = _at(radius, last + 1)
    found = changes.any(axis=-1)
    step = np.where(found, v1 - v0, 1.0)
    return np.where(found, r0 + (r1 - r0) * (level - v0) / step, np.nan)


def _at(rows: FloatArray, place: IntArray) -> FloatArray:
    """One value of each row, (...,) of (..., radius)."""
    return np.take_along_axis(rows, place[..., None], axis=-1)[..., 0]
