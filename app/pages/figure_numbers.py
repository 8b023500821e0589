"""The numbers of a figure as one line of text that follows the selection, and the keys of its lines."""

import numpy as np

from app import theme
from engine.figures.catalogue import Figure
from engine.figures.marks import Density, Limits
from engine.figures.numbers import Number, compare
from engine.figures.sample import Sample, is_standing
from engine.figures.styles import style_names

SEED, DRAWS = 7, 30  # of the bootstrap over galaxies; an error is then known to 13 %
GROUPS: dict[str, tuple[str, ...]] = {  # of engine.figures.numbers, by key of the figure
    "1": ("errors",), "2": ("mass and mean density",), "3": ("balance",), "4": ("balance",), "5": ("balance",),
    "6": ("balance",), "7": (), "A1": ("levels",), "B1": ("balance",),
}  # fmt: skip
WORDS = {  # of keys of engine.figures.numbers, shorter than there; the others are not told here
    "mu_e_mass_slope": "slope of log ⟨μ<sub>∗</sub>⟩<sub>e</sub> against log M<sub>∗</sub>",
    "mu_e_mass_scatter": "scatter",
    "share_old": "weight on the old ridge",
    "threshold_mass": "old and young balance at log M<sub>∗</sub>",
    "level_1": "unsmoothed",
    "log_age_wr_err_at_2": "median error of log Age at log μ<sub>∗</sub> = 2:",
    "log_Z_wr_err_at_1": "of log Z at 1:",
    "log_Z_wr_err_at_4": "of log Z at 4:",
}
SHARES = ("share_old", "level_1")


def numbers_words(figure: Figure, sample: Sample) -> str:
    """Counts, then what the figure states, with errors from a bootstrap over galaxies and the paper's values."""
    regions, galaxies = theme.thousands(sample.n_regions), theme.thousands(sample.n_galaxies)
    counted = f"{regions} regions of {galaxies} galaxies"
    told = [words for number in _numbers(figure, sample) if (words := _words(number))]
    return " · ".join([counted, *told])


def _numbers(figure: Figure, sample: Sample) -> list[Number]:
    groups = GROUPS[figure.key]
    if not groups or sample.n_galaxies < 2:
        return []

    def make() -> list[Number]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return compare(sample, np.random.default_rng(SEED), DRAWS, groups)

    if sample.is_full and not is_standing(sample.cut.valley):  # a line drawn by hand is not to be kept with the table
        return make()
    return sample.once(("numbers", groups, sample.line), make)


def _words(number: Number) -> str:
    if number.key not in WORDS or not np.isfinite(number.here):
        return ""
    factor, unit, digits = (100, " %", 0) if number.key in SHARES else (1, "", 2)
    here = f"{factor * number.here:.{digits}f}"
    error = f" ± {max(factor * number.error, 10**-digits):.{digits}f}" if np.isfinite(number.error) else ""
    paper = f" (ZG22 {factor * number.paper:.{digits}f}{unit})" if np.isfinite(number.paper) else ""
    return f"{WORDS[number.key]} {here}{error}{unit}{paper}".replace("-", "−")


def key_words(figure: Figure) -> str:
    """The scale of the shades, and lines that neither the rail's legend nor a panel names."""
    marks = [mark for panel in figure.panels for mark in panel.marks]
    words = []
    if any(isinstance(mark, Limits) for mark in marks):
        styles = style_names(Limits())
        words += [f"<span>{theme.swatch(style)}{theme.STYLES.of(style).label}</span>" for style in styles]
    if any(isinstance(mark, Density) for mark in marks):
        words.append('<span>density over its peak: 0.001<i class="ramp"></i>1</span>')
    return "".join(words)
