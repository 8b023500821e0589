"""Published relations that the paper draws over its planes."""

from functools import cache

import pandas as pd

from app.settings import ASSETS
from engine.figures.arrays import BandArrays

GALLAZZI05_Y = ("log_age_wr", "log_Z_wr")


def published_curve(source: str, x: str, y: str) -> BandArrays | None:
    """Median and 16-84 percentiles of y against x as published, in the units of ``engine.columns``; None if unknown."""
    if (source, x) == ("Gallazzi+05", "log_M_star") and y in GALLAZZI05_Y:
        return gallazzi05(y)
    return None


@cache
def gallazzi05(y: str) -> BandArrays:
    """Global ``log_age_wr`` or ``log_Z_wr`` of SDSS galaxies against log_M_star (Gallazzi+05 table 2)."""
    rows = pd.read_csv(ASSETS / "reference" / "gallazzi05.ecsv", sep=" ", comment="#")
    names = ("log_M_star", f"{y}_p16", f"{y}_p50", f"{y}_p84")
    return BandArrays(*(rows[name].to_numpy() for name in names))
