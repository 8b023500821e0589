"""S/N, smoothing and noise of the mock against plain versions."""

import dataclasses

import numpy as np
import pytest

from engine.cube.smoothing import smoothing_offsets
from engine.mock.observe import (
    choose_smoothing,
    index_errors,
    kernel_noise,
    kernel_sums,
    lost_to_stars,
    magnitude_errors,
    spaxel_snr,
)
from engine.mock.settings import MockSettings

SETTINGS = MockSettings()
GOOD = np.ones((30, 30), bool)


def uniform(snr):
    return choose_smoothing(np.ones(GOOD.shape), np.full(GOOD.shape, snr), GOOD, SETTINGS)


def test_snr_falls_with_brightness_as_photons_then_as_sky():
    bright, faint = (spaxel_snr(np.array([m, m + 1.0]), SETTINGS) for m in (10.0, 27.0))
    assert bright[0] / bright[1] == pytest.approx(10**0.2, rel=0.01)
    assert faint[0] / faint[1] == pytest.approx(10**0.4, rel=0.01)
    assert spaxel_snr(21.0, SETTINGS) == pytest.approx(SETTINGS.snr_per_angstrom_at_21)


def test_without_correlation_a_median_of_n_gains_root_n_less_its_penalty():
    plain = dataclasses.replace(SETTINGS, correlated_noise=False)
    found = choose_smoothing(np.ones(GOOD.shape), np.full(GOOD.shape, 1.0), GOOD, plain)
    assert found.level[15, 15] == 5
    assert found.snr[15, 15] == pytest.approx(np.sqrt(69) / np.sqrt(np.pi / 2), rel=1e-3)


def test_index_errors_fall_as_one_over_snr_down_to_a_floor():
    faint, half, bright, brighter = index_errors(np.array([1.0, 0.5, 1e4, 1e5]), SETTINGS)
    assert faint == pytest.approx(1.2 * np.array(SETTINGS.index_noise), rel=1e-3)  # factor tuned to ZG22 Fig. 1
    assert half == pytest.approx(2 * faint, rel=1e-3)
    assert bright == pytest.approx(brighter, rel=1e-3)


def test_magnitude_errors_are_the_floor_where_bright():
    bright = magnitude_errors(np.full((1, 5), 15.0), np.array([1]), SETTINGS)
    assert bright[0] == pytest.approx(SETTINGS.photometric_floor, abs=1e-3)


@pytest.mark.parametrize("n", [1, 69])
def test_light_as_faint_as_the_noise_has_an_error_of_an_e_fold_less_with_the_root_of_the_kernel(n):
    """2.5 / ln 10 = 1.0857 mag where flux and one-sigma noise are the same, in quadrature with the floor."""
    faint = np.array([SETTINGS.photometric_depth])
    expected = np.hypot(SETTINGS.photometric_floor, 1.0857 / np.sqrt(n))
    assert magnitude_errors(faint, np.array([n]), SETTINGS)[0] == pytest.approx(expected, rel=1e-3)


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


def test_sums_over_kernels_are_those_of_plain_loops():
    rng = np.random.default_rng(41)
    values, good = rng.uniform(size=(9, 8, 2)), rng.uniform(size=(9, 8)) > 0.2
    level = rng.integers(0, 4, (9, 8))
    sums = kernel_sums(values, level, good)
    for y, x in np.ndindex(9, 8):
        reach = max(level[y, x], 1)
        inside = [values[j, i] for j, i in np.ndindex(9, 8) if (j - y) ** 2 + (i - x) ** 2 < reach**2 and good[j, i]]
        assert sums[y, x] == pytest.approx(np.sum(inside, axis=0) if inside else [0.0, 0.0])
