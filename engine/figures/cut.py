"""What is selected, as a value: half-open ranges, sequence, smoothing, galaxies.

A ``Cut`` says which regions count. It holds no data, compares and hashes by value, and narrows another cut with ``&``:

>>> massive = Cut(ranges={"log_M_star": Range(low=10.3)})
>>> (massive & Cut(sequence="old ridge")).sequence
'old ridge'
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from engine.relations.green_valley import EQUATION_3, ValleyLine

_Member = TypeVar("_Member", int, str)

ALL = "all"
OLD_RIDGE = "old ridge"
YOUNG_SEQUENCE = "young sequence"
SEQUENCES = (ALL, OLD_RIDGE, YOUNG_SEQUENCE)
UNSMOOTHED = "unsmoothed"
SMOOTHINGS = (ALL, UNSMOOTHED)
FITTED = "fitted"


class Range(NamedTuple):
    """Values from ``low``, included, to ``high``, excluded; None leaves an end open. In the unit of the column."""

    low: float | None = None
    high: float | None = None

    def __and__(self, other: "Range") -> "Range":
        """What lies in both."""
        lows = [end for end in (self.low, other.low) if end is not None]
        highs = [end for end in (self.high, other.high) if end is not None]
        return Range(max(lows, default=None), min(highs, default=None))


@dataclass(frozen=True)
class Cut:
    """Which regions count. The default keeps all.

    ``ranges`` are by column of ``engine.columns`` (regions or galaxies) or ``radius_re``, the distance from the
    centre in half-light radii; a region without a value lies in no range. ``galaxies`` and ``types`` name what is
    kept (galaxy_id, hubble_type); None keeps all. ``valley`` is the line that splits the sequences, or FITTED for
    the one that the full sample shows.
    """

    ranges: Mapping[str, Range] = field(default_factory=dict)
    sequence: str = ALL
    smoothing: str = ALL
    galaxies: tuple[int, ...] | None = None
    types: tuple[str, ...] | None = None
    valley: ValleyLine | str = EQUATION_3

    def __post_init__(self) -> None:
        ranges = {name: Range(*limits) for name, limits in sorted(self.ranges.items())}
        closed = {name: limits for name, limits in ranges.items() if limits != Range()}
        object.__setattr__(self, "ranges", MappingProxyType(closed))

    def __hash__(self) -> int:
        """By value, so that what a cut selects can be kept under it."""
        return hash((tuple(self.ranges.items()), self.sequence, self.smoothing, self.galaxies, self.types, self.valley))

    def __and__(self, part: "Cut") -> "Cut":
        """The regions of this cut that also lie in ``part``; the valley stays that of this cut."""
        ranges = dict(self.ranges)
        for name, limits in part.ranges.items():
            ranges[name] = ranges.get(name, Range()) & limits
        return Cut(
            ranges=ranges,
            sequence=_narrower(self.sequence, part.sequence),
            smoothing=part.smoothing if self.smoothing == ALL else self.smoothing,
            galaxies=_both(self.galaxies, part.galaxies),
            types=_both(self.types, part.types),
            valley=self.valley,
        )

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is cut."""
        return self == Cut(valley=self.valley)


NONE = "none"  # the sequence of regions that would have to lie in both


def _narrower(one: str, other: str) -> str:
    """The sequence that lies in both; NONE where two different ones are asked for."""
    if one in (ALL, other):
        return other
    return one if other == ALL else NONE


def _both(one: tuple[_Member, ...] | None, other: tuple[_Member, ...] | None) -> tuple[_Member, ...] | None:
    """Members of both, in the order of the first; None keeps all."""
    if one is None or other is None:
        return other if one is None else one
    return tuple(member for member in one if member in other)
