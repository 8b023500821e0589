"""The settings a table keeps, as small tables that people can read: plain words, units, numbers as they are printed."""

import json
import tomllib
from functools import cache
from html import escape

from app import theme
from app.looks import asset

FEW = 10_000  # from here on whole numbers are written in groups of three digits
MANY, SMALL = 1e7, 1e-3  # beyond these, numbers are written as powers of ten
GENERAL = "settings"  # the part of settings.toml for groups, and for whatever is in none


def settings_words(settings: dict) -> str:
    """All settings as HTML: single values in one table, every group folded into a table of its own."""
    return _table(settings, GENERAL)


def cell(value: object, group: str = GENERAL) -> str:
    """A value as HTML: a few words, or a folded table where it is one."""
    value = _opened(value)
    if isinstance(value, dict) and value:
        return _folded(f"{len(value)} settings", _table(value, group))
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return _folded(f"{len(value)} rows", _rows(value))
    return plain(value)


def plain(value: object) -> str:
    """A single value, or several of them in a row, as HTML."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{label(key)} {plain(part)}" for key, part in value.items())
    return "–" if value in (None, "") else escape(str(value))


def label(name: str, group: str = GENERAL) -> str:
    """The words of a setting with its unit, as HTML; its own name where it has none."""
    words = _all_words()
    return escape(words.get(group, {}).get(name) or words[GENERAL].get(name) or str(name).replace("_", " "))


@cache
def _all_words() -> dict[str, dict[str, str]]:
    """By group and name: what assets/text/settings.toml says."""
    return tomllib.loads(asset("text/settings.toml"))


def _opened(value: object) -> object:
    """What a string of JSON holds; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _table(settings: dict, group: str) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{label(name, group)}</th><td>{cell(value, str(name))}</td></tr>"
        for name, value in settings.items()
    )
    return f"<table>{rows}</table>"


def _rows(rows: list[dict]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th scope='col'>{label(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{plain(row.get(name))}</td>" for name in names) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _folded(summary: str, table: str) -> str:
    return f"<details class='inner'><summary>{summary}</summary>{table}</details>"


def _number(value: float) -> str:
    """A number as it is printed: 0.36249, 500 000, 2 × 10<sup>10</sup>."""
    if float(value).is_integer() and abs(value) < MANY:
        return _minus(theme.thousands(int(value)) if abs(value) >= FEW else f"{value:.0f}")
    if value and not SMALL <= abs(value) < MANY:
        mantissa, exponent = f"{value:.2e}".split("e")
        factor = "" if mantissa == "1.00" else f"{mantissa.rstrip('0').rstrip('.')} × "
        return _minus(f"{factor}10<sup>{int(exponent)}</sup>")
    return _minus(f"{value:.6g}")


def _minus(number: str) -> str:
    return number.replace("-", "−")
