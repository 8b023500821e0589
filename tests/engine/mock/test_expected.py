"""The truth of smoothed spaxels: medians of many noisy draws, and lines whose flux is known."""

import numpy as np
import pytest

from engine.columns import INDEX_NAMES
from engine.constants import LIGHT_SPEED_KMS
from engine.cube.smoothing import DEFAULT, Smoothed, smooth_maps, smooth_planes
from engine.mock.cubes.settings import califa_wave
from engine.mock.expected import (
    TRUE_LINES,
    TrueLight,
    TrueLine,
    expected_median,
    expected_values,
    line_members,
    line_window,
    needed_planes,
)
from engine.spectrum.lines import LINE_NAMES, line_table

SHAPE, MIDDLE, REDSHIFT, SIGMA = (11, 11), np.zeros((11, 11), bool), 0.015, 2.6
MIDDLE[5, 5] = True
N_DRAW = 4000  # the mean of so many medians is known to a sixtieth of the error of one


def steep(seed=3):
    """Brightness of a field whose neighbours differ by factors, as at a steep edge (y, x)."""
    return np.random.default_rng(seed).lognormal(0.0, 0.8, SHAPE)


def everywhere(level):
    return np.full(SHAPE, level)


@pytest.mark.parametrize("level", [2, 3, 5])
@pytest.mark.parametrize("sigma", [0.2, 1.0, 4.0])
def test_the_expected_median_is_the_mean_of_the_medians_of_many_noisy_draws(level, sigma):
    field, rng = steep(), np.random.default_rng(level)
    noise = sigma * rng.uniform(0.6, 1.4, SHAPE)
    noisy = (field + noise * rng.standard_normal((N_DRAW, *SHAPE))).astype(np.float32)
    cubes = Smoothed(noisy, np.ones_like(noisy), np.ones(noisy.shape, bool))
    medians = smooth_planes(cubes, everywhere(level), np.ones(SHAPE, bool)).flux[:, 5, 5].astype(float)
    expected = expected_median(field[None], (noise, np.ones(1)), everywhere(level), MIDDLE, DEFAULT)
    assert expected[0, 0] == pytest.approx(medians.mean(), abs=0.1 * medians.std())  # a tenth of the error of one


def test_noise_moves_the_expected_median_from_the_middle_value_to_the_mean():
    field, level = steep(), everywhere(5)
    near = [expected_median(field[None], (np.full(SHAPE, s), np.ones(1)), level, MIDDLE, DEFAULT)[0, 0]
            for s in (1e-6, 0.5, 100.0)]  # fmt: skip
    y, x = np.indices(SHAPE) - 5
    inside = field[y**2 + x**2 < 25]
    assert near[0] == pytest.approx(np.median(inside), rel=1e-4)
    assert near[2] == pytest.approx(inside.mean(), rel=1e-3)
    assert near[0] < 0.95 * near[1] < 0.95 * near[2]


def test_spaxels_without_level_or_noise_enter_no_kernel():
    field, level, noise = steep(), everywhere(2), np.ones(SHAPE)
    clean = expected_median(field[None], (noise, np.ones(1)), np.where(field > 2, 0, level), MIDDLE, DEFAULT)
    unknown = expected_median(field[None], (np.where(field > 2, 0, noise), np.ones(1)), level, MIDDLE, DEFAULT)
    spoilt = np.where(field > 2, 1e6, field)
    again = expected_median(spoilt[None], (noise, np.ones(1)), np.where(field > 2, 0, level), MIDDLE, DEFAULT)
    assert unknown == pytest.approx(clean)
    assert again == pytest.approx(clean)


def a_galaxy(velocity, flux, noise=0.01):
    """Light of spaxels with flat stars and the six lines, each of a flux and at a velocity (y, x)."""
    wave, lines = califa_wave(), {}
    for name in TRUE_LINES:
        window, table = line_window(name, wave, REDSHIFT), line_table()
        planes = np.zeros((window.stop - window.start, *SHAPE))
        for row in line_members(name):
            centre = table.wave[row] * (1 + REDSHIFT) * np.exp(velocity / LIGHT_SPEED_KMS)
            offset = (wave[window, None, None] - centre) / SIGMA
            planes += table.ratio[row] * flux * np.exp(-0.5 * offset**2) / (np.sqrt(2 * np.pi) * SIGMA)
        lines[name] = TrueLine(window.start, planes.astype(np.float32))
    stars = np.where(needed_planes(wave, REDSHIFT)[:, None, None], np.full(SHAPE, 0.2, np.float32), np.float32(0))
    return TrueLight(wave, stars, lines, np.full(SHAPE, noise), np.ones(wave.size))


def fluxes(light, level):
    found = expected_values(light, everywhere(level), MIDDLE, (np.zeros(1), REDSHIFT), DEFAULT)
    return {name: found[f"flux_{name}"][0] for name in TRUE_LINES} | {k: found[k][0] for k in INDEX_NAMES}


@pytest.mark.parametrize("velocity", [-250.0, 0.0, 250.0])
def test_an_unsmoothed_spaxel_shows_its_own_lines_whatever_its_velocity(velocity):
    found = fluxes(a_galaxy(np.full(SHAPE, velocity), np.full(SHAPE, 0.7)), 1)
    for name in TRUE_LINES:
        assert found[name] == pytest.approx(0.7, rel=2e-3), name


def test_alike_neighbours_change_nothing_and_flat_stars_have_the_indices_of_a_flat_spectrum():
    light = a_galaxy(np.zeros(SHAPE), np.full(SHAPE, 0.7))
    alone, smoothed = fluxes(light, 1), fluxes(light, 4)
    assert smoothed == pytest.approx(alone, rel=1e-3, abs=1e-6, nan_ok=True)  # no [MgFe] of nothing
    assert alone["hbeta"] == pytest.approx(0.0, abs=1e-6)


def test_the_median_of_spectra_shows_less_of_a_line_than_the_median_of_its_maps_where_velocities_differ():
    x = np.indices(SHAPE)[1] - 5.0
    velocity, flux = 80.0 * x, np.full(SHAPE, 0.7)
    level = everywhere(5)
    of_maps = smooth_maps(flux[..., None], level, level > 0)[5, 5, 0]
    quiet, noisy = (fluxes(a_galaxy(velocity, flux, noise), 5)["Halpha"] for noise in (1e-3, 1.0))
    assert of_maps == pytest.approx(0.7)
    assert quiet < 0.97 * of_maps
    assert noisy == pytest.approx(0.7, rel=0.01)  # under noise it is the mean, which keeps the flux


def test_windows_hold_the_lines_and_the_doublet_is_one():
    wave = califa_wave()
    for name in TRUE_LINES:
        window = wave[line_window(name, wave, REDSHIFT)]
        for row in line_members(name):
            centre = line_table().wave[row] * (1 + REDSHIFT)
            assert window[0] + 20 < centre < window[-1] - 20
    assert [LINE_NAMES[row] for row in line_members("[OII]3727")] == ["[OII]3727", "[OII]3729"]
