"""Infill of Hbeta is taken out without bias, and the invented spectra are what they say."""

import numpy as np
import pytest

from engine.mock.infill import Motion, hbeta_infill_curve, hii_region, observed_lines, observed_stars
from engine.spectrum.lines import LINE_NAMES
from precompute.stages.validate_lines import MIXTURES
from tests.reference.model_spectra import REDSHIFT, WAVE, Models


@pytest.fixture(scope="module")
def models(real_grid):
    optical = (real_grid.wave > 3300) & (real_grid.wave < 8000)
    flux = real_grid.flux[..., optical].astype(float)
    return Models(real_grid.wave[optical], flux, real_grid.age, real_grid.metallicity)


@pytest.mark.parametrize("name", MIXTURES)
def test_hbeta_infill_is_removed_without_bias_down_to_four_times_the_noise(models, name):
    motion = Motion(120.0, 120.0, REDSHIFT)
    stars = observed_stars(WAVE, models.wave, models.mixture(MIXTURES[name]), motion)
    rng = np.random.default_rng(2)
    curve = hbeta_infill_curve(WAVE, stars, models.templates(), motion, rng, amplitudes=(4.0, 8.0, 16.0), n=48)
    print(name, np.round(curve, 3).tolist())
    assert (np.diff(curve.infill) > 0).all()
    assert curve.infill[0] > 0.5
    assert (np.abs(curve.bias) < 3.5 * curve.bias_err).all()
    assert (np.abs(curve.bias) < 0.1 * np.maximum(curve.infill, 1.5)).all()
    assert (curve.removed == 1).all()


def test_lines_hold_the_flux_they_promise():
    lines, flux = observed_lines(WAVE, {"[OIII]5007": 3.0}, 0.3, Motion(100.0, 60.0, REDSHIFT))
    assert lines.sum() * 2.0 == pytest.approx(3.0 * 1.35, rel=1e-6)
    assert flux[LINE_NAMES.index("[OIII]4959")] == pytest.approx(0.35 * 3.0)


def test_an_hii_region_behind_dust_has_more_than_case_b_of_halpha():
    assert hii_region(2.86, ebv=0.0)["Hbeta"] == pytest.approx(1.0)
    assert hii_region(2.86, ebv=0.5)["Hbeta"] < 0.7
