"""Where a spaxel lies in its galaxy, and the mean mass density inside the half-light ellipse."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from engine.types import FloatArray, IntArray

# Columns of the galaxy table in the order of Ellipse, and those of the region table that make a map of density
ELLIPSE_COLUMNS = ("x_centre", "y_centre", "half_light_radius", "axis_ratio", "position_angle")
AXIS_COLUMNS = {"x_axis_angle": -90.0, "y_axis_angle": 0.0}  # optional; without them maps are north up, east left
_DENSITY_MAP = ("x", "y", "log_mu_star")


class Ellipse(NamedTuple):
    """Half-light ellipse on a map: centre [spaxel], semi-major axis [arcsec], b/a, position angle [deg].

    x_axis_angle, y_axis_angle: position angles in which x and y of the map grow [deg]; by default west and north.
    """

    x_centre: float
    y_centre: float
    semi_major: float
    axis_ratio: float
    position_angle: float
    x_axis_angle: float = AXIS_COLUMNS["x_axis_angle"]
    y_axis_angle: float = AXIS_COLUMNS["y_axis_angle"]


def ellipse_of(galaxy: dict[str, float]) -> Ellipse | None:
    """The half-light ellipse of a row of the galaxy table; None where a number of it is not known."""
    numbers = [float(galaxy.get(name, np.nan)) for name in ELLIPSE_COLUMNS]
    if not np.isfinite(numbers).all():
        return None
    return Ellipse(*numbers, *(float(_axis_angle(galaxy.get(name), name)) for name in AXIS_COLUMNS))


def ellipses_of(column: Callable[[str], FloatArray | None]) -> Ellipse | None:
    """Half-light ellipses of many galaxies or regions, every field (row,); NaN where a number is not known.

    column: gives a column of the galaxy table by its name, or None. Returns None if one that is needed is not there.
    """
    numbers: list[Any] = [column(name) for name in ELLIPSE_COLUMNS]
    if any(values is None for values in numbers):
        return None
    return Ellipse(*numbers, *(_axis_angle(column(name), name) for name in AXIS_COLUMNS))


def _axis_angle(stated: FloatArray | float | None, name: str) -> FloatArray:
    """Position angles in which an axis of the map grows; those of a map with north up where none is stated."""
    angle = np.asarray(np.nan if stated is None else stated, dtype=float)
    return np.where(np.isfinite(angle), angle, AXIS_COLUMNS[name])


def elliptical_radius(
    x: FloatArray, y: FloatArray, ellipse: Ellipse, spaxel_arcsec: FloatArray | float = 1.0
) -> FloatArray:
    """Semi-major axis of the ellipse through each spaxel [arcsec], same shape as x.

    x grows to the west and y to the north; the position angle runs from north through east. The ellipse and the
    side of a spaxel may be those of one galaxy, or arrays with a value per spaxel.
    """
    along, across = galaxy_frame(x, y, ellipse, spaxel_arcsec)
    return np.hypot(along, across / ellipse.axis_ratio)


def galaxy_frame(
    x: FloatArray, y: FloatArray, ellipse: Ellipse, spaxel_arcsec: FloatArray | float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Distances from the centre along the major and the minor axis [arcsec], same shape as x."""
    from_x = (np.asarray(x, float) - ellipse.x_centre) * spaxel_arcsec
    from_y = (np.asarray(y, float) - ellipse.y_centre) * spaxel_arcsec
    east, north = _on_the_sky(from_x, from_y, ellipse)
    angle = np.deg2rad(ellipse.position_angle)
    along = east * np.sin(angle) + north * np.cos(angle)
    across = east * np.cos(angle) - north * np.sin(angle)
    return along, across


def _on_the_sky(from_x: FloatArray, from_y: FloatArray, ellipse: Ellipse) -> tuple[FloatArray, FloatArray]:
    """Distances along x and y of a map as distances to the east and to the north."""
    x_angle = np.deg2rad(ellipse.x_axis_angle)
    y_angle = np.deg2rad(ellipse.y_axis_angle)
    east = from_x * np.sin(x_angle) + from_y * np.sin(y_angle)
    north = from_x * np.cos(x_angle) + from_y * np.cos(y_angle)
    return east, north


def mean_densities(regions: dict[str, np.ndarray], galaxies: dict[str, np.ndarray]) -> FloatArray:
    """log <mu*>e of each galaxy from the columns of both tables, (galaxy,); see log_mean_density.

    NaN where the ellipse is not known or holds no value.
    """
    found = np.full(len(galaxies["galaxy_id"]), np.nan)
    columns = {name: galaxies[name] for name in (*ELLIPSE_COLUMNS, *AXIS_COLUMNS) if name in galaxies}
    for i, galaxy_id in enumerate(galaxies["galaxy_id"]):
        ellipse = ellipse_of({name: values[i] for name, values in columns.items()})
        if ellipse is None:
            continue
        side = float(galaxies["spaxel_arcsec"][i])
        x, y, density = (regions[name][regions["galaxy_id"] == galaxy_id] for name in _DENSITY_MAP)
        found[i] = log_mean_density(density, elliptical_radius(x, y, ellipse, side), ellipse.semi_major, side)
    return found


def log_mean_density(
    log_mu_star: FloatArray, radius: FloatArray, semi_major: float, spaxel_arcsec: float = 1.0
) -> float:
    """Mean stellar mass density inside the half-light ellipse, log10 of Msun/pc2.

    Parameters: log_mu_star of the spaxels (spaxel,), their elliptical radius (spaxel,) and the semi-major
    axis of the ellipse [arcsec]. The density is summed ring by ring: a spaxel that is missing or NaN counts as
    the mean of its ring one spaxel wide, an empty ring as its nearest neighbours. So holes do not lower
    the mean as a plain sum over the ellipse's area (ZG22 sec. 2.2) would. NaN if no ring has a spaxel.
    """
    inside = (radius < semi_major) & np.isfinite(log_mu_star)
    if not np.any(inside):
        return np.nan
    rings = np.arange(np.ceil(semi_major / spaxel_arcsec))
    density = 10.0 ** np.asarray(log_mu_star, float)[inside]
    mean = _means_of_rings(density, (radius[inside] / spaxel_arcsec).astype(int), rings)
    edges = np.minimum(np.append(rings, rings.size) * spaxel_arcsec, semi_major)
    return float(np.log10(np.sum(mean * np.diff(edges**2)) / semi_major**2))


def _means_of_rings(values: FloatArray, ring: IntArray, rings: FloatArray) -> FloatArray:
    """Mean in each of the rings (ring,); of an empty one what its neighbours tell. ring: of each value."""
    count = np.bincount(ring)
    total = np.bincount(ring, weights=values)
    seen = np.flatnonzero(count)
    return np.interp(rings, seen, total[seen] / count[seen])


def covered_share(values: FloatArray, radius: FloatArray, ellipse: Ellipse, spaxel_arcsec: float = 1.0) -> float:
    """Part of the half-light ellipse's area on which a map has values; both (spaxel,). NaN without an ellipse."""
    area = np.pi * ellipse.semi_major**2 * ellipse.axis_ratio
    seen = np.count_nonzero((radius < ellipse.semi_major) & np.isfinite(values)) * spaxel_arcsec**2
    return float(min(seen / area, 1.0)) if area > 0 else np.nan
