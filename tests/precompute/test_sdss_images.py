"""SDSS images in nanomaggies and in counts of DR7, and what is refused."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from engine.cube.sky import pixel_at
from engine.errors import CubeError
from precompute.io.sdss_images import Calibration, read_sdss_image, read_ts_field

PIXEL = 0.396
WCS_CARDS = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 20.0, "CRPIX1": 50.5, "CRPIX2": 40.5,
    "CD1_1": -PIXEL / 3600, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": PIXEL / 3600,
}  # fmt: skip
SKY_NOISE = 0.02


def sky(seed=1):
    return np.random.default_rng(seed).normal(0.0, SKY_NOISE, (80, 100))


@pytest.fixture
def written(tmp_path):
    def write(data, cards, name="frame-r.fits", **others):
        head = fits.Header(WCS_CARDS | cards)
        parts = [fits.ImageHDU(values, name=other) for other, values in others.items()]
        fits.HDUList([fits.PrimaryHDU(data, head), *parts]).writeto(tmp_path / name, overwrite=True)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    "unit", ["nanomaggy", "nanomaggies", "nMgy", "nanomaggies/pixel", "nMgy/pix", "nanomaggies per pixel", "NANOMAGGY"]
)
def test_a_calibrated_frame_is_taken_as_it_is(written, unit):
    data = sky()
    image = read_sdss_image(written(data, {"BUNIT": unit, "FILTER": "r"}))
    assert np.array_equal(image.data, data)
    assert (image.band, image.calibration) == ("r", "nanomaggies")
    assert image.pixel_arcsec == pytest.approx(PIXEL, rel=1e-6)
    assert np.isnan(image.psf_fwhm)
    assert image.wcs.all_pix2world(49.5, 39.5, 0) == pytest.approx([150.0, 20.0])


def test_the_noise_is_that_of_the_sky_even_with_a_galaxy_in_the_image(written):
    y, x = np.indices((80, 100))
    galaxy = 50 * np.exp(-np.hypot(x - 50, y - 40) / 4)
    image = read_sdss_image(written(sky() + galaxy, {"BUNIT": "nanomaggy", "FILTER": "r"}))
    assert image.error == pytest.approx(SKY_NOISE, rel=0.1)


@pytest.mark.parametrize(("name", "values"), [("ERROR", 0.3), ("IVAR", 0.3**-2)])
def test_an_error_image_is_preferred(written, name, values):
    path = written(sky(), {"BUNIT": "nanomaggy", "FILTER": "r"}, **{name: np.full((80, 100), values)})
    assert read_sdss_image(path).error == pytest.approx(0.3)


def test_counts_of_dr7_become_nanomaggies_by_the_tsfield_calibration(written, tmp_path):
    """classic.sdss.org: magnitude = -2.5 log10(counts / exposure) - (aa + kk airmass), counts above bias and sky."""
    rows = {"aa": [[-23.4, -24.4, -24.1, -23.7, -21.9]], "kk": [[0.5, 0.2, 0.1, 0.06, 0.05]], "airmass": [[1.2] * 5]}
    Table(rows).write(tmp_path / "tsField.fits")
    calibration = read_ts_field(tmp_path / "tsField.fits", "r")
    assert calibration == Calibration(-24.1, 0.1, 1.2)
    star = 5000.0
    counts = 1000.0 + 130.0 + 5.0 * sky() / SKY_NOISE
    counts[40, 50] += star
    path = written(counts, {"FILTER": "r", "SOFTBIAS": 1000}, "fpC-r.fits")
    image = read_sdss_image(path, calibration=calibration)
    magnitude = -2.5 * np.log10(star / 53.907456) - (-24.1 + 0.1 * 1.2)
    assert 22.5 - 2.5 * np.log10(image.data[40, 50]) == pytest.approx(magnitude, abs=0.01)
    assert np.median(image.data) == pytest.approx(0.0, abs=0.2 * 5 * calibration.nanomaggies_per_count)
    assert image.calibration == "tsField"


def test_without_tsfield_the_preliminary_flux20_calibrates_counts(written):
    counts = 1130.0 + 5.0 * sky() / SKY_NOISE
    counts[40, 50] += 2080.0
    image = read_sdss_image(written(counts, {"FILTER": "g", "SOFTBIAS": 1000, "FLUX20": 2080.0}))
    assert 22.5 - 2.5 * np.log10(image.data[40, 50]) == pytest.approx(20.0, abs=0.02)
    assert image.calibration == "FLUX20, preliminary"


def test_the_band_named_by_the_caller_wins_over_a_copied_header(written):
    path = written(sky(), {"BUNIT": "nanomaggy", "FILTER": "g"})
    assert read_sdss_image(path, band="i").band == "i"


@pytest.mark.parametrize("name", ["r", "SDSS r", "sdss-r", "r.SDSS", "R"])
def test_the_header_names_the_band_however_it_is_spelt(written, name):
    image = read_sdss_image(written(sky(), {"BUNIT": "nanomaggy", "FILTER": name}), band="g")
    assert (image.band, image.stated_band) == ("g", "r")


def test_a_filter_that_is_none_of_ours_says_nothing_about_the_band(written):
    assert read_sdss_image(written(sky(), {"BUNIT": "nanomaggy", "FILTER": "F814W"}), band="g").stated_band == ""


@pytest.mark.parametrize("cards", [{"SEEING": 0.0}, {"SEEING": -1.0}, {"PSF_FWHM": 99.0}, {"PSF_FWHM": 0, "SEEING": 0}])
def test_a_seeing_that_stands_for_not_known_is_not_known_and_noted(written, cards):
    image = read_sdss_image(written(sky(), {"BUNIT": "nanomaggy", "FILTER": "r"} | cards))
    assert np.isnan(image.psf_fwhm)
    assert all(f"{key} is {value}" in image.notes[0] for key, value in cards.items())
    assert "taken as not known: 1.32 arcsec assumed" in image.notes[0]


def test_where_one_keyword_of_the_seeing_is_absurd_the_other_counts(written):
    cards = {"BUNIT": "nanomaggy", "FILTER": "r", "PSF_FWHM": -1.0, "SEEING": 1.4}
    image = read_sdss_image(written(sky(), cards))
    assert (image.psf_fwhm, image.notes) == (pytest.approx(1.4), ())


def test_a_frame_with_declination_first_lies_where_its_header_says(written):
    """As fpC files of DR7: the same pixels on the same sky, the order of the world axes exchanged."""
    cards = {"BUNIT": "nanomaggy", "FILTER": "r"}
    swapped = {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 20.0, "CRVAL2": 150.0, "CD1_1": 0.0,
               "CD1_2": PIXEL / 3600, "CD2_1": -PIXEL / 3600, "CD2_2": 0.0}  # fmt: skip
    ra_first = read_sdss_image(written(sky(), cards))
    dec_first = read_sdss_image(written(sky(), cards | swapped, name="fpC.fits"))
    there = ra_first.wcs.pixel_to_world([3.0, 70.0], [60.0, 11.0])
    pixel = pixel_at(dec_first.wcs, there)
    assert (pixel.x, pixel.y) == (pytest.approx([3.0, 70.0]), pytest.approx([60.0, 11.0]))


def test_seeing_is_taken_from_the_caller_then_from_the_header(written):
    path = written(sky(), {"BUNIT": "nanomaggy", "FILTER": "r", "SEEING": 1.4})
    assert read_sdss_image(path).psf_fwhm == pytest.approx(1.4)
    assert read_sdss_image(path, psf_fwhm=1.1).psf_fwhm == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"BUNIT": "nanomaggy"}, "the band is '', not one of u, g, r, i, z"),
        ({"BUNIT": "nanomaggy", "FILTER": "V"}, "the band is 'V'"),
        ({"BUNIT": "Jy", "FILTER": "r"}, "BUNIT is 'Jy', neither nanomaggies nor counts"),
        ({"FILTER": "r"}, "in counts, without FLUX20 in its header or the tsField"),
        ({"FILTER": "r", "BUNIT": "nanomaggy", "CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, "not RA and Dec"),
        ({"FILTER": "r", "BUNIT": "nanomaggy", "CD1_1": 1.0, "CD2_2": 1.0}, "pixels of 3600 arcsec"),
    ],
)
def test_an_image_that_does_not_say_enough_is_refused(written, cards, words):
    with pytest.raises(CubeError, match=words):
        read_sdss_image(written(sky(), cards))


def test_images_of_nan_of_three_axes_or_with_another_error_are_refused(written):
    cards = {"BUNIT": "nanomaggy", "FILTER": "r"}
    with pytest.raises(CubeError, match="holds only NaN"):
        read_sdss_image(written(np.full((80, 100), np.nan), cards))
    with pytest.raises(CubeError, match="PRIMARY has 3 axes"):
        read_sdss_image(written(np.ones((2, 80, 100)), cards))
    with pytest.raises(CubeError, match=r"ERROR has the shape \(3, 3\)"):
        read_sdss_image(written(sky(), cards, ERROR=np.ones((3, 3))))


def test_a_tsfield_file_whose_zero_point_is_not_known_is_refused(tmp_path):
    columns = {name: [np.full(5, value)] for name, value in (("aa", -9999.0), ("kk", 0.1), ("airmass", 1.2))}
    Table(columns).write(tmp_path / "tsField.fits")
    with pytest.raises(CubeError, match=r"aa, kk and airmass of r are \[-9999"):
        read_ts_field(tmp_path / "tsField.fits", "r")


def test_a_file_that_is_no_tsfield_is_refused(written):
    with pytest.raises(CubeError, match="not a tsField file"):
        read_ts_field(written(sky(), {}), "r")


def test_real_images_of_ngc6976_are_read_though_their_headers_are_copies_of_one(shared):
    for band in "gri":
        path = shared / "sdss_images" / f"reprojected_sdss_{band}.fits.bz2"
        image = read_sdss_image(path, band=band)
        assert read_sdss_image(path).band == "g"
        assert image.pixel_arcsec == pytest.approx(3 * PIXEL, rel=1e-3)
        assert 0.005 < image.error[0, 0] < 0.03


def test_images_resampled_by_interpolation_keep_the_flux_of_their_old_pixels(shared):
    """NGC6977 has V = 13.2 and B - V = 0.9 in catalogues, so r is about 12.9; the values as they are give 15.3."""
    image = read_sdss_image(shared / "sdss_images" / "reprojected_sdss_r.fits.bz2", "r", counted_arcsec=PIXEL)
    y, x = np.indices(image.data.shape)
    at_x, at_y = image.wcs.all_world2pix(313.12378, -5.74610, 0)
    near = np.hypot(x - at_x, y - at_y) * image.pixel_arcsec < 40
    assert 22.5 - 2.5 * np.log10(image.data[near].sum()) == pytest.approx(12.9, abs=0.2)
