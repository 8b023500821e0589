"""The words that go with a printed figure: what it shows, of which regions, and how to make it again."""

import re
import shlex
from importlib.metadata import PackageNotFoundError, version

from app import theme
from app.paper.shown import Shown
from engine.adopted import LOG_M_STAR_BINS
from engine.columns import MEASURED
from engine.figures.marks import MedianMap, Running, Valley
from engine.figures.words import WEIGHT_WORDS, cut_code, cut_conditions, cut_words, line_words

ZG22 = "Zibetti & Gallazzi 2022, MNRAS (doi:10.1093/mnras/stac370)"
SOURCES = {"Gallazzi+05": "Gallazzi, Charlot, Brinchmann, White & Tremonti 2005, MNRAS 362, 41, table 2"}

_SUPERSCRIPTS = str.maketrans("0123456789.-−", "⁰¹²³⁴⁵⁶⁷⁸⁹·⁻⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def title(shown: Shown) -> str:
    """The question the figure asks."""
    return plain(shown.figure.title)


def caption(shown: Shown) -> str:
    """One paragraph: what to look for, which regions, how weighted, and the green valley in force."""
    return " ".join([plain(shown.figure.caption), *_facts(shown)])


def caption_file(shown: Shown) -> str:
    """The caption with everything a reader needs to check the figure, as plain text."""
    meta = shown.survey.meta
    paragraphs = [
        title(shown),
        caption(shown),
        f"Data: {_origin(shown)}; survey {meta.get('survey_id', 'without a number')}, written by "
        f"{meta.get('software', 'an unknown program')}. Figure: glocal {glocal_version()}.",
        f"After {shown.figure.paper} of {ZG22}.{_sources(shown)}",
        f"To make it again: {command(shown)}\nIn Python:\n\n{snippet(shown)}",
    ]
    if shown.link:
        paragraphs.append(f"In the browser: {shown.link}")
    return "\n\n".join(paragraphs) + "\n"


def latex_caption(shown: Shown) -> str:
    """The caption for a LaTeX manuscript."""
    words = " ".join([tex(shown.figure.caption), *(tex(fact) for fact in _facts(shown))])
    return f"\\caption{{{words}}}\n\\label{{fig:{shown.stem}}}\n"


def command(shown: Shown) -> str:
    """The command that makes the figure again, for a shell."""
    words = ["glocal", "figures", str(shown.survey.folder.name), "--fig", shown.figure.key]
    for condition in cut_conditions(shown.cut):
        words += ["--cut", condition]
    if shown.view.weighting != "area/V'max":
        words += ["--weight", shown.view.weighting]
    if shown.view.min_count != type(shown.view)().min_count:
        words += ["--min-count", str(shown.view.min_count)]
    if shown.edges != LOG_M_STAR_BINS:
        words += ["--edges", ",".join(f"{edge:g}" for edge in shown.edges)]
    return shlex.join(words)


def snippet(shown: Shown) -> str:
    """Lines of Python that make the figure again in a notebook."""
    arguments = [repr(shown.figure.key), repr(str(shown.survey.folder.name))]
    arguments += [cut_code(shown.cut)] if cut_code(shown.cut) else []
    if shown.view.weighting != "area/V'max":
        arguments.append(f"weighting={shown.view.weighting!r}")
    if shown.view.min_count != type(shown.view)().min_count:
        arguments.append(f"min_count={shown.view.min_count}")
    if shown.edges != LOG_M_STAR_BINS:
        arguments.append(f"edges={shown.edges!r}")
    lines = [
        "import holoviews as hv",
        "from app.notebook import figure",
        "",
        'hv.extension("bokeh")  # or "matplotlib"',
        f"figure({', '.join(arguments)})",
    ]
    return "\n".join(lines) + "\n"


def glocal_version() -> str:
    """Version of this program."""
    try:
        return version("glocal")
    except PackageNotFoundError:
        return "(not installed)"


def plain(html: str) -> str:
    """Words with tags as Unicode: 10<sup>9.8</sup> becomes 10⁹·⁸."""
    html = re.sub(r"<sup>(.*?)</sup>", lambda found: found[1].translate(_SUPERSCRIPTS), html)
    html = re.sub(r"<sub>(.*?)</sub>", lambda found: found[1].translate(_SUBSCRIPTS), html)
    return re.sub(r"<[^>]+>", "", html)


_TEX = {
    "log μ∗": r"$\log\,\mu_\ast$", "log M∗": r"$\log\,M_\ast$", "log ⟨μ∗⟩e": r"$\log\,\langle\mu_\ast\rangle_e$",
    "log Age_wr": r"$\log\,\mathrm{Age}_{wr}$", "log Z∗wr": r"$\log\,Z_{\ast wr}$", "1/V′max": r"$1/V'_\mathrm{max}$",
    "–": "--", "&": r"\&", "%": r"\%", "_": r"\_", theme.THIN_SPACE: r"\,", "−": "$-$", "μ∗": r"$\mu_\ast$",
}  # fmt: skip


def tex(html: str) -> str:
    """Words with tags as LaTeX: 10<sup>9.8</sup> becomes $10^{9.8}$."""
    html = re.sub(r"(\w+)<sup>(.*?)</sup>", r"\\TEX{\1}{\2}", html)
    html = re.sub(r"<[^>]+>", "", html)
    pattern = re.compile("|".join(re.escape(words) for words in sorted(_TEX, key=len, reverse=True)))
    html = pattern.sub(lambda found: _TEX[found[0]], html)
    return re.sub(r"\\TEX\{(\w+)\}\{([^}]*)\}", r"$\1^{\2}$", html)


def _facts(shown: Shown) -> list[str]:
    sample = shown.sample
    n = theme.thousands(sample.n_regions)
    galaxies = theme.thousands(sample.n_galaxies)
    facts = [f"{n} regions of {galaxies} galaxies, weighted {WEIGHT_WORDS[sample.weighting]}."]
    if kept := cut_words(shown.cut):
        facts.append(f"Selected: {kept}.")
    if _uses_valley(shown):
        facts.append(line_words(sample.line, shown.cut.valley))
    if any(isinstance(mark, MedianMap) for panel in shown.figure.panels for mark in panel.marks):
        facts.append(f"Cells with fewer than {shown.view.min_count} regions are left empty.")
    elif any(isinstance(mark, Running) for panel in shown.figure.panels for mark in panel.marks):
        facts.append(f"Medians are drawn where a bin holds at least {shown.view.min_count} regions.")
    if shown.stamp:
        facts.insert(0, f"{shown.stamp}: invented galaxies, not measurements.")
    return facts


def _uses_valley(shown: Shown) -> bool:
    """Whether the line that splits the sequences shows in the figure or acts in it."""
    marks = [mark for panel in shown.figure.panels for mark in panel.marks]
    parts = [shown.cut, *(panel.part for panel in shown.figure.panels), *(mark.part for mark in marks)]
    return any(isinstance(mark, Valley) for mark in marks) or any(part.sequence != "all" for part in parts)


def _origin(shown: Shown) -> str:
    return shown.stamp or f"{MEASURED} ({shown.survey.folder.name})"


def _sources(shown: Shown) -> str:
    named = {getattr(mark, "source", "") for panel in shown.figure.panels for mark in panel.marks}
    return "".join(f" {name}: {SOURCES[name]}." for name in sorted(named) if name in SOURCES)
