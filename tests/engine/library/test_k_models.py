"""K-corrections of real model galaxies: their bias and scatter, per kind of galaxy, with the errors of a survey."""

import numpy as np
import pytest

from engine.library.build import k_models, model_observables, model_spectra
from engine.library.draw import Priors, draw_histories
from engine.library.observables import make_templates
from engine.spectrum.indices import Indices
from engine.spectrum.kcorrection import Magnitudes, fit_k_correction, k_corrected
from engine.spectrum.photometry import ab_magnitudes

RANGE = (2800.0, 11500.0)
MAG_ERRORS = np.array([0.06, 0.04, 0.04, 0.04, 0.05])
INDEX_ERRORS = np.array([0.05, 0.3, 0.9, 0.02, 0.15])


@pytest.fixture(scope="module")
def galaxies(real_grid, filters):
    """Other model galaxies than those of the correction: wavelengths, spectra, indices, ages, dust."""
    histories = draw_histories(800, Priors(), np.random.default_rng(77))
    wave, flux = model_spectra(histories, real_grid, RANGE)
    seen = model_observables(histories, real_grid, make_templates(real_grid, filters, np.array([150.0])))
    return wave, flux, seen.indices[:, 0].astype(float), seen.log_age_wr, histories.tau_v


@pytest.mark.slow
@pytest.mark.parametrize("redshift", [0.01, 0.03])
def test_magnitudes_at_rest_are_unbiased_and_their_errors_right(galaxies, real_grid, filters, redshift):
    wave, flux, indices, log_age, tau_v = galaxies
    rng = np.random.default_rng(5)
    errors, index_errors = (np.broadcast_to(part, indices.shape) for part in (MAG_ERRORS, INDEX_ERRORS))
    truth = ab_magnitudes(wave, flux, filters)
    seen = ab_magnitudes(wave * (1 + redshift), flux / (1 + redshift), filters)
    correction = fit_k_correction(wave, k_models(real_grid, filters, 500, 3, RANGE), filters, redshift)
    rest = k_corrected(
        Magnitudes(seen + errors * rng.normal(size=seen.shape), errors),
        Indices(indices + index_errors * rng.normal(size=seen.shape), index_errors), correction,
    )  # fmt: skip
    pulls = (rest.values - truth) / rest.errors
    assert pulls.std(axis=0) == pytest.approx(np.ones(5), abs=0.1)
    # what the correction itself adds, without the noise of the magnitudes
    best = k_corrected(Magnitudes(seen, errors), Indices(indices, index_errors), correction)
    of_gain = best.values - truth
    assert of_gain.std(axis=0).max() < 0.4 * redshift  # 0.011 mag in u at 0.03; with two colours it was 0.04
    for kind in (log_age < 9, (log_age > 9.7) & (tau_v < 1), (log_age > 9.7) & (tau_v > 2)):
        assert np.abs(of_gain[kind].mean(axis=0)).max() < 0.2 * redshift  # 0.006 mag at 0.03; it was 0.029
