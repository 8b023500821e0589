"""Formulas of histories, enrichment and dust; the priors and what is drawn from them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from engine.errors import SettingsError
from engine.library.draw import draw_histories
from engine.library.dust import transmission
from engine.library.enrichment import final_metallicity, leaking_box
from engine.library.priors import GALLAZZI05, PRIOR_SETS, Priors, prior_set
from engine.library.sfh import mass_formed

N = 20_000


@pytest.fixture(scope="module")
def drawn():
    return draw_histories(N, Priors(), np.random.default_rng(1))


@pytest.mark.parametrize("time", [0.0, 0.3, 2.0, 9.0])
def test_mass_formed_is_the_integral_of_the_star_formation_rate(time):
    tau = 1.7
    integral = quad(lambda t: t / tau**2 * np.exp(-(t**2) / (2 * tau**2)), 0, time)[0]
    assert mass_formed(time, tau, False) == pytest.approx(integral, abs=1e-9)


@pytest.mark.parametrize("time", [0.0, 0.3, 2.0, 9.0])
def test_mass_formed_is_the_integral_of_an_exponential_star_formation_rate(time):
    tau = 1.7
    integral = quad(lambda t: np.exp(-t / tau) / tau, 0, time)[0]
    assert mass_formed(time, tau, True) == pytest.approx(integral, abs=1e-9)


def test_an_exponential_that_never_falls_forms_mass_at_a_constant_rate():
    assert mass_formed(3.0, 1e12, True) / mass_formed(12.0, 1e12, True) == pytest.approx(0.25, rel=1e-9)


@pytest.mark.parametrize("exponential", [False, True])
def test_nothing_forms_before_the_onset(exponential):
    assert mass_formed(-3.0, 1.0, exponential) == 0.0


@pytest.mark.parametrize("alpha", [0.25, 1.0, 19.0])
def test_the_mean_metallicity_of_the_mass_is_the_one_drawn(alpha):
    Z_final = final_metallicity(1.3, 0.03, 1 / (1 + alpha))
    mean = quad(lambda m: leaking_box(m, 0.03, Z_final, alpha), 0, 1)[0]
    assert mean == pytest.approx(1.3, rel=1e-6)


def test_metallicity_runs_from_initial_to_final():
    assert leaking_box(0.0, 0.02, 1.5, 2.0) == pytest.approx(0.02)
    assert leaking_box(1.0, 0.02, 1.5, 2.0) == pytest.approx(1.5)


def test_no_dust_is_the_identity():
    young, old = transmission(np.array([4000.0, 8000.0]), np.zeros(3), np.full(3, 0.3))
    assert (young == 1).all()
    assert (old == 1).all()


def test_at_the_pivot_young_stars_see_tau_v_and_old_ones_their_share():
    young, old = transmission(np.array([5500.0]), np.array([2.0]), np.array([0.25]))
    assert young[0, 0] == pytest.approx(np.exp(-2.0))
    assert old[0, 0] == pytest.approx(np.exp(-0.5))


def test_birth_clouds_redden_more_than_diffuse_dust():
    wave = np.array([3500.0, 9000.0])
    (cloud,), (clear,) = transmission(wave, np.array([1.0]), np.array([0.0]))
    _, (ism,) = transmission(wave, np.array([1.0]), np.array([1.0]))
    assert clear == pytest.approx(1.0)
    assert np.log(-np.log(cloud[0]) / -np.log(cloud[1])) / np.log(9000 / 3500) == pytest.approx(1.3)
    assert np.log(-np.log(ism[0]) / -np.log(ism[1])) / np.log(9000 / 3500) == pytest.approx(0.7)


def test_the_same_seed_draws_the_same_histories(drawn):
    again = draw_histories(N, Priors(), np.random.default_rng(1))
    other = draw_histories(N, Priors(), np.random.default_rng(2))
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))
    assert not np.array_equal(drawn.tau, other.tau)


def test_onset_and_time_scale_are_log_uniform(drawn):
    assert kstest(np.log10(drawn.onset_age), "uniform", (np.log10(5e8), np.log10(2e10 / 5e8))).pvalue > 1e-3
    assert kstest(np.log10(drawn.tau / drawn.onset_age), "uniform", (np.log10(0.05), np.log10(40))).pvalue > 1e-3


def test_a_third_of_models_has_no_burst_and_numbers_fall_as_exp_minus_n(drawn):
    number = (drawn.burst_mass > 0).sum(axis=1)
    assert (number == 0).mean() == pytest.approx(1 / 3, abs=0.015)
    assert number.max() <= 6
    assert (number == 2).sum() / (number == 1).sum() == pytest.approx(np.exp(-1), rel=0.05)


def test_bursts_happen_after_the_onset_and_young_ones_are_small(drawn):
    exists = drawn.burst_mass > 0
    assert (drawn.burst_age < drawn.onset_age[:, None])[exists].all()
    assert drawn.burst_mass[exists & (drawn.burst_age < 1e8)].max() <= Priors().young_burst_mass_max
    assert drawn.burst_mass[exists].max() > 1.0


def test_metallicities_stay_within_their_limits(drawn):
    assert drawn.Z_final.max() <= 4.0
    assert (drawn.Z_initial >= 0.02).all()
    assert (drawn.Z_initial <= 0.05).all()
    assert (drawn.Z_final >= drawn.Z_initial).all()
    assert (drawn.alpha >= 0.25 - 1e-9).all()
    assert (drawn.alpha <= 19 + 1e-9).all()


def test_bursts_scatter_about_the_enrichment_by_a_fifth_of_a_dex(drawn):
    formed = mass_formed(drawn.onset_age[:, None] - drawn.burst_age, drawn.tau[:, None], False)
    formed /= mass_formed(drawn.onset_age, drawn.tau, False)[:, None]
    expected = leaking_box(formed, *(x[:, None] for x in (drawn.Z_initial, drawn.Z_final, drawn.alpha)))
    offset = np.log10(drawn.burst_Z / expected)
    assert offset.mean() == pytest.approx(0.0, abs=0.005)
    assert offset.std() == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(("name", "a", "b", "highest"), [("tau_v", 1.5, 6.7, 6.0), ("ism_fraction", 8.0, 6.0, 1.0)])
def test_dust_follows_one_minus_tanh(drawn, name, a, b, highest):
    def primitive(x):
        return x - np.log(np.cosh(a * x - b)) / a

    def cumulative(x):
        return (primitive(x) - primitive(0.0)) / (primitive(highest) - primitive(0.0))

    assert kstest(getattr(drawn, name), cumulative).pvalue > 1e-3


def test_alternative_priors_of_metallicity_and_dust():
    priors = replace(Priors(), enrichment="ends", dust_free=0.25)
    drawn = draw_histories(N, priors, np.random.default_rng(3))
    assert (drawn.tau_v == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert drawn.Z_initial.max() > 1.0
    assert drawn.Z_final.max() <= 2.5
    assert (drawn.Z_final >= drawn.Z_initial).all()


def test_the_cumulative_reading_of_the_metallicity_prior_is_metal_poor():
    """P(< 0.1) = 0.9 by its definition, before draws with a too high final metallicity are dropped."""
    priors = replace(Priors(), metallicity_prior="tanh cumulative", Z_final_max=1e9)
    drawn = draw_histories(N, priors, np.random.default_rng(3))
    beta = 1 / (1 + drawn.alpha)
    Z_mean = drawn.Z_final - (drawn.Z_final - drawn.Z_initial) * beta
    assert (Z_mean < 0.1).mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metallicity_prior": "flat"}, "not 'flat'"),
        ({"enrichment": "none"}, "not 'none'"),
        ({"beta": (0.8, 0.05)}, "prior beta"),
    ],
)
def test_priors_that_make_no_sense_are_refused(change, words):
    with pytest.raises(SettingsError, match=words):
        replace(Priors(), **change)


def test_a_library_without_models_is_refused():
    with pytest.raises(SettingsError, match="not 0"):
        draw_histories(0, Priors(), np.random.default_rng(1))


@pytest.fixture(scope="module")
def authors():
    return draw_histories(N, GALLAZZI05, np.random.default_rng(5))


def test_the_authors_histories_fall_exponentially_at_uniform_rates_from_uniform_onsets(authors):
    """Gallazzi et al. (2005) sec. 2.2: gamma from 0 to 1 per Gyr, onset 1.5 to 13.5 Gyr ago."""
    assert authors.exponential.all()
    assert kstest(1e9 / authors.tau, "uniform").pvalue > 1e-3
    assert kstest(authors.onset_age / 1e9, "uniform", (1.5, 12.0)).pvalue > 1e-3


def test_the_authors_metallicities_are_log_uniform_and_the_same_for_all_stars_of_a_model(authors):
    low, high = np.log10([0.02, 2.5])
    assert kstest(np.log10(authors.Z_final), "uniform", (low, high - low)).pvalue > 1e-3
    assert (authors.Z_initial == authors.Z_final).all()
    assert authors.burst_Z == pytest.approx(np.broadcast_to(authors.Z_final[:, None], authors.burst_Z.shape))


def test_a_tenth_of_the_authors_models_had_a_burst_in_the_last_two_gyr(authors):
    exists = authors.burst_mass > 0
    assert exists.any(axis=1).mean() == pytest.approx(0.1, abs=0.01)
    assert (authors.burst_age[exists] <= 2e9).all()
    over = exists & (authors.burst_age > 3e8)
    amplitudes = np.log(authors.burst_mass[over])
    assert kstest(amplitudes, "uniform", (np.log(0.03), np.log(4 / 0.03))).pvalue > 1e-3


def test_a_burst_that_goes_on_has_formed_what_its_time_allows():
    priors = replace(
        GALLAZZI05, burst_free=0.0, burst_age=(1e7, 3e7), burst_mass=(0.999, 1.0), young_burst_mass_max=1.0
    )
    drawn = draw_histories(2000, priors, np.random.default_rng(6))
    assert (drawn.burst_length <= drawn.burst_age).all()
    assert drawn.burst_mass.max() <= 1.0
    assert drawn.burst_mass.min() < 0.1  # begun 1e7 yr ago, to last 3e8


def test_no_burst_precedes_the_onset_even_if_the_priors_want_old_ones():
    priors = replace(Priors(), burst_age=(5e9, 2e10))
    drawn = draw_histories(N, priors, np.random.default_rng(7))
    exists = drawn.burst_mass > 0
    assert exists.any()
    assert (drawn.burst_age >= 5e9)[exists].all()
    assert (drawn.burst_age <= drawn.onset_age[:, None])[exists].all()


def test_priors_are_known_by_name():
    assert prior_set("gallazzi05") is GALLAZZI05
    assert {"mattolini25", "gallazzi05"} <= set(PRIOR_SETS)
    with pytest.raises(SettingsError, match="no priors named 'galazzi05'; known are mattolini25, gallazzi05"):
        prior_set("galazzi05")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"history": "linear"}, "history is one of sandage, exponential"),
        ({"burst_free": 1.5}, "burst_free is a share"),
        ({"burst_age": (2e9, 1e9)}, "burst_age needs two limits that do not fall"),
    ],
)
def test_priors_that_make_no_sense_are_refused_by_name(change, words):
    with pytest.raises(SettingsError, match=words):
        replace(Priors(), **change)
