"""Hypothesis strategies: tables of a few rows with everything that goes wrong in real ones."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from engine.figures.cut import FITTED, SEQUENCES, SMOOTHINGS, Cut, Range
from engine.relations.green_valley import EQUATION_3, ValleyLine

settings.register_profile("glocal", deadline=None)  # the first example may have to compile a kernel
settings.load_profile("glocal")


def columns(n: int, low: float = -2.0, high: float = 2.0, dtype=np.float64, nan: bool = True):
    """A column of n values in a range, NaN now and then."""
    width = np.dtype(dtype).itemsize * 8
    values = st.floats(low, high, width=width)
    return npst.arrays(dtype, n, elements=st.one_of(values, st.just(np.nan)) if nan else values)


def weights(n: int):
    """Weights of n rows: small whole numbers, so that sums are exact in any order; 0 and NaN now and then."""
    return npst.arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 7.0, np.nan]))


@st.composite
def tables(draw, n_columns: int, max_rows: int = 40, dtype=np.float64):
    """Columns, weights and a mask (or None) of one random length."""
    n = draw(st.integers(0, max_rows))
    mask = draw(st.one_of(st.none(), npst.arrays(bool, n)))
    return [draw(columns(n, dtype=dtype)) for _ in range(n_columns)], draw(weights(n)), mask


def rising_edges(low: float = -2.5, high: float = 2.5, max_bins: int = 6):
    """Bin edges, seldom evenly spaced."""
    numbers = st.lists(st.floats(low, high, width=32), min_size=2, max_size=max_bins + 1, unique=True)
    return numbers.map(sorted).map(np.array)


def cuts():
    """Any cut of regions: ranges open or closed, sequences, galaxies and types by name, any green valley."""
    numbers = st.floats(-1e3, 1e3).map(lambda value: value + 0.0)  # no -0.0
    ends = st.tuples(st.none() | numbers, st.none() | numbers).map(lambda pair: Range(*pair))
    names = st.sampled_from(("log_M_star", "log_mu_star", "log_age_wr_err", "radius_re"))
    return st.builds(
        Cut,
        ranges=st.dictionaries(names, ends),
        sequence=st.sampled_from(SEQUENCES),
        smoothing=st.sampled_from(SMOOTHINGS),
        galaxies=st.none() | st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5).map(tuple),
        types=st.none() | st.lists(st.sampled_from(("S b", "E", "I")), min_size=1, max_size=3).map(tuple),
        valley=st.sampled_from((EQUATION_3, FITTED)) | st.builds(ValleyLine, numbers, numbers),
    )
