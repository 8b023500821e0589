"""Masks that a user draws in ds9: circles, ellipses, boxes and polygons, in image or sky coordinates."""

import warnings
from pathlib import Path

import numpy as np
from astropy.wcs import WCS

from engine.errors import CubeError
from engine.types import BoolArray

SHAPES = ("Circle", "Ellipse", "Rectangle", "Polygon")  # boxes are rectangles to the package regions


def read_region_mask(path: Path, wcs: WCS, shape: tuple[int, int]) -> BoolArray:
    """Spaxels whose centre lies in a region of a ds9 file, (y, x); regions with a minus sign are taken out again.

    wcs and shape are the cube's; image coordinates count from 1 as in ds9. Raises CubeError for a file that cannot be
    read, or that holds another shape.
    """
    from regions import Regions

    path = Path(path)
    if not path.is_file():
        raise CubeError(f"{path} is not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the reader only warns of lines it does not understand, and leaves them out
            found = Regions.read(str(path), format="ds9")
    except Exception as error:  # the parser has many ways to fail
        raise CubeError(f"{path} is not a ds9 region file that can be read: {error}") from None
    inside, outside = np.zeros(shape, bool), np.zeros(shape, bool)
    for region in found:
        if not type(region).__name__.startswith(SHAPES):
            kind = type(region).__name__.removesuffix("Region").removesuffix("Pixel").removesuffix("Sky")
            raise CubeError(f"{path} holds a {kind.lower()}; masks are circles, ellipses, boxes and polygons")
        pixels = region.to_pixel(wcs) if hasattr(region, "to_pixel") else region
        covered = pixels.to_mask(mode="center").to_image(shape)
        if covered is not None:
            (inside if region.meta.get("include", True) else outside)[covered > 0] = True
    return inside & ~outside
