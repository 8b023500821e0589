"""What a page shows, as values: for the files made of it."""

from collections.abc import Sequence
from typing import NamedTuple

from app.screen.map_data import Picture, SkyMarks
from engine.figures.arrays import BandArrays
from engine.figures.catalogue import Panel

FADE = 0.5  # strength of the density behind the regions of one galaxy


class MapsView(NamedTuple):
    """Everything on the map row of the galaxy page: the maps shown, the sky window and what is drawn over it."""

    pictures: list[Picture]
    window: tuple[float, float, float, float]
    marks: SkyMarks
    ellipse: tuple | None
    ring: tuple[float, float] | None


class PlaneView(NamedTuple):
    """One panel as a visitor sees it: arrays by place of the mark, and the overlays that are shown.

    points: x and y of one galaxy's regions over it; ring: the one that was picked.
    """

    panel: Panel
    arrays: dict[int, object]
    window: tuple[float, float, float, float]
    hidden: frozenset[str] = frozenset()
    swapped: bool = False
    points: tuple | None = None
    ring: tuple[float, float] | None = None


class ProfileView(NamedTuple):
    """One quantity of a galaxy against radius [half-light radii]: regions and their median, or why there is none."""

    tex_axis: str
    radius: Sequence[float]
    values: Sequence[float]
    band: BandArrays
    window: tuple[float, float, float, float]
    reason: str
