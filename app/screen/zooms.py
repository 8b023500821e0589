"""Zoomed axes of one page, kept in the selection so that a link carries them."""

import time
from collections.abc import Callable, Mapping

import panel as pn
from bokeh.models import Range1d

from app.selection import Selection

SETTLE_MS = 30  # a gesture sends a burst of views: what follows waits until none has come for so long
DEEPEST = 2e-4  # part of an axis below which no zoom goes: cells would be finer than the table's digits
Window = tuple[float, float]


class Zooms:
    """Ranges by name, each at home between its reset_start and reset_end; ``page`` comes before names in links."""

    def __init__(self, page: str, selection: Selection):
        self.prefix = f"{page}."
        self.selection = selection
        self.ranges: dict[str, Range1d] = {}
        self._settling = False
        self._last = 0.0  # when a view last changed [s]

    def follow(self, ranges: Mapping[str, Range1d]) -> None:
        """Keep the views of these axes too.

        Their ends are watched and not Bokeh's RangesUpdate, which comes a tenth of a second after the gesture.
        """
        self.ranges |= ranges
        for range_ in ranges.values():
            range_.on_change("start", self._changed)
            range_.on_change("end", self._changed)

    def windows(self) -> dict[str, Window]:
        """What is zoomed, by name."""
        zoom = self.selection.zoom.items()
        return {key.removeprefix(self.prefix): window for key, window in zoom if key.startswith(self.prefix)}

    def settle(self) -> None:
        """Keep the views now on the screen; one that shows nothing between its ends goes home."""
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

    def _changed(self, _attribute: str, _old: float, _new: float) -> None:
        self._last = time.monotonic()
        if not self._settling and pn.state.curdoc is not None:
            self._settling = True
            pn.state.curdoc.add_timeout_callback(self._settle_when_quiet, SETTLE_MS)

    def _settle_when_quiet(self) -> None:
        left_ms = SETTLE_MS - 1000 * (time.monotonic() - self._last)
        if left_ms > 1:
            pn.state.curdoc.add_timeout_callback(self._settle_when_quiet, int(left_ms))
        else:
            self._settling = False
            self.settle()

    def _keep(self, windows: dict[str, Window]) -> None:
        others = {key: window for key, window in self.selection.zoom.items() if not key.startswith(self.prefix)}
        self.selection.zoom = others | {self.prefix + name: window for name, window in windows.items()}


def axis_range(whole: Window, shown: Window | None = None) -> Range1d:
    """An axis with its home, at a window of it if one is given; zooms end where cells would be too fine."""
    low, high = whole
    start, end = shown or whole
    return Range1d(start, end, reset_start=low, reset_end=high, min_interval=DEEPEST * (high - low))


def home(range_: Range1d) -> Window:
    """The whole axis."""
    return float(range_.reset_start), float(range_.reset_end)
