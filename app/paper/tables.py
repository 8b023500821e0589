"""Tables as files in the formats of the field, with a unit, a sentence and a UCD for every column."""

import warnings
from collections.abc import Callable, Mapping
from io import BytesIO, StringIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits, votable
from astropy.io.votable.exceptions import W50
from astropy.table import Table
from astropy.units import Unit, UnitsWarning

from engine.columns import Column

Columns = Mapping[str, np.ndarray]
Descriptions = Mapping[str, Column]
Facts = Mapping[str, str]  # what the whole table is about: words by name

# ECSV and Parquet take astropy's own names of units. Of the standards of FITS and VOTable both know log(...) for what
# astropy calls dex(...)
_STANDARD_UNITS = {
    "dex(solMass / pc2)": "log(solMass.pc-2)", "dex(solMass)": "log(solMass)", "dex(yr)": "log(yr)",
    "pc2 / Mpc3": "pc2.Mpc-3", "Angstrom(-1/2)": "Angstrom**(-0.5)", "mag / arcsec2": "mag.arcsec-2",
    "km / s": "km.s-1", "Mpc(-3)": "Mpc-3", "pc / arcsec": "pc.arcsec-1",
}  # fmt: skip


def standard_unit(unit: str) -> str:
    """A unit of ``engine.columns`` in the spelling of the FITS and VOTable standards."""
    return _STANDARD_UNITS.get(unit, unit)


def table_file(columns: Columns, words: Descriptions, facts: Facts, kind: str) -> bytes:
    """A table as the bytes of an "ecsv", "fits", "parquet" or "votable" file.

    columns: (row,) each, numbers or text; words: what each is; facts: about the whole table.
    """
    return WRITERS[kind](columns, words, facts)


def _ecsv(columns: Columns, words: Descriptions, facts: Facts) -> bytes:
    table = Table(dict(columns), meta=dict(facts))
    for name in columns:
        if words[name].unit:
            table[name].unit = words[name].unit
        table[name].description = words[name].description
        table[name].meta["ucd"] = words[name].ucd
    file = StringIO()
    table.write(file, format="ascii.ecsv")
    return file.getvalue().encode()


def _fits(columns: Columns, words: Descriptions, facts: Facts) -> bytes:
    made = [_fits_column(name, np.asarray(values), words[name]) for name, values in columns.items()]
    table = fits.BinTableHDU.from_columns(made, name="TABLE")
    for i, name in enumerate(columns, start=1):
        table.header[f"TUCD{i}"] = words[name].ucd
        table.header[f"TCOMM{i}"] = ascii_words(words[name].description)
    primary = fits.PrimaryHDU(header=facts_header(facts))
    file = BytesIO()
    fits.HDUList([primary, table]).writeto(file)
    return file.getvalue()


def _fits_column(name: str, values: np.ndarray, which: Column) -> fits.Column:
    if values.dtype.kind in "UO":
        text = np.array([ascii_words(word) for word in values.astype(str)])
        return fits.Column(name, f"{max(text.dtype.itemsize // 4, 1)}A", array=text)
    codes = {"f4": "E", "f8": "D", "i1": "I", "i2": "I", "i4": "J", "i8": "K"}
    return fits.Column(name, codes[values.dtype.str[1:]], standard_unit(which.unit) or None, array=values)


def facts_header(facts: Facts) -> fits.Header:
    """Facts as comments of a FITS header."""
    header = fits.Header()
    for name, words in facts.items():
        header["COMMENT"] = ascii_words(f"{name}: {words}")
    return header


_ASCII = {
    "μ": "mu", "∗": "*", "⟨": "<", "⟩": ">", "′": "'", "–": "-", "−": "-", "χ": "chi", "σ": "sigma", "²": "2",
    "⊙": "sun", "·": ".", "β": "beta", "δ": "delta", "γ": "gamma", "√": "sqrt", "Å": "A", "≥": ">=",
    "\N{NARROW NO-BREAK SPACE}": " ",
}  # fmt: skip


def ascii_words(words: str) -> str:
    """Words in the characters that a FITS header may hold."""
    for symbol, letters in _ASCII.items():
        words = words.replace(symbol, letters)
    return words.encode("ascii", "replace").decode()


def _votable(columns: Columns, words: Descriptions, facts: Facts) -> bytes:
    table = Table({name: _plain(values) for name, values in columns.items()})
    for name in columns:
        table[name].description = words[name].description
        if words[name].unit:
            table[name].unit = Unit(standard_unit(words[name].unit), parse_strict="silent")
    stream = BytesIO()
    with warnings.catch_warnings():
        # astropy knows neither log(...) of the VOUnits standard nor a bare dex, and would rather have nm than Angstrom
        warnings.simplefilter("ignore", W50)
        warnings.simplefilter("ignore", UnitsWarning)
        file = votable.from_table(table)
        file.description = " ".join(f"{name}: {told}" for name, told in facts.items())
        for field in file.get_first_table().fields:
            field.ucd = words[field.name].ucd
        file.to_xml(stream)
    return stream.getvalue()


def _plain(values: np.ndarray) -> np.ndarray:
    """Text as text, and whole numbers as wide as VOTable has them."""
    if values.dtype.kind == "O":
        return values.astype(str)
    return values.astype(np.int16) if values.dtype == np.int8 else values


def _parquet(columns: Columns, words: Descriptions, facts: Facts) -> bytes:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    fields = [
        pa.field(name, array.type, metadata={key: getattr(words[name], key) for key in ("unit", "description", "ucd")})
        for name, array in arrays.items()
    ]
    table = pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields, metadata=dict(facts)))
    file = BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


WRITERS: dict[str, Callable[[Columns, Descriptions, Facts], bytes]] = {
    "ecsv": _ecsv, "fits": _fits, "parquet": _parquet, "votable": _votable,
}  # fmt: skip
ENDINGS = {"ecsv": "ecsv", "fits": "fits", "parquet": "parquet", "votable": "vot"}
