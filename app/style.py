"""The look of marks, read once."""

from functools import cache

from app.settings import ASSETS
from engine.figures.styles import Styles, ramp, read_styles

N_SHADES = 255


@cache
def styles() -> Styles:
    """What ``assets/style/marks.toml`` states."""
    return read_styles((ASSETS / "style" / "marks.toml").read_text(encoding="utf-8"))


def ink_shades(name: str = "density", n: int = N_SHADES) -> tuple[str, ...]:
    """A ramp in n steps, without its first colour: that is where nothing is."""
    return ramp(styles().ramps[name], n + 1)[1:]
