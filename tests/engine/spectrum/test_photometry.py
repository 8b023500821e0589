"""AB photometry against analytic spectra and against speclite."""

import numpy as np
import pytest
from astropy import units as u
from speclite.filters import load_filters

from engine.columns import BANDS
from engine.constants import TEN_PARSEC_FLUX
from engine.errors import ShapeError
from engine.spectrum.photometry import Filter, ab_magnitudes, line_fluxes_in_bands, surface_flux
from precompute.io.filters import read_sdss_filters

WAVE = np.arange(2900.0, 11500.0, 1.5)
LIGHT_SPEED = 2.99792458e18


def test_the_filters_are_ugriz_in_order():
    filters = read_sdss_filters()
    assert tuple(one.name for one in filters) == BANDS
    effective = [(f.wave * f.response).sum() / f.response.sum() for f in filters]
    assert effective == pytest.approx([3551, 4686, 6166, 7480, 8932], rel=0.02)  # SDSS web page, old curves


def test_the_gap_before_the_red_leak_of_u_is_dark():
    u_band = read_sdss_filters()[0]
    assert np.interp([4300.0, 6000.0, 7500.0], u_band.wave, u_band.response) == pytest.approx(0.0)
    assert np.interp(7740.0, u_band.wave, u_band.response) > 0


@pytest.mark.parametrize("magnitude", [0.0, 20.0])
def test_a_source_flat_in_f_nu_has_its_magnitude_in_every_band(magnitude):
    flux = 3631e-23 * LIGHT_SPEED / WAVE**2 * 10 ** (-0.4 * magnitude)
    assert ab_magnitudes(WAVE, flux, read_sdss_filters()) == pytest.approx(magnitude, abs=1e-10)


def test_magnitudes_agree_with_speclite():
    flux = np.exp(-(((WAVE - 6500) / 1800) ** 2)) * (1.2 + np.sin(WAVE / 60)) * 1e-15
    theirs = load_filters("sdss2010-*").get_ab_magnitudes(flux * u.Unit("erg / (s cm2 AA)"), WAVE * u.AA)
    curves = [load_filters(f"sdss2010-{band}")[0] for band in BANDS]  # speclite joins the two ends of the gap in u
    ours = ab_magnitudes(WAVE, flux, tuple(Filter(c.name, c.wavelength, c.response) for c in curves))
    assert ours == pytest.approx([theirs[f"sdss2010-{band}"][0] for band in BANDS], abs=1e-3)


def test_photons_are_counted_not_energy():
    box = Filter("box", np.array([4999.0, 5000.0, 6000.0, 6001.0]), np.array([0.0, 1.0, 1.0, 0.0]))
    wave = np.arange(4900.0, 6100.0, 0.5)
    truth = -2.5 * np.log10((6000**2 - 5000**2) / 2 / (3631e-23 * LIGHT_SPEED * np.log(6000 / 5000)))
    assert ab_magnitudes(wave, np.ones(wave.size), (box,))[0] == pytest.approx(truth, abs=2e-4)


def test_no_light_has_no_magnitude():
    assert np.isnan(ab_magnitudes(WAVE, np.zeros(WAVE.size), read_sdss_filters())).all()


def test_a_spectrum_that_ends_inside_a_filter_is_refused():
    with pytest.raises(ShapeError, match="filter u"):
        ab_magnitudes(WAVE[WAVE > 3500], np.ones((WAVE > 3500).sum()), read_sdss_filters())


def test_one_solar_luminosity_at_ten_parsec():
    assert pytest.approx(3.828e33 / (4 * np.pi * (3.0857e19) ** 2), rel=1e-4) == TEN_PARSEC_FLUX


def test_one_source_per_square_parsec_has_unit_surface_flux():
    arcsec_at_10_pc = 10 / 206264.806  # pc
    brightness = 0.0 + 2.5 * np.log10(1 / arcsec_at_10_pc**2)  # one source of magnitude 0 per pc2, seen at 10 pc
    assert surface_flux(brightness, 0.0) == pytest.approx(1.0, rel=1e-3)


def test_dimming_is_undone():
    assert surface_flux(22.0, 0.03) / surface_flux(22.0, 0.0) == pytest.approx(1.03**4)


def test_taking_the_lines_out_of_magnitudes_gives_those_of_the_continuum():
    """Lines on a spectrum, integrated with it, against their fluxes alone."""
    filters, wave = read_sdss_filters(), np.arange(2900.0, 11500.0, 0.5)
    at, strength = np.array([3783.0, 5082.0, 6661.0]), np.array([2e-14, 5e-14, 1e-13])
    continuum = 1e-15 * (wave / 5000) ** 0.5
    profile = np.exp(-0.5 * ((wave - at[:, None]) / 3.0) ** 2) / (3.0 * np.sqrt(2 * np.pi))
    both = ab_magnitudes(wave, continuum + strength @ profile, filters)
    alone = ab_magnitudes(wave, continuum, filters)
    cleaned = -2.5 * np.log10(10.0 ** (-0.4 * both) - line_fluxes_in_bands(at, strength, filters))
    assert np.abs(both - alone).max() > 0.02
    assert cleaned == pytest.approx(alone, abs=5e-4)


def test_lines_that_were_not_measured_count_as_none_and_spaxels_come_first():
    strength = np.array([[1e-14, np.nan], [0.0, 2e-14]])
    added = line_fluxes_in_bands(np.array([5082.0, 6661.0]), strength, read_sdss_filters())
    assert added.shape == (2, 5)
    assert added[0, 1] > 0
    assert added[1, 2] > 0
    assert added[1, 1] == pytest.approx(0.0, abs=1e-12)
