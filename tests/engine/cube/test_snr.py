"""S/N of spectra in the clean window, from their errors or from their scatter."""

import numpy as np
import pytest

from engine.cube.snr import CLEAN_WINDOW, window_snr
from engine.errors import CubeError, SettingsError
from tests.engine.cube.scenes import sky_with, spectra_of

Z = 0.0134
SKY_LINES = (5577.3, 5889.95, 5895.92)  # Angstrom, air: [OI] and sodium of the night sky
EMISSION = (5197.90, 5200.39, 5754.59, 5875.60)  # neighbours of the window in the rest frame


def cube_of(flux, error, good=None):
    flux = np.asarray(flux, np.float32)
    wave = 3701.0 + 2.0 * np.arange(len(flux))
    cube = spectra_of(sky_with())
    good = np.ones(flux.shape, bool) if good is None else good
    return cube._replace(wave=wave, flux=flux, error=np.full(flux.shape, error, np.float32), good=good)


def noisy(snr, seed=1, slope=0.3):
    rng = np.random.default_rng(seed)
    level = 1 + slope * np.linspace(-1, 1, 1901)[:, None, None]
    return level + rng.normal(0, 1 / snr, (1901, 6, 7))


def test_no_line_of_galaxy_or_night_falls_into_the_window_at_any_redshift_of_the_sample():
    assert not any(CLEAN_WINDOW[0] - 10 < line < CLEAN_WINDOW[1] + 10 for line in EMISSION)
    for redshift in np.linspace(0.005, 0.03, 26):
        low, high = (edge * (1 + redshift) for edge in CLEAN_WINDOW)
        assert not any(low - 6 < line < high + 6 for line in SKY_LINES)


@pytest.mark.parametrize("noise_from", ["error", "residual"])
def test_snr_per_angstrom_is_that_per_pixel_over_root_two_on_pixels_of_two_angstrom(noise_from):
    signal, noise = window_snr(cube_of(noisy(50.0), 1 / 50.0), Z, noise_from=noise_from)
    assert np.median(signal / noise) == pytest.approx(50.0 / np.sqrt(2.0), rel=0.05)


def test_twenty_per_pixel_is_close_to_fifteen_per_angstrom():
    """ZG22 sec. 2.1 gives both; exactly, 20 per 2 Angstrom pixel is 14.1 per Angstrom."""
    signal, noise = window_snr(cube_of(noisy(20.0), 1 / 20.0), Z)
    assert np.median(signal / noise) == pytest.approx(15.0, rel=0.08)


def test_a_slope_is_no_noise_and_bad_pixels_do_not_count():
    flux = noisy(1e4, slope=0.8)
    good = np.random.default_rng(2).uniform(size=flux.shape) < 0.8
    flux[~good] = 1e9
    for noise_from in ("error", "residual"):
        signal, noise = window_snr(cube_of(flux, 1e-4, good), Z, noise_from=noise_from)
        assert signal == pytest.approx(1 + 0.8 * (5635 * (1 + Z) - 5601) / 1900, abs=0.01)
        # 42 spaxels of about 36 good pixels each: their mean scatters by 2 %
        assert np.sqrt(np.mean(noise**2)) == pytest.approx(1e-4 * np.sqrt(2), rel=0.03)


def test_spaxels_with_too_few_pixels_in_the_window_have_no_snr():
    good = np.ones((1901, 6, 7), bool)
    good[:, 2, 3] = False
    signal, noise = window_snr(cube_of(noisy(20.0), 0.05, good), Z)
    assert np.argwhere(np.isnan(signal)).tolist() == [[2, 3]]
    assert np.argwhere(np.isnan(noise)).tolist() == [[2, 3]]


def test_noise_from_elsewhere_is_refused():
    with pytest.raises(SettingsError, match="error, residual, not from 'sky'"):
        window_snr(cube_of(noisy(20.0), 0.05), Z, noise_from="sky")


def test_real_spectra_have_the_snr_that_their_kind_needs(shared):
    """NGC2691, z = 0.0134: the first is bright, the second lies between the cut (10 per pixel) and the target (20)."""
    from precompute.io.cubes import read_row_stack

    cube = read_row_stack(shared / "ngc2691_comb" / "NGC2691.COMB.RSS.fits", "1e-16 erg/s/cm^2/A")
    signal, noise = window_snr(cube, Z)
    bright, middle, faint = (signal / noise)[0]
    assert bright > 45
    assert 7.5 < middle < 15
    assert faint < 1.5
    signal, noise = window_snr(cube, Z, noise_from="residual")
    assert (signal / noise)[0, 1] == pytest.approx(middle, rel=0.3)


def test_spectra_that_do_not_cover_the_window_are_refused_with_what_they_cover():
    """As V1200 cubes of CALIFA (3650-4840 Angstrom), and any cube under too large a redshift."""
    cube = cube_of(noisy(50.0), 0.02)
    blue = cube.wave < 4840
    v1200 = cube._replace(wave=cube.wave[blue], flux=cube.flux[blue], error=cube.error[blue], good=cube.good[blue])
    with pytest.raises(
        CubeError, match=r"at redshift 0\.0134 the spectra cover 3652-4775 Angstrom at rest, not 5590-5680"
    ):
        window_snr(v1200, Z)
    with pytest.raises(CubeError, match=r"at redshift 0\.36 the spectra cover 2721-5515"):
        window_snr(cube, 0.36)


def test_snr_per_angstrom_does_not_depend_on_steps_elsewhere_in_the_spectrum():
    cube = cube_of(noisy(50.0), 1 / 50.0)
    logarithmic = cube._replace(wave=3701.0 * np.exp(2.0 / 5700.0 * np.arange(1901)))
    at_window = 2.0 / 5700.0 * 5635 * (1 + Z)
    _, noise = window_snr(logarithmic, Z)
    assert np.median(noise) == pytest.approx(np.sqrt(at_window) / 50.0, rel=0.01)
