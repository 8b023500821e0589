"""Composite models: sums of histories against arithmetic, and what is drawn as sums."""

from dataclasses import replace

import numpy as np
import pytest

from engine.constants import TEN_PARSEC_FLUX
from engine.library.build import build_library, draw_models, light_weighted_means, model_observables
from engine.library.composites import Means, Scatter, sums_of_like
from engine.library.draw import draw_histories, take
from engine.library.observables import make_templates
from engine.library.parcels import Composition
from engine.library.priors import Priors
from engine.spectrum.photometry import ab_magnitudes
from tests.reference.library_plain import galaxy_of

SHARES = np.array([0.5, 0.3, 0.2])
COMPOSED = replace(Priors(), composite_share=0.4)


@pytest.fixture(scope="module")
def templates(small_grid, filters):
    return make_templates(small_grid, filters, np.array([100.0]))


@pytest.fixture(scope="module")
def three():
    """Three histories behind the same dust."""
    drawn = draw_histories(3, Priors(), np.random.default_rng(21))
    return drawn._replace(tau_v=np.full(3, 1.2), ism_fraction=np.full(3, 0.4))


def summed(histories, shares, grid, templates):
    return model_observables(histories, grid, templates, composition=Composition(np.array([0, len(shares)]), shares))


def test_a_sum_of_identical_histories_is_the_single_one(three, small_grid, templates):
    single = model_observables(take(three, [1]), small_grid, templates)
    model = summed(take(three, [1, 1, 1]), SHARES, small_grid, templates)
    assert model.log_age_wr == pytest.approx(single.log_age_wr, abs=1e-9)
    assert model.log_Z_wr == pytest.approx(single.log_Z_wr, abs=1e-9)
    assert model.flux == pytest.approx(single.flux, rel=1e-5)
    assert model.indices == pytest.approx(single.indices, abs=1e-4)


def test_light_and_living_mass_of_a_sum_add_up(three, small_grid, templates):
    single = model_observables(three, small_grid, templates)
    model = summed(three, SHARES, small_grid, templates)
    living = single.parameters["living_fraction"]
    assert model.parameters["living_fraction"][0] == pytest.approx(SHARES @ living, rel=1e-5)
    light = (SHARES * living) @ single.flux
    assert model.flux[0] == pytest.approx(light / (SHARES @ living), rel=1e-5)


def test_mean_age_and_metallicity_of_a_sum_are_weighted_by_r_light(three, small_grid, templates):
    """ZG22 eqs. 1 and 2: means of the age and of Z, not of their logarithms."""
    single = model_observables(three, small_grid, templates)
    model = summed(three, SHARES, small_grid, templates)
    r_light = SHARES * single.parameters["living_fraction"] * single.flux[:, 2]
    mean_age = (r_light @ 10**single.log_age_wr) / r_light.sum()
    mean_Z = (r_light @ 10**single.log_Z_wr) / r_light.sum()
    assert 10 ** model.log_age_wr[0] == pytest.approx(mean_age, rel=1e-5)
    assert 10 ** model.log_Z_wr[0] == pytest.approx(mean_Z, rel=1e-5)


def test_the_order_of_the_parts_is_irrelevant(three, small_grid, templates):
    one = summed(three, SHARES, small_grid, templates)
    other = summed(take(three, [2, 0, 1]), SHARES[[2, 0, 1]], small_grid, templates)
    assert one.log_age_wr == pytest.approx(other.log_age_wr, abs=1e-9)
    assert one.flux == pytest.approx(other.flux, rel=1e-5)
    assert one.indices == pytest.approx(other.indices, abs=1e-4)


@pytest.mark.slow
def test_a_sum_agrees_with_spectra_added_the_long_way(three, real_grid, filters):
    """Fluxes to 2 mmag, mean age and metallicity to 0.003 dex."""
    seen = (real_grid.wave > 2900) & (real_grid.wave < 11500)
    grid = real_grid._replace(wave=real_grid.wave[seen], flux=real_grid.flux[..., seen])
    model = summed(three, SHARES, grid, make_templates(grid, filters, np.array([100.0])))
    long = [galaxy_of(grid, {k: v[i] for k, v in three._asdict().items()}, filters[2]) for i in range(3)]
    formed = [share * one["living_fraction"] for share, one in zip(SHARES, long, strict=True)]
    spectrum = sum(mass * one["spectrum"] for mass, one in zip(formed, long, strict=True)) / sum(formed)
    magnitudes = ab_magnitudes(grid.wave, spectrum * TEN_PARSEC_FLUX, filters)
    assert -2.5 * np.log10(model.flux[0]) == pytest.approx(magnitudes, abs=2e-3)


def test_means_need_no_spectra(small_grid, templates):
    histories = draw_histories(3000, Priors(), np.random.default_rng(22))
    means = light_weighted_means(histories, small_grid, templates)
    models = model_observables(histories, small_grid, templates)
    assert means.log_age_wr == pytest.approx(models.log_age_wr)
    assert means.log_Z_wr == pytest.approx(models.log_Z_wr)


def test_parts_are_like_their_own_one():
    rng = np.random.default_rng(23)
    n = 40_000
    means = Means(rng.uniform(8, 10, n), rng.uniform(-1, 0.4, n))
    histories = draw_histories(n, Priors(), rng)
    size = np.full(2000, 5)
    own = rng.integers(0, n, 2000)
    models = sums_of_like(histories, means, own, size, Scatter(0.05, 0.1), rng)
    row = {age: i for i, age in enumerate(histories.onset_age)}
    of_part = np.array([row[age] for age in models.histories.onset_age]).reshape(2000, 5)
    assert np.array_equal(of_part[:, 0], own)
    inside = (np.abs(means.log_age_wr[own] - 9) < 0.7) & (np.abs(means.log_Z_wr[own] + 0.3) < 0.3)
    off = means.log_age_wr[of_part[inside, 1:]] - means.log_age_wr[own[inside], None]
    assert off.std() == pytest.approx(0.05, rel=0.1)
    assert abs(off.mean()) < 0.005
    off = means.log_Z_wr[of_part[inside, 1:]] - means.log_Z_wr[own[inside], None]
    assert off.std() == pytest.approx(0.1, rel=0.1)


def test_a_share_of_the_models_are_sums_and_mass_is_one_in_each(small_grid, templates):
    drawn = draw_models(4000, COMPOSED, small_grid, templates, np.random.default_rng(24))
    n_part = np.diff(drawn.composition.first)
    assert (n_part > 1).mean() == pytest.approx(0.4, abs=0.03)
    assert n_part.max() == 12
    mass = np.add.reduceat(drawn.composition.share, drawn.composition.first[:-1])
    assert mass == pytest.approx(1.0)


def test_without_composites_every_model_is_one_history(small_grid, templates):
    drawn = draw_models(500, Priors(), small_grid, templates, np.random.default_rng(24))
    assert (np.diff(drawn.composition.first) == 1).all()


def test_a_library_with_sums_has_a_row_per_model_whatever_the_batch(small_grid, filters, monkeypatch):
    first = build_library(small_grid, filters, 300, 7, priors=COMPOSED, sigma_grid=(100.0,))
    monkeypatch.setattr("engine.library.build.BATCH", 77)
    second = build_library(small_grid, filters, 300, 7, priors=COMPOSED, sigma_grid=(100.0,))
    assert first.indices.shape == (300, 1, 5)
    assert all(values.shape == (300,) for values in first.parameters.values())
    assert first.log_age_wr == pytest.approx(second.log_age_wr)
    assert first.indices == pytest.approx(second.indices, abs=1e-4)
