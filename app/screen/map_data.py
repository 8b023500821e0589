"""The maps of one galaxy as arrays: which quantities it has, their places on the sky, their colour limits.

``columns`` are the rows of one galaxy, one array (region,) per column of ``engine.columns`` that the survey has.
Maps are (y, x) as in the cube: north up and east left, unless the galaxy's row says how its axes lie on the sky.
"""

from typing import NamedTuple

import numpy as np

from engine.columns import BANDS, INDEX_NAMES, REGION
from engine.flags import SpaxelFlag
from engine.galaxy.structure import AXIS_COLUMNS
from engine.types import FloatArray

ESTIMATES = ("log_mu_star", "log_age_wr", "log_Z_wr")
MINUS_TRUE = "_minus_true"
LEVEL = "smoothing_level"
CENTRED = ("v_star",)  # quantities whose zero is the middle of the colours, beside every difference
LIMIT_PERCENTILES = (1.0, 99.0)  # choice: a few wild regions do not wash out the map
LEVEL_LIMITS = (0.5, 5.5)  # levels 1 to 5, one grey step each
SCALE_BARS_KPC = (0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50)
FOOT = 0.14  # part of a map's height that is left to the scale and the colour bar
VALUE, NO_REGION, NOT_MEASURED, NO_VALUE = range(4)  # what a spaxel of a map holds


class Quantity(NamedTuple):
    """Something that can be shown as a map, named as in ``engine.columns``; ``error`` names its error or is empty."""

    name: str
    axis: str
    tex_axis: str
    bracket: str
    error: str
    centred: bool


class Frame(NamedTuple):
    """Where the regions of one galaxy lie: lower left spaxel, and the row of the region in each spaxel (-1: none)."""

    x0: int
    y0: int
    row: np.ndarray


def quantities(columns: dict) -> list[Quantity]:
    """What this galaxy can show, in the order of the selectors; columns without a single value are left out."""
    return [_quantity(name) for name in _map_names() if has_values(columns, name)]


def has_values(columns: dict, name: str) -> bool:
    """Whether a column, or a difference of two, is there and tells anything (level 0 means: not known)."""
    if name.endswith(MINUS_TRUE):
        measured = name.removesuffix(MINUS_TRUE)
        return has_values(columns, measured) and has_values(columns, f"true_{measured}")
    if name not in columns:
        return False
    values = columns[name]
    return bool(np.any(values > 0)) if name == LEVEL else bool(np.any(np.isfinite(values)))


def values_of(columns: dict, name: str) -> FloatArray:
    """One value per region (region,), NaN where there is none; raises KeyError for a column that is not there."""
    if name.endswith(MINUS_TRUE):
        measured = name.removesuffix(MINUS_TRUE)
        return values_of(columns, measured) - values_of(columns, f"true_{measured}")
    values = np.asarray(columns[name], dtype=np.float32)
    return np.where(values > 0, values, np.float32(np.nan)) if name == LEVEL else values


def is_quantity(name: str) -> bool:
    """Whether some survey can show a map of that name."""
    return name in _map_names()


def quantity(name: str) -> Quantity:
    """The words of a quantity; raises KeyError for a name that ``engine.columns`` does not know."""
    return _quantity(name)


def _map_names() -> tuple[str, ...]:
    measured = [name for key in ESTIMATES for name in (key, f"{key}_err")]
    observed = [LEVEL, "snr_per_angstrom", "sb_r", "v_star", "sigma_star", "chi2"]
    indices = [name for key in INDEX_NAMES for name in (key, f"{key}_err")]
    bands = [name for band in BANDS for name in (f"mag_{band}", f"mag_{band}_err")]
    truth = [name for key in ESTIMATES for name in (f"true_{key}", f"{key}{MINUS_TRUE}")]
    return (*measured, *observed, *truth, *indices, *bands)


def _quantity(name: str) -> Quantity:
    if name.endswith(MINUS_TRUE):
        column = REGION[name.removesuffix(MINUS_TRUE)]
        axis, tex = f"{column.label}, measured − true [dex]", f"{column.tex}, measured $-$ true [dex]"
        return Quantity(name, axis, tex, "dex", "", True)
    column = REGION[name]
    error = f"{name}_err" if f"{name}_err" in REGION else ""
    return Quantity(name, column.axis, column.tex_axis, column.bracket, error, name in CENTRED)


def frame_of(x: np.ndarray, y: np.ndarray) -> Frame:
    """The smallest frame that holds all spaxels (region,), with a margin of one; one empty spaxel for none."""
    x, y = np.asarray(x, dtype=int), np.asarray(y, dtype=int)
    if x.size == 0:
        return Frame(0, 0, np.full((1, 1), -1, dtype=np.int32))
    x0, y0 = int(x.min()) - 1, int(y.min()) - 1
    row = np.full((int(y.max()) - y0 + 2, int(x.max()) - x0 + 2), -1, dtype=np.int32)
    row[y - y0, x - x0] = np.arange(x.size)
    return Frame(x0, y0, row)


def to_map(values: np.ndarray, frame: Frame) -> np.ndarray:
    """Values (region,) on the sky, (y, x) float32, NaN where there is no region."""
    padded = np.append(np.asarray(values, dtype=np.float32), np.float32(np.nan))
    return padded[frame.row]


def what_is_there(columns: dict, values: np.ndarray, frame: Frame) -> np.ndarray:
    """Per spaxel (y, x) uint8: VALUE, or why there is none: NO_REGION, NOT_MEASURED, NO_VALUE."""
    flags = columns.get("flags", np.zeros(len(values), dtype=np.int16))
    refused = (flags & SpaxelFlag.NOT_MEASURED.value) != 0
    code = np.select([np.isfinite(values), refused], [VALUE, NOT_MEASURED], NO_VALUE)
    return np.append(code, NO_REGION).astype(np.uint8)[frame.row]


def region_at(frame: Frame, x: float, y: float) -> int | None:
    """Row of the region whose spaxel holds the point, or None."""
    i, j = int(np.floor(x + 0.5)) - frame.x0, int(np.floor(y + 0.5)) - frame.y0
    inside = 0 <= i < frame.row.shape[1] and 0 <= j < frame.row.shape[0]
    row = int(frame.row[j, i]) if inside else -1
    return row if row >= 0 else None


def square_window(frame: Frame) -> tuple[float, float, float, float]:
    """A square around the frame, with room for scale and colour bar below: left, right, bottom, top [spaxel]."""
    n_y, n_x = frame.row.shape
    side = max(n_x, n_y / (1 - FOOT))
    x, top = frame.x0 + (n_x - 1) / 2, frame.y0 + (n_y - 1) / 2 + (1 - FOOT) * side / 2
    return x - side / 2, x + side / 2, top - side, top


def colour_limits(values: np.ndarray, name: str) -> tuple[float, float]:
    """Lowest and highest colour of a quantity; symmetric where zero is the middle; never an empty range."""
    if name == LEVEL:
        return LEVEL_LIMITS
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(finite, LIMIT_PERCENTILES)
    if _quantity(name).centred:
        high = max(abs(low), abs(high))
        low = -high
    low, high = _rounded(float(low), float(high))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Outwards to a twentieth of the range's power of ten, so that the ends can be read."""
    if not high > low:
        return low, high
    step = 10.0 ** np.floor(np.log10(high - low)) / 20
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step)


def scale_bar(pc_per_spaxel: float, width: float) -> tuple[float, float]:
    """The round length [kpc] nearest to a fifth of a map that is ``width`` spaxels wide, and its length [spaxel]."""
    kpc_per_spaxel = pc_per_spaxel / 1e3
    lengths = np.array(SCALE_BARS_KPC)
    kpc = float(lengths[np.argmin(np.abs(np.log(lengths / (0.2 * width * kpc_per_spaxel))))])
    return kpc, kpc / kpc_per_spaxel


class MapAxes(NamedTuple):
    """Position angles [rad], north through east, in which x and y of a map grow."""

    x: float
    y: float

    def on_map(self, east: FloatArray, north: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distances to the east and to the north as distances along x and y."""
        return east * np.sin(self.x) + north * np.cos(self.x), east * np.sin(self.y) + north * np.cos(self.y)


def map_axes(facts: dict) -> MapAxes:
    """How the maps of a galaxy lie on the sky, from its row; north up and east left where it does not tell."""
    stated = {name: float(facts.get(name, np.nan)) for name in AXIS_COLUMNS}
    known = {name: stated[name] if np.isfinite(stated[name]) else north_up for name, north_up in AXIS_COLUMNS.items()}
    return MapAxes(np.deg2rad(known["x_axis_angle"]), np.deg2rad(known["y_axis_angle"]))


NORTH_UP = map_axes({})


def half_light_ellipse(facts: dict, n: int = 121) -> tuple[FloatArray, FloatArray] | None:
    """The half-light ellipse as a closed line x, y (n,) [spaxel], or None if the galaxy row does not tell it."""
    names = ("x_centre", "y_centre", "half_light_radius", "axis_ratio", "position_angle", "spaxel_arcsec")
    x_centre, y_centre, radius, ratio, angle, spaxel = (float(facts.get(name, np.nan)) for name in names)
    if not np.all(np.isfinite([x_centre, y_centre, radius, ratio, angle, spaxel])) or spaxel <= 0:
        return None
    t, angle = np.linspace(0, 2 * np.pi, n), np.deg2rad(angle)
    along, across = radius / spaxel * np.cos(t), radius / spaxel * ratio * np.sin(t)
    east, north = along * np.sin(angle) + across * np.cos(angle), along * np.cos(angle) - across * np.sin(angle)
    x, y = map_axes(facts).on_map(east, north)
    return x_centre + x, y_centre + y


class Picture(NamedTuple):
    """One map, ready to be drawn: values, their errors and what is there, (y, x) each, and the colour limits."""

    quantity: Quantity
    frame: Frame
    values: np.ndarray
    errors: np.ndarray
    there: np.ndarray
    limits: tuple[float, float]


def picture(columns: dict, frame: Frame, name: str, limits: tuple[float, float]) -> Picture:
    """The map of one quantity of a galaxy; raises KeyError for a column the survey does not have."""
    what, values = _quantity(name), values_of(columns, name)
    errors = values_of(columns, what.error) if what.error in columns else np.full(len(values), np.nan)
    there = what_is_there(columns, values, frame)
    return Picture(what, frame, to_map(values, frame), to_map(errors, frame), there, limits)


def tell_lost(shown: Picture, lost: dict[tuple[int, int], int]) -> tuple[Picture, list[int]]:
    """The picture with a code of its own, from NO_VALUE + 1, for each kind of lost spaxel; and the flags of each kind.

    ``lost``: flags by (x, y) of the spaxels of the field without a region.
    """
    kinds = sorted(set(lost.values()))
    there, (n_y, n_x) = shown.there.copy(), shown.there.shape
    for (x, y), flags in lost.items():
        i, j = x - shown.frame.x0, y - shown.frame.y0
        if 0 <= i < n_x and 0 <= j < n_y and there[j, i] == NO_REGION:
            there[j, i] = min(NO_VALUE + 1 + kinds.index(flags), 255)
    return shown._replace(there=there), kinds


class SkyMarks(NamedTuple):
    """What is drawn over a map that shows ``window`` (left, right, bottom, top), all in spaxels.

    bar: x and y of its two ends, labelled bar_label; north and east: where the arrows from ``corner`` end.
    """

    bar: tuple[FloatArray, FloatArray]
    bar_label: str
    corner: tuple[float, float]
    north: tuple[float, float]
    east: tuple[float, float]


def sky_marks(window: tuple[float, float, float, float], pc_per_spaxel: float, axes: MapAxes = NORTH_UP) -> SkyMarks:
    """Scale bar at the lower left of the window and a compass beside it, as the map lies on the sky."""
    left, right, bottom, top = window
    width, height = right - left, top - bottom
    kpc, length = scale_bar(pc_per_spaxel, width)
    x, y = left + 0.05 * width, bottom + 0.05 * height
    arrow = 0.06 * height
    north_x, north_y = axes.on_map(0.0, arrow)
    east_x, east_y = axes.on_map(arrow, 0.0)
    # wherever the arrows point, the compass stays in its place
    corner_x = left + 0.42 * width - max(0.0, north_x, east_x)
    corner_y = bottom + 0.03 * height - min(0.0, north_y, east_y)
    return SkyMarks(
        bar=(np.array([x, x + length]), np.array([y, y])),
        bar_label=f"{kpc:g} kpc",
        corner=(corner_x, corner_y),
        north=(corner_x + north_x, corner_y + north_y),
        east=(corner_x + east_x, corner_y + east_y),
    )
