"""Cuts in words: read from a command, written into captions and code."""

import re
from collections.abc import Iterable

import numpy as np

from engine.columns import GALAXY, REGION, Column, column
from engine.errors import SettingsError
from engine.figures.cut import ALL, FITTED, SEQUENCES, SMOOTHINGS, UNSMOOTHED, Cut, Range
from engine.figures.table import RADIUS_RE
from engine.relations.green_valley import EQUATION_3, ValleyLine

NAMED = 3  # galaxies or types that a caption names one by one
WEIGHT_WORDS = {"area/V'max": "by projected area and 1/V′max", "area": "by projected area", "equal": "equally"}

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NAME = r"[A-Za-z_]\w*"
_BETWEEN = re.compile(rf"({_NUMBER})\s*<=?\s*({_NAME})\s*<=?\s*({_NUMBER})")
_BOUND = re.compile(rf"({_NAME})\s*(<=?|>=?)\s*({_NUMBER})")
_CHOICE = re.compile(rf"({_NAME})\s*==?\s*(.+)")


def parse_cut(conditions: Iterable[str]) -> Cut:
    """The cut that all conditions mean together.

    Conditions are ``log_M_star>10.5``, ``10.3<log_M_star<10.8``, ``sequence=old ridge``, ``smoothing=unsmoothed``,
    ``galaxies=12,15``, ``types=S b,S c``, ``valley=fitted`` or ``valley=0.1,9.4`` (slope, intercept); ``&`` joins
    several in one. Ranges hold their lower end and not their upper one. Raises SettingsError for any other words.
    """
    cut = Cut()
    for words in conditions:
        for condition in filter(None, (part.strip() for part in words.split("&"))):
            cut = _narrowed(cut, condition)
    return cut


def _narrowed(cut: Cut, condition: str) -> Cut:
    if found := _BETWEEN.fullmatch(condition):
        return cut & _range(found[2], float(found[1]), float(found[3]))
    if found := _BOUND.fullmatch(condition):
        end = float(found[3])
        return cut & (_range(found[1], end, None) if found[2].startswith(">") else _range(found[1], None, end))
    if found := _CHOICE.fullmatch(condition):
        return _chosen(cut, found[1], found[2].strip())
    raise SettingsError(
        f"{condition!r} is no condition on regions; write for example log_M_star>10.5 or sequence=old ridge"
    )


def _range(name: str, low: float | None, high: float | None) -> Cut:
    if name != RADIUS_RE and (name not in REGION | GALAXY or column(name).dtype == "str"):
        raise SettingsError(
            f"no column of numbers is called {name!r}; the names are those of engine.columns, or radius_re"
        )
    return Cut(ranges={name: Range(low, high)})


def _chosen(cut: Cut, name: str, words: str) -> Cut:
    if name in ("sequence", "smoothing"):
        return cut & _of_kind(name, words)
    if name == "types":
        return cut & Cut(types=tuple(word.strip() for word in words.split(",")))
    try:
        if name == "galaxies":
            return cut & Cut(galaxies=tuple(int(word) for word in words.split(",")))
        if name == "valley":
            valley = FITTED if words == FITTED else ValleyLine(*(float(word) for word in words.split(",")))
            return Cut(cut.ranges, cut.sequence, cut.smoothing, cut.galaxies, cut.types, valley)
    except (ValueError, TypeError):
        raise SettingsError(f"{name} cannot be {words!r}") from None
    raise SettingsError(f"{name!r} cannot be set; sequence, smoothing, galaxies, types and valley can")


def _of_kind(name: str, words: str) -> Cut:
    """Regions of one sequence, or smoothed in one way."""
    known = SEQUENCES if name == "sequence" else SMOOTHINGS
    if words not in known:
        raise SettingsError(f"{name} is one of {', '.join(known)}, not {words!r}")
    return Cut(sequence=words) if name == "sequence" else Cut(smoothing=words)


def cut_words(cut: Cut) -> str:
    """What a cut keeps, in the words of a caption; empty if it keeps all."""
    parts = [_range_words(name, limits) for name, limits in cut.ranges.items()]
    if cut.sequence != ALL:
        parts.append(cut.sequence)
    if cut.smoothing == UNSMOOTHED:
        parts.append("unsmoothed spaxels only")
    if cut.galaxies is not None:
        parts.append(_listed("galaxies", cut.galaxies))
    if cut.types is not None:
        parts.append(_listed("types", cut.types))
    return "; ".join(parts)


def _range_words(name: str, limits: Range) -> str:
    label = "radius in half-light radii" if name == RADIUS_RE else column(name).label
    if limits.low is None:
        return f"{label} below {limits.high:g}"
    return f"{label} from {limits.low:g}" if limits.high is None else f"{label} {limits.low:g} to {limits.high:g}"


def _listed(kind: str, members: tuple[object, ...]) -> str:
    if len(members) > NAMED:
        return f"{len(members)} {kind}"
    return f"{kind} {', '.join(map(str, members))}" if members else f"no {kind}"


def line_words(line: ValleyLine, valley: ValleyLine | str) -> str:
    """The green valley in force as a sentence, and where it is from."""
    if not np.isfinite(line.slope):
        return "No green valley: the ages of this sample have no two peaks."
    source = {EQUATION_3: "ZG22 eq. 3", FITTED: "fitted to the full sample"}.get(valley, "set by hand")
    sign = "+" if line.intercept >= 0 else "−"
    return f"Green valley: log Age_wr = {line.slope:.3g} log μ∗ {sign} {abs(line.intercept):.2f} ({source})."


def cut_code(cut: Cut) -> str:
    """A cut as the arguments of ``app.notebook.figure``; empty if it keeps all."""
    words = [f"{name}=({limits.low!r}, {limits.high!r})" for name, limits in cut.ranges.items()]
    words += [
        f"{name}={value!r}"
        for name, value, default in (
            ("sequence", cut.sequence, ALL),
            ("smoothing", cut.smoothing, ALL),
            ("galaxies", cut.galaxies, None),
            ("types", cut.types, None),
            ("valley", cut.valley if isinstance(cut.valley, str) else tuple(cut.valley), tuple(EQUATION_3)),
        )
        if value != default
    ]
    return ", ".join(words)


def cut_conditions(cut: Cut) -> list[str]:
    """A cut as the conditions that ``parse_cut`` reads."""
    conditions = _range_conditions(cut)
    conditions += [f"sequence={cut.sequence}"] if cut.sequence != ALL else []
    conditions += [f"smoothing={cut.smoothing}"] if cut.smoothing != ALL else []
    for name, members in (("galaxies", cut.galaxies), ("types", cut.types)):
        conditions += [f"{name}={','.join(map(str, members))}"] if members is not None else []
    if cut.valley != EQUATION_3:
        words = cut.valley if cut.valley == FITTED else ",".join(repr(float(part)) for part in cut.valley)
        conditions.append(f"valley={words}")
    return conditions


def _range_conditions(cut: Cut) -> list[str]:
    conditions = []
    for name, (low, high) in cut.ranges.items():
        conditions += [f"{name}>={low!r}"] if low is not None else []
        conditions += [f"{name}<{high!r}"] if high is not None else []
    return conditions


def quantity(name: str) -> Column:
    """The column of that name, also ``radius_re``, which no file holds."""
    return _RADIUS if name == RADIUS_RE else column(name)


_RADIUS = Column(
    RADIUS_RE, "f4", "", "R / R_e", r"$R\,/\,R_e$", "", "",
    "Distance from the centre along the half-light ellipse, in half-light radii.", "pos.distance;arith.ratio",
)  # fmt: skip
