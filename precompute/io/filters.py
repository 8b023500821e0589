"""Filter curves as the engine wants them."""

import numpy as np

from engine.columns import BANDS
from engine.spectrum.photometry import Filter

SYSTEM = "sdss2010"  # Doi et al. (2010), airmass 1.3
GAP_ANGSTROM = 100.0  # longer steps are gaps in the table: u has none between 4160 and its red leak at 7620


def read_sdss_filters() -> tuple[Filter, ...]:
    """ugriz of SDSS as speclite ships them; speclite gives no frame and the curves are smooth: taken as air.

    Where a curve is not tabulated it is 0. A straight line across the gap in u would add up to 12 mmag.
    """
    from speclite.filters import load_filter

    return tuple(_filter(load_filter(f"{SYSTEM}-{band}"), band) for band in BANDS)


def _filter(curve, band: str) -> Filter:
    wave = np.asarray(curve.wavelength, dtype=float)
    response = np.asarray(curve.response, dtype=float)
    gaps = np.flatnonzero(np.diff(wave) > GAP_ANGSTROM)
    step = np.median(np.diff(wave))
    around = np.concatenate([wave[gaps] + step, wave[gaps + 1] - step])
    order = np.argsort(np.concatenate([wave, around]))
    return Filter(band, np.concatenate([wave, around])[order], np.concatenate([response, np.zeros(around.size)])[order])
