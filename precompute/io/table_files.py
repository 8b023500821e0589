"""Files that hold tables, by what they are and not by their endings; the one table that is meant in each."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from astropy.io import fits, votable
from astropy.table import Table

from engine.errors import TableError
from precompute.io.text_tables import read_text_table

HEAD_BYTES = 4096  # by which a kind of file is recognised
IMAGES = "this file holds images; a table has one row per spaxel"
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Inner(NamedTuple):
    """One of the tables in a file: its name there, and its number among all parts of the file."""

    name: str
    number: int

    def is_meant(self, words: str) -> bool:
        """Whether a user means this one by a name or a number."""
        return words.strip("/ ").lower() == self.name.strip("/ ").lower() or words.strip() == str(self.number)


def read_inner_table(path: Path, inner: str | None) -> Table:
    """The table in a file, or one of its tables; see tables.read_table. Raises whatever the format's reader raises."""
    content_of = _opener(path)
    with content_of(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"SIMPLE  ="):
        return _read_fits(path, inner)
    if head.startswith(b"\x89HDF"):
        return _read_hdf5(path, inner)
    if head.startswith(b"PAR1"):
        return Table.read(path, format="parquet")
    if b"<VOTABLE" in head.upper():
        return _read_votable(path, inner)
    if b"\0" in head and not head.startswith(_UTF16):
        raise ValueError("it is neither text nor a file of FITS, HDF5, Parquet or VOTable")
    with content_of(path, "rb") as file:
        return read_text_table(file.read())


def chosen(tables: list[Inner], inner: str | None, path: Path) -> Inner:
    """The table that is meant; raises TableError that lists them if none is, or if the choice is open."""
    names = ", ".join(table.name or f"number {table.number}" for table in tables)
    if inner is None and len(tables) == 1:
        return tables[0]
    if inner is None:
        raise TableError(
            f"{path} holds {len(tables)} tables, {names}: name the one to read in the mapping, as "
            f'table = "{tables[0].name or tables[0].number}"'
        )
    for table in tables:
        if table.is_meant(inner):
            return table
    raise TableError(f"{path} holds no table {inner!r}; there is {names}")


def _opener(path: Path) -> Callable:
    """What opens a file, compressed or not."""
    with open(path, "rb") as file:
        start = file.read(6)
    return next((opener for sign, opener in _COMPRESSED.items() if start.startswith(sign)), open)


def _read_fits(path: Path, inner: str | None) -> Table:
    with fits.open(path) as hdus:
        numbered = list(enumerate(hdus))
        tables = [Inner(hdu.name, i) for i, hdu in numbered if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        images = [Inner(hdu.name, i) for i, hdu in numbered if getattr(hdu, "is_image", False) and hdu.header["NAXIS"]]
        if not tables:
            raise TableError(f"{path}: {IMAGES if images else 'there is no table in this file'}")
        if inner is not None and any(image.is_meant(inner) for image in images):
            raise TableError(f"{path}: {inner} is an image; a table has one row per spaxel")
        table = Table.read(hdus, hdu=chosen(tables, inner, path).number)
        table.meta.setdefault("OBJECT", hdus[0].header.get("OBJECT", ""))
    return table


def _read_hdf5(path: Path, inner: str | None) -> Table:
    import h5py

    tables: list[Inner] = []
    arrays: list[str] = []

    def note(name: str, part: object) -> None:
        if isinstance(part, h5py.Dataset) and part.dtype.names:
            tables.append(Inner(name, len(tables) + 1))
        elif isinstance(part, h5py.Dataset) and part.ndim > 1:
            arrays.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(note)
    if not tables:
        raise TableError(f"{path}: {IMAGES if arrays else 'there is no table in this file'}")
    return Table.read(path, format="hdf5", path=chosen(tables, inner, path).name)


def _read_votable(path: Path, inner: str | None) -> Table:
    tables = list(votable.parse(str(path), verify="ignore").iter_tables())
    if not tables:
        raise TableError(f"{path}: there is no table in this file")
    inners = [Inner(table.ID or table.name or "", number) for number, table in enumerate(tables, start=1)]
    return tables[chosen(inners, inner, path).number - 1].to_table()
