"""FITS files read whole into memory, plain or compressed, with one clear sentence for each way they can be broken."""

import gzip
import warnings
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from engine.errors import CubeError

MAX_HDUS = 100
HDUs = dict[str, tuple[fits.Header, np.ndarray]]


def read_hdus(path: Path, needed: tuple[str, ...], wanted: tuple[str, ...] = ()) -> HDUs:
    """Header and data of the named HDUs of a FITS file, all read into memory; CubeError if one needed is not there."""
    if not path.is_file():
        raise CubeError(f"{path} is not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)
            warnings.filterwarnings("error", message=".*truncated.*")
            names, found = _read(path, (*needed, *wanted))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CubeError(f"{path} is cut short or damaged where it is compressed: {error}") from None
    except AstropyUserWarning as error:
        raise CubeError(f"{path} is cut short: {error}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, fits.VerifyError) as error:  # damaged headers
        raise CubeError(f"{path} is not a FITS file that can be read: {error}") from None
    for name in needed:
        if name not in found or found[name][1] is None:
            raise CubeError(f"{path} has no data in an HDU {name}; it holds {', '.join(names)}")
    return {name: (_readable(header), data) for name, (header, data) in found.items() if data is not None}


def read_header(path: Path) -> fits.Header:
    """The header of PRIMARY alone."""
    return read_hdus(path, ("PRIMARY",))["PRIMARY"][0]


def _readable(header: fits.Header) -> fits.Header:
    """The header without cards whose value cannot be parsed; what needs them will miss them by name."""
    kept = fits.Header()
    for card in header.cards:
        with suppress(fits.VerifyError, ValueError):
            _ = card.value
            kept.append(card)
    return kept


def _read(path: Path, wanted: tuple[str, ...]) -> tuple[list[str], HDUs]:
    """Names of all HDUs, and the wanted ones. A damaged file can seem to hold HDUs without end: so they are counted."""
    names = []
    found = {}
    with path.open("rb") as file, fits.open(file, memmap=False) as hdus:  # astropy leaves a file it fails on open
        for hdu in hdus:
            names.append(hdu.name)
            if len(names) > MAX_HDUS:
                raise ValueError(f"it has more than {MAX_HDUS} HDUs")
            if hdu.name in wanted and hdu.name not in found:
                found[hdu.name] = hdu.header, hdu.data
    return names, found


def keywords(header: fits.Header, words: str) -> list[str]:
    """Keywords that are these words, or end with them behind the name of a setup as in 'V500 PIPE UNITS'."""
    return [key for key in header if key == words or key.endswith(f" {words}")]


def number_of(header: fits.Header, words: str) -> float:
    """The first number behind these keywords; NaN if there is none."""
    values = (header[key] for key in keywords(header, words))
    return next((float(value) for value in values if isinstance(value, int | float)), np.nan)


def write_hdus(hdus: list, path: Path) -> None:
    """Write HDUs into a file; raises the system's own OSError, which tells a full disk (astropy's does not)."""
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # long cards become HIERARCH ones
        fits.HDUList(hdus).writeto(file)
    path.write_bytes(file.getbuffer())
