"""Cubes with the headers of CALIFA DR3, each of its traps, and every way a file can be broken."""

import gzip
from contextlib import suppress

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from engine.cube.sky import axis_angles
from engine.cube.types import Cube, Moffat
from engine.errors import CubeError
from precompute.io.cubes import read_cube, read_row_stack, write_cube

SHAPE = (40, 6, 7)
# of NGC2906 in DR3 (version 2.2 of the pipeline): the CD matrix is true and CDELT is not; MED_VEL is wrong by 6600 km/s
HEADER = {
    "OBJECT": "NGC2906", "CALIFAID": 275, "MED_VEL": 8730.8, "PIPE VERS": "2.2", "PIPE UNITS": "1e-16 erg/s/cm^2/A",
    "V500 PIPE GALEXT COR": 1, "V500 PIPE GALEXT AV": 0.156, "V500 PPAK P1 PIPE SPEC RES": 6.0,
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 143.026, "CRVAL2": 8.4416, "CRPIX1": 4.0, "CRPIX2": 3.0,
    "CD1_1": -2.7777e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 2.7777e-4, "CDELT1": 1.0, "CDELT2": 1.0,
    "CTYPE3": "WAVELENGTH", "CRVAL3": 3701.0, "CRPIX3": 1.0, "CDELT3": 1.0, "CD3_3": 2.0,
    "DRFIELD PSF_FWHM": 2.46, "DRFIELD PSF_BETA": 1.9,
}  # fmt: skip


def hdus(header=(), drop=(), **arrays):
    """HDUs as in DR3, with keywords and arrays changed; a keyword set to None is left out."""
    rng = np.random.default_rng(1)
    data = {
        "PRIMARY": rng.uniform(0.5, 1.5, SHAPE), "ERROR": np.full(SHAPE, 0.05), "ERRWEIGHT": np.ones(SHAPE),
        "BADPIX": np.zeros(SHAPE, np.uint8), "FIBCOVER": np.full(SHAPE, 3, np.uint8),
    } | arrays  # fmt: skip
    cards = fits.Header()
    for key, value in (HEADER | dict(header)).items():
        if value is not None:
            cards[f"HIERARCH {key}" if len(key) > 8 or " " in key else key] = value
    parts = [
        fits.ImageHDU(values.astype(np.float32) if values.dtype.kind == "f" else values, name=name)
        for name, values in data.items()
        if name != "PRIMARY" and name not in drop
    ]
    return fits.HDUList([fits.PrimaryHDU(data["PRIMARY"].astype(np.float32), cards), *parts])


@pytest.fixture
def written(tmp_path):
    def write(*args, name="NGC2906.COMB.rscube.fits.gz", **changes):
        path = tmp_path / name
        hdus(*args, **changes).writeto(path, overwrite=True)
        return path

    return write


def test_a_cube_of_the_release_is_read_as_it_is(written):
    path = written()
    cube, (first, *_) = read_cube(path), hdus()
    assert cube.name == "NGC2906"
    assert cube.wave == pytest.approx(3701.0 + 2.0 * np.arange(40))
    assert cube.step == pytest.approx(2.0)
    assert cube.flux == pytest.approx(first.data)
    assert (cube.flux.dtype, cube.error.dtype, cube.shape) == (np.float32, np.float32, (6, 7))
    assert cube.good.all()
    assert cube.psf == Moffat(2.46, 1.9)
    assert cube.a_v == pytest.approx(0.156)
    assert cube.med_vel == pytest.approx(8730.8)


def test_the_cd_matrix_counts_and_cdelt_beside_it_does_not(written):
    cube = read_cube(written())
    assert cube.spaxel_arcsec == pytest.approx(1.0, abs=1e-4)
    ra, dec = cube.wcs.all_pix2world(3.0, 2.0, 0)
    assert (float(ra), float(dec)) == pytest.approx((143.026, 8.4416))
    east, _ = cube.wcs.all_pix2world(2.0, 2.0, 0)
    assert (east - ra) * np.cos(np.deg2rad(8.4416)) * 3600 == pytest.approx(1.0, abs=1e-3)


def test_cdelt_counts_where_there_is_no_cd_matrix(written):
    without = {"CD1_1": None, "CD1_2": None, "CD2_1": None, "CD2_2": None, "CD3_3": None, "CDELT3": 2.0}
    cube = read_cube(written(without | {"CDELT1": -1 / 3600, "CDELT2": 1 / 3600}))
    assert cube.spaxel_arcsec == pytest.approx(1.0)
    assert cube.step == pytest.approx(2.0)
    with pytest.raises(CubeError, match="CDELT without one, gives pixels of 3600 arcsec"):
        read_cube(written(without))


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("1e-16 erg/s/cm^2/A", 1.0), ("1e-16erg/s/cm^2/A", 1.0), ("10^-16 erg/s/cm^2/A", 1.0),
     ("1E-17 erg/s/cm**2/Angstrom", 0.1), ("10**(-16) erg s-1 cm-2 Angstrom-1", 1.0), ("erg/s/cm2/AA", 1e16),
     ("10**-20 Angstrom-1 cm-2 erg s-1", 1e-4), ("10**(-20)*erg/s/cm**2/Angstrom", 1e-4),  # MUSE
     ("1E-17 erg/s/cm^2/Ang/spaxel", 0.1), ("1e-16 erg/s/cm2/A spaxel-1", 1.0),  # MaNGA
     ("1e-16 erg / (Angstrom s cm2)", 1.0), ("erg / (Angstrom s cm2)", 1e16),  # astropy
     ("10^(-16) erg/s/cm^2/A", 1.0), ("10^{-16} erg s^{-1} cm^{-2} A^{-1}", 1.0), ("1 x 10^-16 ergs/s/cm^2/A", 1.0),
     ("1D-16 erg/s/cm^2/A", 1.0), ("1E-16 ERG/S/CM^2/A", 1.0), ("W m-2 um-1", 1e15), ("1e-16 erg/s/cm2/nm", 0.1)],
)  # fmt: skip
def test_the_unit_is_read_however_it_is_written(written, unit, scale):
    cube = read_cube(written({"PIPE UNITS": unit}))
    assert cube.flux == pytest.approx(hdus()[0].data * scale, rel=1e-5)
    assert cube.error == pytest.approx(0.05 * scale, rel=1e-5)


def test_the_unit_may_stand_in_the_keyword_of_a_setup_or_in_bunit(written):
    assert read_cube(written({"PIPE UNITS": None, "V500 PIPE UNITS": "1e-16 erg/s/cm^2/A"})).error[0, 0, 0] > 0
    assert read_cube(written({"PIPE UNITS": None, "BUNIT": "1e-16 erg/s/cm^2/A"})).error[0, 0, 0] > 0


def test_bad_pixels_are_those_of_badpix_of_uncovered_spaxels_of_nan_and_of_marked_errors(written):
    flux, error, bad, fibres = np.ones(SHAPE), np.full(SHAPE, 0.05), np.zeros(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)
    bad[1], fibres[:, 0, 0] = 1, 0
    flux[2, 3, 3], error[3, 3, 3], error[4, 3, 3], error[5, 3, 3] = np.nan, 0.0, 1e10, 9.4e9
    cube = read_cube(written(PRIMARY=flux, ERROR=error, BADPIX=bad, FIBCOVER=fibres))
    expected = np.ones(SHAPE, bool)
    expected[1], expected[:, 0, 0], expected[2:6, 3, 3] = False, False, False
    assert np.array_equal(cube.good, expected)
    assert np.all(cube.flux[~cube.good] == 0)
    assert cube.error.max() == pytest.approx(0.05)


def test_a_flat_map_of_fibres_counts_and_none_is_no_fault(written):
    fibres = np.ones(SHAPE[1:], np.uint8)
    fibres[2, 2] = 0
    assert np.argwhere(~read_cube(written(FIBCOVER=fibres)).good.all(axis=0)).tolist() == [[2, 2]]
    assert read_cube(written(drop=("FIBCOVER", "ERRWEIGHT"))).good.all()


def test_hdus_are_known_by_name_and_not_by_place(tmp_path):
    first, error, weight, bad, fibres = hdus()
    fits.HDUList([first, bad, fibres, weight, error]).writeto(tmp_path / "mixed.fits")
    assert read_cube(tmp_path / "mixed.fits").error == pytest.approx(0.05)


def test_a_silent_or_absurd_header_leaves_the_point_spread_of_the_paper(written):
    silent = {"DRFIELD PSF_FWHM": None, "DRFIELD PSF_BETA": None}
    assert read_cube(written(silent)).psf == Moffat()
    assert read_cube(written({"DRFIELD PSF_FWHM": -1.0})).psf == Moffat(beta=1.9)
    assert read_cube(written(silent | {"FWHM": 2.7, "BETA": 2.2})).psf == Moffat(2.7, 2.2)
    assert Moffat().fwhm == 2.57


def test_a_cube_without_extinction_or_velocity_in_its_header_says_nan(written):
    silent = {"V500 PIPE GALEXT COR": None, "V500 PIPE GALEXT AV": None, "MED_VEL": None}
    cube = read_cube(written(silent))
    assert np.isnan(cube.a_v)
    assert np.isnan(cube.med_vel)


def test_a_cube_without_object_takes_its_name_from_the_file(written):
    assert read_cube(written({"OBJECT": None}, name="IC5376.V500.rscube.fits.gz")).name == "IC5376"


def test_wavelengths_in_nanometres_become_angstrom(written):
    cube = read_cube(written({"CRVAL3": 370.1, "CD3_3": 0.2, "CUNIT3": "nm"}))
    assert cube.wave[:2] == pytest.approx([3701.0, 3703.0])


@pytest.mark.parametrize("unit", ["A", "ANGSTROM", "Angstroms", "angstrom", "Ang", ""])
def test_angstrom_is_read_however_it_is_spelt(written, unit):
    assert read_cube(written({"CUNIT3": unit})).wave[:2] == pytest.approx([3701.0, 3703.0])


@pytest.mark.parametrize(("unit", "per_angstrom"), [("m", 1e-10), ("um", 1e-4), ("micron", 1e-4), ("", 1e-10)])
def test_other_units_of_length_become_angstrom(written, unit, per_angstrom):
    """Without a unit the standard means metres, and numbers of 1e-7 can be nothing else."""
    cube = read_cube(written({"CRVAL3": 3701 * per_angstrom, "CD3_3": 2 * per_angstrom, "CUNIT3": unit}))
    assert cube.wave[:2] == pytest.approx([3701.0, 3703.0])


def test_a_logarithmic_axis_grows_as_the_standard_says(written):
    """FITS paper III, eq. 5: lambda = lambda_r exp(step * pixels / lambda_r)."""
    cube = read_cube(written({"CTYPE3": "AWAV-LOG", "CUNIT3": "Angstrom", "CRPIX3": 3.0}))
    expected = 3701.0 * np.exp(2.0 * (np.arange(40) - 2) / 3701.0)
    assert cube.wave == pytest.approx(expected, rel=1e-12)
    assert "logarithmic steps (CTYPE3 AWAV-LOG)" in cube.notes[0]


def test_a_logarithmic_axis_in_vacuum_becomes_air(written):
    """As in MaNGA's LOGCUBE; wavelengths in air by ppxf's own conversion."""
    from ppxf.ppxf_util import vac_to_air

    step = 3621.6 * np.log(10) * 1e-4
    cube = read_cube(written({"CTYPE3": "WAVE-LOG", "CUNIT3": "Angstrom", "CRVAL3": 3621.6, "CD3_3": step}))
    assert cube.wave == pytest.approx(vac_to_air(3621.6 * 10.0 ** (1e-4 * np.arange(40))), abs=2e-3)
    assert "in vacuum (CTYPE3 WAVE-LOG) and were converted to air" in cube.notes[1]


@pytest.mark.parametrize("changes", [{"CTYPE3": "WAVE"}, {"VACUUM": True}, {"AIRORVAC": "vac"}])
def test_vacuum_wavelengths_become_air_and_it_is_noted(written, changes):
    """At 5000 Angstrom air is 1.39 Angstrom lower, 84 km/s (IAU 1957, Morton 1991)."""
    cube = read_cube(written(changes | {"CRVAL3": 5000.0}))
    assert cube.wave[0] == pytest.approx(4998.605, abs=2e-3)
    assert "vacuum" in cube.notes[0]


@pytest.mark.parametrize("changes", [{"CTYPE3": "AWAV"}, {"CTYPE3": "LAMBDA"}, {"CTYPE3": "WAVE", "AIRORVAC": "air"}])
def test_wavelengths_in_air_stay_as_they_are(written, changes):
    cube = read_cube(written(changes))
    assert cube.wave == pytest.approx(3701.0 + 2.0 * np.arange(40))
    assert cube.notes == ()


def test_steps_of_log10_as_iraf_marks_them_are_read(written):
    cube = read_cube(written({"CTYPE3": "LINEAR", "DC-FLAG": 1, "CRVAL3": 3.57, "CD3_3": 1e-4}))
    assert cube.wave == pytest.approx(10.0 ** (3.57 + 1e-4 * np.arange(40)))


TURN = 40.0  # deg
COS, SIN = np.cos(np.deg2rad(TURN)), np.sin(np.deg2rad(TURN))
NO_CD = {"CD1_1": None, "CD1_2": None, "CD2_1": None, "CD2_2": None}
TURNED = {
    "CD": {"CD1_1": -COS / 3600, "CD1_2": -SIN / 3600, "CD2_1": -SIN / 3600, "CD2_2": COS / 3600},
    "CROTA2": NO_CD | {"CDELT1": -1 / 3600, "CDELT2": 1 / 3600, "CROTA2": TURN},
    "PC": NO_CD | {"CDELT1": -1 / 3600, "CDELT2": 1 / 3600, "PC1_1": COS, "PC1_2": SIN, "PC2_1": -SIN, "PC2_2": COS},
}


@pytest.mark.parametrize("written_as", TURNED)
def test_a_turned_cube_is_turned_whatever_keyword_says_so(written, written_as):
    """FITS paper II sec. 6.1: CROTA2 turns the axes as this CD matrix does."""
    cube, reference = read_cube(written(TURNED[written_as])), read_cube(written(TURNED["CD"], name="reference.fits"))
    x, y = np.array([0.0, 6.0, 2.0]), np.array([0.0, 1.0, 5.0])
    there, wanted = cube.wcs.pixel_to_world(x, y), reference.wcs.pixel_to_world(x, y)
    assert there.separation(wanted).arcsec.max() < 1e-6
    assert cube.spaxel_arcsec == pytest.approx(1.0)
    angles = axis_angles(cube.wcs, cube.shape)
    assert angles == pytest.approx((-90.0 - TURN, -TURN), abs=1e-3)


def test_a_rotation_in_the_keyword_that_nobody_reads_is_refused(written):
    lone = NO_CD | {"CDELT1": -1 / 3600, "CDELT2": 1 / 3600, "CROTA1": 30.0}
    with pytest.raises(CubeError, match=r"CROTA1 is 30\.0; a rotation is read from CROTA2, CD or PC"):
        read_cube(written(lone))
    assert read_cube(written(lone | {"CROTA1": 0.0})).good.all()


@pytest.mark.parametrize("value", [-999.0, 99.0, -1.0])
def test_an_extinction_that_stands_for_not_known_is_not_known_and_noted(written, value):
    cube = read_cube(written({"V500 PIPE GALEXT AV": value}))
    assert np.isnan(cube.a_v)
    assert f"V500 PIPE GALEXT AV is {value}, taken as not known" in cube.notes[0]


def test_the_errors_have_their_own_unit_where_they_state_one(tmp_path):
    parts = hdus()
    parts["ERROR"].header["BUNIT"] = "1e-17 erg/s/cm2/Angstrom"
    parts.writeto(tmp_path / "own.fits")
    assert read_cube(tmp_path / "own.fits").error == pytest.approx(0.005)
    parts["ERROR"].header["BUNIT"] = "(1e-16 erg/s/cm2/Angstrom)**2"
    parts.writeto(tmp_path / "variance.fits")
    with pytest.raises(CubeError, match=r"ERROR is in .* not the unit of a flux per wavelength"):
        read_cube(tmp_path / "variance.fits")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PIPE UNITS": "counts"}, "is in 'counts', which is not a flux per wavelength"),
        ({"PIPE UNITS": None}, "neither PIPE UNITS nor BUNIT"),
        ({"CRVAL3": None}, "CRVAL3 and CD3_3 or CDELT3 give nan"),
        ({"CD3_3": 0.0, "CDELT3": 0.0}, "in steps of 0"),
        ({"PIPE UNITS": "Jy"}, "is in 'Jy', which is not a flux per wavelength"),
        ({"PIPE UNITS": "1e-16 erg/s/cm2/A/arcsec2"}, "which is not a flux per wavelength"),
        ({"CUNIT3": "Hz"}, "CUNIT3 is 'Hz'"),
        ({"CTYPE3": "FREQ"}, "CTYPE3 is 'FREQ', no wavelengths that are read"),
        ({"CTYPE3": "VELO"}, "CTYPE3 is 'VELO'"),
        ({"CTYPE3": "WAVE-TAB"}, "CTYPE3 is 'WAVE-TAB'"),
        ({"CTYPE3": "LOGLAM", "CRVAL3": 3.57}, "CTYPE3 is 'LOGLAM'"),
        ({"CD1_3": 1e-3}, r"CD1_3 is 0\.001, so that wavelength and place depend on each other"),
        ({"CD1_1": -5.5e-4}, r"spaxels of 1\.98 by 1 arcsec .* are no squares"),
        ({"CD1_2": 2.7e-4}, "are no squares"),
        ({"CTYPE1": None, "CRVAL2": None}, "no sky coordinates: CTYPE1, CRVAL2"),
        ({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, "not RA and Dec"),
        ({"V500 PIPE GALEXT COR": 0}, "not corrected for Galactic extinction"),
    ],
)
def test_a_header_that_does_not_say_enough_is_refused(written, changes, words):
    path = written(changes)
    with pytest.raises(CubeError, match=words) as refused:
        read_cube(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("name", ["PRIMARY", "ERROR", "BADPIX"])
def test_a_missing_hdu_is_named(tmp_path, name):
    kept = [hdu for hdu in hdus() if hdu.name != name]
    kept = kept if name != "PRIMARY" else [fits.PrimaryHDU(), *kept]
    fits.HDUList(kept).writeto(tmp_path / "lacking.fits")
    with pytest.raises(CubeError, match=f"no data in an HDU {name}; it holds PRIMARY"):
        read_cube(tmp_path / "lacking.fits")


def test_shapes_that_differ_or_are_no_cube_are_refused(written):
    with pytest.raises(CubeError, match=r"ERROR has the shape \(40, 6, 6\), PRIMARY \(40, 6, 7\)"):
        read_cube(written(ERROR=np.ones((40, 6, 6))))
    with pytest.raises(CubeError, match="PRIMARY has 2 axes"):
        read_cube(written(PRIMARY=np.ones((40, 6)), ERROR=np.ones((40, 6)), BADPIX=np.zeros((40, 6), np.uint8)))


def test_a_cube_of_nan_or_of_bad_pixels_is_refused_with_the_reason(written):
    with pytest.raises(CubeError, match="PRIMARY holds only NaN"):
        read_cube(written(PRIMARY=np.full(SHAPE, np.nan)))
    with pytest.raises(CubeError, match="BADPIX calls every pixel bad"):
        read_cube(written(BADPIX=np.ones(SHAPE, np.uint8)))
    with pytest.raises(CubeError, match="a positive ERROR"):
        read_cube(written(ERROR=np.zeros(SHAPE)))


@pytest.mark.parametrize("share", [0.05, 0.4, 0.97])
@pytest.mark.parametrize("name", ["cut.fits", "cut.fits.gz"])
def test_a_file_cut_short_is_refused_wherever_it_ends(written, name, share):
    path = written(name=name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CubeError) as refused:
        read_cube(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("seed", range(5))
def test_bytes_changed_at_random_are_read_over_or_refused(written, seed):
    path, rng = written(name="damaged.fits"), np.random.default_rng(seed)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(40):
        damaged = whole.copy()
        damaged[rng.integers(0, 2 * 2880, 4)] = rng.integers(32, 127, 4)
        path.write_bytes(damaged.tobytes())
        with suppress(CubeError):
            assert read_cube(path).good.any()


NOT_FITS = {"empty": b"", "words": b"not FITS at all" * 500, "zipped": gzip.compress(b"not FITS either" * 500, mtime=0)}


@pytest.mark.parametrize("content", NOT_FITS.values(), ids=NOT_FITS)
def test_files_that_are_not_fits_are_refused(tmp_path, content):
    (tmp_path / "wrong.fits.gz").write_bytes(content)
    with pytest.raises(CubeError, match="not a FITS file"):
        read_cube(tmp_path / "wrong.fits.gz")


def test_a_file_that_seems_to_hold_hdus_without_end_is_refused(tmp_path):
    """As astropy sees some damaged gzip files; it would never come back."""
    fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU() for _ in range(101))]).writeto(tmp_path / "endless.fits")
    with pytest.raises(CubeError, match="more than 100 HDUs"):
        read_cube(tmp_path / "endless.fits")


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CubeError, match=r"nothing\.fits is not a file"):
        read_cube(tmp_path / "nothing.fits")


def made_cube():
    rng = np.random.default_rng(2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 20.0], [3.5, 3.0]
    wcs.wcs.cd = np.array([[-1.0, 0.0], [0.0, 1.0]]) / 3600
    good = rng.uniform(size=SHAPE) > 0.1
    flux, error = (np.where(good, rng.uniform(0.1, 1, SHAPE), 0).astype(np.float32) for _ in range(2))
    return Cube("mock 001", 3701.0 + 2.0 * np.arange(40), flux, error, good, 1.0, wcs, Moffat(2.5, 2.0), 0.1, 3000.0)


@pytest.mark.parametrize("name", ["mock.COMB.rscube.fits", "mock.COMB.rscube.fits.gz"])
def test_a_written_cube_is_read_as_it_was(tmp_path, name):
    cube, path = made_cube(), tmp_path / name
    write_cube(cube, path)
    again = read_cube(path)
    assert np.array_equal(again.good, cube.good)
    assert np.array_equal(again.flux, cube.flux)
    assert np.array_equal(again.error, cube.error)
    assert again.wave == pytest.approx(cube.wave)
    assert again.wcs.wcs.cd == pytest.approx(cube.wcs.wcs.cd)
    assert (again.name, again.psf, again.a_v, again.med_vel) == (cube.name, cube.psf, cube.a_v, cube.med_vel)
    assert fits.getheader(path)["CDELT1"] == 1.0
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_real_spectra_of_ngc2691_have_the_pixels_and_errors_that_science_md_tells(shared):
    """Three COMB spectra: S/N per pixel about 70, 14.5 and 0.8; errors of bad pixels are 1e10 and, once, a bit less."""
    path = shared / "ngc2691_comb" / "NGC2691.COMB.RSS.fits"
    with pytest.raises(CubeError, match="does not say its unit"):
        read_row_stack(path)
    cube = read_row_stack(path, "1e-16 erg/s/cm^2/A")
    assert cube.flux.shape == (1901, 1, 3)
    assert cube.wave[[0, -1]].tolist() == [3701.0, 7501.0]
    assert cube.error.max() < 0.1
    marked = fits.getdata(path, "ERROR").T[:, None, :] > 1e5
    assert np.array_equal(cube.good, ~marked)
    assert (~cube.good).sum() == 202 + 12 + 9
    snr = [np.median(cube.flux[:, 0, i][g] / cube.error[:, 0, i][g]) for i, g in enumerate(cube.good[:, 0].T)]
    assert snr == pytest.approx([70, 14.5, 0.8], rel=0.1)
