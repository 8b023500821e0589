"""What fills the planes of a figure, as FITS images whose axes are quantities."""

from io import BytesIO

import numpy as np
from astropy.io import fits

from app.paper.numbers import facts
from app.paper.shown import Shown
from app.paper.tables import ascii_words, facts_header, standard_unit
from engine.figures.arrays import DensityArrays, Limits4, MapArrays
from engine.figures.catalogue import Panel
from engine.figures.marks import ColumnDensity, Mark, MedianMap
from engine.figures.words import quantity


def image_file(shown: Shown) -> bytes:
    """All densities and medians of a figure, one extension each, as the bytes of a FITS file."""
    images = [
        _image(panel, mark, arrays)
        for panel in shown.figure.panels
        for i, mark in enumerate(panel.marks)
        if isinstance(arrays := shown.arrays[panel.name, i], DensityArrays | MapArrays)
    ]
    file = BytesIO()
    fits.HDUList([fits.PrimaryHDU(header=facts_header(facts(shown))), *images]).writeto(file)
    return file.getvalue()


def has_images(shown: Shown) -> bool:
    """Whether anything of a figure fills a plane."""
    return any(isinstance(arrays, DensityArrays | MapArrays) for arrays in shown.arrays.values())


def _image(panel: Panel, mark: Mark, arrays: DensityArrays | MapArrays) -> fits.ImageHDU:
    header = axis_keywords(panel, arrays.limits, arrays.value.shape)
    header["EXTNAME"] = f"{panel.name} {_what(mark)}".upper()
    header["OBJECT"] = _what(mark)
    header["BUNIT"] = _unit(mark)
    header["PANEL"] = panel.name
    if panel.title:
        header["PART"] = ascii_words(panel.title)
    return fits.ImageHDU(np.asarray(arrays.value, np.float32), header)


def axis_keywords(panel: Panel, limits: Limits4, shape: tuple[int, int]) -> fits.Header:
    """World coordinates of a plane: the reference is the lower left corner of its first pixel."""
    header = fits.Header()
    x0, x1, y0, y1 = limits
    n_y, n_x = shape
    for axis, (name, low, high, n) in enumerate(((panel.x, x0, x1, n_x), (panel.y, y0, y1, n_y)), start=1):
        which = quantity(name)
        header[f"CTYPE{axis}"] = (name, ascii_words(which.label))
        header[f"CRPIX{axis}"] = 0.5
        header[f"CRVAL{axis}"] = low
        header[f"CDELT{axis}"] = (high - low) / n
        header[f"CUNIT{axis}"] = standard_unit(which.unit)
    return header


def _what(mark: Mark) -> str:
    if isinstance(mark, MedianMap):
        return f"{mark.shows} {mark.z}"
    return "share per column" if isinstance(mark, ColumnDensity) else "density over peak"


def _unit(mark: Mark) -> str:
    if not isinstance(mark, MedianMap):
        return ""
    return standard_unit(quantity(mark.z).unit) if mark.shows == "median" else "dex"
