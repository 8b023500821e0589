"""How the values of a selection are checked, and how they are written in a link.

A ``Form`` reads a word of a link (ValueError if it cannot be one), writes it, and refuses values of another kind.
Whatever it writes it reads back: links are never refused by the page that made them.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import param

from engine.figures.cut import Range

OPEN = 99.0  # beyond it, an end of a range in a link of Glocal 0.1 was open


class Form(NamedTuple):
    """Reader and writer of one kind of value, and the parameter that holds it."""

    read: Callable[[str], object]
    write: Callable[[object], str]
    parameter: Callable[[object], param.Parameter]


def one_of(choices: Sequence[str]) -> Form:
    """A word out of some."""

    def read(word: str) -> str:
        return _among(word, choices)

    return Form(read, str, lambda default: param.Selector(default=default, objects=list(choices)))


def some_of(choices: Sequence[str]) -> Form:
    """Any of some words, in their order."""

    def read(word: str) -> list[str]:
        asked = [_among(part, choices) for part in word.split(",") if part]
        return [choice for choice in choices if choice in asked]

    return Form(read, ",".join, lambda default: param.ListSelector(default=list(default), objects=list(choices)))


def words_of(length: int) -> Form:
    """A list of so many words of any kind."""

    def read(word: str) -> list[str]:
        words = word.split(",")
        if len(words) != length:
            raise ValueError(word)
        return words

    return Form(read, ",".join, lambda default: param.List(default=list(default), bounds=(length, length)))


def number(low: float, high: float) -> Form:
    """A number between two."""

    def read(word: str) -> float:
        return _between(_finite(word), low, high)

    return Form(read, _digits, lambda default: param.Number(default=default, bounds=(low, high)))


def whole_number(low: int, high: int, *, or_none: bool = False) -> Form:
    """An integer between two; nothing where ``or_none``."""

    def read(word: str) -> int | None:
        return None if or_none and not word else int(_between(int(word), low, high))

    def write(value: int | None) -> str:
        return "" if value is None else str(value)

    return Form(read, write, lambda default: param.Integer(default=default, bounds=(low, high), allow_None=or_none))


def rising_numbers(length: int) -> Form:
    """So many numbers, each above the one before."""

    def read(word: str) -> tuple[float, ...]:
        numbers = tuple(_finite(part) for part in word.split(","))
        if len(numbers) != length or any(b <= a for a, b in pairwise(numbers)):
            raise ValueError(word)
        return numbers

    def write(numbers: tuple[float, ...]) -> str:
        return ",".join(map(_digits, numbers))

    return Form(read, write, lambda default: param.NumericTuple(default=tuple(default), length=length))


def _read_range(word: str) -> Range | None:
    if word == "all":
        return None
    low, high = (_end(end) for end in word.split(".."))
    if low is not None and high is not None and low > high:  # equal ends hold nothing, but a slider can be put there
        raise ValueError(word)
    return None if low is None and high is None else Range(low, high)


def _end(word: str) -> float | None:
    value = _finite(word) if word else None
    return None if value is None or abs(value) >= OPEN else value


def _write_range(limits: tuple[float | None, float | None] | None) -> str:
    return "all" if limits is None else "..".join("" if end is None else _digits(end) for end in limits)


def _read_window(word: str) -> tuple[float, float]:
    low, high = (_finite(end) for end in word.split(".."))
    if not low < high:
        raise ValueError(word)
    return low, high


def _read_windows(word: str) -> dict[str, tuple[float, float]]:
    pairs = (part.split(":") for part in word.split(";") if part)
    return {name: _read_window(limits) for name, limits in pairs}


def _write_windows(windows: dict[str, tuple[float, float]]) -> str:
    parts = ((name, "..".join(map(repr, map(float, limits)))) for name, limits in sorted(windows.items()))
    return ";".join(f"{name}:{limits}" for name, limits in parts)


def _read_flag(word: str) -> bool:
    return _among(word, ("yes", "no")) == "yes"


def _read_place(word: str) -> tuple[int, int] | None:
    if not word:
        return None
    x, y = (int(part) for part in word.split(","))
    return x, y


def _read_some(kind: Callable[[str], object]) -> Callable[[str], tuple[object, ...] | None]:
    """Members in the order given, each once; "all" keeps all."""

    def read(word: str) -> tuple[object, ...] | None:
        return None if word == "all" else tuple(dict.fromkeys(kind(part) for part in word.split(",") if part))

    return read


def _write_some(members: tuple[object, ...] | None) -> str:
    return "all" if members is None else ",".join(map(str, members))


def _tuple(default: object) -> param.Parameter:
    return param.ClassSelector(default=default, class_=tuple, allow_None=True)


RANGE = Form(_read_range, _write_range, _tuple)
WINDOWS = Form(_read_windows, _write_windows, lambda default: param.Dict(default=dict(default)))
FLAG = Form(_read_flag, lambda flag: "yes" if flag else "no", lambda default: param.Boolean(default=default))
TEXT = Form(str, str, lambda default: param.String(default=default))
PLACE = Form(_read_place, lambda place: "" if place is None else f"{place[0]},{place[1]}",
             lambda default: param.NumericTuple(default=default, length=2, allow_None=True))  # fmt: skip
NUMBERS = Form(_read_some(int), _write_some, _tuple)
NAMES = Form(_read_some(str), _write_some, _tuple)


def _among(word: str, choices: Sequence[str]) -> str:
    if word not in choices:
        raise ValueError(word)
    return word


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(word)
    return value


def _between(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(value)
    return value


def _digits(value: float) -> str:
    """The shortest words that are read back as the same number."""
    return f"{value:.10g}" if float(f"{value:.10g}") == value else repr(float(value))
