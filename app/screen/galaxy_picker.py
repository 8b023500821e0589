"""All galaxies in the plane of mass and mean density: click one to open it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from bokeh.events import Tap
from bokeh.models import HoverTool, Range1d, Scatter

from app import theme
from app.screen.parts import Parts

X, Y = "log_M_star", "log_mu_e"
REACH = 0.05  # part of the plane's side within which a click finds a galaxy: choice
MARGIN = 0.06


class GalaxyPicker:
    """A small plane of galaxies; ``pick`` is called with the galaxy_id that is clicked."""

    def __init__(self, parts: Parts, galaxies: pd.DataFrame, pick: Callable[[int], None]) -> None:
        self.parts, self.galaxies = parts, galaxies
        self.limits = [padded(galaxies[name].to_numpy()) for name in (X, Y)]
        self.here = parts.source({"x": [], "y": []})
        self.figure = self._draw()
        self.figure.on_event(Tap, lambda event: self._picked(event.x, event.y, pick))

    def show(self, galaxy_id: int) -> None:
        """Ring the galaxy that is open."""
        row = self.galaxies[self.galaxies["galaxy_id"] == galaxy_id]
        self.here.data = {"x": row[X].to_numpy(), "y": row[Y].to_numpy()}

    def _picked(self, x: float, y: float, pick: Callable[[int], None]) -> None:
        spans = [high - low for low, high in self.limits]
        found = nearest_galaxy(self.galaxies, x, y, spans)
        if found is not None:
            pick(found)

    def _draw(self):
        plot = self.parts.frame(*(Range1d(*limits) for limits in self.limits), zooms=False)
        plot.min_border_right = 18
        rows = self.galaxies
        points = self.parts.source({"x": rows[X], "y": rows[Y], "name": rows["name"].astype(str)})
        dots = Scatter(x="x", y="y", size=4.5, fill_color=theme.GREY, fill_alpha=0.7, line_color=None)
        dots = self.parts.draw(plot, dots, points)
        self.parts.draw_ring(plot, self.here, 14)
        plot.add_tools(HoverTool(renderers=[dots], tooltips="@name", visible=False))
        return plot


def nearest_galaxy(galaxies: pd.DataFrame, x: float, y: float, spans: list[float]) -> int | None:
    """galaxy_id nearest to a point of the plane, or None if none lies within REACH of the axes' spans."""
    distance = np.hypot((galaxies[X] - x) / spans[0], (galaxies[Y] - y) / spans[1]).to_numpy()
    if not np.any(distance < REACH):  # NaN, a galaxy without mean density, is never near
        return None
    return int(galaxies["galaxy_id"].iloc[int(np.nanargmin(distance))])


def padded(values: np.ndarray) -> tuple[float, float]:
    """Limits of an axis that holds all finite values, with a margin; a lone value stands in the middle."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = MARGIN * (high - low) or 0.5
    return low - margin, high + margin
