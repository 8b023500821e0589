"""Errors against the scatter of pixels, on noise that is known."""

import numpy as np
import pytest

from engine.cube.noise import NoiseSettings, error_ratio, with_sound_pixels
from tests.engine.cube.scenes import sky_with, spectra_of

SHAPE = (1500, 9, 10)
COSMIC_RAYS = [(300, 2, 3), (700, 5, 5), (1100, 8, 1)]


def cube_of(stated_over_true=1.0, seed=1, rays=()):
    """Spectra with absorption lines of 6 Angstrom, of levels that differ by ten, with Gaussian noise."""
    rng = np.random.default_rng(seed)
    wave = 3701.0 + 2.0 * np.arange(SHAPE[0])
    lines = sum(0.2 * np.exp(-0.5 * ((wave - at) / 3.0) ** 2) for at in np.arange(3800, 6600, 47.0))
    level = np.geomspace(0.3, 3.0, SHAPE[1] * SHAPE[2]).reshape(SHAPE[1:])
    noise = 0.05 * np.sqrt(level)
    flux = (1.0 - lines)[:, None, None] * level + noise * rng.standard_normal(SHAPE)
    for place in rays:
        flux[place] += 40.0 * noise[place[1:]]
    error = np.broadcast_to(stated_over_true * noise, SHAPE).astype(np.float32)
    good = np.ones(SHAPE, bool)
    return spectra_of(sky_with())._replace(wave=wave, flux=flux.astype(np.float32), error=error, good=good)


@pytest.mark.parametrize("stated_over_true", [1.0, 0.5, 0.2, 0.1, 3.0])
def test_the_ratio_tells_how_wrong_the_errors_are(stated_over_true):
    assert error_ratio(cube_of(stated_over_true)) == pytest.approx(1.0 / stated_over_true, rel=0.05)


@pytest.mark.parametrize("stated_over_true", [0.5, 0.2, 0.1])
def test_errors_that_are_too_small_are_raised_and_cost_no_pixel(stated_over_true):
    cube, check = with_sound_pixels(cube_of(stated_over_true, rays=COSMIC_RAYS), NoiseSettings())
    assert check.factor == check.ratio
    assert np.median(cube.error / cube_of().error) == pytest.approx(1.0, rel=0.05)
    lost = {tuple(place) for place in np.argwhere(~cube.good)}
    assert lost == {(w + step, y, x) for w, y, x in COSMIC_RAYS for step in (-1, 0, 1)}
    assert check.cosmic_ray_share == pytest.approx(9 / cube.good.size)


def test_errors_that_shall_stay_as_they_are_cost_no_pixel_either():
    cube, check = with_sound_pixels(cube_of(0.1), NoiseSettings(rescale=False))
    assert check.factor == 1.0
    assert np.array_equal(cube.error, cube_of(0.1).error)
    assert cube.good.all()


def test_fair_errors_stay_as_they_are():
    for stated_over_true in (0.8, 1.0, 2.0):
        cube, check = with_sound_pixels(cube_of(stated_over_true), NoiseSettings())
        assert check.factor == 1.0
        assert np.array_equal(cube.error, cube_of(stated_over_true).error)


def test_noise_that_neighbours_share_is_no_sign_of_wrong_errors():
    """As in real COMB cubes, whose spectra are resampled: neighbours a pixel or two apart are nearly equal."""
    cube = cube_of()
    rng = np.random.default_rng(3)
    white = rng.standard_normal((SHAPE[0] + 2, *SHAPE[1:]))
    shared = (white[:-2] + white[1:-1] + white[2:]) / np.sqrt(3.0)
    level = cube.flux.mean(axis=0)
    flux = (level + cube.error * shared).astype(np.float32)
    assert error_ratio(cube._replace(flux=flux)) == pytest.approx(1.0, rel=0.05)


def test_real_comb_spectra_have_fair_errors(shared):
    """The two fainter spectra of NGC2691 (S/N 14 and 0.8 per pixel)."""
    from precompute.io.cubes import read_row_stack

    cube = read_row_stack(shared / "ngc2691_comb" / "NGC2691.COMB.RSS.fits", "1e-16 erg/s/cm^2/A")
    faint = cube._replace(flux=cube.flux[..., 1:], error=cube.error[..., 1:], good=cube.good[..., 1:])
    low, high = NoiseSettings().limits
    assert low < error_ratio(faint) < high


def test_a_cube_without_spectra_tells_nothing():
    cube = cube_of()
    nothing = cube._replace(good=np.zeros(SHAPE, bool))
    assert np.isnan(error_ratio(nothing))
    assert with_sound_pixels(nothing, NoiseSettings())[1].factor == 1.0
