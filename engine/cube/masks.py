"""Which spaxels of a cube show the galaxy: not foreground, not bad, and bright enough."""

from typing import NamedTuple

import numpy as np

from engine.adopted import SURFACE_BRIGHTNESS_LIMIT
from engine.cube.images import OnGrid
from engine.cube.synthetic import synthetic_image
from engine.cube.types import Cube
from engine.flags import SpaxelFlag
from engine.spectrum.photometry import Filter
from engine.types import BoolArray, IntArray


class MaskSettings(NamedTuple):
    """Thresholds of the masks; all choice, tried on real images."""

    detection_sigma: float = 3.0  # of the image once blurred by its own point spread
    min_pixels: int = 5
    background_arcsec: float = 9.0  # a star is smaller than half of this, a galaxy's smooth light larger
    core_arcsec: float = 3.0  # what lies so near to the centre is the galaxy
    contrast: float = 1.0  # peak of a star over the galaxy's light around it
    certain_contrast: float = 5.0  # above, the shape does not matter (stars that saturate)
    star_width: float = 1.6  # widest star, in widths of the point spread
    neighbour_share: float = 0.01  # of the blended light, for another galaxy to be recognised as such
    neighbour_contrast: float = 1.0  # of its peak over the saddle between: more than of a spiral arm
    light_share: float = 0.1  # of a spaxel's light from foreground, for it to be lost
    artefact_sigma: float = 7.0  # depth of a hole in an image
    good_share: float = 0.8  # of a spaxel's spectrum
    dead_ratio: float = 0.3  # cube over image, below which a fibre is dead
    brightness_limit: float = SURFACE_BRIGHTNESS_LIMIT


DEFAULT = MaskSettings()
SPECTRUM_USED = (3700.0, 7140.0)  # Angstrom, ZG22 sec. 2.1


def mask_spaxels(
    cube: Cube,
    grid: OnGrid,
    foreground: BoolArray,
    filters: tuple[Filter, ...] = (),
    settings: MaskSettings = DEFAULT,
) -> IntArray:
    """Flags (y, x) of why a spaxel is not used; 0: it shows the galaxy and is bright enough.

    Parameters: the images on the cube's grid (r among them); foreground, from any source (here, a user's regions); the
    filters, if dead fibres are to be found as spaxels much fainter in the cube than in the image.
    """
    brightness = grid.magnitudes("r")
    bad = bad_spaxels(cube, settings) | ~np.isfinite(grid.data[grid.bands.index("r")])
    bad |= dead_spaxels(cube, grid, filters, settings)
    flags = np.where(foreground, SpaxelFlag.FOREGROUND.value, 0) | np.where(bad, SpaxelFlag.BAD_PIXELS.value, 0)
    faint = ~(brightness <= settings.brightness_limit)
    return flags | np.where(faint, SpaxelFlag.BELOW_BRIGHTNESS_CUT.value, 0)


def usable_spaxels(flags: IntArray) -> BoolArray:
    """Spaxels that may enter a smoothing kernel: neither foreground nor bad; faint ones may, for symmetry."""
    return (flags & (SpaxelFlag.FOREGROUND.value | SpaxelFlag.BAD_PIXELS.value)) == 0


def bad_spaxels(cube: Cube, settings: MaskSettings = DEFAULT) -> BoolArray:
    """Spaxels with too few good pixels where the spectra are used, (y, x)."""
    used = (cube.wave >= SPECTRUM_USED[0]) & (cube.wave <= SPECTRUM_USED[1])
    return cube.good[used].mean(axis=0) < settings.good_share


def dead_spaxels(cube: Cube, grid: OnGrid, filters: tuple[Filter, ...], settings: MaskSettings = DEFAULT) -> BoolArray:
    """Spaxels above the cut that are much fainter in the cube than in the image, (y, x)."""
    seen = next((synthetic_image(cube, one) for one in filters if one.name == "r"), None)
    if seen is None:
        return np.zeros(cube.shape, bool)
    bright = grid.magnitudes("r") <= settings.brightness_limit
    with np.errstate(invalid="ignore"):
        return bright & (seen.values < settings.dead_ratio * grid.data[grid.bands.index("r")])
