"""Published curves that the paper draws over its planes."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from app.settings import ASSETS


class Curve(NamedTuple):
    """Median and 16-84 percentiles of y against x, (point,) each, in the units of ``engine.columns``."""

    x: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


@cache
def gallazzi05(y: str) -> Curve:
    """Global ``log_age_wr`` or ``log_Z_wr`` of SDSS galaxies against log_M_star (Gallazzi+05 table 2)."""
    rows = pd.read_csv(ASSETS / "reference" / "gallazzi05.ecsv", sep=" ", comment="#")
    names = ("log_M_star", f"{y}_p50", f"{y}_p16", f"{y}_p84")
    return Curve(*(rows[name].to_numpy() for name in names))
