"""Widths, type and colours of figures on paper."""

import logging

import matplotlib.style
from matplotlib.colors import ListedColormap

from app.settings import ASSETS
from app.style import ink_shades, styles
from engine.figures.styles import Style

# For the whole process and once: matplotlib's settings are global, and exports run in threads
matplotlib.style.use(ASSETS / "style" / "paper.mplstyle")
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # fonts of TeX that our figures do without

PT = 1 / 72  # in
WIDTHS = {"one": 240 * PT, "two": 504 * PT}  # MNRAS: 84 mm and 178 mm
FONT = 8  # pt
DPI = 300
PT_PER_PX = 0.5  # a plane is 270 px wide on the screen and 1.8 in on paper
MARKER_PT = 2.6
NARROW_MARKER_PT = 1.5


def grey_map(name: str = "density") -> ListedColormap:
    """Colours of shades 0 (nothing: paper) to 255 (the peak)."""
    return ListedColormap([styles().ground["paper"], *ink_shades(name)])


def line_look(style: Style, marker_pt: float = MARKER_PT) -> dict:
    """A style in the words of matplotlib; widths and dashes of the screen become points."""
    width = style.width * PT_PER_PX
    dash = (0, tuple(length * PT_PER_PX / width for length in style.dash)) if style.dash else "solid"
    look = {"color": style.colour, "lw": width, "ls": dash, "solid_capstyle": "round", "dash_capstyle": "butt"}
    if style.marker:
        look |= {"marker": style.marker, "ms": marker_pt, "mfc": styles().ground["paper"], "mew": 0.27 * marker_pt}
    return look
