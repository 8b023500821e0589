"""What one visitor chose: one small value that every page reads and that a link can carry."""

import math
from collections.abc import Callable

import numpy as np
import param

from app.store import WEIGHTINGS, Survey
from engine.adopted import GREEN_VALLEY_INTERCEPT, GREEN_VALLEY_SLOPE
from engine.relations.green_valley import EQUATION_3, Line, is_old_ridge

PAGES = ("relations", "galaxy")
SEQUENCES = ("all", "old ridge", "young sequence")
VALLEYS = ("paper", "fitted", "hand")
SMOOTHINGS = ("all", "unsmoothed")
MAPS = ("log_mu_star", "log_age_wr", "log_Z_wr", "smoothing_level")
MAP_RANGES = ("survey", "galaxy")
DETAILS = ("spectrum", "sample")
OVERLAYS = ("old ridge", "young sequence", "green valley", "median", "Gallazzi+05", "contours", "insets")
ZOOMABLE = ("log_mu_star", "log_mu_e", "log_M_star", "log_age_wr", "log_Z_wr")
Range = tuple[float, float]


class Selection(param.Parameterized):
    """One per visitor. A range of None cuts nothing; ranges hold their lower end, not their upper one."""

    page = param.Selector(default="relations", objects=list(PAGES))
    log_M_star = param.Range(default=None, allow_None=True, doc="Galaxy mass kept [log10 Msun].")
    log_mu_e = param.Range(default=None, allow_None=True, doc="Mean density kept [log10 Msun/pc2].")
    sequence = param.Selector(default="all", objects=list(SEQUENCES))
    valley = param.Selector(default="paper", objects=list(VALLEYS))
    valley_slope = param.Number(default=GREEN_VALLEY_SLOPE, bounds=(-2.0, 2.0), doc="By hand, dex per dex.")
    valley_intercept = param.Number(default=GREEN_VALLEY_INTERCEPT, bounds=(0.0, 20.0), doc="By hand, log yr.")
    smoothing = param.Selector(default="all", objects=list(SMOOTHINGS))
    weighting = param.Selector(default="area/V'max", objects=list(WEIGHTINGS))
    normalised = param.Boolean(default=False, doc="Planes show each column normalised, insets the density.")
    show = param.ListSelector(default=list(OVERLAYS), objects=list(OVERLAYS))
    plane = param.String(default="", doc="Name of the one plane shown large; empty for all.")
    zoom = param.Dict(default={}, doc="Limits of zoomed axes by column name.")
    galaxy_id = param.Integer(default=None, allow_None=True)
    spaxel = param.NumericTuple(default=None, length=2, allow_None=True, doc="Column and row in the map.")

    maps = param.List(default=list(MAPS), bounds=(len(MAPS), len(MAPS)), doc="Quantities of the four maps.")
    map_range = param.Selector(default="survey", objects=list(MAP_RANGES), doc="Colours span the survey or the galaxy.")

    detail = param.Selector(default="spectrum", objects=list(DETAILS), doc="What stands below the maps.")

    def line(self, survey: Survey) -> Line:
        """The green valley in force: eq. 3, fitted to the survey, or by hand."""
        if self.valley == "hand":
            return Line(self.valley_slope, self.valley_intercept)
        return survey.fitted_valley(self.weighting) if self.valley == "fitted" else EQUATION_3

    def galaxy_mask(self, survey: Survey) -> np.ndarray:
        """Galaxies within the ranges of mass and mean density, (galaxy,) bool."""
        mask = np.ones(len(survey.galaxies), bool)
        for name in ("log_M_star", "log_mu_e"):
            if (limits := getattr(self, name)) is not None:
                values = survey.galaxies[name].to_numpy()
                mask &= (values >= limits[0]) & (values < limits[1])
        return mask

    def region_mask(self, survey: Survey) -> np.ndarray | None:
        """Regions selected, (row,) bool; None when nothing is cut."""
        parts = []
        if self.log_M_star is not None or self.log_mu_e is not None:
            parts.append(self.galaxy_mask(survey)[survey.galaxy_index])
        if self.sequence != "all":
            old = is_old_ridge(survey["log_mu_star"], survey["log_age_wr"], self.line(survey))
            known = np.isfinite(survey["log_mu_star"]) & np.isfinite(survey["log_age_wr"])
            parts.append(old if self.sequence == "old ridge" else known & ~old)
        if self.smoothing == "unsmoothed" and survey.has("smoothing_level"):
            parts.append(survey["smoothing_level"] == 1)
        return np.logical_and.reduce(parts) if parts else None

    def to_query(self) -> dict[str, str]:
        """Every value, also defaults, as the words of a link: links outlive defaults."""
        return {name: write(getattr(self, name)) for name, (_, write) in _WORDS.items()}

    @classmethod
    def from_query(cls, query: dict[str, str]) -> tuple["Selection", list[str]]:
        """The selection a link means, and a sentence for every word that was dropped."""
        chosen, dropped = cls(), []
        for name, word in query.items():
            try:
                read = _WORDS[name][0]
                setattr(chosen, name, read(word))
            except KeyError:
                dropped.append(f"The link holds “{name[:40]}”, which is not known here.")
            except (ValueError, TypeError):
                dropped.append(f"The link asks for {name} = “{word[:40]}”, which is not possible here.")
        return chosen, dropped


def _read_range(word: str) -> Range | None:
    if word == "all":
        return None
    low, high = (float(end) for end in word.split(".."))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(word)
    return low, high


def _write_range(limits: Range | None) -> str:
    return "all" if limits is None else f"{limits[0]:.10g}..{limits[1]:.10g}"


def _read_zoom(word: str) -> dict[str, Range]:
    pairs = (part.split(":") for part in word.split(";") if part)
    zoom = {name: _read_range(limits) for name, limits in pairs}
    if not set(zoom) <= set(ZOOMABLE) or None in zoom.values():
        raise ValueError(word)
    return zoom


def _write_zoom(zoom: dict[str, Range]) -> str:
    return ";".join(f"{name}:{_write_range(limits)}" for name, limits in sorted(zoom.items()))


def _read_list(word: str) -> list[str]:
    return [part for part in word.split(",") if part]


def _read_flag(word: str) -> bool:
    if word not in ("yes", "no"):
        raise ValueError(word)
    return word == "yes"


def _read_spaxel(word: str) -> tuple[int, int] | None:
    if not word:
        return None
    x, y = (int(part) for part in word.split(","))
    return x, y


def _number(value: float) -> str:
    return f"{value:.10g}"


_text = (str, str)
_WORDS: dict[str, tuple[Callable, Callable]] = {
    "page": _text,
    "log_M_star": (_read_range, _write_range),
    "log_mu_e": (_read_range, _write_range),
    "sequence": _text,
    "valley": _text,
    "valley_slope": (float, _number),
    "valley_intercept": (float, _number),
    "smoothing": _text,
    "weighting": _text,
    "normalised": (_read_flag, lambda flag: "yes" if flag else "no"),
    "show": (_read_list, ",".join),
    "plane": _text,
    "zoom": (_read_zoom, _write_zoom),
    "galaxy_id": (lambda word: int(word) if word else None, lambda i: "" if i is None else str(i)),
    "maps": (_read_list, ",".join),
    "map_range": _text,
    "detail": _text,
    "spaxel": (_read_spaxel, lambda place: "" if place is None else f"{place[0]},{place[1]}"),
}
