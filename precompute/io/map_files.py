"""Maps of one galaxy as FITS: one HDU per quantity with its place on the sky, unit and meaning."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS

from engine.columns import REGION
from engine.errors import CubeError
from engine.flags import legend
from engine.pipeline import Analysed
from engine.spectrum.lines import LINE_NAMES
from engine.types import BoolArray, FloatArray
from precompute.io.fits_files import write_hdus

LINE_UNIT = "1e-16 erg s-1 cm-2"
ASCII = str.maketrans({"Å": "A", "β": "beta", "γ": "gamma", "δ": "delta", "μ": "mu", "∗": "*", "′": "'", "√": "sqrt",
                       "⊙": "sun", "⟨": "<", "⟩": ">"})  # fmt: skip
NOT_MAPS = ("x", "y", "flags", "smoothing_level")
FLAGS = "FLAGS"  # name of an HDU
PROVENANCE = "PROVENANCE"  # likewise
GROUPS = ("balmer", "forbidden")
GAS = {"v_gas": "velocity of the gas from the galaxy", "sigma_gas": "velocity dispersion of the gas"}


def write_maps(found: Analysed, facts: dict, path: Path) -> None:
    """All maps of a galaxy; ``facts`` (galaxy, origin, software, settings, inputs) go into header and provenance."""
    kept = found.binned.kept
    sky = found.wcs.to_header()
    head = _primary_header(facts)
    maps = [_map(name.upper(), spread(values, kept), sky, REGION[name].unit, REGION[name].description)
            for name, values in found.spaxels.items() if name not in NOT_MAPS]  # fmt: skip
    maps += [_map(*one, sky, unit, words) for one, unit, words in _motions(found, kept)]
    whole = {
        "SMOOTHING_LEVEL": (found.binned.smoothing.level.astype(np.int16), REGION["smoothing_level"].description),
        FLAGS: (_all_flags(found).astype(np.int32), legend()),
    }  # fmt: skip
    maps += [_map(name, values, sky, "", words) for name, (values, words) in whole.items()]
    hdus = [fits.PrimaryHDU(header=head), *maps, *_line_cubes(found, kept, sky), _provenance(facts)]
    write_hdus(hdus, path)


def write_plain_maps(maps: dict[str, FloatArray], wcs: WCS, facts: dict, path: Path, more: Sequence = ()) -> None:
    """Maps (y, x) by name, those of the region table with its units; as the truth of a mock. more: further HDUs."""
    hdus = [fits.PrimaryHDU(header=_primary_header(facts))]
    for name, values in maps.items():
        column = REGION.get(name)
        unit, words = (column.unit, column.description) if column else (LINE_UNIT, "")
        hdus.append(_map(name.upper(), values, wcs.to_header(), unit, words))
    write_hdus([*hdus, *more, _provenance(facts)], path)


def spread(values: FloatArray, kept: BoolArray) -> FloatArray:
    """Values of the kept spaxels on their map, NaN elsewhere, (y, x) float32."""
    whole = np.full(kept.shape, np.nan, np.float32)
    whole[kept] = values
    return whole


def _primary_header(facts: dict) -> fits.Header:
    head = fits.Header()
    head["OBJECT"] = facts["galaxy"]
    for key in ("origin", "software", "created", "redshift", "v_systemic"):
        if key in facts:
            head[f"HIERARCH GLOCAL {key.upper()}"] = facts[key]
    head["COMMENT"] = f"{facts['origin'].upper()} data" if facts["origin"] == "mock" else "measured data"
    return head


def _map(name: str, values: FloatArray, sky: fits.Header, unit: str, words: str) -> fits.ImageHDU:
    hdu = fits.ImageHDU(values if values.dtype.kind == "i" else values.astype(np.float32), sky.copy(), name=name)
    if unit:
        hdu.header["BUNIT"] = unit
    for line in words.split("\n"):
        hdu.header["COMMENT"] = in_ascii(line)
    return hdu


def in_ascii(words: str) -> str:
    """Words as a FITS header can hold them."""
    return words.translate(ASCII).encode("ascii", "replace").decode()


def _motions(found: Analysed, kept: BoolArray):
    """What the region table has no column for: errors of the stars' motions, and those of the gas."""
    stars = found.measured.stars
    gas = found.measured.gas
    yield ("V_STAR_ERR", spread(stars.v_star_err, kept)), "km / s", "one-sigma error of V_STAR"
    yield ("SIGMA_STAR_ERR", spread(stars.sigma_star_err, kept)), "km / s", "one-sigma error of SIGMA_STAR"
    for place, group in enumerate(GROUPS):
        for name, words in GAS.items():
            start = stars.v_systemic if name == "v_gas" else 0.0
            values = getattr(gas, name)[:, place] - start
            errors = getattr(gas, f"{name}_err")[:, place]
            label = f"{name}_{group}".upper()
            yield (label, spread(values, kept)), "km / s", f"{words}, {group} lines"
            yield (f"{label}_ERR", spread(errors, kept)), "km / s", f"one-sigma error of {label}"


def _line_cubes(found: Analysed, kept: BoolArray, sky: fits.Header):
    """One plane per emission line; the header says which is which."""
    gas = found.measured.gas
    parts = {"LINE_FLUX": (gas.flux, LINE_UNIT), "LINE_FLUX_ERR": (gas.flux_err, LINE_UNIT),
             "LINE_AMPLITUDE_TO_NOISE": (gas.amplitude_to_noise, "")}  # fmt: skip
    for name, (values, unit) in parts.items():
        planes = np.stack([spread(column, kept) for column in values.T])
        hdu = _map(name, planes, sky, unit, "one plane per line, LINE1 the first")
        for number, line in enumerate(LINE_NAMES, start=1):
            hdu.header[f"LINE{number}"] = line
        yield hdu


def _all_flags(found: Analysed) -> FloatArray:
    flags = found.binned.flags.copy()
    flags[found.binned.kept] = found.spaxels["flags"]
    return flags


def _provenance(facts: dict) -> fits.BinTableHDU:
    rows = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in facts.items()]
    return fits.table_to_hdu(Table(rows=rows, names=("key", "value"), meta={"EXTNAME": PROVENANCE}))


MapHDUs = dict[str, fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU]


def read_map_hdus(path: Path) -> MapHDUs:
    """All HDUs of a file of maps or of their truth, by name and in memory; CubeError if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyUserWarning)  # of files cut short
            # astropy leaves a file open that it fails on
            with path.open("rb") as file, fits.open(file, memmap=False, lazy_load_hdus=False) as hdus:
                for hdu in hdus:
                    _ = hdu.data  # read now, while the file is open
                return {hdu.name: hdu for hdu in hdus}
    except (AstropyUserWarning, OSError, ValueError, TypeError, KeyError, AttributeError, fits.VerifyError) as error:
        raise CubeError(f"{path} is not a FITS file that can be read: {error}") from None


def read_maps(path: Path, needed: Sequence[str]) -> MapHDUs:
    """All HDUs of a file of maps by name, in memory; CubeError if it cannot be read or lacks one that is needed."""
    found = read_map_hdus(path)
    refuse_without(found, (*needed, FLAGS, PROVENANCE), path)
    return found


def refuse_without(found: MapHDUs, needed: Sequence[str], path: Path) -> None:
    """Raise CubeError if a file of maps lacks one that is needed."""
    for name in needed:
        if name not in found:
            raise CubeError(f"{path} has no HDU {name}")


def provenance_with(old: fits.BinTableHDU, facts: dict[str, Any]) -> fits.BinTableHDU:
    """The provenance of a file of maps with some facts added or replaced."""
    known = {str(row["key"]): str(row["value"]) for row in old.data}
    return _provenance(known | facts)
