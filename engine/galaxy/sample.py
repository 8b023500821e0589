"""Which galaxies are analysed, how much volume each one stands for, and the weight of its spaxels."""

import numpy as np

from engine.adopted import EXCLUDED_NAMES, ISO_DIAMETER_RANGE_ARCSEC, REDSHIFT_RANGE, SKY_AREA_DEG2, SURVEY_AREA_DEG2
from engine.cosmology import angular_diameter_distance, comoving_distance, redshift_at_angular_diameter_distance
from engine.errors import SampleError
from engine.types import BoolArray, FloatArray, IntArray

MOTHER_SAMPLE_BELOW = 1000  # CALIFA numbers of the mother sample; the extension samples come above
MERGER_MARKS = ("(M)", "(m)")  # definite and likely mergers in the Hubble types of CALIFA DR3

# delta(z) = V'max / Vmax every 0.001 from redshift 0.0052; ratio of the two columns of CALIFA_1_MS_basic,
# where it depends on redshift alone (Walcher+14 sec. 4.1 explains it, no table is printed)
_DELTA_START = 0.0052
_DELTA_STEP = 0.001
_DELTA = (
    1.49, 1.17, 0.98, 0.77, 0.65, 0.567, 0.573, 0.588, 0.620, 0.653, 0.668, 0.680, 0.683,
    0.690, 0.728, 0.810, 0.989, 1.18, 1.20, 1.19, 1.11, 1.04, 1.07, 1.10, 1.10,
)  # fmt: skip


def is_analysed(galaxy_id: IntArray, name: np.ndarray, in_combo: BoolArray) -> BoolArray:
    """Galaxies of the CALIFA main sample with COMBO cubes, without the two that could not be analysed.

    Parameters: CALIFA number, name, whether a COMBO cube is released, (galaxy,) each. ZG22 sec. 2.1.
    """
    return (np.asarray(galaxy_id) < MOTHER_SAMPLE_BELOW) & np.asarray(in_combo, bool) & ~np.isin(name, EXCLUDED_NAMES)


def is_merger(hubble_type: np.ndarray) -> BoolArray:
    """Ongoing or likely mergers by the mark in their Hubble type, (galaxy,); Walcher+14 sec. 6.4."""
    types = np.asarray(hubble_type, dtype=str)
    return np.logical_or.reduce([np.char.find(types, mark) >= 0 for mark in MERGER_MARKS])


def density_correction(redshift: FloatArray) -> FloatArray:
    """Density of the CALIFA volume near a redshift over the mean, delta in V'max = delta Vmax; same shape."""
    grid = _DELTA_START + _DELTA_STEP * np.arange(len(_DELTA))
    return np.interp(redshift, grid, _DELTA)


def vmax(iso_diameter: FloatArray, redshift: FloatArray, density: FloatArray | float = 1.0) -> FloatArray:
    """Volume in which a galaxy of that size would pass the diameter selection.

    Parameters: isophotal major axis in r [arcsec] and redshift, same shape; density, delta(z) for V'max,
    1 for Vmax. Returns Mpc3. Raises SampleError for a galaxy outside the selection.
    Source: Walcher+14 sec. 4.1, with sizes that scale as the angular-diameter distance.
    """
    iso_diameter = np.asarray(iso_diameter, float)
    redshift = np.asarray(redshift, float)
    _check_selected(iso_diameter, redshift)
    smallest, largest = ISO_DIAMETER_RANGE_ARCSEC
    distance = angular_diameter_distance(redshift)
    near = redshift_at_angular_diameter_distance(distance * iso_diameter / largest)
    far = redshift_at_angular_diameter_distance(distance * iso_diameter / smallest)
    shell = comoving_distance(np.minimum(far, REDSHIFT_RANGE[1])) ** 3
    shell = shell - comoving_distance(np.maximum(near, REDSHIFT_RANGE[0])) ** 3
    return density * SURVEY_AREA_DEG2 / SKY_AREA_DEG2 * 4.0 / 3.0 * np.pi * shell


def _check_selected(iso_diameter: FloatArray, redshift: FloatArray) -> None:
    limits = (("isophotal diameter", iso_diameter, ISO_DIAMETER_RANGE_ARCSEC), ("redshift", redshift, REDSHIFT_RANGE))
    for what, values, (low, high) in limits:
        outside = ~((values >= low) & (values <= high))
        if np.any(outside):
            raise SampleError(
                f"the sample holds galaxies with {what} from {low} to {high}, got {values[outside].flat[0]:g}"
            )


def spaxel_area_pc2(pc_per_arcsec: FloatArray | float, spaxel_arcsec: FloatArray | float) -> FloatArray:
    """Projected area of a spaxel [pc2]; no correction for inclination (ZG22 has none)."""
    return (np.asarray(pc_per_arcsec) * spaxel_arcsec) ** 2


def region_weight(area_pc2: FloatArray, inv_vmax: FloatArray | float) -> FloatArray:
    """Statistical weight of a region [pc2 / Mpc3]: projected area times 1/V'max (ZG22 sec. 2.2).

    Raises SampleError where a weight would be negative or not a number.
    """
    weight = np.asarray(area_pc2, float) * inv_vmax
    if not np.all((weight >= 0) & np.isfinite(weight)):
        raise SampleError("a region's weight is area times 1/V'max and cannot be negative, infinite or missing")
    return weight
