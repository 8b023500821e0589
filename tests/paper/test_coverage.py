"""Stated errors hold the truth in 68 % of all cases, also where the library has too few models for the data.

Library members of real stellar models are observed with noise and measured without themselves. 20 000 models are few:
what S/N 40 is for them, S/N 100 is for half a million (`glocal validate` shows that).
"""

import numpy as np
import pytest

from engine.inference.arrangement import arrange
from engine.inference.posterior import FEW_MODELS, percentiles
from engine.inference.validation import QUANTITIES, draw_from_prior, inject, recovery, truths
from engine.library.build import build_library
from engine.mock.observe import index_errors
from engine.mock.settings import MockSettings

pytestmark = [pytest.mark.paper, pytest.mark.slow]
N_REGION = 3000


@pytest.fixture(scope="module")
def library(real_grid, filters):
    return build_library(real_grid, filters, 20_000, 3, sigma_grid=(150.0,))


@pytest.fixture(scope="module")
def models(library):
    return arrange(library)


def coverages(library, models, snr: float, least_models: float) -> list[float]:
    settings, rng = MockSettings(), np.random.default_rng(4)
    errors = index_errors(np.array(snr), settings), np.array(settings.photometric_floor)
    injected = inject(library, draw_from_prior(library, N_REGION, rng), *errors, rng)
    found = percentiles(injected.observed, models, leave_out=injected.member, least_models=least_models)
    truth = truths(injected, library)
    return [recovery(name, found, truth[name]).coverage for name in QUANTITIES]


@pytest.mark.parametrize("snr", [20.0, 40.0])
def test_errors_hold_the_truth_in_68_per_cent_of_all_cases(library, models, snr):
    np.testing.assert_allclose(coverages(library, models, snr, FEW_MODELS), 0.68, atol=0.04)


def test_without_widening_they_are_too_small_where_models_are_few(library, models):
    assert max(coverages(library, models, 40.0, 0.0)) < 0.63


def test_where_hardly_any_model_fits_errors_are_rather_too_large_than_too_small(library, models):
    assert max(coverages(library, models, 300.0, 0.0)) < 0.5
    assert min(coverages(library, models, 300.0, FEW_MODELS)) > 0.64
