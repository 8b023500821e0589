"""Why a panel shows nothing: one plain sentence, in the place where the figure would be."""

from collections.abc import Iterable, Mapping

import numpy as np

from app.store import Survey
from engine.columns import column
from engine.figures import axes
from engine.figures.arrays import DensityArrays, MapArrays
from engine.figures.catalogue import Panel
from engine.figures.marks import SELECTED, Density, MedianMap, Points
from engine.figures.sample import Sample

NO_REGION = "No region lies in this selection. Widen a range or press Reset."
SHOWN = (Density, MedianMap, Points)


def why_empty(survey: Survey, sample: Sample, panel: Panel, zoom: Mapping[str, tuple[float, float]]) -> str:
    """The reason in a sentence, or nothing where the panel shows something."""
    needed = [panel.x, panel.y, *(mark.z for mark in panel.marks if isinstance(mark, MedianMap))]
    for name in dict.fromkeys(needed):
        if not survey.tells(name):
            return f"This table has no {column(name).label}."
    if not any(isinstance(mark, SHOWN) and mark.of == SELECTED for mark in panel.marks):
        return ""
    part = sample.part(panel.part)
    if part.n_regions == 0:
        return NO_REGION
    return _why_none_is_seen(part, panel, zoom)


def is_dense(panel: Panel, arrays: Mapping[int, object]) -> bool:
    """Whether the density of the selected regions is seen somewhere in the panel; arrays by place of the mark."""
    of_selected = (arrays[i] for i, mark in enumerate(panel.marks) if mark.of == SELECTED)
    return any((one.value > 0).any() for one in of_selected if isinstance(one, DensityArrays))


def why_no_cell(arrays: Iterable[object], min_count: int) -> str:
    """The reason why a map of medians is blank although there are regions; nothing where some cell has enough."""
    maps = [one for one in arrays if isinstance(one, MapArrays)]
    if not maps or any(np.isfinite(one.value).any() for one in maps):
        return ""
    return f"No cell holds {min_count} of the selected regions. Ask for fewer regions a bin, or widen a range."


def _why_none_is_seen(sample: Sample, panel: Panel, zoom: Mapping[str, tuple[float, float]]) -> str:
    x, y = sample[panel.x], sample[panel.y]
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return "No selected region has both values."
    if not (sample.weight[known] > 0).any():
        return "All selected regions have zero weight. Choose another weighting."
    windows = [zoom.get(name, axes.limits(name, sample.table)) for name in (panel.x, panel.y)]
    seen = known & _within(x, windows[0]) & _within(y, windows[1])
    if seen.any():
        return ""
    zoomed = panel.x in zoom or panel.y in zoom
    return "Nothing lies in this part of the plane. Reset the zoom." if zoomed else "All values lie beyond these axes."


def _within(values: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    return (values >= window[0]) & (values <= window[1])
