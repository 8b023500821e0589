"""A plain table of regions from dicts of arrays: what a figure needs, without a file."""

from collections.abc import Callable
from functools import cached_property
from typing import cast

import numpy as np

from engine.columns import GALAXY
from engine.errors import SettingsError, TableError
from engine.figures.arrays import Made, Regions
from engine.galaxy.structure import ellipses_of, elliptical_radius
from engine.relations.running import presort
from engine.types import FloatArray, IntArray

RADIUS_RE = "radius_re"
WEIGHTINGS: dict[str, str | None] = {"area/V'max": "weight", "area": "area_pc2", "equal": None}


class Table:
    """Columns of regions (row,) and of galaxies (galaxy,) by name, named as in ``engine.columns``.

    Galaxy values stand for each of their regions under their own name; ``radius_re`` is the distance from the
    centre in half-light radii. Raises TableError if a region has no galaxy.
    """

    def __init__(self, regions: dict[str, np.ndarray], galaxies: dict[str, np.ndarray]):
        self._regions = {name: np.asarray(column) for name, column in regions.items()}
        self._galaxies = {name: np.asarray(column) for name, column in galaxies.items()}
        self._made: dict[object, object] = {}
        self.n_regions = len(self._regions["galaxy_id"])

    def __getitem__(self, name: str) -> np.ndarray | None:
        """A region column, a galaxy's value for each of its regions, or ``radius_re``; None if there is none."""
        if name in self._regions:
            return self._regions[name]
        if name == RADIUS_RE:
            return self.once(RADIUS_RE, lambda: radius_re(self))
        if name in GALAXY and name in self._galaxies:
            return self.once(("per region", name), lambda: self._galaxies[name].take(self.galaxy_index))
        return None

    def galaxy(self, name: str) -> np.ndarray | None:
        """A column of the galaxy table, (galaxy,)."""
        return self._galaxies.get(name)

    @cached_property
    def galaxy_index(self) -> IntArray:
        """Row of the galaxy table per region, (row,)."""
        return galaxy_rows(self._regions["galaxy_id"], self._galaxies["galaxy_id"])

    def weight(self, weighting: str) -> FloatArray:
        """Statistical weight, (row,), with mean 1; raises SettingsError for a weighting that is not in WEIGHTINGS."""
        if weighting not in WEIGHTINGS:
            raise SettingsError(f"regions are weighted by {', '.join(WEIGHTINGS)}, not by {weighting!r}")
        return self.once(("weight", weighting), lambda: mean_one(self._weight(weighting)))

    def order(self, name: str) -> IntArray:
        """Rows by rising value of a column, NaN last, (row,)."""
        return self.once(("order", name), lambda: presort(self[name]))

    def once(self, key: object, make: Callable[[], Made]) -> Made:
        """What ``make`` makes, made once for this table."""
        if key not in self._made:
            self._made[key] = make()
        return cast("Made", self._made[key])

    def _weight(self, weighting: str) -> FloatArray:
        name = WEIGHTINGS[weighting]
        return np.ones(self.n_regions) if name is None else self._regions[name]


def mean_one(weight: FloatArray) -> FloatArray:
    """Weights divided by their mean, float32; as they are where the mean is not positive."""
    weight = np.asarray(weight, dtype=float)
    mean = weight.mean() if weight.size else 1.0
    return (weight / (mean if mean > 0 else 1.0)).astype(np.float32)


def galaxy_rows(region_galaxy: IntArray, galaxy_id: IntArray) -> IntArray:
    """Row of each region's galaxy, (row,) int32; raises TableError if one is missing."""
    by_id = np.argsort(galaxy_id, kind="stable")
    place = np.searchsorted(galaxy_id[by_id], region_galaxy)
    rows = by_id[np.minimum(place, by_id.size - 1)].astype(np.int32)
    homeless = galaxy_id[rows] != region_galaxy
    if homeless.any():
        raise TableError(f"regions of galaxy {region_galaxy[homeless][0]} have no row in the galaxy table")
    return rows


def radius_re(table: Regions) -> FloatArray | None:
    """Distance of regions from the centre of their galaxy over its half-light radius, (row,) float32.

    Along the half-light ellipse, as the galaxy's map lies on the sky: the semi-major axis of the similar ellipse
    through the region. NaN where the ellipse is not known; None if the table has no ellipses.
    """
    ellipses = ellipses_of(table.__getitem__)
    side = table["spaxel_arcsec"]
    if ellipses is None or side is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = elliptical_radius(table["x"], table["y"], ellipses, side) / ellipses.semi_major
    return np.where(ellipses.semi_major > 0, radius, np.nan).astype(np.float32)
