"""The noise of the mock against real CALIFA COMBO spectra of NGC2691."""

import numpy as np
import pytest
from astropy.io import fits

from engine.adopted import SNR_TARGET_PER_ANGSTROM, SNR_TARGET_PER_PIXEL
from engine.mock.observe import index_errors, spaxel_snr
from engine.mock.settings import MockSettings
from engine.spectrum.indices import measure_indices

pytestmark = pytest.mark.paper
REDSHIFT = 0.0134  # of NGC2691
SETTINGS = MockSettings()


@pytest.fixture(scope="module")
def spectra(shared):
    with fits.open(shared / "ngc2691_comb" / "NGC2691.COMB.RSS.fits") as file:
        flux, error, bad = (file[i].data.astype(float) for i in range(3))
        wave = file[0].header["CRVAL1"] + file[0].header["CDELT1"] * np.arange(flux.shape[1])
    return wave, flux, error, bad == 0


def per_angstrom(wave, flux, error):
    """S/N per Angstrom in the clean window around 5600 A, with the paper's ratio to that per pixel."""
    window = np.abs(wave - 5600.0) < 100.0
    return np.median((flux / error)[window]) * SNR_TARGET_PER_ANGSTROM / SNR_TARGET_PER_PIXEL


def test_photon_noise_of_the_indices_is_that_of_a_real_spectrum(spectra):
    wave, flux, error, good = spectra
    errors = measure_indices(wave / (1 + REDSHIFT), flux[1], error[1], good[1]).errors
    photons = errors * per_angstrom(wave, flux[1], error[1])
    assert np.asarray(SETTINGS.index_noise) == pytest.approx(photons, rel=0.35)


def test_the_mock_is_not_less_noisy_than_the_real_spectrum_at_the_same_snr(spectra):
    wave, flux, error, good = spectra
    real = measure_indices(wave / (1 + REDSHIFT), flux[1], error[1], good[1]).errors
    mock = index_errors(np.array(per_angstrom(wave, flux[1], error[1])), SETTINGS)
    assert np.all(mock > 0.9 * real)
    assert np.all(mock < 2.5 * real)


def test_snr_against_surface_brightness_is_that_of_real_spaxels_within_the_scatter_of_galaxies(spectra):
    wave, flux, error, good = spectra
    in_r = (wave > 5600.0) & (wave < 6850.0)
    for one in (0, 1):
        use = in_r & good[one]
        f_nu = 1e-16 * np.mean(flux[one][use]) * np.mean(wave[use]) ** 2 / 2.998e18
        brightness = -2.5 * np.log10(f_nu) - 48.6
        ratio = spaxel_snr(brightness, SETTINGS) / per_angstrom(wave, flux[one], error[one])
        assert abs(np.log10(ratio)) < 2.0 * SETTINGS.snr_scatter
