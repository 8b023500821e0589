"""Masks that a user draws in ds9: circles, ellipses, boxes and polygons, in image, physical or sky coordinates."""

import re
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from engine.errors import CubeError
from engine.types import BoolArray
from precompute.io.fits_files import number_of

SHAPES = ("Circle", "Ellipse", "Rectangle", "Polygon")  # boxes are rectangles to the package regions
PHYSICAL = re.compile(r"(^|;)([ \t]*)physical\b", re.M)
DEFAULT_FRAME = "image\n"  # ds9's own default is physical, which is image where the header has no LTM and LTV


def read_region_mask(path: Path, wcs: WCS, shape: tuple[int, int], cube_header: fits.Header | None = None) -> BoolArray:
    """Spaxels whose centre lies in a region of a ds9 file, (y, x); regions with a minus sign are taken out again.

    wcs and shape are the cube's; image coordinates count from 1 as in ds9. cube_header tells whether its physical
    coordinates are others than those of the image. Raises CubeError for a file that cannot be read, that holds another
    shape, or whose coordinates are not known.
    """
    path = Path(path)
    if not path.is_file():
        raise CubeError(f"{path} is not a file")
    found = _regions(path, cube_header)
    inside = np.zeros(shape, bool)
    outside = np.zeros(shape, bool)
    for region in found:
        if not type(region).__name__.startswith(SHAPES):
            kind = type(region).__name__.removesuffix("Region").removesuffix("Pixel").removesuffix("Sky")
            raise CubeError(f"{path} holds a {kind.lower()}; masks are circles, ellipses, boxes and polygons")
        pixels = region.to_pixel(wcs) if hasattr(region, "to_pixel") else region
        covered = pixels.to_mask(mode="center").to_image(shape)
        if covered is not None:
            (inside if region.meta.get("include", True) else outside)[covered > 0] = True
    return inside & ~outside


def _regions(path: Path, cube_header: fits.Header | None) -> list:
    """The regions of a file, physical coordinates as image ones."""
    from regions import Regions

    try:
        text = path.read_text(encoding="utf-8-sig")
        in_image = DEFAULT_FRAME + PHYSICAL.sub(r"\1\2image", text)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the reader only warns of lines it does not understand, and leaves them out
            found = list(Regions.parse(in_image, format="ds9"))
    except Exception as error:  # the parser has many ways to fail
        why = str(error).removesuffix(", skipping.")
        raise CubeError(f"{path} is not a ds9 region file that can be read: {why}") from None
    uses_pixels = any(not hasattr(region, "to_pixel") for region in found)
    if cube_header is not None and uses_pixels and not re.search(r"(^|;)[ \t]*image\b", text, re.M):
        _refuse_other_physical(cube_header, path)
    return found


def _refuse_other_physical(header: fits.Header, path: Path) -> None:
    """Raises CubeError where a cut-out keeps the pixel numbers of the whole it was cut from."""
    same = {"LTV1": 0.0, "LTV2": 0.0, "LTM1_1": 1.0, "LTM2_2": 1.0}
    for key, value in same.items():
        stated = number_of(header, key)
        if np.isfinite(stated) and stated != value:
            raise CubeError(
                f"{path} is in physical coordinates, which {key} = {stated:g} of the cube makes others than those of "
                f"its image: save the regions in image or fk5 coordinates"
            )
