"""How things look: colours with a second cue, the ink ramp of densities, words and numbers of figures."""

import re

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from engine.columns import Column, column

FONT = "Inter, 'Glocal Symbols', 'DejaVu Sans', sans-serif"
INK, GREY, RULE, PAPER, NO_DATA = "#131a26", "#6c7a90", "#dfe3ea", "#ffffff", "#eef0f4"
INK_RAMP = ("#ffffff", "#aab4c4", "#6c7a90", "#131a26")
CONTOUR = "#8d98aa"
# Okabe & Ito: told apart by colour-blind readers; the dash is the second cue, also for grey print
OLD_RIDGE = {"line_color": "#D55E00", "line_width": 2.5, "line_dash": "solid"}
YOUNG_SEQUENCE = {"line_color": "#0072B2", "line_width": 2.5, "line_dash": [8, 4]}
GREEN_VALLEY = {"line_color": "#009E73", "line_width": 2.2, "line_dash": [7, 3, 2, 3]}
MEDIAN = {"line_color": "#000000", "line_width": 1.8, "line_dash": "solid"}
PERCENTILE = {"line_color": "#000000", "line_width": 1.3, "line_dash": [5, 4]}
PUBLISHED = {"line_color": "#E69F00", "line_width": 1.8, "line_dash": "solid"}
HALO = {"line_color": "#ffffff", "line_alpha": 0.9}
MOCK = "#B34700"
MAP_COLOURS = {"log_mu_star": "cividis", "log_age_wr": "viridis", "log_Z_wr": "magma"}
PANEL_COLOURS = MAP_COLOURS | {"log_mu_e": "cividis", "log_M_star": "cividis"}
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"


def ink_palette(n: int = 255) -> list[str]:
    """The ink ramp from almost white to ink in n steps."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in INK_RAMP])
    along = np.linspace(0.0, len(stops) - 1.0, n + 1)[1:]
    rgb = np.array([np.interp(along, range(len(stops)), stops[:, i]) for i in range(3)]).round().astype(int)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rgb.T]


def thousands(n: int) -> str:
    """601282 as 601 282, with a thin space that does not break."""
    return f"{n:,}".replace(",", THIN_SPACE)


def html_label(name: str) -> str:
    """The words of a column for headings and rails, with real subscripts."""
    return _html(column(name).tex)


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


BIN_COLOURS = ("#3b528b", "#21918c", "#c8b400", "#b5367a")  # from low to high mass: they darken in grey print too
_DASHED = [6, 4]
LINES: dict[str, dict] = {
    "old ridge": OLD_RIDGE, "young sequence": YOUNG_SEQUENCE, "green valley": GREEN_VALLEY, "median": MEDIAN,
    "Gallazzi+05": PUBLISHED, "fit": MEDIAN,
    "complete, old ridge": {"line_color": "#D55E00", "line_width": 1.4, "line_dash": [7, 3, 2, 3]},
    "complete, young sequence": {"line_color": "#0072B2", "line_width": 1.4, "line_dash": [6, 4]},
} | {
    f"bin {i}{sequence}": {"line_color": colour, "line_width": 2.0, "line_dash": dash}
    for i, colour in enumerate(BIN_COLOURS, start=1)
    for sequence, dash in (("", "solid"), (", old ridge", "solid"), (", young sequence", _DASHED))
}  # fmt: skip


def line(style: str, *, percentile: bool = False) -> dict:
    """How a line of a style looks, in the words of Bokeh; its percentiles are thinner and dashed."""
    look = LINES[style]
    return look | {"line_width": 0.7 * look["line_width"], "line_dash": [5, 4]} if percentile else look


def legend_entry(style: str) -> str:
    """The entry of the rail's legend that shows or hides a style."""
    return "median" if style.startswith("bin ") else style


def palette(name: str, n: int = 256) -> list[str]:
    """Colours of a quantity from low to high; ``greys`` from almost white to ink."""
    if name == "greys":
        return ink_palette(n)
    colours = colormaps[PANEL_COLOURS.get(name, "viridis")].resampled(n)
    return [to_hex(colours(i)) for i in range(n)]


def plain(html: str) -> str:
    """Words without tags."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


def swatch(style: str) -> str:
    """A short piece of a line as an inline drawing, for keys beside figures."""
    look = line(style)
    dash = look["line_dash"]
    dashes = "" if dash == "solid" else f' stroke-dasharray="{" ".join(map(str, dash))}"'
    stroke = f'stroke="{look["line_color"]}" stroke-width="{look["line_width"]}"{dashes}'
    return f'<svg class="swatch" width="26" height="8" aria-hidden="true"><path d="M0 4H26" {stroke}/></svg>'
