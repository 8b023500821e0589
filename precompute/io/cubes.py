"""CALIFA cubes: COMB and V500 of DR3 (and files built alike), FITS or gzipped FITS.

What the headers of the release teach, and this reader minds: extensions are known by name; the unit stands in the
pipeline's own keyword; the CD matrix counts and CDELT, which is 1 there, does not; a pixel is bad where BADPIX says so,
where no fibre covers it, or where its error is a marker (1e10, also smeared to a little less on pixels that BADPIX
calls good: read in real COMB spectra). ERRWEIGHT is not used: the correlation factor of smoothing takes its place.
"""

import gzip
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from engine.cube.types import Cube, Moffat
from engine.errors import CubeError
from engine.types import BoolArray, FloatArray
from precompute.io.atomic import written_together
from precompute.io.fits_files import HDUs, keywords, number_of, read_hdus
from precompute.io.header_units import flux_density_scale
from precompute.io.sky_axes import read_sky_axes, refuse_oblong
from precompute.io.wave_axes import read_wave_axis

ERROR_MARKER = 1e4  # an error this many times the typical one marks a bad pixel: choice, far from both
SPAXEL_RANGE = (0.1, 5.0)  # arcsec
FWHM_RANGE, BETA_RANGE = (0.5, 8.0), (1.01, 20.0)  # arcsec; outside, a header says nothing about the point spread
A_V_RANGE = (0.0, 10.0)  # mag; outside, a header says nothing about Galactic extinction


class Known(NamedTuple):
    """A number of a header (NaN: not known), and a note if what stands there was not believed."""

    value: float
    notes: tuple[str, ...] = ()


def read_cube(path: Path, name: str | None = None) -> Cube:
    """A cube in the engine's units; its name is the header's OBJECT or the file's first word.

    Raises CubeError for a file that is absent, cut short, not FITS, without PRIMARY, ERROR or BADPIX, of a wrong shape
    or unknown unit, without wavelengths or sky coordinates, not corrected for Galactic dust, or without a good pixel.
    """
    path = Path(path)
    hdus = read_hdus(path, ("PRIMARY", "ERROR", "BADPIX"), ("FIBCOVER",))
    header = hdus["PRIMARY"][0]
    shape = hdus["PRIMARY"][1].shape
    if len(shape) != 3:
        raise CubeError(f"{path}: PRIMARY has {len(shape)} axes {shape}; a cube has 3 (wavelength, y, x)")
    _refuse_uncorrected(header, path)
    sky = read_sky_axes(header, path, SPAXEL_RANGE)
    refuse_oblong(sky.wcs, path)
    axis = read_wave_axis(header, 3, shape[0], path)
    flux, error, good = _planes(hdus, path)
    a_v = _galactic_extinction(header)
    object_name = str(header.get("OBJECT", "")).strip()
    return Cube(
        name=name or object_name or path.name.split(".")[0],
        wave=axis.wave,
        flux=flux,
        error=error,
        good=good,
        spaxel_arcsec=sky.pixel_arcsec,
        wcs=sky.wcs,
        psf=_psf(header),
        a_v=a_v.value,
        med_vel=number_of(header, "MED_VEL"),
        object_name=object_name,
        notes=axis.notes + a_v.notes,
    )


def read_row_stack(path: Path, unit: str | None = None) -> Cube:
    """Row-stacked spectra (spectrum, wavelength) as a cube of one row, without a place on the sky.

    unit: what the values are where the header does not say. Raises CubeError as read_cube does.
    """
    path = Path(path)
    hdus = read_hdus(path, ("PRIMARY", "ERROR", "BADPIX"), ())
    header, data = hdus["PRIMARY"]
    if data.ndim != 2:
        raise CubeError(f"{path}: PRIMARY has {data.ndim} axes {data.shape}; row-stacked spectra have 2")
    hdus = {hdu: (head, values.T[:, None, :]) for hdu, (head, values) in hdus.items()}
    flux, error, good = _planes(hdus, path, unit)
    axis = read_wave_axis(header, 1, len(flux), path)
    return Cube(path.name.split(".")[0], axis.wave, flux, error, good, 1.0, WCS(naxis=2), notes=axis.notes)


def write_cube(cube: Cube, path: Path, origin: str = "") -> None:
    """A cube as CALIFA writes them (float32, gzipped if the name ends in .gz); whole or not at all.

    origin: mock, if it is; it stands in the header.
    """
    error = np.where(cube.good, cube.error, np.float32(1e10))
    planes = {
        "ERROR": error,
        "ERRWEIGHT": np.ones_like(error),
        "BADPIX": (~cube.good).astype(np.uint8),
        "FIBCOVER": np.broadcast_to(cube.good.any(axis=0), cube.good.shape).astype(np.uint8),
    }
    # in the order of the file: astropy writes any other order element by element, a minute for a cube
    images = [fits.ImageHDU(np.ascontiguousarray(values), name=name) for name, values in planes.items()]
    hdus = fits.HDUList([fits.PrimaryHDU(np.ascontiguousarray(cube.flux, np.float32), _header(cube, origin)), *images])
    with written_together(Path(path)) as (fresh,), _opened(fresh, str(path).endswith(".gz")) as file:
        hdus.writeto(file)


def _header(cube: Cube, origin: str) -> fits.Header:
    """Cards of a cube in the words of CALIFA."""
    head = fits.Header({"OBJECT": cube.name, "HIERARCH PIPE VERS": "2.2", "HIERARCH PIPE UNITS": "1e-16 erg/s/cm^2/A"})
    if origin:
        head["ORIGIN"] = origin
    if np.isfinite(cube.med_vel):
        head["MED_VEL"] = cube.med_vel
    if np.isfinite(cube.a_v):
        head["HIERARCH V500 PIPE GALEXT COR"] = 1
        head["HIERARCH V500 PIPE GALEXT AV"] = cube.a_v
    head["HIERARCH DRFIELD PSF_FWHM"], head["HIERARCH DRFIELD PSF_BETA"] = cube.psf
    head.update(_sky_cards(cube))
    head["CTYPE3"] = "WAVELENGTH"
    head["CUNIT3"] = "Angstrom"
    head["CRVAL3"] = cube.wave[0]
    head["CRPIX3"] = 1.0
    head["CDELT3"] = cube.step
    head["CD3_3"] = cube.step
    return head


def _planes(hdus: HDUs, path: Path, unit: str | None = None) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Flux and error in the engine's unit, and good pixels; 0 where not good."""
    header, flux = hdus["PRIMARY"]
    for name, (_, data) in hdus.items():
        if data.shape != flux.shape and not (name == "FIBCOVER" and data.shape == flux.shape[1:]):
            raise CubeError(f"{path}: {name} has the shape {data.shape}, PRIMARY {flux.shape}")
    scale = flux_scale(header, path, unit)
    flux = flux.astype(np.float32) * np.float32(scale)
    error = hdus["ERROR"][1].astype(np.float32) * np.float32(_error_scale(hdus["ERROR"][0], scale, path))
    good = (hdus["BADPIX"][1] == 0) & np.isfinite(flux) & np.isfinite(error) & (error > 0)
    if "FIBCOVER" in hdus:
        good &= hdus["FIBCOVER"][1] > 0
    if not good.any():
        raise CubeError(f"{path} has no good pixel: {_why_none(hdus)}")
    good &= error < ERROR_MARKER * np.median(error[good])
    flux[~good] = 0.0
    error[~good] = 0.0
    return flux, error, good


def _why_none(hdus: HDUs) -> str:
    if not np.isfinite(hdus["PRIMARY"][1]).any():
        return "PRIMARY holds only NaN"
    if (hdus["BADPIX"][1] != 0).all():
        return "BADPIX calls every pixel bad"
    return "no pixel has a finite flux, a positive ERROR and a fibre"


def flux_scale(header: fits.Header, path: Path, unit: str | None = None) -> float:
    """What values are multiplied by to be in 1e-16 erg/s/cm2/Angstrom: by PIPE UNITS, then BUNIT, then ``unit``."""
    words = (*(header[key] for key in (*keywords(header, "PIPE UNITS"), "BUNIT") if key in header), unit)
    stated = next((str(word).strip() for word in words if word is not None and str(word).strip()), None)
    if stated is None:
        raise CubeError(f"{path} does not say its unit: neither PIPE UNITS nor BUNIT is in the header of PRIMARY")
    scale = flux_density_scale(stated)
    if scale is None:
        raise CubeError(f"{path} is in {stated!r}, which is not a flux per wavelength as in 1e-16 erg/s/cm^2/A")
    return scale


def _error_scale(header: fits.Header, scale: float, path: Path) -> float:
    """The scale of ERROR: its own unit's if it states one, else that of PRIMARY."""
    stated = str(header.get("BUNIT", "")).strip()
    if not stated:
        return scale
    own = flux_density_scale(stated)
    if own is None:
        raise CubeError(f"{path}: ERROR is in {stated!r}, which is not the unit of a flux per wavelength")
    return own


def _sky_cards(cube: Cube) -> dict:
    """Sky keywords as CALIFA writes them: the CD matrix is true, CDELT is 1."""
    wcs = cube.wcs.wcs
    scale = cube.wcs.pixel_scale_matrix
    cards = {f"CD{i + 1}_{j + 1}": scale[i, j] for i in (0, 1) for j in (0, 1)}
    for i in (0, 1):
        cards |= {f"CTYPE{i + 1}": wcs.ctype[i], f"CRVAL{i + 1}": wcs.crval[i], f"CRPIX{i + 1}": wcs.crpix[i],
                  f"CDELT{i + 1}": 1.0}  # fmt: skip
    return cards


def _psf(header: fits.Header) -> Moffat:
    """The Moffat profile of the header, or its default where the header is silent or absurd."""
    found = {"fwhm": _of_psf(header, "FWHM", FWHM_RANGE), "beta": _of_psf(header, "BETA", BETA_RANGE)}
    return Moffat()._replace(**{field: value for field, value in found.items() if value is not None})


def _of_psf(header: fits.Header, word: str, limits: tuple[float, float]) -> float | None:
    """The first sane number behind a keyword of the point spread: 'DRFIELD PSF_FWHM', then 'DRFIELD FWHM', 'FWHM'."""
    keys = [key for key in header if re.search(rf"(?:^|PSF[_ ]|DRFIELD ){word}$", key)]
    values = (number_of(header, key) for key in sorted(keys, key=lambda key: "PSF" not in key))
    return next((value for value in values if limits[0] <= value <= limits[1]), None)


def _galactic_extinction(header: fits.Header) -> Known:
    """A_V [mag] that was corrected; numbers that mean "not known" (-999, 99, NaN) are ignored."""
    value = number_of(header, "GALEXT AV")
    if A_V_RANGE[0] <= value <= A_V_RANGE[1]:
        return Known(value)
    keys = keywords(header, "GALEXT AV")
    if not keys:
        return Known(np.nan)
    return Known(np.nan, (f"{keys[0]} is {header[keys[0]]}, taken as not known: images keep the dust of our Galaxy",))


def _refuse_uncorrected(header: fits.Header, path: Path) -> None:
    keys = keywords(header, "GALEXT COR")
    if keys and not all(header[key] in (1, True, "T", "1") for key in keys):
        raise CubeError(f"{path}: {keys[0]} is {header[keys[0]]!r}: the cube is not corrected for Galactic extinction")


def _opened(path: Path, zipped: bool):
    return gzip.open(path, "wb", compresslevel=1) if zipped else open(path, "wb")
