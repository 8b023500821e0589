"""SDSS images: calibrated frames and cut-outs in nanomaggies (DR8 and later), and DR7 corrected frames in counts.

A DR7 frame (fpC) still holds its soft bias and its sky; its calibration stands in the tsField file next to it, and a
preliminary one in its own FLUX20. Magnitudes are those of SDSS: what separates them from AB is the engine's to apply.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.stats import sigma_clip, sigma_clipped_stats

from engine.columns import BANDS
from engine.cube.images import SDSS_PSF_FWHM
from engine.cube.types import ZERO_POINT, Image
from engine.errors import CubeError
from engine.types import FloatArray
from precompute.io.fits_files import number_of, read_hdus
from precompute.io.header_units import nanomaggy_scale
from precompute.io.sky_axes import read_sky_axes

DR7_EXPOSURE = 53.907456  # s, science: SDSS classic
SOFT_BIAS = 1000.0  # counts, where the header does not say
PIXEL_RANGE = (0.1, 3.0)  # arcsec
COUNTS = re.compile(r"(dn|adu|counts?)\s*((/|per)\s*pix(el)?)?", re.I)
SEEING_KEYS, SEEING_RANGE = ("PSF_FWHM", "SEEING"), (0.3, 8.0)  # arcsec; outside, a header says nothing about it
FILTER_NAME = re.compile(r"(?:sdss[\s_.-]*)?([ugriz])(?:[\s_.'-].*)?", re.I)  # r, SDSS r, sdss-r, r.MP9601
AA_RANGE = (-30.0, -15.0)  # mag; zero points of SDSS are near -24


class Calibration(NamedTuple):
    """Photometric calibration of a DR7 frame: magnitude = -2.5 log10(counts / exposure) - (aa + kk * airmass)."""

    aa: float
    kk: float
    airmass: float
    exposure: float = DR7_EXPOSURE

    @property
    def nanomaggies_per_count(self) -> float:
        """Flux of one count."""
        return 10.0 ** (0.4 * (ZERO_POINT + self.aa + self.kk * self.airmass)) / self.exposure


def read_sdss_image(
    path: Path,
    band: str | None = None,
    calibration: Calibration | None = None,
    psf_fwhm: float = np.nan,
    counted_arcsec: float | None = None,
) -> Image:
    """One SDSS image in nanomaggies per pixel with its noise.

    band: if not given, the header's FILTER; if given, it wins (headers are copied), and stated_band tells.
    calibration: of a DR7 frame; without it the frame's FLUX20 is taken.
    psf_fwhm [arcsec]: if not given, the header's PSF_FWHM or SEEING. counted_arcsec: side of the pixels whose flux the
    values are, if others than the image's own, as in one that was resampled by interpolation. The noise is that of the
    sky, from the image, unless an HDU ERROR or IVAR gives it. Raises CubeError for a file that is none of this.
    """
    path = Path(path)
    hdus = read_hdus(path, ("PRIMARY",), ("ERROR", "IVAR"))
    header, data = hdus["PRIMARY"]
    if data.ndim != 2:
        raise CubeError(f"{path}: PRIMARY has {data.ndim} axes {data.shape}; an image has 2")
    if not np.isfinite(data).any():
        raise CubeError(f"{path}: PRIMARY holds only NaN")
    flux, said = _nanomaggies(header, data.astype(float), calibration, path)
    wcs, pixel = read_sky_axes(header, path, PIXEL_RANGE)
    resampled = 1.0 if counted_arcsec is None else (pixel / counted_arcsec) ** 2
    stated_band = _stated_band(header)
    band = _band(header, band or stated_band, path)
    seeing, notes = (psf_fwhm, ()) if np.isfinite(psf_fwhm) else _seeing(header, band, path)
    error = _error(hdus, flux, path)
    return Image(band, resampled * flux, resampled * error, wcs, pixel, seeing, said, stated_band, notes)


def read_ts_field(path: Path, band: str) -> Calibration:
    """Calibration of one band from the tsField file of a DR7 field: the columns aa, kk and airmass of its table."""
    path = Path(path)
    try:
        with fits.open(path, memmap=False) as hdus:
            row = hdus[1].data[0]
            values = [float(np.ravel(row[name])[BANDS.index(band)]) for name in ("aa", "kk", "airmass")]
    except (OSError, IndexError, KeyError, TypeError, EOFError) as error:
        raise CubeError(f"{path} is not a tsField file with aa, kk and airmass in five bands: {error}") from None
    if not (np.isfinite(values).all() and AA_RANGE[0] < values[0] < AA_RANGE[1]):
        raise CubeError(f"{path}: aa, kk and airmass of {band} are {values}, no calibration")
    return Calibration(*values)


def sky_noise(data: FloatArray) -> float:
    """One-sigma noise of the sky of an image: how far values fall below the sky's mode once bright sources are clipped.

    The mode is 2.5 median - 1.5 mean. The faint side alone counts, since light of a galaxy that is too faint to be
    clipped spoils the bright side only. An image that a galaxy fills has no sky and gives too much.
    """
    sky = sigma_clip(data[np.isfinite(data)], sigma=3.0, maxiters=20, masked=False)
    mode = 2.5 * np.median(sky) - 1.5 * sky.mean()
    below = sky[sky <= mode]
    return float(np.sqrt(np.mean((below - mode) ** 2))) if below.size else float(sky.std())


def _nanomaggies(
    header: fits.Header, data: FloatArray, calibration: Calibration | None, path: Path
) -> tuple[FloatArray, str]:
    """The image in nanomaggies, and where its zero point comes from."""
    unit = str(header.get("BUNIT", "")).strip()
    scale = nanomaggy_scale(unit) if unit else None
    if scale is not None:
        return data * scale, "nanomaggies"
    if unit and not COUNTS.fullmatch(unit):
        raise CubeError(f"{path}: BUNIT is {unit!r}, neither nanomaggies nor counts")
    flux20 = number_of(header, "FLUX20")
    if calibration is None and not flux20 > 0:
        raise CubeError(f"{path} is in counts, without FLUX20 in its header or the tsField file of its field")
    factor = calibration.nanomaggies_per_count if calibration else 10.0 ** (0.4 * (ZERO_POINT - 20.0)) / flux20
    bias = number_of(header, "SOFTBIAS")
    counts = data - (bias if np.isfinite(bias) else SOFT_BIAS)
    _, sky, _ = sigma_clipped_stats(counts[np.isfinite(counts)], sigma=3.0, maxiters=20)
    return (counts - sky) * factor, "tsField" if calibration else "FLUX20, preliminary"


def _stated_band(header: fits.Header) -> str:
    """The band that FILTER names, however it is written; empty if none of ours."""
    named = FILTER_NAME.fullmatch(str(header.get("FILTER", "")).strip())
    return named[1].lower() if named else ""


def _band(header: fits.Header, band: str, path: Path) -> str:
    if band not in BANDS:
        said = band or str(header.get("FILTER", "")).strip()
        raise CubeError(f"{path}: the band is {said!r}, not one of {', '.join(BANDS)}; name it, or put it into FILTER")
    return band


def _seeing(header: fits.Header, band: str, path: Path) -> tuple[float, tuple[str, ...]]:
    """Width of the point spread [arcsec] by PSF_FWHM or SEEING; numbers that mean "not known" are ignored."""
    stated = {key: number_of(header, key) for key in SEEING_KEYS if key in header}
    for value in stated.values():
        if SEEING_RANGE[0] <= value <= SEEING_RANGE[1]:
            return value, ()
    if not stated:
        return np.nan, ()
    said = ", ".join(f"{key} is {header[key]}" for key in stated)
    return np.nan, (f"{path.name}: {said}, taken as not known: {SDSS_PSF_FWHM[band]} arcsec assumed",)


def _error(hdus: dict, flux: FloatArray, path: Path) -> FloatArray:
    """One-sigma noise of the pixels: of an HDU ERROR or IVAR [nanomaggies], else the sky's everywhere."""
    for name in ("ERROR", "IVAR"):
        if name not in hdus:
            continue
        given = hdus[name][1].astype(float)
        if given.shape != flux.shape:
            raise CubeError(f"{path}: {name} has the shape {given.shape}, PRIMARY {flux.shape}")
        with np.errstate(divide="ignore", invalid="ignore"):
            return given if name == "ERROR" else np.where(given > 0, given**-0.5, np.nan)
    return np.full(flux.shape, sky_noise(flux))
