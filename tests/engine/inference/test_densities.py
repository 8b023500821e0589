"""Full posteriors of single regions: shares of the plain weights, and in step with the percentiles."""

import numpy as np
import pytest

from engine.inference.arrangement import arrange
from engine.inference.densities import densities
from engine.inference.posterior import FEW_MODELS, Observed, percentiles
from tests.reference.posterior_plain import posterior_of
from tests.reference.toy_library import toy_library, toy_observed


@pytest.fixture(scope="module")
def library():
    return toy_library(3000, np.random.default_rng(41))


@pytest.fixture(scope="module")
def observed(library):
    return toy_observed(library, 6, np.random.default_rng(42))[0]


def test_each_cell_holds_the_share_of_the_plain_weights(library, observed):
    found = densities(observed, arrange(library))
    for row in range(6):
        weight = posterior_of(row, observed, library)[2]
        share = np.histogram(library.log_age_wr, found.axes.log_age_wr, weights=weight / weight.sum())[0]
        # ages are known to a cell of 0.001 dex, so that a model near an edge may be counted on its other side
        np.testing.assert_allclose(found.log_age_wr[row].cumsum(), share.cumsum(), atol=0.1)
        assert np.abs(found.log_age_wr[row].cumsum() - share.cumsum()).mean() < 0.005


def test_without_a_model_that_counts_there_is_no_posterior(library, observed):
    only = np.zeros(3000)
    only[17] = 1.0
    found = densities(observed, library, prior=only, leave_out=np.full(6, 17))
    assert all(np.isnan(part).all() for part in found[1:])
    assert np.isfinite(densities(observed, library, prior=only).log_age_wr).all()


def test_everything_adds_up_to_one_and_the_plane_to_its_sides(library, observed):
    found = densities(observed, library)
    for part in found[1:]:
        np.testing.assert_allclose(part.reshape(6, -1).sum(axis=1), 1.0)
    np.testing.assert_allclose(found.age_Z.sum(axis=2), found.log_age_wr, atol=1e-12)
    np.testing.assert_allclose(found.age_Z.sum(axis=1), found.log_Z_wr, atol=1e-12)


@pytest.mark.parametrize("name", ["log_mu_star", "log_age_wr", "log_Z_wr"])
def test_the_medians_are_those_of_the_fast_kernel(library, observed, name):
    found, fast = densities(observed, library, step=0.005), getattr(percentiles(observed, library), name)
    edges = getattr(found.axes, name)
    medians = [np.interp(0.5, np.append(0, part.cumsum()), edges) for part in getattr(found, name)]
    np.testing.assert_allclose(medians, fast[:, 1], atol=0.006)


def test_without_light_there_is_no_posterior_of_mass_and_without_anything_none_at_all(library, observed):
    dark = np.full_like(observed.flux, np.nan)
    found = densities(observed._replace(flux=dark), library)
    assert np.isnan(found.log_mu_star).all()
    assert np.isfinite(found.age_Z).all()
    nothing = Observed(*(np.full_like(part, np.nan) for part in observed))
    assert all(np.isnan(part).all() for part in densities(nothing, library)[1:])


def test_no_regions_give_no_posteriors(library, observed):
    found = densities(Observed(*(part[:0] for part in observed)), library)
    assert found.age_Z.shape[0] == 0


def test_a_prior_on_one_model_leaves_that_model(library, observed):
    prior = np.zeros(3000)
    prior[17] = 2.0
    found = densities(observed, library, prior=prior)
    at = np.searchsorted(found.axes.log_age_wr, library.log_age_wr[17]) - 1
    np.testing.assert_allclose(found.log_age_wr[:, at], 1.0)


def test_widened_posteriors_are_those_of_the_widened_percentiles(library, observed):
    sharp = observed._replace(index_errors=observed.index_errors / 6, flux_errors=observed.flux_errors / 6)
    fast = percentiles(sharp, library, least_models=FEW_MODELS)
    assert (fast.widening > 1).any()
    found = densities(sharp, library, least_models=FEW_MODELS, step=0.005)
    medians = [np.interp(0.5, np.append(0, part.cumsum()), found.axes.log_age_wr) for part in found.log_age_wr]
    np.testing.assert_allclose(medians, fast.log_age_wr[:, 1], atol=0.006)
