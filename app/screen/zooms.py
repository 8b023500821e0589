"""Zoomed axes of one page, kept in the selection so that a link carries them."""

from collections.abc import Callable

import panel as pn
from bokeh.models import Range1d

from app.selection import Selection

SETTLE_MS = 50  # a gesture sends a burst of views: what follows waits until it has settled
Window = tuple[float, float]


class Zooms:
    """``ranges`` by name, each at home between its reset_start and reset_end; ``page`` comes before names in links."""

    def __init__(self, page: str, selection: Selection, ranges: dict[str, Range1d]):
        self.prefix = f"{page}."
        self.selection, self.ranges = selection, ranges
        self._settling = False

    def windows(self) -> dict[str, Window]:
        """What is zoomed, by name."""
        zoom = self.selection.zoom.items()
        return {key.removeprefix(self.prefix): window for key, window in zoom if key.startswith(self.prefix)}

    def changed(self, _event: object = None) -> None:
        """A view has changed in the browser: keep it once the gesture is over."""
        if not self._settling and pn.state.curdoc is not None:
            self._settling = True
            pn.state.curdoc.add_timeout_callback(self.settle, SETTLE_MS)

    def settle(self) -> None:
        """Keep the views now on the screen; one that shows nothing between its ends goes home."""
        self._settling = False
        now = self.windows()
        for name, range_ in self.ranges.items():
            window = (float(range_.start), float(range_.end))
            now.pop(name, None)
            if window != home(range_) and window[0] < window[1]:
                now[name] = window
        with pn.io.hold():
            self._keep(now)
            self.apply()

    def forget(self, names: Callable[[str], bool]) -> None:
        """Drop the zooms of some axes."""
        self._keep({name: window for name, window in self.windows().items() if not names(name)})

    def apply(self) -> None:
        """Show what is kept, and whole axes elsewhere."""
        windows = self.windows()
        for name, range_ in self.ranges.items():
            start, end = windows.get(name) or home(range_)
            if (range_.start, range_.end) != (start, end):
                range_.update(start=start, end=end)

    def _keep(self, windows: dict[str, Window]) -> None:
        others = {key: window for key, window in self.selection.zoom.items() if not key.startswith(self.prefix)}
        self.selection.zoom = others | {self.prefix + name: window for name, window in windows.items()}


def home(range_: Range1d) -> Window:
    """The whole axis."""
    return float(range_.reset_start), float(range_.reset_end)
