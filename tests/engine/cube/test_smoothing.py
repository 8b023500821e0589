"""Adaptive smoothing against plain versions, the paper's kernels and the claims of ADAPTSMOOTH."""

import numpy as np
import pytest

from engine.cube.smoothing import (
    DEFAULT,
    Smoothed,
    SmoothingSettings,
    choose_levels,
    level_fractions,
    smooth_maps,
    smooth_planes,
    smoothing_flags,
    smoothing_offsets,
)
from engine.errors import SettingsError, ShapeError
from engine.flags import SpaxelFlag
from tests.reference import smoothing_plain

GOOD = np.ones((30, 30), bool)
INDEPENDENT = SmoothingSettings(correlation_slope=0.0)


def uniform(snr, settings=DEFAULT):
    return choose_levels(np.ones(GOOD.shape), np.full(GOOD.shape, 1.0 / snr), GOOD, settings)


def random_planes(seed, shape=(4, 17, 19), lost=0.25):
    rng = np.random.default_rng(seed)
    flux, error = rng.normal(1, 1, shape).astype(np.float32), rng.uniform(0.5, 2, shape).astype(np.float32)
    return Smoothed(flux, error, rng.uniform(size=shape) > lost), rng


def test_kernels_have_1_9_25_45_and_69_spaxels():
    offsets, count = smoothing_offsets()
    assert count.tolist() == [1, 9, 25, 45, 69]
    assert all(np.all((offsets[:n] ** 2).sum(axis=1) < level**2) for level, n in enumerate(count, start=1))


def test_narrow_kernels_have_1_5_13_29_and_49_spaxels():
    offsets, count = smoothing_offsets(kernel="within")
    assert count.tolist() == [1, 5, 13, 29, 49]
    assert all(np.all((offsets[:n] ** 2).sum(axis=1) <= (level - 1) ** 2) for level, n in enumerate(count, start=1))


def test_an_unknown_kernel_is_refused():
    with pytest.raises(SettingsError, match=r"below, within, not 'round'"):
        smoothing_offsets(kernel="round")


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
    assert min(s.snr[15, 15] for s in centre[:3]) >= 15.0


def test_without_correlation_a_median_of_n_gains_root_n_less_its_penalty():
    found = uniform(1.0, INDEPENDENT)
    assert found.level[15, 15] == 5
    assert found.snr[15, 15] == pytest.approx(np.sqrt(69) / np.sqrt(np.pi / 2), rel=1e-3)


def test_levels_and_snr_are_those_of_the_plain_version():
    rng = np.random.default_rng(5)
    signal, noise = rng.normal(1, 0.2, (17, 19)), rng.uniform(0.8, 1.2, (17, 19)) / np.linspace(25, 4, 19)
    usable = rng.uniform(size=signal.shape) < 0.85
    found, plain = choose_levels(signal, noise, usable), smoothing_plain.choose_levels(signal, noise, usable)
    assert np.array_equal(found.level, plain[0])
    assert found.snr == pytest.approx(plain[1], nan_ok=True)
    assert len(np.unique(found.level[usable])) == 5


def test_spaxels_without_a_signal_or_an_error_are_not_used():
    signal, noise = np.ones((9, 9)), np.ones((9, 9))
    signal[3, 3], noise[5, 5], noise[6, 6] = np.nan, 0.0, np.inf
    level = choose_levels(signal, noise, np.ones((9, 9), bool)).level
    assert np.argwhere(level == 0).tolist() == [[3, 3], [5, 5], [6, 6]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_medians_of_planes_and_their_errors_are_those_of_the_plain_version(seed):
    planes, rng = random_planes(seed)
    level, usable = rng.integers(1, 6, planes.flux.shape[1:]), rng.uniform(size=planes.flux.shape[1:]) < 0.8
    found = smooth_planes(planes, level, usable)
    plain = smoothing_plain.smooth_planes(*planes, level, usable)
    assert np.array_equal(found.good, plain[2])
    assert found.flux == pytest.approx(plain[0], abs=1e-6)
    assert found.error == pytest.approx(plain[1], rel=1e-5)


def test_level_one_stays_as_observed_and_masked_spaxels_lose_their_values():
    planes, _ = random_planes(4)
    usable = np.ones(planes.flux.shape[1:], bool)
    usable[:3] = False
    seen = smooth_planes(planes, np.ones(usable.shape, int), usable)
    kept = planes.good & usable
    assert np.array_equal(seen.good, kept)
    assert np.array_equal(seen.flux[kept], planes.flux[kept])
    assert np.array_equal(seen.error[kept], planes.error[kept])
    assert np.all(seen.flux[~kept] == 0)


def test_masked_spaxels_and_bad_pixels_never_enter_a_kernel():
    flux, good = np.zeros((2, 30, 30), np.float32), np.ones((2, 30, 30), bool)
    usable = GOOD.copy()
    usable[10:14, 10:14], good[0, 20] = False, False
    flux[:, ~usable], flux[~good] = 1e9, 1e9
    seen = smooth_planes(Smoothed(flux, np.ones_like(flux), good), np.full(GOOD.shape, 5), usable)
    assert np.all(seen.flux == 0)
    maps = smooth_maps(flux[1][..., None], np.full(GOOD.shape, 5), usable)
    assert np.all(maps[usable] == 0)
    assert np.all(np.isnan(maps[~usable]))


def test_a_wavelength_bad_in_most_of_a_kernel_is_bad_after_smoothing():
    good = np.ones((2, 30, 30), bool)
    good[0, ::2], good[0, :, ::2] = False, False
    planes = Smoothed(np.ones((2, 30, 30), np.float32), np.ones((2, 30, 30), np.float32), good)
    seen = smooth_planes(planes, np.full(GOOD.shape, 4), GOOD)
    assert not seen.good[0].any()
    assert seen.good[1].all()


def test_a_constant_stays_constant():
    flux = np.full((1, 30, 30), 3.0, np.float32)
    level = np.random.default_rng(2).integers(1, 6, GOOD.shape)
    assert np.all(smooth_planes(Smoothed(flux, flux, flux > 0), level, GOOD).flux == 3.0)
    assert np.all(smooth_maps(flux[0][..., None], level, GOOD) == 3.0)


def test_errors_of_independent_spaxels_are_the_scatter_found():
    rng = np.random.default_rng(6)
    flux = rng.normal(0, 1, (200, 40, 40)).astype(np.float32)
    planes = Smoothed(flux, np.ones_like(flux), np.ones(flux.shape, bool))
    for level in (1, 2, 3, 5):
        seen = smooth_planes(planes, np.full((40, 40), level), np.ones((40, 40), bool), INDEPENDENT)
        inside = (slice(None), slice(8, 32), slice(8, 32))
        assert seen.flux[inside].std() == pytest.approx(seen.error[inside].mean(), rel=0.04)


def test_a_median_of_maps_is_the_median_of_the_good_neighbours():
    rng = np.random.default_rng(1)
    values, good = rng.normal(size=(30, 30, 2)), rng.uniform(size=(30, 30)) < 0.8
    y, x = np.argwhere(good)[100]
    near = smoothing_plain.near(good.shape, y, x, 3, good)
    assert smooth_maps(values, np.full(good.shape, 3), good)[y, x] == pytest.approx(np.median(values[near], axis=0))


def exponential_disc(scale=14.0, axis_ratio=0.6, size=141):
    """Smooth galaxy [any unit] with sky of 1/100 of its centre's noise: S/N about 60 down to 1."""
    y, x = np.indices((size, size)) - size // 2
    signal = np.exp(-np.hypot(x, y / axis_ratio) / scale)
    return signal, np.sqrt(signal + 0.02) / 60.0


def test_surface_brightness_of_a_smooth_galaxy_moves_by_less_than_a_hundredth_of_a_magnitude():
    """Zibetti (2009), abstract: deviations below 0.01 mag in surface brightness, 0.001 mag in the flux of apertures."""
    signal, noise = exponential_disc()
    smoothing = choose_levels(signal, noise, np.ones(signal.shape, bool))
    seen = smooth_maps(signal[..., None], smoothing.level, np.ones(signal.shape, bool))[..., 0]
    bright = smoothing.snr > 7.5
    change = -2.5 * np.log10(seen / signal)[bright]
    assert {1, 2, 3, 4, 5} <= set(smoothing.level[bright])
    assert np.abs(np.median(change)) < 0.01
    assert np.sqrt(np.mean(change**2)) < 0.01
    assert np.abs(2.5 * np.log10(seen[bright].sum() / signal[bright].sum())) < 0.001


def test_level_fractions_count_the_kept_spaxels():
    level = np.array([[1, 1, 2], [5, 5, 5], [0, 3, 4]])
    kept = level > 0
    assert level_fractions(level, kept) == pytest.approx([2 / 8, 1 / 8, 1 / 8, 1 / 8, 3 / 8])
    assert np.all(np.isnan(level_fractions(level, level > 9)))


def test_flags_say_what_smoothing_did_and_what_it_missed():
    found = [int(smoothing_flags(uniform(snr))[15, 15]) for snr in (20.0, 11.0, 4.0, 1.0)]
    smoothed, missed = SpaxelFlag.SMOOTHED, SpaxelFlag.TARGET_MISSED
    assert found == [0, smoothed, smoothed | missed, smoothed | missed | SpaxelFlag.SNR_TOO_LOW]


def test_planes_and_levels_of_different_shape_are_refused():
    planes, _ = random_planes(1)
    with pytest.raises(ShapeError, match="differ"):
        smooth_planes(planes, np.ones((3, 3), int), np.ones((3, 3), bool))
