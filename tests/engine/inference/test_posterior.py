"""The fast posterior against the plain one, and what must hold for any library."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.flags import SpaxelFlag
from engine.inference import posterior as module
from engine.inference.arrangement import CELL_DEX, arrange, with_prior
from engine.inference.likelihood import whiten
from engine.inference.posterior import FEW_MODELS, WIDENINGS, Observed, infer, percentiles
from tests.reference.posterior_brute import by_loops
from tests.reference.posterior_plain import posterior_of
from tests.reference.toy_library import FLUX_ERROR, INDEX_ERROR, toy_library, toy_observed

TOLERANCE = 1.01 * CELL_DEX


@pytest.fixture(scope="module")
def library():
    return toy_library(2000, np.random.default_rng(11))


@pytest.fixture
def observed(library):
    return toy_observed(library, 30, np.random.default_rng(12))[0]


def assert_agrees_with_the_plain_version(observed, library):
    fast = infer(observed, library)
    for row in range(len(observed.sigma_star)):
        quantiles, chi2, weight = posterior_of(row, observed, library)
        assert fast.chi2[row] == pytest.approx(chi2, rel=1e-4, abs=1e-3)
        assert bool(fast.flags[row] & SpaxelFlag.FEW_MODELS) == (weight.sum() ** 2 / (weight**2).sum() < 10)
        medians = [fast.log_mu_star[row], fast.log_age_wr[row], fast.log_Z_wr[row]]
        errors = [fast.log_mu_star_err[row], fast.log_age_wr_err[row], fast.log_Z_wr_err[row]]
        np.testing.assert_allclose(medians, quantiles[:, 1], atol=TOLERANCE)
        np.testing.assert_allclose(errors, (quantiles[:, 2] - quantiles[:, 0]) / 2, atol=TOLERANCE)


def test_the_fast_posterior_agrees_with_the_plain_one(observed, library):
    assert_agrees_with_the_plain_version(observed, library)


def test_it_agrees_with_observables_missing_at_random(observed, library):
    rng = np.random.default_rng(13)
    holes = [np.where(rng.random(part.shape) < 0.4, np.nan, part) for part in observed[:4]]
    holes[1][0, 0], holes[3][1, 2] = -1.0, 0.0  # errors that are not positive
    sigma = np.where(rng.random(30) < 0.3, np.nan, observed.sigma_star)
    holes[2][:, 2] = observed.flux[:, 2]  # keep r: without any light the plain version has no scale
    holes[3][:, 2] = observed.flux_errors[:, 2]
    assert_agrees_with_the_plain_version(Observed(*holes, sigma), library)


def test_it_agrees_at_a_very_high_signal_to_noise_ratio(observed, library):
    sharp = observed._replace(index_errors=observed.index_errors / 30, flux_errors=observed.flux_errors / 30)
    assert_agrees_with_the_plain_version(sharp, library)


@pytest.mark.parametrize(("sigma", "below", "share"), [(50.0, 0, 0.0), (95.0, 0, 0.3), (97.0, 0, 0.3), (335.0, 1, 0.9)])
def test_between_two_dispersions_models_are_interpolated(observed, library, sigma, below, share):
    """To the nearest fifth of a step of 150 km/s; the second to last case is 2 km/s off such a fifth."""
    share = np.round(5 * share + 1e-9) / 5
    there = (1 - share) * library.indices[:, below] + share * library.indices[:, below + 1]
    alone = library._replace(indices=there[:, None].astype(np.float32), sigma_grid=np.array([sigma]))
    moved = observed._replace(sigma_star=np.full(len(observed.sigma_star), sigma))
    for found, wanted in zip(percentiles(moved, library)[:4], percentiles(moved, alone)[:4], strict=True):
        np.testing.assert_allclose(found, wanted, atol=TOLERANCE)


def test_a_library_member_without_noise_finds_itself(library):
    observed, member, log_mu_star = toy_observed(library, 50, np.random.default_rng(14), noise=0.0)
    sharp = observed._replace(index_errors=observed.index_errors / 1e3, flux_errors=observed.flux_errors / 1e3)
    found = infer(sharp, library)
    np.testing.assert_allclose(found.log_age_wr, library.log_age_wr[member], atol=CELL_DEX)
    np.testing.assert_allclose(found.log_Z_wr, library.log_Z_wr[member], atol=CELL_DEX)
    np.testing.assert_allclose(found.log_mu_star, log_mu_star, atol=CELL_DEX)
    assert found.chi2.max() < 1e-2


@pytest.mark.parametrize("factor", [1e-9, 0.1, 37.0, 1e12])
def test_scaling_the_fluxes_moves_mu_star_and_nothing_else(observed, library, factor):
    scaled = observed._replace(flux=observed.flux * factor, flux_errors=observed.flux_errors * factor)
    before, after = infer(observed, library), infer(scaled, library)
    np.testing.assert_allclose(after.log_mu_star, before.log_mu_star + np.log10(factor), atol=1e-4)
    for name in ("log_age_wr", "log_age_wr_err", "log_Z_wr", "log_Z_wr_err", "log_mu_star_err", "chi2"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-4, atol=1e-4)


def test_the_order_of_the_models_is_irrelevant(observed, library):
    order = np.random.default_rng(15).permutation(library.log_age_wr.size)
    shuffled = library._replace(
        log_age_wr=library.log_age_wr[order], log_Z_wr=library.log_Z_wr[order],
        indices=library.indices[order], flux=library.flux[order],
    )  # fmt: skip
    for before, after in zip(infer(observed, library), infer(observed, shuffled), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def test_every_model_twice_changes_nothing(observed, library):
    twice = library._replace(
        **{name: np.concatenate([getattr(library, name)] * 2) for name in ("log_age_wr", "log_Z_wr", "indices", "flux")}
    )
    for before, after in zip(infer(observed, library)[:7], infer(observed, twice)[:7], strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def test_many_chunks_give_what_one_chunk_gives(observed, library, monkeypatch):
    whole = infer(observed, library)
    monkeypatch.setattr(module, "_CHUNK", 7)
    calls = []
    parts = infer(observed, library, lambda done, total: calls.append((done, total)))
    for before, after in zip(whole, parts, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-3)  # other neighbours, another end of the search
    assert calls[-1] == (30, 30)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})


def test_medians_scatter_around_the_truth_as_the_errors_say():
    library = toy_library(20_000, np.random.default_rng(16))
    observed, member, log_mu_star = toy_observed(library, 1500, np.random.default_rng(17))
    found = infer(observed, library)
    for median, error, truth in (
        (found.log_age_wr, found.log_age_wr_err, library.log_age_wr[member]),
        (found.log_Z_wr, found.log_Z_wr_err, library.log_Z_wr[member]),
        (found.log_mu_star, found.log_mu_star_err, log_mu_star),
    ):
        assert np.mean(np.abs(median - truth) < error) == pytest.approx(0.68, abs=0.05)


def test_indices_alone_give_age_and_metallicity_but_no_mass(observed, library):
    dark = observed._replace(flux=np.full_like(observed.flux, np.nan))
    found = infer(dark, library)
    assert np.isnan(found.log_mu_star).all()
    assert np.isnan(found.log_mu_star_err).all()
    assert np.isfinite([found.log_age_wr, found.log_Z_wr, found.chi2]).all()
    assert np.all(found.flags & SpaxelFlag.PHOTOMETRY_MASKED)


def test_a_region_without_observables_is_not_measured(observed, library):
    nothing = Observed(*(np.full_like(part, np.nan) for part in observed))
    found = infer(nothing, library)
    assert np.isnan(found[:7]).all()
    assert np.all(found.flags & SpaxelFlag.NOT_MEASURED)


def test_flags_tell_what_was_left_out_and_what_fits_badly(observed, library):
    odd = observed._replace(indices=observed.indices.copy(), flux=observed.flux.copy())
    odd.indices[0, 3], odd.flux[1, 4], odd.indices[2] = np.nan, np.nan, 50.0
    flags = infer(odd, library).flags
    assert [bool(f & SpaxelFlag.INDEX_MASKED) for f in flags[:4]] == [True, False, False, False]
    assert [bool(f & SpaxelFlag.PHOTOMETRY_MASKED) for f in flags[:4]] == [False, True, False, False]
    assert flags[2] & SpaxelFlag.NO_GOOD_MODEL
    assert not flags[3] & SpaxelFlag.NO_GOOD_MODEL


@pytest.mark.parametrize(
    ("off_sigma", "sharper"), [(1e2, 1.0), (1e3, 1.0), (3e3, 30.0), (0.0, 1e5), (0.0, 1e9), (300.0, 1e9)]
)
def test_regions_very_far_from_all_models_keep_values_and_their_best_chi_square(observed, library, off_sigma, sharper):
    """Chi-squares from 1e4 to 1e13: more than float32 can tell apart."""
    far = observed._replace(indices=observed.indices.copy(), index_errors=observed.index_errors / sharper)
    far.indices[:, 2] += off_sigma * observed.index_errors[:, 2]
    found, truth = percentiles(far, library), by_loops(far, library)
    assert np.isfinite(found.log_age_wr).all()
    assert not (found.flags & SpaxelFlag.NOT_MEASURED).any()
    rounding = np.finfo(np.float32).eps * np.linalg.norm(whiten(*far[:4]).data, axis=1)  # models are float32
    assert np.all(np.abs(np.sqrt(found.chi2) - np.sqrt(truth.chi2)) <= rounding)
    if off_sigma:
        assert (found.flags & SpaxelFlag.NO_GOOD_MODEL).all()
    for quantity in range(3):
        np.testing.assert_allclose(found[quantity], truth[quantity], atol=0.002)


@pytest.mark.parametrize("absurd", [1e9, 1e20, -1e30])
def test_an_index_that_no_spectrum_can_have_is_left_out(observed, library, absurd):
    odd = observed._replace(indices=observed.indices.copy())
    odd.indices[3, 2] = absurd
    missing = observed._replace(indices=observed.indices.copy())
    missing.indices[3, 2] = np.nan
    np.testing.assert_allclose(infer(odd, library), infer(missing, library), atol=TOLERANCE)
    assert infer(odd, library).flags[3] & SpaxelFlag.INDEX_MASKED


def test_models_that_are_not_finite_are_passed_over(observed, library):
    broken = library._replace(indices=library.indices.copy(), flux=library.flux.copy())
    broken.indices[::2, 1, 0], broken.flux[1::4, 2] = np.nan, 0.0
    rest = slice(3, None, 4)
    kept = library._replace(
        log_age_wr=library.log_age_wr[rest], log_Z_wr=library.log_Z_wr[rest],
        indices=library.indices[rest], flux=library.flux[rest],
    )  # fmt: skip
    for before, after in zip(infer(observed, kept)[:7], infer(observed, broken)[:7], strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def test_no_regions_are_no_error(library):
    none = Observed(*(np.zeros((0, 5)) for _ in range(4)), np.zeros(0))
    assert infer(none, library).log_age_wr.shape == (0,)


def test_a_library_without_models_is_refused(observed, library):
    empty = library._replace(flux=np.full_like(library.flux, np.nan))
    with pytest.raises(ShapeError, match="no model"):
        infer(observed, empty)


def test_arrays_that_do_not_fit_are_named(observed, library):
    with pytest.raises(ShapeError, match="flux has the shape"):
        infer(observed._replace(flux=observed.flux[:, :4]), library)


def with_odd_ones(library, n, rng):
    """Regions of every kind: good, faint, with holes, and far from every model."""
    observed = toy_observed(library, n, rng)[0]
    kind = np.arange(n) % 4
    worse = np.where(kind == 1, 5.0, 1.0)[:, None]
    holes = [np.where((kind == 2)[:, None] & (rng.random(part.shape) < 0.3), np.nan, part) for part in observed[:4]]
    holes[2][:, 2], holes[3][:, 2] = observed.flux[:, 2], observed.flux_errors[:, 2]
    shift = np.where(kind == 3, 20.0, 0.0)[:, None] * observed.index_errors * rng.normal(size=(n, 5))
    return Observed(holes[0] + shift, holes[1] * worse, holes[2], holes[3] * worse, observed.sigma_star)


def assert_percentiles_agree(found, brute, tolerance=0.002):
    for name in ("log_mu_star", "log_age_wr", "log_Z_wr"):
        np.testing.assert_allclose(getattr(found, name), getattr(brute, name), atol=tolerance)
    np.testing.assert_allclose(found.chi2, brute.chi2, rtol=1e-3, atol=2e-3)


def test_all_percentiles_agree_with_two_plain_loops_within_two_thousandths_of_a_dex():
    library = toy_library(60_000, np.random.default_rng(21), n_sigma=2)
    observed = with_odd_ones(library, 400, np.random.default_rng(22))
    found = percentiles(observed, arrange(library))
    assert_percentiles_agree(found, by_loops(observed, library))
    assert np.median(found.visited) < 0.5  # or this would not test the search


def test_they_agree_under_a_prior_that_prefers_some_models_and_forbids_others():
    rng = np.random.default_rng(23)
    library = toy_library(30_000, rng, n_sigma=2)
    observed = with_odd_ones(library, 200, rng)
    prior = np.where(library.log_Z_wr > 0.2, 0.0, np.exp(2.0 * library.log_age_wr))
    found = percentiles(observed, library, prior=prior)
    assert_percentiles_agree(found, by_loops(observed, library, prior))
    assert found.log_Z_wr.max() < 0.2 + CELL_DEX


@pytest.mark.parametrize("factor", [1.0, 1e-200, 1e200])
def test_a_prior_that_is_the_same_for_all_changes_nothing(observed, library, factor):
    for before, after in zip(
        infer(observed, library), infer(observed, library, prior=np.full(2000, factor)), strict=True
    ):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    ("prior", "words"),
    [(np.ones(7), "one weight per model"), (np.zeros(2000), "all weights are zero"), (np.full(2000, -1.0), "negative"),
     (np.full(2000, np.nan), "not finite")],
)  # fmt: skip
def test_a_prior_that_cannot_be_is_refused(observed, library, prior, words):
    with pytest.raises(ShapeError, match=words):
        infer(observed, library, prior=prior)


def test_a_model_left_out_is_as_if_it_were_not_in_the_library():
    library = toy_library(3000, np.random.default_rng(24))
    observed, member, _ = toy_observed(library, 40, np.random.default_rng(25), noise=0.0)
    observed = observed._replace(index_errors=observed.index_errors / 5, flux_errors=observed.flux_errors / 5)
    found = percentiles(observed, library, leave_out=np.where(np.arange(40) % 2, -1, member))
    for row in range(40):
        rest = np.arange(3000) if row % 2 else np.delete(np.arange(3000), member[row])
        parts = {name: getattr(library, name)[rest] for name in ("log_age_wr", "log_Z_wr", "indices", "flux")}
        brute = by_loops(Observed(*(part[row : row + 1] for part in observed)), library._replace(**parts))
        np.testing.assert_allclose(found.log_age_wr[row], brute.log_age_wr[0], atol=0.002)
        np.testing.assert_allclose(found.chi2[row], brute.chi2[0], rtol=1e-3, atol=2e-3)


def test_leaving_out_a_model_that_is_not_there_is_refused(observed, library):
    with pytest.raises(ShapeError, match="leave_out"):
        infer(observed, library, leave_out=np.full(30, 2000))


def test_leaving_out_the_only_model_leaves_nothing(observed, library):
    parts = {name: getattr(library, name)[:1] for name in ("log_age_wr", "log_Z_wr", "indices", "flux")}
    found = infer(observed, library._replace(**parts), leave_out=np.zeros(30, int))
    assert np.isnan(found[:7]).all()
    assert np.all(found.flags & SpaxelFlag.NOT_MEASURED)


def test_arranged_models_give_what_the_library_gives(observed, library):
    for before, after in zip(infer(observed, library), infer(observed, arrange(library)), strict=True):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("error", [np.inf, 0.0, -1.0, np.nan])
def test_an_error_that_is_none_leaves_its_observable_out(observed, library, error):
    odd, holes = observed.index_errors.copy(), observed.indices.copy()
    odd[:, 1], holes[:, 1] = error, np.nan
    with_error = infer(observed._replace(index_errors=odd), library)
    without = infer(observed._replace(indices=holes), library)
    for before, after in zip(without, with_error, strict=True):
        np.testing.assert_array_equal(after, before)


def test_errors_are_widened_until_enough_models_count_and_no_further(library):
    observed = toy_observed(library, 60, np.random.default_rng(71))[0]
    factor = np.geomspace(0.2, 3.0, 60)[:, None]
    sharp = observed._replace(index_errors=observed.index_errors * factor, flux_errors=observed.flux_errors * factor)
    plain, found = percentiles(sharp, library), percentiles(sharp, library, least_models=FEW_MODELS)
    few = plain.n_effective < FEW_MODELS
    assert 0 < few.sum() < 60
    np.testing.assert_array_equal(found.widening > 1, few)
    for row in range(60):
        quantiles = widened_plainly(row, sharp, library, found.widening[row])
        for name, wanted in zip(("log_mu_star", "log_age_wr", "log_Z_wr"), quantiles, strict=True):
            np.testing.assert_allclose(getattr(found, name)[row], wanted, atol=TOLERANCE)
    for name in ("chi2", "n_effective"):  # these tell of the errors as given
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))
    of_posterior = ~int(SpaxelFlag.LIBRARY_EDGE)  # whether a posterior leans on an edge is asked of what is reported
    np.testing.assert_array_equal(found.flags & of_posterior, plain.flags & of_posterior)


def widened_plainly(row, observed, library, widening):
    """Quantiles of the plain version at the least widening that leaves ten models, which must be the one given."""
    for factor in (1.0, *WIDENINGS):
        wider = observed._replace(
            index_errors=observed.index_errors * factor, flux_errors=observed.flux_errors * factor
        )
        quantiles, _, weight = posterior_of(row, wider, library)
        if weight.sum() ** 2 >= FEW_MODELS * (weight**2).sum():
            break
    assert widening == pytest.approx(factor)
    return quantiles


def test_a_prior_that_leaves_few_models_is_not_asked_for_more(library, observed):
    prior = np.zeros(library.log_age_wr.size)
    prior[:9] = 1.0
    found = percentiles(observed, library, prior=prior, least_models=FEW_MODELS)
    np.testing.assert_array_equal(found.widening, 1.0)


def test_a_region_far_from_all_models_is_widened_to_the_end_and_flagged(library, observed):
    far = observed._replace(indices=observed.indices + 1e3 * observed.index_errors)
    found = percentiles(far, library, least_models=FEW_MODELS)
    np.testing.assert_allclose(found.widening, WIDENINGS[-1])
    assert ((found.flags & SpaxelFlag.NO_GOOD_MODEL) > 0).all()
    assert np.isfinite(found.log_age_wr).all()


def at_ends(library, members):
    """Flags of members of the library, observed without noise."""
    light = library.flux[members] * 100.0
    errors = np.tile(INDEX_ERROR, (len(members), 1))
    observed = Observed(library.indices[members, 1], errors, light, light * FLUX_ERROR, np.full(len(members), 200.0))
    return infer(observed, library).flags


def test_posteriors_that_lean_on_the_ends_of_the_library_are_flagged(library):
    age, Z = np.argsort(library.log_age_wr), np.argsort(library.log_Z_wr)
    for outermost in (age[:10], Z[:10], Z[-10:]):
        assert (at_ends(library, outermost) & SpaxelFlag.LIBRARY_EDGE > 0).mean() >= 0.8
    middle = np.intersect1d(age[600:1400], Z[600:1400])
    assert not (at_ends(library, middle) & SpaxelFlag.LIBRARY_EDGE).any()


def test_a_prior_moves_the_ends_of_the_library(library):
    young = library.log_age_wr < 8.6
    models = with_prior(arrange(library), np.where(young, 0.0, 1.0))
    assert models.ends.youngest > 8.6
    assert arrange(library).ends.youngest == pytest.approx(np.quantile(library.log_age_wr, 0.02), abs=0.01)
