"""Style sheets of widgets, which live in shadow roots and see no other."""

from functools import cache

from app.settings import ASSETS


@cache
def asset(name: str) -> str:
    """The words of a file of the assets."""
    return (ASSETS / name).read_text(encoding="utf-8")


def widget_style() -> str:
    """The style sheet of widgets."""
    return asset("style/widgets.css")
