"""Filter curves as the engine wants them."""

import numpy as np

from engine.columns import BANDS
from engine.spectrum.photometry import Filter

SYSTEM = "sdss2010"  # Doi et al. (2010), airmass 1.3


def read_sdss_filters() -> tuple[Filter, ...]:
    """ugriz of SDSS as speclite ships them; speclite gives no frame and the curves are smooth: taken as air."""
    from speclite.filters import load_filter

    return tuple(_filter(load_filter(f"{SYSTEM}-{band}"), band) for band in BANDS)


def _filter(curve, band: str) -> Filter:
    return Filter(band, np.asarray(curve.wavelength, dtype=float), np.asarray(curve.response, dtype=float))
