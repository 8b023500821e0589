"""Constants against other sources than astropy."""

import numpy as np
import pytest
from scipy import constants as codata

from engine import constants


def test_light_and_parsec_are_those_of_codata_and_iau():
    assert constants.LIGHT_SPEED_KMS == pytest.approx(codata.c / 1e3, rel=1e-12)
    assert constants.LIGHT_SPEED == pytest.approx(codata.c * 1e10, rel=1e-12)
    assert constants.PARSEC == pytest.approx(codata.parsec * 1e2, rel=1e-12)


def test_a_gaussian_falls_to_half_at_half_its_full_width():
    assert np.exp(-0.5 * (constants.FWHM_PER_SIGMA / 2) ** 2) == pytest.approx(0.5)


def test_one_per_cent_of_flux_is_0_0109_magnitudes():
    assert -2.5 * np.log10(1 - 1e-6) / 1e-6 == pytest.approx(constants.MAG_PER_E_FOLD, rel=1e-5)


def test_a_source_of_magnitude_0_per_square_parsec_shines_alike_at_any_distance():
    distance = 2e6  # pc
    per_arcsec2 = (distance * np.pi / 180 / 3600) ** 2  # pc2 behind an arcsec2
    surface_brightness = 5 * np.log10(distance / 10) - 2.5 * np.log10(per_arcsec2)
    assert constants.PC2_SURFACE_BRIGHTNESS == pytest.approx(surface_brightness, rel=1e-12)
