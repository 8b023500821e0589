"""What journals ask of figures: their width, type that can be read, words that do not collide."""

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

WIDTHS_PT = {"one": 240, "two": 504}
HIGHEST_IN = 9.3  # MNRAS: 247 mm for figure and caption


def assert_fits_the_journal(page: Figure, columns: str, sizes: set[float]) -> None:
    """A page of one or two columns: type of these sizes [pt], all words on the page and none over another."""
    width, height = page.get_size_inches()
    assert width * 72 == pytest.approx(WIDTHS_PT[columns])
    assert height < HIGHEST_IN
    words = seen_words(page)
    assert {text.get_size() for text in words} == sizes
    frame = page.bbox.padded(1.0)
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.0)) for text in words]
    assert not [word for word, box in boxes if not _within(box, frame)]
    pairs = [(one, two) for i, (one, a) in enumerate(boxes) for two, b in boxes[i + 1 :] if a.overlaps(b)]
    assert not pairs


def _within(box, frame) -> bool:
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def seen_words(page) -> list[Text]:
    """Every text of a page that is drawn; matplotlib keeps numbers of ticks beyond the ends of an axis, too."""
    page.draw_without_rendering()
    beyond = set()
    for axes in page.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            outside = [tick for tick in ticks if not low - 1e-9 <= tick.get_loc() <= high + 1e-9]
            beyond |= {label for tick in outside for label in (tick.label1, tick.label2)}
    texts = [text for text in page.findobj(Text) if text.get_text().strip() and text.get_visible()]
    return [text for text in texts if text not in beyond]
