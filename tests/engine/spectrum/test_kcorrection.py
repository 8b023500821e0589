"""K-corrections against power laws, whose truth is analytic, and against the scatter of noisy magnitudes."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.spectrum.indices import Indices
from engine.spectrum.kcorrection import KModels, Magnitudes, fit_k_correction, k_corrected
from engine.spectrum.photometry import Filter

WAVE = np.arange(2800.0, 11500.0, 4.0)
OFFSET = np.linspace(-600.0, 600.0, 241)
CENTRES = (3550.0, 4690.0, 6170.0, 7480.0, 8930.0)
FILTERS = tuple(
    Filter(name, centre + OFFSET, np.exp(-0.5 * (OFFSET / 250) ** 2))
    for name, centre in zip("ugriz", CENTRES, strict=True)
)  # fmt: skip
REDSHIFT = 0.03
N = 400


def power_laws(slope, bend, wave=WAVE):
    """f_nu as nu^slope, with a bend below 4000 Angstrom that the indices alone tell of."""
    blue = np.clip(4000.0 - wave, 0.0, None) / 1000.0
    return (wave / 5500.0) ** (-2.0 - slope[:, None]) * np.exp(-bend[:, None] * blue)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(8)
    return rng.uniform(-3.0, 1.0, N), rng.normal(0.6, 0.3, N)


@pytest.fixture(scope="module")
def models(drawn):
    slope, bend = drawn
    indices = np.stack([bend, slope, bend + slope, 0 * slope + 1, np.sin(9 * slope)], axis=1)
    return KModels(power_laws(slope, bend), indices)


def direct(flux, redshift):
    """AB magnitudes of redshifted spectra by plain sums over a fine grid of each filter."""
    found = []
    for one in FILTERS:
        wave = np.linspace(one.wave[0], one.wave[-1], 4801)
        photons = np.interp(wave, one.wave, one.response) * wave
        seen = np.stack([np.interp(wave / (1 + redshift), WAVE, row) for row in flux]) / (1 + redshift)
        norm = 3631e-23 * 2.99792458e18 * (photons / wave**2).sum()
        found.append(-2.5 * np.log10((seen * photons).sum(axis=1) / norm))
    return np.stack(found, axis=1)


def seen_without_noise(models, error=1e-4):
    values = direct(models.flux, REDSHIFT)
    indices = Indices(models.indices, np.full_like(models.indices, error))
    return Magnitudes(values, np.full_like(values, error)), indices


def test_a_power_law_changes_as_theory_says():
    slope = np.linspace(-3.0, 1.0, 50)
    models = KModels(power_laws(slope, 0 * slope), np.stack([slope] * 5, axis=1))
    seen, indices = seen_without_noise(models)
    gain = seen.values - k_corrected(seen, indices, fit_k_correction(WAVE, models, FILTERS, REDSHIFT)).values
    wanted = -2.5 * (1 + slope) * np.log10(1 + REDSHIFT)
    assert gain == pytest.approx(np.repeat(wanted[:, None], 5, axis=1), abs=1e-3)


def test_corrected_magnitudes_are_those_of_the_spectra_at_rest(models):
    seen, indices = seen_without_noise(models)
    rest = k_corrected(seen, indices, fit_k_correction(WAVE, models, FILTERS, REDSHIFT))
    truth = direct(models.flux, 0.0)
    assert np.abs(rest.values - truth).max(axis=0) == pytest.approx(np.zeros(5), abs=0.01)
    assert np.abs(seen.values - truth)[:, 0].mean() > 0.03  # there was something to correct


def test_errors_hold_the_truth_and_the_noise_that_correction_and_magnitude_share(models):
    rng = np.random.default_rng(2)
    correction, truth = fit_k_correction(WAVE, models, FILTERS, REDSHIFT), direct(models.flux, 0.0)
    clean, indices = seen_without_noise(models)
    errors = np.broadcast_to([0.1, 0.04, 0.03, 0.03, 0.05], truth.shape)
    pulls = []
    for _ in range(20):
        seen = Magnitudes(clean.values + errors * rng.normal(size=truth.shape), errors)
        noisy = Indices(indices.values + 0.3 * rng.normal(size=truth.shape), np.full(truth.shape, 0.3))
        rest = k_corrected(seen, noisy, correction)
        pulls.append((rest.values - truth) / rest.errors)
    assert np.std(pulls, axis=(0, 1)) == pytest.approx(np.ones(5), abs=0.05)
    assert np.mean(pulls, axis=(0, 1)) == pytest.approx(np.zeros(5), abs=0.05)


def test_the_models_own_spread_enters_the_errors_where_nothing_else_is_known(models):
    seen = Magnitudes(np.array([[np.nan, np.nan, 18.0, np.nan, np.nan]]), np.full((1, 5), 1e-3))
    nothing = Indices(np.full((1, 5), np.nan), np.full((1, 5), np.nan))
    rest = k_corrected(seen, nothing, fit_k_correction(WAVE, models, FILTERS, REDSHIFT))
    gain = direct(models.flux, REDSHIFT)[:, 2] - direct(models.flux, 0.0)[:, 2]
    assert rest.values[0, 2] == pytest.approx(18.0 - gain.mean(), abs=1e-3)
    assert rest.errors[0, 2] == pytest.approx(gain.std(), rel=0.02)
    assert np.isnan(rest.values[0, [0, 1, 3, 4]]).all()


def test_brightness_tells_nothing(models):
    seen, indices = seen_without_noise(models, 0.03)
    correction = fit_k_correction(WAVE, models, FILTERS, REDSHIFT)
    fainter = k_corrected(seen._replace(values=seen.values + 7.0), indices, correction)
    assert fainter.values - 7.0 == pytest.approx(k_corrected(seen, indices, correction).values, abs=1e-4)


def test_an_impossible_colour_is_not_extrapolated(models):
    seen, indices = seen_without_noise(models)
    odd = seen._replace(values=seen.values + np.array([50.0, 0.0, 0.0, 0.0, 0.0]))
    gain = odd.values - k_corrected(odd, indices, fit_k_correction(WAVE, models, FILTERS, REDSHIFT)).values
    truth = direct(models.flux, REDSHIFT) - direct(models.flux, 0.0)
    assert np.all(gain <= truth.max(axis=0) + 1e-3)
    assert np.all(gain >= truth.min(axis=0) - 1e-3)


def test_at_redshift_zero_nothing_changes(models):
    seen, indices = seen_without_noise(models, 0.03)
    rest = k_corrected(seen, indices, fit_k_correction(WAVE, models, FILTERS, 0.0))
    assert rest.values == pytest.approx(seen.values, abs=1e-9)
    assert rest.errors == pytest.approx(seen.errors, rel=1e-9)


def test_models_that_do_not_cover_a_filter_are_refused(models):
    with pytest.raises(ShapeError, match="the filter u"):
        fit_k_correction(WAVE[300:], KModels(models.flux[:, 300:], models.indices), FILTERS, REDSHIFT)
