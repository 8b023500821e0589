"""Voronoi bins: the target met, every spaxel once, and means with their errors."""

import numpy as np
import pytest

from engine.cube.smoothing import Smoothed, SmoothingSettings
from engine.cube.voronoi import bin_planes, voronoi_bins
from engine.errors import SettingsError

INDEPENDENT = SmoothingSettings(correlation_slope=0.0)


def disc(size=40, peak=40.0, scale=6.0):
    """Signal with S/N from 40 in the middle to below 1, noise, and which spaxels count."""
    y, x = np.indices((size, size)) - size / 2
    radius = np.hypot(x, y)
    return peak * np.exp(-radius / scale), np.ones((size, size)), radius < 18


@pytest.mark.parametrize("settings", [SmoothingSettings(), INDEPENDENT])
def test_bins_reach_the_target_about_evenly_and_hold_every_spaxel_once(settings):
    signal, noise, good = disc()
    bins = voronoi_bins(signal, noise, good, settings)
    assert np.array_equal(bins.bin >= 0, good & (signal > 0.5))
    number, first = np.unique(bins.bin[bins.bin >= 0], return_index=True)
    assert number.tolist() == list(range(len(number)))
    reached = bins.snr[bins.bin >= 0][first]
    assert np.median(reached[reached < 25]) == pytest.approx(15.0, rel=0.15)
    assert (reached > 0.7 * 15).mean() > 0.9


def test_bright_spaxels_stay_alone_but_for_a_faint_neighbour_and_levels_grow_outwards():
    signal, noise, good = disc()
    bins = voronoi_bins(signal, noise, good)
    alone = signal > 15.0
    assert (bins.level[alone] == 1).mean() > 0.8
    assert np.unique(bins.bin[alone]).size == alone.sum()
    single = bins.level == 1
    assert bins.snr[single] == pytest.approx(signal[single])
    assert set(np.unique(bins.level)) == {0, 1, 2, 3, 4, 5}
    size = np.bincount(bins.bin[bins.bin >= 0])[bins.bin]
    assert np.all(size[bins.level == 2] <= 9)
    assert np.all(size[bins.level == 3] > 9)


def test_where_all_spaxels_reach_the_target_each_is_its_own_bin():
    bins = voronoi_bins(np.full((5, 6), 20.0), np.ones((5, 6)), np.ones((5, 6), bool))
    assert np.array_equal(np.sort(bins.bin.ravel()), np.arange(30))
    assert np.all(bins.level == 1)


def test_too_little_light_for_one_bin_is_refused_and_no_light_gives_no_bin():
    noise, good = np.ones((5, 6)), np.ones((5, 6), bool)
    with pytest.raises(SettingsError, match="all 30 spaxels together miss a S/N of 15"):
        voronoi_bins(np.full((5, 6), 0.6), noise, good)
    none = voronoi_bins(np.zeros((5, 6)), noise, good)
    assert np.all(none.bin == -1)
    assert np.all(none.level == 0)


def test_a_bin_holds_the_mean_of_its_good_values_and_its_error():
    rng = np.random.default_rng(3)
    bins = rng.integers(-1, 6, (8, 9))
    flux, error = rng.normal(1, 1, (5, 8, 9)), rng.uniform(0.5, 2, (5, 8, 9))
    good = rng.uniform(size=flux.shape) < 0.7
    seen = bin_planes(Smoothed(flux, error, good), bins)
    assert not seen.good[:, bins < 0].any()
    for number in range(6):
        for plane in range(5):
            takes = (bins == number) & good[plane]
            n, there = takes.sum(), bins == number
            assert seen.good[plane][there].all() == (n >= 0.5 * there.sum())
            if n >= 0.5 * there.sum():
                assert seen.flux[plane][there] == pytest.approx(flux[plane][takes].mean(), rel=1e-5)
                noise = (1 + 1.07 * np.log10(n)) * np.sqrt((error[plane][takes] ** 2).sum()) / n
                assert seen.error[plane][there] == pytest.approx(noise, rel=1e-5)


def test_a_pixel_without_a_number_spoils_no_bin():
    flux, good = np.ones((1, 2, 2)), np.ones((1, 2, 2), bool)
    flux[0, 0, 0], good[0, 0, 0] = np.nan, False
    found = bin_planes(Smoothed(flux, flux.copy(), good), np.zeros((2, 2), int))
    assert found.flux[0] == pytest.approx(np.ones((2, 2)))
    assert np.isfinite(found.error).all()


def test_binning_keeps_the_flux():
    signal, noise, good = disc()
    bins = voronoi_bins(signal, noise, good)
    seen = bin_planes(Smoothed(signal[None], noise[None], np.ones((1, 40, 40), bool)), bins.bin)
    assert seen.flux[0].sum() == pytest.approx(signal[bins.bin >= 0].sum(), rel=1e-5)
