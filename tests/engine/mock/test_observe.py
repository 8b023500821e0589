"""S/N, smoothing and noise of the mock against plain versions."""

import dataclasses

import numpy as np
import pytest

from engine.mock.observe import (
    choose_smoothing,
    index_errors,
    kernel_noise,
    lost_to_stars,
    magnitude_errors,
    smooth,
    smoothing_offsets,
    spaxel_snr,
)
from engine.mock.settings import MockSettings

SETTINGS = MockSettings()
GOOD = np.ones((30, 30), bool)


def uniform(snr):
    return choose_smoothing(np.ones(GOOD.shape), np.full(GOOD.shape, snr), GOOD, SETTINGS)


def test_kernels_have_1_9_25_45_and_69_spaxels():
    offsets, count = smoothing_offsets()
    assert count.tolist() == [1, 9, 25, 45, 69]
    assert all(np.all((offsets[:n] ** 2).sum(axis=1) < level**2) for level, n in enumerate(count, start=1))


def test_snr_falls_with_brightness_as_photons_then_as_sky():
    bright, faint = (spaxel_snr(np.array([m, m + 1.0]), SETTINGS) for m in (10.0, 27.0))
    assert bright[0] / bright[1] == pytest.approx(10**0.2, rel=0.01)
    assert faint[0] / faint[1] == pytest.approx(10**0.4, rel=0.01)
    assert spaxel_snr(21.0, SETTINGS) == pytest.approx(SETTINGS.snr_per_angstrom_at_21)


def test_bright_spaxels_stay_as_observed():
    kept = uniform(15.1)
    assert np.all(kept.level == 1)
    assert kept.snr == pytest.approx(15.1)


def test_fainter_spaxels_need_wider_kernels_and_never_lose_snr():
    centre = [uniform(snr) for snr in (14.0, 11.0, 8.5, 7.0, 3.0)]
    levels = [int(s.level[15, 15]) for s in centre]
    assert levels == sorted(levels)
    assert levels[0] > 1
    assert levels[-1] == 5
    reached = [s.snr[15, 15] for s in centre[:3]]
    assert min(reached) >= 15.0


def test_without_correlation_a_median_of_n_gains_root_n_less_its_penalty():
    plain = dataclasses.replace(SETTINGS, correlated_noise=False)
    found = choose_smoothing(np.ones(GOOD.shape), np.full(GOOD.shape, 1.0), GOOD, plain)
    assert found.level[15, 15] == 5
    assert found.snr[15, 15] == pytest.approx(np.sqrt(69) / np.sqrt(np.pi / 2), rel=1e-3)


def test_smoothing_is_the_median_of_the_good_neighbours():
    rng = np.random.default_rng(1)
    values, good = rng.normal(size=(30, 30, 2)), rng.uniform(size=(30, 30)) < 0.8
    level = np.full(good.shape, 3)
    y, x = np.argwhere(good)[100]
    near = good & (np.hypot(*(np.indices(good.shape) - np.array([y, x])[:, None, None])) < 3)
    assert smooth(values, level, good)[y, x] == pytest.approx(np.median(values[near], axis=0))


def test_smoothing_leaves_a_constant_and_level_one_alone():
    values = np.random.default_rng(2).normal(size=(30, 30, 1))
    assert np.array_equal(smooth(values, np.ones(GOOD.shape, int), GOOD), values)
    assert np.all(smooth(np.full_like(values, 3.0), np.full(GOOD.shape, 5), GOOD) == 3.0)


def test_lost_spaxels_never_enter_a_kernel():
    values, good = np.zeros((30, 30, 1)), GOOD.copy()
    good[10:14, 10:14] = False
    values[~good] = 1e9
    seen = smooth(values, np.full(good.shape, 5), good)
    assert np.all(seen[good] == 0)
    assert np.all(np.isnan(seen[~good]))


def test_index_errors_fall_as_one_over_snr_down_to_a_floor():
    faint, half, bright, brighter = index_errors(np.array([1.0, 0.5, 1e4, 1e5]), SETTINGS)
    assert half == pytest.approx(2 * faint, rel=1e-3)
    assert bright == pytest.approx(brighter, rel=1e-3)


def test_magnitude_errors_are_the_floor_where_bright_and_shrink_with_the_kernel_where_faint():
    bright = magnitude_errors(np.full((1, 5), 15.0), np.array([1]), SETTINGS)
    assert bright[0] == pytest.approx(SETTINGS.photometric_floor, abs=1e-3)
    one, many = (magnitude_errors(np.full((1, 5), 24.0), np.array([n]), SETTINGS) for n in (1, 69))
    assert np.all(many < one)


def test_stars_cover_a_small_part_of_the_field():
    rng = np.random.default_rng(3)
    share = np.mean([lost_to_stars(SETTINGS.map_shape, SETTINGS, rng).mean() for _ in range(200)])
    assert 0.0 < share < 0.1


def test_smoothed_neighbours_share_their_noise_as_far_as_they_share_spaxels():
    white = np.random.default_rng(4).standard_normal((120, 120, 3))
    noise = kernel_noise(white, np.full((120, 120), 5))[10:-10, 10:-10]
    steps = {tuple(step) for step in smoothing_offsets()[0]}
    shared = sum((dy, dx + 1) in steps for dy, dx in steps) / len(steps)
    assert noise.std() == pytest.approx(1.0, rel=0.05)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) == pytest.approx(shared, abs=0.06)


def test_spaxels_as_observed_keep_their_own_noise():
    white = np.random.default_rng(4).standard_normal((20, 20, 2))
    assert np.array_equal(kernel_noise(white, np.ones((20, 20), int)), white)
