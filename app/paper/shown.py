"""A figure as it is shown: what was selected, how it is looked at, and its arrays."""

from dataclasses import dataclass
from functools import cached_property

from app.reference import published_curve
from app.store import Survey
from engine.adopted import LOG_M_STAR_BINS
from engine.figures.arrays import View
from engine.figures.catalogue import Figure, figure
from engine.figures.compute import Arrays, Key, Tools, compute
from engine.figures.cut import Cut
from engine.figures.sample import Sample, select


@dataclass(frozen=True)
class Shown:
    """Everything a file of a figure tells. ``link`` restores the view in the browser; empty if there is none.

    ``hidden`` are entries of the legend that are not drawn; ``swapped``: what fills the insets fills the panels.
    """

    figure: Figure
    survey: Survey
    cut: Cut
    view: View
    edges: tuple[float, ...] = LOG_M_STAR_BINS
    link: str = ""
    hidden: frozenset[str] = frozenset()
    swapped: bool = False

    @cached_property
    def sample(self) -> Sample:
        """The selected regions."""
        return select(self.survey, self.cut, self.view.weighting)

    @cached_property
    def arrays(self) -> dict[Key, Arrays]:
        """The arrays of every mark."""
        return compute(self.figure, self.survey, self.cut, self.view, Tools(curves=published_curve))

    @property
    def stamp(self) -> str:
        """Words that mock data wear; empty for measured ones."""
        return self.survey.stamp

    @property
    def stem(self) -> str:
        """Name of its files, without an ending: ``figure-3``, ``figure-3-mock``."""
        return f"figure-{self.figure.key}{'-mock' if self.stamp else ''}"


def show(
    survey: Survey, key: str, cut: Cut | None = None, view: View | None = None,
    edges: tuple[float, ...] = LOG_M_STAR_BINS, link: str = "",
) -> Shown:  # fmt: skip
    """The figure of that key for a survey; nothing is computed before it is asked for."""
    return Shown(figure(key, edges), survey, cut or Cut(), view or View(), edges, link)
