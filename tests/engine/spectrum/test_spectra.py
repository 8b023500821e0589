"""Spectra brought to rest keep their indices and the errors of these."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.spectrum.indices import measure_indices
from engine.spectrum.spectra import REST_GRID, make_spectra, rest_frame
from tests.reference.model_spectra import WAVE, noisy


def test_pixels_without_number_or_with_a_huge_error_are_bad():
    flux, err = np.ones((1, 7)), np.array([[0.1, 0.1, 0.1, 0.0, np.nan, 1e10, 0.1]])
    flux[0, 6] = np.inf
    assert make_spectra(np.arange(7.0), flux, err).good.tolist() == [[True] * 3 + [False] * 4]


@pytest.mark.parametrize(
    ("wave", "flux", "message"),
    [(np.arange(4.0), np.ones((2, 5)), "flux has the shape"), (np.ones(5), np.ones((2, 5)), "must rise")],
)
def test_spectra_that_do_not_fit_together_are_refused(wave, flux, message):
    with pytest.raises(ShapeError, match=message):
        make_spectra(wave, flux, np.ones_like(flux))


def test_indices_at_rest_are_those_of_the_spectrum_where_it_was(disc):
    wave, stars, motion = disc
    truth = measure_indices(wave / (1 + motion.redshift) / np.exp(motion.velocity / 299_792.458), stars).values
    spectra = make_spectra(wave, stars[None], stars[None] / 50)
    rest = rest_frame(spectra, np.full((1, wave.size), np.nan), np.array([motion.velocity]), motion.redshift)
    found = measure_indices(rest.wave, rest.flux).values[0]
    assert found == pytest.approx(truth, abs=0.02)


def test_errors_of_indices_at_rest_agree_with_their_scatter(disc):
    wave, stars, motion = disc
    n = 1500
    spectra = make_spectra(wave, *noisy(stars, 20, n))
    rest = rest_frame(spectra, spectra.flux, np.linspace(-200, 200, n), motion.redshift)
    # the velocities move the bands: the scatter is against the noiseless spectrum at the same velocity
    still = rest_frame(
        spectra._replace(flux=np.tile(stars, (n, 1))), spectra.flux, np.linspace(-200, 200, n), motion.redshift
    )
    found = measure_indices(rest.wave, rest.flux, rest.err)
    scatter = (found.values - measure_indices(still.wave, still.flux).values).std(axis=0)
    assert scatter[:3] == pytest.approx(found.errors.mean(axis=0)[:3], rel=0.08)
    assert scatter[3:] == pytest.approx(found.errors.mean(axis=0)[3:], rel=0.25)  # bands shared by Mg2, Mgb and iron


def test_errors_of_indices_at_rest_do_not_depend_on_the_step_of_the_grid(disc):
    """Pixels of half the width have errors larger by the root of two: the information stays that of the data."""
    wave, stars, motion = disc
    spectra = make_spectra(wave, stars[None], stars[None] / 50)
    coarse, fine = (
        rest_frame(spectra, spectra.flux, np.zeros(1), motion.redshift, np.arange(3660.0, 7240.0, step))
        for step in (2.0, 1.0)
    )
    found, twice = (measure_indices(rest.wave, rest.flux, rest.err).errors for rest in (coarse, fine))
    assert twice == pytest.approx(found, rel=0.03)


def test_bad_pixels_take_the_fit_and_are_told(disc):
    wave, stars, motion = disc
    spectra = make_spectra(wave, stars[None].copy(), stars[None] / 50)
    spectra.flux[0, 500:503] = 99.0
    spectra.good[0, 500:503] = False
    rest = rest_frame(spectra, stars[None], np.array([motion.velocity]), motion.redshift)
    whole = rest_frame(
        make_spectra(wave, stars[None], stars[None] / 50), stars[None], np.array([motion.velocity]), motion.redshift
    )
    assert rest.flux == pytest.approx(whole.flux, nan_ok=True)
    assert (~rest.good & np.isfinite(rest.flux)).sum() in (2, 3, 4)


def test_beyond_the_data_there_is_nothing():
    wave = WAVE[WAVE < 5000]
    spectra = make_spectra(wave, np.ones((1, wave.size)), np.ones((1, wave.size)))
    rest = rest_frame(spectra, spectra.flux, np.zeros(1), 0.01)
    beyond = REST_GRID * 1.01 > 4999
    assert np.isnan(rest.flux[0, beyond]).all()
    assert not rest.good[0, beyond].any()
    assert np.isfinite(rest.flux[0, ~beyond & (REST_GRID * 1.01 > 3702)]).all()
