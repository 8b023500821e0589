"""Lines put into real model spectra come out again with honest errors, and leave the stars behind unharmed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppxf.ppxf import ppxf
from ppxf.ppxf_util import emission_lines
from scipy.optimize import lsq_linear

from engine.errors import SettingsError, ShapeError
from engine.flags import SpaxelFlag
from engine.mock.infill import Motion, hii_region, observed_lines, observed_stars
from engine.spectrum.decouple import solve_bounded
from engine.spectrum.emission import decouple_lines
from engine.spectrum.gas import GAS_NOT_SEEN, GAS_ONE_GROUP, GAS_TWO_GROUPS, EmissionSettings
from engine.spectrum.indices import measure_indices
from engine.spectrum.kinematics import fit_kinematics
from engine.spectrum.lines import (
    HALPHA,
    HBETA,
    LINE_NAMES,
    LINES,
    decrement_ebv,
    extinction,
    line_table,
    reddened_ratios,
)
from engine.spectrum.spectra import make_spectra, rest_frame
from tests.reference.model_spectra import REDSHIFT, WAVE, noisy

N = 60
ROW = {name: k for k, name in enumerate(LINE_NAMES)}


def given_stars(n, motion):
    return np.full(n, motion.velocity), np.full(n, motion.sigma)


def observe(disc, halpha, snr, *, n=N, seed=1, offset=40.0, sigma=60.0):
    """Noisy spectra with gas, the true fluxes (line,) and the motion of the gas."""
    wave, stars, motion = disc
    gas = motion._replace(velocity=motion.velocity + offset, sigma=sigma)
    lines, truth = observed_lines(wave, hii_region(halpha), 0.3, gas)
    flux, err = noisy(stars, snr, n, seed)
    return make_spectra(wave, flux + lines, err), truth, gas


@pytest.fixture(scope="module")
def bright(disc, templates):
    spectra, truth, gas = observe(disc, 20.0, 20.0)
    return decouple_lines(spectra, *given_stars(N, disc[2]), templates), spectra, truth, gas


@pytest.mark.parametrize(
    "name", ["[OII]3727", "Hgamma", "Hdelta", "Hbeta", "[OIII]5007", "Halpha", "[NII]6583", "[SII]6716"]
)
def test_line_fluxes_are_recovered_and_their_errors_are_right(bright, name):
    fit, _, truth, _ = bright
    pulls = (fit.flux[:, ROW[name]] - truth[ROW[name]]) / fit.flux_err[:, ROW[name]]
    assert pulls.std() == pytest.approx(1.0, abs=0.2)
    assert abs(pulls.mean()) < 0.5
    assert fit.removed[:, ROW[name]].all()


@pytest.mark.parametrize("group", [0, 1])
def test_velocity_and_dispersion_of_the_gas_are_recovered(bright, group):
    fit, _, _, gas = bright
    assert (fit.gas_mode == GAS_TWO_GROUPS).all()
    for found, error, truth in (
        (fit.v_gas, fit.v_gas_err, gas.velocity), (fit.sigma_gas, fit.sigma_gas_err, gas.sigma),
    ):  # fmt: skip
        pulls = (found[:, group] - truth) / error[:, group]
        assert pulls.std() == pytest.approx(1.0, abs=0.3)
        assert abs(pulls.mean()) < 0.5


def test_errors_that_are_stated_too_small_change_no_error_of_the_gas(disc, templates):
    """The scatter of the residuals counts, where it is larger: of fluxes, amplitudes over noise and motions alike."""
    spectra, _, _ = observe(disc, 20.0, 20.0, n=8)
    fair, small = (
        decouple_lines(spectra._replace(err=spectra.err / part), *given_stars(8, disc[2]), templates) for part in (1, 3)
    )
    assert small.noise_scale == pytest.approx(3 * fair.noise_scale, rel=0.1)
    strong = [ROW[name] for name in ("Halpha", "[NII]6583", "[OIII]5007")]
    assert small.flux_err[:, strong] == pytest.approx(fair.flux_err[:, strong], rel=0.15)
    assert small.amplitude_to_noise[:, strong] == pytest.approx(fair.amplitude_to_noise[:, strong], rel=0.15)
    assert small.v_gas_err == pytest.approx(fair.v_gas_err, rel=0.2)
    assert small.sigma_gas_err == pytest.approx(fair.sigma_gas_err, rel=0.25)


def test_the_amplitude_of_a_line_is_its_height_over_the_noise(bright):
    """A Gaussian of flux f and width s is f / (sqrt(2 pi) s) high; gas of 60 km/s and an instrument of 6 Angstrom."""
    fit, spectra, truth, gas = bright
    at = HALPHA * (1 + REDSHIFT) * np.exp(gas.velocity / 299_792.458)
    width = np.hypot(6.0 / 2.3548, at * gas.sigma / 299_792.458)
    noise = np.interp(at, spectra.wave, spectra.err[0])
    height = truth[ROW["Halpha"]] / (np.sqrt(2 * np.pi) * width) / noise
    assert fit.amplitude_to_noise[:, ROW["Halpha"]].mean() == pytest.approx(height, rel=0.05)


def test_the_fit_is_as_good_as_the_noise_and_the_parts_add_up(bright):
    fit, spectra, _, _ = bright
    assert fit.chi2.mean() == pytest.approx(1.0, abs=0.05)
    assert fit.noise_scale.mean() == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(fit.clean + fit.lines, spectra.flux, rtol=1e-6)
    assert (fit.flags == SpaxelFlag.LINES_REMOVED).all()


def test_the_clean_spectrum_is_that_of_the_stars(bright, disc):
    fit, _, _, _ = bright
    inside = (WAVE > 3800) & (WAVE < 7250)
    mean = fit.clean.mean(axis=0)[inside] / disc[1][inside]
    assert mean == pytest.approx(1.0, abs=5 * 0.05 / np.sqrt(N))
    assert np.median(fit.stars[:, inside], axis=0) == pytest.approx(disc[1][inside], rel=0.03)


@pytest.mark.parametrize("halpha", [2.0, 6.0, 60.0])
def test_indices_of_clean_spectra_are_unbiased_and_their_errors_right(disc, templates, halpha):
    """From gas that is hardly seen to strong; stellar kinematics measured, not given."""
    wave, stars, motion = disc
    spectra, _, _ = observe(disc, halpha, 20.0, n=36)
    found = fit_kinematics(spectra, templates)
    fit = decouple_lines(spectra, found.v_star, found.sigma_star, templates)
    rest = rest_frame(spectra._replace(flux=fit.clean, good=fit.good), fit.stars, found.v_star, REDSHIFT)
    indices = measure_indices(rest.wave, rest.flux, rest.err)
    truth = measure_indices(wave / (1 + REDSHIFT) / np.exp(motion.velocity / 299_792.458), stars).values
    pulls = (indices.values - truth) / indices.errors
    assert np.abs(pulls.mean(axis=0)).max() < 0.5
    assert pulls.std(axis=0) == pytest.approx(1.0, abs=0.3)


def test_without_gas_nothing_is_taken(disc, templates):
    spectra, _, _ = observe(disc, 0.0, 20.0)
    fit = decouple_lines(spectra, *given_stars(N, disc[2]), templates)
    assert fit.removed.mean() < 2e-3  # of 26 lines times 60 spectra
    assert np.mean(fit.gas_mode == GAS_NOT_SEEN) > 0.9
    assert np.isnan(fit.v_gas[fit.gas_mode == GAS_NOT_SEEN]).all()


def test_gas_of_middling_strength_has_one_velocity_for_all_lines(disc, templates):
    spectra, _, gas = observe(disc, 2.5, 20.0, n=20)
    fit = decouple_lines(spectra, *given_stars(20, disc[2]), templates)
    assert np.mean(fit.gas_mode == GAS_ONE_GROUP) > 0.8
    assert np.nanmedian(fit.v_gas[:, 0]) == pytest.approx(gas.velocity, abs=15)
    assert np.array_equal(fit.v_gas[:, 0], fit.v_gas[:, 1], equal_nan=True)


def test_a_threshold_is_a_setting(disc, templates):
    spectra, _, _ = observe(disc, 3.0, 20.0, n=5)
    high = EmissionSettings(thresholds=(1e6,) * len(LINES))
    fit = decouple_lines(spectra, *given_stars(5, disc[2]), templates, settings=high)
    assert not fit.removed.any()
    assert np.array_equal(fit.clean, spectra.flux)
    assert not fit.flags.any()


def test_thresholds_for_other_lines_are_refused(disc, templates):
    spectra, _, _ = observe(disc, 3.0, 20.0, n=1)
    with pytest.raises(SettingsError, match="thresholds has 3 entries"):
        decouple_lines(spectra, np.zeros(1), np.ones(1), templates, settings=EmissionSettings(thresholds=(4.0,) * 3))


@pytest.fixture(scope="module")
def brightest(disc, templates):
    """Equivalent width of Halpha about 300 A: the fit, and the true fluxes."""
    spectra, truth, _ = observe(disc, 300.0, 40.0, n=40)
    return decouple_lines(spectra, *given_stars(40, disc[2]), templates), truth


@pytest.mark.parametrize("name", ["Hbeta", "Hdelta", "Halpha"])
def test_lines_of_a_bright_hii_region_keep_their_ratios_behind_dust(brightest, name):
    """The reddening of the blue lines must follow the decrement closely."""
    fit, truth = brightest
    pulls = (fit.flux[:, ROW[name]] - truth[ROW[name]]) / fit.flux_err[:, ROW[name]]
    assert abs(pulls.mean()) < 0.5
    assert pulls.std() == pytest.approx(1.0, abs=0.3)


def test_hbeta_is_right_also_where_halpha_is_beyond_the_data(disc, templates, models):
    wave, _, motion = disc
    spectra, truth, _ = observe(disc, 20.0, 20.0, n=40)
    blue = wave < 6500
    cut = make_spectra(wave[blue], spectra.flux[:, blue], spectra.err[:, blue])
    fit = decouple_lines(cut, *given_stars(40, motion), models.templates(wave[blue]))
    assert np.isnan(fit.flux[:, ROW["Halpha"]]).all()
    assert fit.flux[:, ROW["Hbeta"]].mean() == pytest.approx(truth[ROW["Hbeta"]], rel=0.03)


def test_dust_and_a_bad_calibration_do_not_matter(disc, templates):
    """A screen of A_V about 1 and ripples of 5 % go into the polynomial."""
    wave, _, motion = disc
    spectra, _, _ = observe(disc, 20.0, 40.0, n=20)
    veil = 10 ** (-0.4 * 0.3 * extinction(wave)) * (1 + 0.05 * np.sin(wave / 700))
    plain, veiled = (
        decouple_lines(make_spectra(wave, spectra.flux * v, spectra.err * v), *given_stars(20, motion), templates)
        for v in (1.0, veil)
    )
    at = [np.interp(line.wave * (1 + REDSHIFT), wave, veil) for line in LINES]
    for name in ("Hbeta", "[OIII]5007", "Halpha"):
        k = ROW[name]
        assert veiled.flux[:, k].mean() / at[k] == pytest.approx(plain.flux[:, k].mean(), rel=0.02)


def test_agrees_with_the_simultaneous_fit_of_ppxf(models):
    """Same spectra, same stars' kinematics and templates, lines free in pPXF but for the doublets."""
    velscale, motion = 75.0, Motion(60.0, 130.0, 0.01)
    log_wave = np.arange(np.log(3750.0), np.log(7150.0), velscale / 299_792.458)
    wave = np.exp(log_wave)
    stars = observed_stars(wave, models.wave, models.mixture([(1.0, 6e9, 1.0), (1.0, 3e8, 0.4)]), motion)
    stars /= np.median(stars)
    lines, _ = observed_lines(wave, hii_region(15.0), 0.3, motion._replace(velocity=30.0, sigma=80.0))
    flux, err = noisy(stars, 30.0, 6)
    flux = flux + lines
    templates = models.templates(wave, 0.01)
    ours = decouple_lines(make_spectra(wave, flux, err), *given_stars(6, motion), templates)
    theirs = np.array([ppxf_fluxes(wave, one, e, models, velscale) for one, e in zip(flux, err, strict=True)])
    for k, name in enumerate(("Hbeta", "Halpha", "[OIII]5007", "[NII]6583")):
        difference = (ours.flux[:, ROW[name]] - theirs[:, k]) / ours.flux_err[:, ROW[name]]
        assert abs(difference.mean()) < 1, name
        assert difference.std() < 0.8, name


def ppxf_fluxes(wave, flux, err, models, velscale, redshift=0.01):
    """Fluxes of Hbeta, Halpha, [OIII]5007, [NII]6583 of pPXF, stars and gas free, in units of flux times Angstrom."""
    rest = wave / (1 + redshift)
    margin = 60
    log_rest = np.log(rest[0]) + np.arange(-margin, rest.size + margin) * velscale / 299_792.458
    matched = models.templates(wave, redshift)
    inside = (log_rest > matched.log_wave[0]) & (log_rest < matched.log_wave[-1])
    stars = np.stack([np.interp(log_rest, matched.log_wave, row) for row in matched.flux[::2]], axis=1)[inside]
    gas, names, _ = emission_lines(log_rest[inside], [rest[0], rest[-1]], 6.0 / (1 + redshift), pixel=False)
    component = np.repeat([0, 1], [stars.shape[1], gas.shape[1]])
    start = [[60.0, 130.0], [60.0, 60.0]]
    fit = ppxf(
        np.column_stack([stars, gas]), flux, err, velscale, start, moments=[-2, 2], component=component,
        gas_component=component > 0, gas_names=names, degree=-1, mdegree=8, lam=rest, lam_temp=np.exp(log_rest[inside]),
        quiet=True,
    )  # fmt: skip
    found = dict(zip(names, fit.gas_flux, strict=True))
    width = velscale / 299_792.458 * (1 + redshift)  # Angstrom of a pixel per Angstrom of wavelength
    doublet = 1 / 1.33  # share of the stronger line
    return (
        found["Hbeta"] * HBETA * width, found["Halpha"] * HALPHA * width,
        found["[OIII]5007_d"] * 5006.8 * width * doublet, found["[NII]6583_d"] * 6583.3 * width * doublet,
    )  # fmt: skip


def test_a_line_behind_bad_pixels_has_no_flux(disc, templates):
    spectra, _, _ = observe(disc, 20.0, 20.0, n=3)
    hidden = np.abs(spectra.wave / (5006.8 * (1 + REDSHIFT)) - 1) < 0.004
    spectra.good[:, hidden] = False
    fit = decouple_lines(spectra, *given_stars(3, disc[2]), templates)
    assert np.isnan(fit.flux[:, ROW["[OIII]5007"]]).all()
    assert np.isfinite(fit.flux[:, ROW["Halpha"]]).all()


def test_a_cosmic_ray_is_marked_as_bad_and_changes_no_line(disc, templates):
    spectra, _, _ = observe(disc, 20.0, 20.0, n=4)
    before = decouple_lines(spectra, *given_stars(4, disc[2]), templates)
    struck = spectra._replace(flux=spectra.flux.copy())
    struck.flux[:, 800:802] += 30.0
    after = decouple_lines(struck, *given_stars(4, disc[2]), templates)
    assert not after.good[:, 800:802].any()
    assert before.good[:, 800:802].all()
    assert after.flux[:, ROW["Halpha"]] == pytest.approx(before.flux[:, ROW["Halpha"]], rel=0.01)


def test_sodium_and_the_line_of_the_night_sky_change_no_fit(disc, templates):
    """Na I 5890, 5896 of the gas between the stars lie still in the galaxy, [OI] 5577 of our atmosphere as observed."""
    spectra, _, _ = observe(disc, 20.0, 20.0, n=2)
    hidden = (np.abs(spectra.wave / (1 + REDSHIFT) - 5893.0) < 10.0) | (np.abs(spectra.wave - 5577.3) < 11.0)
    spoilt = spectra._replace(flux=np.where(hidden, 0.8 * spectra.flux, spectra.flux))
    clean, struck = (decouple_lines(part, *given_stars(2, disc[2]), templates) for part in (spectra, spoilt))
    for name in ("flux", "flux_err", "stars", "chi2"):
        np.testing.assert_array_equal(getattr(struck, name), getattr(clean, name))


@given(
    scale=st.sampled_from([0.0, -1.0, 1e-30, 1e30, np.nan, np.inf]), noise=st.sampled_from([0.0, 1e-300, 1.0, np.nan])
)
@settings(max_examples=12, deadline=None)
def test_no_spectrum_raises(disc, templates, scale, noise):
    wave, stars, motion = disc
    with np.errstate(invalid="ignore"):
        half, nothing = np.where(wave > 5000, stars, np.nan), np.random.default_rng(1).normal(size=wave.size)
        flux = np.stack([scale * stars, half, nothing])
    fit = decouple_lines(make_spectra(wave, flux, np.full(flux.shape, noise)), *given_stars(3, motion), templates)
    assert fit.flux.shape == (3, len(LINES))
    failed = (fit.flags & SpaxelFlag.SPECTRUM_NOT_FITTED) != 0
    assert np.array_equal(fit.clean[failed], flux[failed], equal_nan=True)


def test_kinematics_of_another_number_of_spectra_are_refused(disc, templates):
    spectra, _, _ = observe(disc, 1.0, 20.0, n=3)
    with pytest.raises(ShapeError, match="v_star has the shape"):
        decouple_lines(spectra, np.zeros(2), np.zeros(3), templates)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_bounded_least_squares_finds_the_minimum(seed):
    rng = np.random.default_rng(seed)
    matrix, target = rng.normal(size=(40, 9)), rng.normal(size=40)
    low = np.where(rng.random(9) < 0.7, 0.0, -np.inf)
    high = np.where(rng.random(9) < 0.3, 0.1, np.inf)
    x, free = np.zeros(9), np.zeros(9, bool)
    solve_bounded(matrix.T @ matrix, matrix.T @ target, low, high, x, free)
    truth = lsq_linear(matrix, target, (low, high), tol=1e-12).x
    assert np.sum((matrix @ x - target) ** 2) == pytest.approx(np.sum((matrix @ truth - target) ** 2), rel=1e-5)


def test_the_extinction_curve_is_that_of_cardelli():
    """One magnitude more in B (2.27 / um) than in V (1.82 / um), by the meaning of E(B-V); table 3 for R."""
    in_b, in_v, in_r = extinction(1e4 / np.array([2.27, 1.82, 1.43]))
    assert (in_v, in_b - in_v) == pytest.approx((3.1, 1.0), abs=1e-3)
    assert in_r / in_v == pytest.approx(0.751, abs=0.003)


def test_the_decrement_gives_back_the_reddening():
    for ebv in (0.0, 0.3, 1.0):
        ratio = 2.86 * 10 ** (0.4 * ebv * (extinction(HBETA) - extinction(HALPHA)))
        assert decrement_ebv(float(ratio), 1.0) == pytest.approx(ebv, abs=1e-6)
    assert decrement_ebv(1.0, 1.0) == 0.0


def test_case_b_ratios_are_those_of_storey_and_hummer():
    table = line_table()
    ratios = dict(zip(LINE_NAMES, reddened_ratios(table, 0.0), strict=True))
    assert (ratios["Hgamma"], ratios["Hdelta"]) == (0.468, 0.259)
    assert dict(zip(LINE_NAMES, reddened_ratios(table, 0.5), strict=True))["Hgamma"] < 0.468
