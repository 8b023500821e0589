"""Colours of maps: the same on the screen and on paper."""

from functools import cache

from matplotlib import colormaps
from matplotlib.colors import to_hex

from app import theme
from app.screen.map_data import LEVEL
from app.style import styles

N_COLOURS = 256
FOOT_ALPHA = 0.85  # of the ground below scale and colour bar, which a zoomed map would else swallow
LEVEL_GREYS = styles().ramps["levels"]  # as observed is white, most smoothed black


@cache
def colours_of(name: str, centred: bool = False) -> tuple[str, ...]:
    """Colours of a quantity from low to high: the same on the screen and in the exports."""
    if name == LEVEL:
        return LEVEL_GREYS
    colours = colormaps[_colour_map(name, centred)].resampled(N_COLOURS)
    return tuple(to_hex(colours(i)) for i in range(N_COLOURS))


def _colour_map(name: str, centred: bool) -> str:
    if centred:
        return "RdBu_r"
    if name.endswith("_err") or name.startswith(("sb_", "mag_")):
        return "bone_r"  # small errors are light; so is bright light, which is a small number of magnitudes
    known = dict(theme.STYLES.maps) | {"sigma_star": "inferno", "snr_per_angstrom": "cividis"}
    return known.get(name.removeprefix("true_"), "viridis")
