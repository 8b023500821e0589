"""Tables as people have them: read whatever the file is called, or refused with what the reader found."""

import bz2
import gzip
import shutil

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from engine.errors import TableError
from precompute.io.column_units import parse_unit
from precompute.io.tables import numbers, plain_name, read_table, stated_unit, words

ROWS = Table({"ix": [0, 1, 2, 3], "Sigma": [3.5, -0.25, 1e-3, 2.0], "Name": ["NGC 1"] * 4})
CSV = "ix,Sigma,Name\n0,3.5,NGC 1\n1,-0.25,NGC 1\n2,1e-3,NGC 1\n3,2.0,NGC 1\n"
WIDE = CSV.replace("NGC 1", "NGC1")  # no blank within a word
IPAC = """\\ a comment
|  ix |  Sigma |  Name |
| int | double |  char |
|     | km / s |       |
|null |   null |  null |
    0      3.5   NGC1
    1    -0.25   NGC1
    2     1e-3   NGC1
    3      2.0   NGC1
"""


def as_text(separator, head="", text=WIDE):
    return (head + text.replace(",", separator)).encode()


TEXTS = {
    "plain.csv": as_text(","),
    "bom.csv": b"\xef\xbb\xbf" + as_text(","),
    "utf16.csv": WIDE.encode("utf-16"),
    "comments.csv": as_text(",", "# made in 2024\n# by three people\n"),
    "skyserver.csv": as_text(",", "#Table1\n"),
    "hash.csv": as_text(",", "#"),
    "hash.txt": as_text(" ", "# "),
    "three_words.dat": as_text(" ", "# a nice table\n"),
    "semicolons.csv": as_text(";"),
    "excel.csv": as_text(";", "sep=;\n"),
    "tabs.tsv": as_text("\t"),
    "tabs.csv": as_text("\t"),
    "bars.txt": as_text(" | "),
    "aligned.cat": as_text("    ", "#   "),
    "windows.csv": as_text(",").replace(b"\n", b"\r\n"),
    "trailing.csv": as_text(",").replace(b"\n", b",\n"),
    "ipac.tbl": IPAC.encode(),
    "ipac.csv": IPAC.encode(),
    "quoted.csv": CSV.replace("NGC 1", '"NGC1"').replace("ix", '"ix"').encode(),
    "zipped.csv.gz": gzip.compress(as_text(",")),
    "zipped.csv": gzip.compress(as_text(",")),
    "zipped.dat.bz2": bz2.compress(as_text(" ")),
    "units_below.csv": as_text(",").replace(b"Name\n", b"Name\npix,km/s,\n"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_table_is_read_whatever_parts_it_and_whatever_it_is_called(tmp_path, name):
    (tmp_path / name).write_bytes(TEXTS[name])
    table = read_table(tmp_path / name)
    assert table.colnames[:3] == ["ix", "Sigma", "Name"]
    np.testing.assert_array_equal(numbers(table, "ix", "t"), ROWS["ix"])
    np.testing.assert_array_equal(numbers(table, "Sigma", "t"), ROWS["Sigma"])
    assert words(table, "Name") == ["NGC1"] * 4


@pytest.mark.parametrize("name", ["ipac.tbl", "units_below.csv"])
def test_units_of_a_text_table_are_its_columns_units(tmp_path, name):
    (tmp_path / name).write_bytes(TEXTS[name])
    assert parse_unit(stated_unit(read_table(tmp_path / name), "Sigma")) == u.km / u.s


def test_words_over_numbers_that_are_no_units_are_a_row_like_others(tmp_path):
    (tmp_path / "z.csv").write_text("name,redshift\nNGC 1,unknown\nNGC 2,0.02\n")
    table = read_table(tmp_path / "z.csv")
    assert words(table, "name") == ["NGC 1", "NGC 2"]
    with pytest.raises(TableError, match="column redshift must hold numbers, but row 1 holds 'unknown'"):
        numbers(table, "redshift", "t")


@pytest.mark.parametrize(
    ("name", "options"),
    [("t.fits", {}), ("t.ecsv", {}), ("t.vot", {"format": "votable"}), ("t.hdf5", {"path": "A"}), ("t.parquet", {})],
)
def test_a_file_is_known_by_what_it_holds_not_by_its_ending(tmp_path, name, options):
    if name == "t.hdf5":
        pytest.importorskip("h5py")
    ROWS.write(tmp_path / name, **options)
    shutil.copy(tmp_path / name, tmp_path / "t.csv")
    with gzip.open(tmp_path / "t.csv.gz", "wb") as file:
        file.write((tmp_path / name).read_bytes())
    kept = [tmp_path / "t.csv"] + [tmp_path / "t.csv.gz"] * (name in ("t.fits", "t.ecsv"))
    for path in kept:
        np.testing.assert_array_equal(numbers(read_table(path), "Sigma", "t"), ROWS["Sigma"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"# nothing\n# but comments\n", "it holds comments alone"),
        ("a.dat", b"1 2 3\n4 5 6\n", "no line names its 3 columns"),
        ("a.csv", b"x,y,z\n1,2,3\n4,5\n", "row 2 has 2 entries, but there are 3 columns"),
        ("a.csv", b"x,y,x\n1,2,3\n", "two columns are called x"),
        ("a.csv", b"x,y\n", "the table is empty"),
        ("a.fits", b"\0\1\2\3" * 100, "it is neither text nor a file of FITS, HDF5, Parquet or VOTable"),
        ("a.csv.gz", gzip.compress(b"x,y\n1,2\n" * 900, mtime=0)[:40], "ended before"),
        ("a.parquet", b"PAR1 and nothing more", "is not a table that can be read: "),
        ("a.vot", b"<?xml version='1.0'?><VOTABLE><TABLE>", "is not a table that can be read: "),
    ],
)
def test_what_is_no_table_is_refused_with_what_the_reader_found(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message) as refusal:
        read_table(tmp_path / name)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def write_fits(path, *names, image=False):
    parts = [fits.ImageHDU(np.ones((3, 4)), name="FLUX")] if image else []
    fits.HDUList([fits.PrimaryHDU(), *parts, *(fits.BinTableHDU(ROWS, name=name) for name in names)]).writeto(path)
    return path


def test_images_are_told_from_tables(tmp_path):
    fits.PrimaryHDU(np.ones((3, 4))).writeto(tmp_path / "map.fits")
    cases = [tmp_path / "map.fits", write_fits(tmp_path / "maps.fits", image=True)]
    for path in cases:
        with pytest.raises(TableError, match="this file holds images; a table has one row per spaxel"):
            read_table(path)
    both = write_fits(tmp_path / "both.fits", "SSP", image=True)
    assert len(read_table(both)) == 4
    with pytest.raises(TableError, match="FLUX is an image; a table has one row per spaxel"):
        read_table(both, "FLUX")
    fits.PrimaryHDU().writeto(tmp_path / "bare.fits")
    with pytest.raises(TableError, match="there is no table in this file"):
        read_table(tmp_path / "bare.fits")


def test_of_several_tables_one_must_be_named_and_be_there(tmp_path):
    one, two = write_fits(tmp_path / "one.fits", "OLD"), write_fits(tmp_path / "two.fits", "OLD", "NEW")
    for inner in ("OLD", "old", "1", None):
        assert len(read_table(one, inner)) == 4
    for inner in ("NEW", "2"):
        assert len(read_table(two, inner)) == 4
    with pytest.raises(TableError, match=r"one\.fits holds no table 'SSP'; there is OLD"):
        read_table(one, "SSP")
    with pytest.raises(TableError, match=r"two\.fits holds no table 'SSP'; there is OLD, NEW"):
        read_table(two, "SSP")
    with pytest.raises(TableError, match=r'two\.fits holds 2 tables, OLD, NEW: name the one to read .* table = "OLD"'):
        read_table(two)


def test_of_several_tables_in_hdf5_one_must_be_named_and_be_there(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "t.hdf5"
    ROWS.write(path, path="runs/A")
    assert len(read_table(path)) == len(read_table(path, "/runs/A")) == 4
    ROWS.write(path, path="B", append=True)
    with pytest.raises(TableError, match="holds 2 tables, B, runs/A: name the one to read"):
        read_table(path)
    with pytest.raises(TableError, match="holds no table 'C'; there is B, runs/A"):
        read_table(path, "C")
    with h5py.File(tmp_path / "maps.hdf5", "w") as file:
        file["flux"] = np.ones((3, 4))
    with pytest.raises(TableError, match="this file holds images"):
        read_table(tmp_path / "maps.hdf5")


def test_a_votable_has_the_table_that_is_asked_for(tmp_path):
    ROWS.write(tmp_path / "t.vot", format="votable")
    with pytest.raises(TableError, match=r"t\.vot holds no table 'SSP'"):
        read_table(tmp_path / "t.vot", "SSP")


def test_one_number_per_row_in_lists_is_a_column_and_more_are_not(tmp_path):
    table = ROWS.copy()
    table["Sigma"] = np.array(ROWS["Sigma"])[:, None]
    table["pair"] = np.ones((4, 2))
    table.write(tmp_path / "t.fits")
    read = read_table(tmp_path / "t.fits")
    np.testing.assert_array_equal(numbers(read, "Sigma", "t"), ROWS["Sigma"])
    with pytest.raises(TableError, match="column pair holds 2 numbers per row, not one"):
        numbers(read, "pair", "t")


def test_one_row_of_lists_becomes_one_row_per_entry(tmp_path):
    table = Table({"ix": [ROWS["ix"]], "Sigma": [ROWS["Sigma"]], "Name": ["NGC 1"]}, units={"Sigma": "km / s"})
    table.write(tmp_path / "idl.fits")
    read = read_table(tmp_path / "idl.fits")
    np.testing.assert_array_equal(numbers(read, "Sigma", "t"), ROWS["Sigma"])
    assert words(read, "Name") == ["NGC 1"] * 4
    assert stated_unit(read, "Sigma") == "km / s"


@pytest.mark.parametrize("nothing", ["N/A", "--", "INDEF", "null", "nan", "NaN", "", "..."])
def test_a_word_for_nothing_is_no_value(tmp_path, nothing):
    (tmp_path / "t.csv").write_text(f"x,y\n1,2\n3,{nothing}\n5,6\n")
    np.testing.assert_array_equal(numbers(read_table(tmp_path / "t.csv"), "y", "t"), [2, np.nan, 6])


def test_the_row_and_the_word_that_is_no_number_are_named(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n5,6_\n")
    with pytest.raises(TableError, match="t: column y must hold numbers, but row 3 holds '6_'"):
        numbers(read_table(tmp_path / "t.csv"), "y", "t")
    with pytest.raises(TableError, match="t: column z is missing; there are x, y"):
        numbers(read_table(tmp_path / "t.csv"), "z", "t")


def test_letters_beyond_ascii_survive(tmp_path):
    (tmp_path / "latin.csv").write_bytes("name,z\nMrk\xe9 5,0.1\n".encode("latin-1"))
    (tmp_path / "utf.csv").write_text("name,z\nMrk\xe9 5,0.1\n", encoding="utf-8")
    for name in ("latin.csv", "utf.csv"):
        assert words(read_table(tmp_path / name), "name") == ["Mrk\xe9 5"]


@pytest.mark.parametrize("name", ["NGC 36", "ngc0036", " NGC_36 ", "Ngc 036"])
def test_spellings_of_a_name_are_one_name(name):
    assert plain_name(name) == "NGC36"


DENSITY = u.dex(u.Msun / u.pc**2)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("dex(solMass / pc2)", DENSITY), ("log(solMass/pc2)", DENSITY), ("log10(Msun/pc^2)", DENSITY),
        ("[solMass/pc2]", DENSITY), ("LOG (M_Sun pc**-2)", DENSITY), ("log Msun/pc2", DENSITY),
        ("log10(Sigma/(Msun/pc2))", DENSITY), ("dex(Msun / pc^2)", DENSITY), ("[Msol.pc-2]", DENSITY),
        ("log(yr)", u.dex(u.yr)), ("log(age/yr)", u.dex(u.yr)), ("[yr]", u.dex(u.yr)), ("lg(Gyr)", u.dex(u.Gyr)),
        ("log yr", u.dex(u.yr)), ("log(years)", u.dex(u.yr)), ("dex(Gyr)", u.dex(u.Gyr)),
        ("[Z/H]", u.dex(u.one)), ("log(Z/Zsun)", u.dex(u.one)), ("dex", u.dex(u.one)), ("[M/H]", u.dex(u.one)),
        ("log10(M_Sun/spaxels^2)", u.dex(u.Msun / u.pix**2)), ("log(m/s)", u.dex(u.m / u.s)),
        ("km/sec", u.km / u.s), ("ang", u.AA), ("A", u.AA), ("Angstroms", u.AA), ("Z/Zsun", u.one), ("", u.one),
        ("fraction", u.one), ("km s^-1", u.km / u.s), ("solMass / kpc2", u.Msun / u.kpc**2), ("MSUN", u.Msun),
        ("mag/arcsec^2", u.mag / u.arcsec**2),
    ],
)  # fmt: skip
def test_units_are_understood_as_they_are_spelled(text, unit):
    assert parse_unit(text) == unit


@pytest.mark.parametrize("text", ["furlong", "log(furlong)", "[counts per fortnight]", "log()yr", "dex(yr"])
def test_a_unit_that_cannot_be_understood_is_refused(text):
    with pytest.raises(TableError, match="is not a unit that can be understood"):
        parse_unit(text)
