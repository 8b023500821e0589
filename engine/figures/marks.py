"""What can be drawn in a panel: frozen values that hold no data and know no screen.

Every mark says which regions it is made of: the selected ones (``SELECTED``) or those of the full survey
(``FULL``, the frame of reference), narrowed by ``part``. ``style`` names its look and its entry in the legend
(``assets/style/marks.toml``). ``inset`` puts it into a corner of the panel, on the same axes.
"""

from dataclasses import dataclass

from engine.figures.cut import Cut

SELECTED = "selected"
FULL = "full"
MEDIAN = "median"
SCATTER = "scatter"
EVERYTHING = Cut()


@dataclass(frozen=True)
class Mark:
    """What all marks share."""

    of: str = SELECTED
    part: Cut = EVERYTHING
    style: str = ""
    label: str = ""  # its words in the key of the panel; empty: those of the style
    inset: bool = False


@dataclass(frozen=True)
class Density(Mark):
    """Weighted density per square dex over the peak of the full sample: one logarithmic ramp of grey."""

    style: str = "density"


@dataclass(frozen=True)
class ColumnDensity(Mark):
    """The distribution of y at each x: every column normalised by itself (insets of ZG22 Fig. 3)."""

    style: str = "per column"
    inset: bool = True


@dataclass(frozen=True)
class Contours(Mark):
    """Logarithmically spaced isodensity lines, of the full sample unless said otherwise."""

    of: str = FULL
    style: str = "contours"


@dataclass(frozen=True)
class Running(Mark):
    """Weighted median of y in bins of x, with the 16th and 84th percentiles unless ``median_only``."""

    style: str = "median"
    median_only: bool = False


@dataclass(frozen=True)
class Peaks(Mark):
    """Most frequent ages of the old ridge and of the young sequence in bins of x (ZG22 sec. 4.1).

    Its two lines have the styles "old ridge" and "young sequence".
    """

    style: str = "peaks"


@dataclass(frozen=True)
class Valley(Mark):
    """The green-valley line in force: eq. 3, fitted, or the visitor's own."""

    of: str = FULL
    style: str = "green valley"


@dataclass(frozen=True)
class Published(Mark):
    """Median and 16th and 84th percentiles of a published relation, found by ``source``, x and y."""

    of: str = FULL
    source: str = "Gallazzi+05"
    style: str = "Gallazzi+05"


@dataclass(frozen=True)
class MedianMap(Mark):
    """Median of a third quantity in cells of the plane, or half of its 16-84 range there (``shows=SCATTER``)."""

    z: str = "log_age_wr"
    shows: str = MEDIAN
    style: str = "median map"


@dataclass(frozen=True)
class Points(Mark):
    """One point per galaxy that has selected regions."""

    style: str = "galaxies"


@dataclass(frozen=True)
class Fit(Mark):
    """Robust straight line through the galaxies, with one standard deviation on either side (ZG22 Fig. 2)."""

    style: str = "fit"


@dataclass(frozen=True)
class Limits(Mark):
    """The mu* down to which old-ridge and young regions are complete (ZG22 sec. 2.2), along the axis of mu*.

    Its two lines have the styles "complete, old ridge" and "complete, young sequence".
    """

    of: str = FULL
    style: str = "completeness"


MARKS = (Density, ColumnDensity, Contours, Running, Peaks, Valley, Published, MedianMap, Points, Fit, Limits)
