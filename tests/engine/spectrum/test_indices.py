"""Line indices against analytic truths, Monte Carlo, a plain loop and the MILES table."""

import tarfile

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from scipy.ndimage import gaussian_filter1d

from engine.columns import INDEX_NAMES
from engine.errors import ShapeError
from engine.features import D4000N_BLUE, LICK
from engine.spectrum.indices import SINGLE_NAMES, Indices, combine, measure_indices, measure_single
from tests.reference import indices_plain

WAVE = np.arange(3700.0, 5600.0, 2.0)


def bumpy(n: int = 1, wave: np.ndarray = WAVE) -> np.ndarray:
    """Spectra with slopes, wiggles, a break, and an absorption line in every index."""
    phase = np.random.default_rng(3).uniform(0, 6, (n, 2, 1))
    wiggles = 0.02 * np.sin(wave / 7.3 + phase[:, 0]) + 0.02 * np.sin(wave / 19.0 + phase[:, 1])
    lines = sum(0.3 * np.exp(-(((wave - np.mean(index.centre)) / 9.0) ** 2)) for index in LICK)
    return (1.0 + 1e-4 * (wave - 4500) + wiggles - lines - 0.3 * (wave < 3980)) * (1 + 0.1 * phase[:, 1])


@pytest.mark.parametrize(("slope", "tolerance"), [(0.0, 1e-10), (2e-3, 1e-3)])
def test_a_straight_continuum_has_no_lines(slope, tolerance):
    """Flat: exactly. Inclined: flux is constant within a pixel, which matters where a band cuts one."""
    lick = measure_single(WAVE, 3.0 + slope * (WAVE - 4000)).values[:-1]
    assert lick == pytest.approx(0.0, abs=tolerance)


def test_a_spectrum_flat_in_f_nu_has_no_break():
    assert measure_single(WAVE, 1e8 / WAVE**2).values[-1] == pytest.approx(1.0, abs=1e-12)


def test_a_box_of_known_depth_has_its_area_as_width():
    wave = np.arange(4800.0, 4920.0, 0.01)
    flux = np.where((wave > 4855) & (wave < 4865), 0.4, 1.0)
    measured = measure_single(wave, flux).values[SINGLE_NAMES.index("hbeta")]
    assert measured == pytest.approx(6.0, abs=0.01)


def test_scaling_the_flux_changes_nothing():
    flux = bumpy(3)
    assert measure_indices(WAVE, 1e-17 * flux).values == pytest.approx(measure_indices(WAVE, flux).values, rel=1e-9)


def test_the_fast_measurement_agrees_with_the_plain_loop():
    wave = np.cumsum(np.concatenate([[3800.0], np.random.default_rng(1).uniform(0.7, 2.6, 1000)]))
    flux = bumpy(1, wave)[0]
    middle = (wave[1:] + wave[:-1]) / 2
    edges = [2 * wave[0] - middle[0], *middle, 2 * wave[-1] - middle[-1]]
    measured = measure_single(wave, flux).values
    for value, index in zip(measured, LICK, strict=False):
        plain = indices_plain.magnitude if index.in_magnitudes else indices_plain.equivalent_width
        truth = plain(wave, edges, flux, index.centre, index.blue, index.red)
        assert value == pytest.approx(truth if index.in_magnitudes else truth[0], rel=1e-9, abs=1e-10)
    assert measured[-1] == pytest.approx(indices_plain.d4000n(wave, edges, flux), rel=1e-12)


def test_one_spectrum_and_many_are_measured_alike():
    flux = bumpy(4)
    many = measure_indices(WAVE, flux, 0.1 * flux)
    one = measure_indices(WAVE, flux[2], 0.1 * flux[2])
    assert one.values.shape == (len(INDEX_NAMES),)
    assert np.array_equal(one.values, many.values[2])
    assert np.array_equal(one.errors, many.errors[2])


@pytest.mark.parametrize("measure", [measure_single, measure_indices])
def test_errors_agree_with_monte_carlo(measure):
    rng = np.random.default_rng(5)
    flux = bumpy()[0]
    err = 0.02 * (1 + 0.5 * np.sin(WAVE / 300))
    noisy = measure(WAVE, flux + err * rng.standard_normal((4000, WAVE.size))).values
    predicted = measure(WAVE, flux, err).errors
    scatter = noisy.std(axis=0)
    # the composites leave out that Mg2, Mgb and the iron indices share pixels
    assert predicted == pytest.approx(scatter, rel=0.05 if measure is measure_single else 0.1)


def test_the_group_s_errors_are_smaller_because_they_loosen_the_continuum():
    flux = bumpy()[0]
    loose = measure_single(WAVE, flux, 0.02 * flux, group_errors=True).errors[:-1]
    tight = measure_single(WAVE, flux, 0.02 * flux).errors[:-1]
    assert (loose < tight).all()
    assert (loose > 0.5 * tight).all()


def test_without_errors_there_are_none():
    assert np.isnan(measure_indices(WAVE, bumpy()).errors).all()


@pytest.mark.parametrize(("n_bad", "measured"), [(1, True), (3, False)])
def test_a_line_needs_nine_tenths_of_good_pixels(n_bad, measured):
    good = np.ones(WAVE.size, bool)
    good[np.searchsorted(WAVE, 4855.0) + np.arange(n_bad)] = False  # Hbeta is 28.75 Angstrom wide
    value = measure_single(WAVE, bumpy()[0], good=good).values[SINGLE_NAMES.index("hbeta")]
    assert np.isfinite(value) == measured


@pytest.mark.parametrize(("first", "measured"), [(3880.0, True), (3890.0, False)])
def test_the_break_needs_two_thirds_of_each_side(first, measured):
    keep = WAVE > first
    assert D4000N_BLUE == (3850.0, 3950.0)
    value = measure_single(WAVE[keep], bumpy()[0, keep]).values[-1]
    assert np.isfinite(value) == measured


def test_bad_pixels_are_bridged_whatever_they_hold():
    flux, good = 3.0 + 2e-3 * (WAVE - 4000), np.ones(WAVE.size, bool)
    truth = measure_single(WAVE, flux).values
    good[np.searchsorted(WAVE, 4861.0)] = False
    for junk in (0.0, 1e6, np.nan):
        spoiled = np.where(good, flux, junk)
        assert measure_single(WAVE, spoiled, good=good).values == pytest.approx(truth, abs=1e-10)


def test_pixels_that_are_not_numbers_count_as_bad():
    flux = bumpy()[0]
    flux[(WAVE > 4850) & (WAVE < 4870)] = np.nan
    values = dict(zip(INDEX_NAMES, measure_indices(WAVE, flux).values, strict=True))
    assert np.isnan(values["hbeta"])
    assert np.isfinite(values["mgfe_prime"])


def test_composites_follow_their_definitions():
    single = dict.fromkeys(SINGLE_NAMES, 0.0) | {
        "hdelta_a": 1.5, "hgamma_a": -4.0, "hbeta": 2.0, "mg2": 0.2, "fe4531": 3.0, "fe5015": 5.0, "mgb": 4.0,
        "fe5270": 3.0, "fe5335": 2.0, "d4000n": 1.7,
    }  # fmt: skip
    values = np.array([single[name] for name in SINGLE_NAMES])
    measured = combine(Indices(values, np.full_like(values, np.nan))).values
    mg2fe, mgfe = 0.6 * 0.2 + 0.4 * np.log10(8.0), np.sqrt(4.0 * (0.72 * 3.0 + 0.28 * 2.0))
    assert measured == pytest.approx([1.7, 2.0, -2.5, mg2fe, mgfe])


@pytest.mark.parametrize("name", SINGLE_NAMES)
def test_the_error_of_one_index_goes_into_the_composites_by_their_derivative(name):
    values = np.array([1.0 + 0.3 * place for place in range(len(SINGLE_NAMES))])
    alone = 1e-4 * (np.array(SINGLE_NAMES) == name)
    found = combine(Indices(values, alone)).errors
    above, below = (combine(Indices(values + sign * alone, alone)).values for sign in (1, -1))
    assert found == pytest.approx(np.abs(above - below) / 2, rel=1e-5, abs=1e-12)


def test_a_composite_of_emission_is_no_number():
    values = np.full(len(SINGLE_NAMES), -1.0)
    assert np.isnan(combine(Indices(values, values)).values[-2:]).all()


@pytest.mark.parametrize(
    ("wave", "flux", "words"),
    [(WAVE, np.ones(7), "axis of wave"), (WAVE[::-1], np.ones(WAVE.size), "must rise"), (WAVE[:1], np.ones(1), "rise")],
)
def test_arrays_that_do_not_fit_are_refused(wave, flux, words):
    with pytest.raises(ShapeError, match=words):
        measure_indices(wave, flux)


def test_an_error_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match="err has the shape"):
        measure_indices(WAVE, np.ones(WAVE.size), np.ones(3))


@pytest.mark.paper
def test_miles_spectra_give_the_published_miles_indices(shared):
    """Table at 5.0 Angstrom FWHM, spectra at 2.51 (Falcon-Barroso et al. 2011)."""
    folder = shared / "miles_indices"
    table = Table.read(folder / "MILES_KB_LIS5.0.fits")
    columns = ("HdA", "HgA", "Fe4531", "Hbeta", "Fe5015", "Mg1", "Mg2", "Mgb", "Fe5270", "Fe5335")
    rows = {str(name).strip().removesuffix("_LIS5.0.fits"): row for row, name in enumerate(table["Files"])}
    with tarfile.open(folder / "miles_ssp_subset.tar.gz") as tar:
        members = [member for member in tar.getmembers() if member.name.endswith(".fits")]
        names = [member.name.split("/")[-1].removesuffix(".fits") for member in members]
        spectra = np.array([fits.getdata(tar.extractfile(member)).astype(float) for member in members])
    wave = 3540.5 + 0.9 * np.arange(spectra.shape[1])
    sigma = np.sqrt(5.0**2 - 2.51**2) / 2.3548 / 0.9
    measured = measure_single(wave, gaussian_filter1d(spectra, sigma, axis=1, truncate=6)).values
    published = np.array([[table[column][rows[name]] for column in columns] for name in names])
    difference = np.abs(measured[:, :-1] - published)
    in_magnitudes = [index.in_magnitudes for index in LICK]
    assert len(names) == 68
    assert difference[:, ~np.array(in_magnitudes)].max() < 0.01
    assert difference[:, in_magnitudes].max() < 1e-3
