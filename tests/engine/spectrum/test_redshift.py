"""The redshift of model spectra that were put at a known one."""

import numpy as np
import pytest

from engine.constants import LIGHT_SPEED_KMS
from engine.mock.infill import Motion, observed_stars
from engine.spectrum.redshift import find_redshift
from engine.spectrum.spectra import make_spectra
from engine.spectrum.templates import pick_ssps

WAVE = 3701.0 + 2.0 * np.arange(1901)
LINES = {"Halpha": (6562.80, 1.5), "[NII]6583": (6583.3, 0.5), "[OIII]5007": (5006.8, 0.8), "[OII]3727": (3727.4, 1.0)}


@pytest.fixture(scope="module")
def stars(real_grid):
    """Wavelengths and templates as the pipeline has them, and the whole grid."""
    near = (real_grid.wave > 2800) & (real_grid.wave < 11500)
    metal, age = pick_ssps(real_grid.age, real_grid.metallicity)
    return real_grid.wave[near], real_grid.flux[metal, age][::3, near], real_grid


def spectra_at(redshift, stars, age=8e9, gas=0.0, snr=15.0):
    """Twenty noisy spectra of one population at a redshift, with emission lines of a strength."""
    wave, _, grid = stars
    near = (grid.wave > 2800) & (grid.wave < 11500)
    model = grid.flux[4, np.abs(grid.age - age).argmin()][near].astype(float)
    flux = observed_stars(WAVE, wave, model, Motion(0.0, 120.0, redshift))
    flux = flux / np.median(flux)
    for line, strength in LINES.values():
        flux = flux + gas * strength * np.exp(-0.5 * ((WAVE / (1 + redshift) - line) / 3.0) ** 2)
    rng = np.random.default_rng(1)
    err = np.broadcast_to(flux / snr, (20, WAVE.size))
    return make_spectra(WAVE, flux + err * rng.standard_normal(err.shape), err, None)


@pytest.mark.parametrize("redshift", [0.001, 0.0071, 0.0134, 0.03, 0.09])
@pytest.mark.parametrize(("age", "gas"), [(8e9, 0.0), (1e9, 0.3), (1e8, 1.0)])
def test_the_redshift_is_found_to_a_step_of_the_grid(stars, redshift, age, gas):
    wave, templates, _ = stars
    found = find_redshift(spectra_at(redshift, stars, age, gas), wave, templates, redshift)
    assert LIGHT_SPEED_KMS * (found.redshift - redshift) == pytest.approx(0.0, abs=60.0)
    assert found.correlation > 0.5
    assert found.expected_correlation > 0.9 * found.correlation


def test_the_brightest_spectra_tell_the_redshift_and_a_wrong_one_correlates_worse(stars):
    """Three of four spectra are of a fainter galaxy behind, which lies where this one is expected."""
    wave, templates, _ = stars
    spectra, behind = (spectra_at(redshift, stars) for redshift in (0.0134, 0.0164))
    flux = np.concatenate([spectra.flux[:5], 0.3 * behind.flux[5:]])
    found = find_redshift(spectra._replace(flux=flux), wave, templates, 0.0164)
    assert found.redshift == pytest.approx(0.0134, abs=2e-4)
    assert found.expected_correlation < 0.7 * found.correlation


def test_noise_alone_correlates_with_nothing(stars):
    wave, templates, _ = stars
    spectra = spectra_at(0.0134, stars)
    noise = 1.0 + 0.1 * np.random.default_rng(2).standard_normal(spectra.flux.shape)
    assert find_redshift(spectra._replace(flux=noise), wave, templates, 0.0134).correlation < 0.3


def test_spectra_that_the_models_do_not_cover_tell_nothing(stars):
    wave, templates, _ = stars
    inside = (wave > 4500) & (wave < 6000)
    found = find_redshift(spectra_at(0.0134, stars), wave[inside], templates[:, inside], 0.0134)
    assert np.isnan(found.redshift)
