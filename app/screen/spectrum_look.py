"""Colours of spectra: the same on the screen and on paper."""

from app import theme
from app.style import styles

OBSERVED = theme.GREY
STARS, GAS, BANDS, NAMES = (styles().spectrum[name] for name in ("stars", "gas", "bands", "band_names"))
BAND_ALPHA, ERROR_ALPHA = 0.14, 0.35
NAME_STEP = 0.095  # of the height of the spectrum, from one row of names to the next
