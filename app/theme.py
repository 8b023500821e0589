"""How things look: colours with a second cue, the ink ramp of densities, words and numbers of figures."""

import re

from matplotlib import colormaps
from matplotlib.colors import to_hex

from app.style import ink_shades, styles
from engine.columns import Column, column
from engine.figures.styles import ramp

FONT = "Inter, 'Glocal Symbols', 'DejaVu Sans', sans-serif"
STYLES = styles()
INK, GREY, RULE = (STYLES.ground[name] for name in ("ink", "grey", "rule"))
PAPER, NO_DATA, MOCK = (STYLES.ground[name] for name in ("paper", "no_data", "mock"))
CONTOUR = STYLES.of("contours").colour
HALO = {"line_color": STYLES.ground["halo"], "line_alpha": 0.9}
SOLID = "solid"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"


def ink_palette(n: int = 255) -> list[str]:
    """The ink ramp from almost white to ink in n steps."""
    return list(ink_shades(n=n))


def thousands(n: int) -> str:
    """601282 as 601 282, with a thin space that does not break."""
    return f"{n:,}".replace(",", THIN_SPACE)


def html_label(name: str) -> str:
    """The words of a column for headings and rails, with real subscripts."""
    return _html(column(name).tex)


def word(name: str) -> str:
    """The words of a column without tags or unit."""
    return column(name).label


def html_axis(name: str) -> str:
    """The words of a column with its unit in brackets, as the journals print them."""
    which: Column = column(name)
    return _html(which.tex_axis)


_SYMBOLS = {
    r"\log": "log ", r"\ast": "∗", r"\mu": "μ", r"\langle": "⟨", r"\rangle": "⟩", r"\odot": "⊙", r"\sigma": "σ",
    r"\chi": "χ", "'": "′", r"\beta": "β", r"\delta": "δ", r"\gamma": "γ", r"\prime": "′", r"\AA": "Å", r"\,": " ",
    "-": "−",
}  # fmt: skip


def _html(tex: str) -> str:
    """Mathtext of engine.columns as HTML; outside dollars text stays as it is."""
    parts = tex.split("$")
    return re.sub(r"\s+", " ", "".join(_math(part) if i % 2 else part for i, part in enumerate(parts)))


def _math(tex: str) -> str:
    tex = tex.replace(r"\mathrm", "").replace(r"\ast ", r"\ast")
    for kind, tag in (("_", "sub"), (r"\^", "sup")):
        tex = re.sub(rf"{kind}(\{{([^}}]*)\}}|\\[a-zA-Z]+|.)", rf"<{tag}>\1</{tag}>", tex)
    for word, symbol in _SYMBOLS.items():
        tex = tex.replace(word, symbol)
    return tex.replace("{", "").replace("}", "")


def line(style: str, *, percentile: bool = False) -> dict:
    """How a line of a style looks, in the words of Bokeh; its percentiles are thinner and dashed."""
    look = STYLES.of(style)
    look = STYLES.percentile(look) if percentile else look
    return {"line_color": look.colour, "line_width": look.width, "line_dash": list(look.dash) or SOLID}


def legend_entry(style: str) -> str:
    """The entry of the rail's legend that shows or hides a style."""
    return "median" if style.startswith("bin ") else style


def palette(name: str, n: int = 256) -> list[str]:
    """Colours of a quantity from low to high; ``scatter`` those of the scatter of medians."""
    if name in STYLES.ramps:
        return list(ramp(STYLES.ramps[name], n))
    colours = colormaps[STYLES.maps.get(name, "viridis")].resampled(n)
    return [to_hex(colours(i)) for i in range(n)]


def plain(html: str) -> str:
    """Words without tags."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


def swatch(style: str) -> str:
    """A short piece of a line as an inline drawing, for keys beside figures."""
    look = line(style)
    dash = look["line_dash"]
    dashes = "" if dash == SOLID else f' stroke-dasharray="{" ".join(map(str, dash))}"'
    stroke = f'stroke="{look["line_color"]}" stroke-width="{look["line_width"]}"'
    marker = f'<circle cx="13" cy="4" r="2.5" fill="white" {stroke}/>' if STYLES.of(style).marker else ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="swatch" width="26" height="8" aria-hidden="true">'
        f'<path d="M0 4H26" {stroke}{dashes}/>{marker}</svg>'
    )
