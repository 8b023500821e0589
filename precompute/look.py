"""The look of plots: colours of ``assets/style/marks.toml`` and type of ``paper.mplstyle``, as in every figure."""

from functools import cache

import matplotlib.style

from engine.figures.styles import Styles, read_styles
from precompute.layout import style_folder

# For the whole process and once: matplotlib's settings are global
matplotlib.style.use(style_folder() / "paper.mplstyle")


@cache
def styles() -> Styles:
    """What marks.toml states."""
    return read_styles((style_folder() / "marks.toml").read_text(encoding="utf-8"))


def colour(name: str) -> str:
    """Colour of the style of that name, as "old ridge"."""
    return styles().of(name).colour
