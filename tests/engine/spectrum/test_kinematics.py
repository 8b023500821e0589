"""Velocities and dispersions of spectra made by brute force: recovered, with honest errors, and never an exception."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from engine.errors import ShapeError
from engine.flags import SpaxelFlag
from engine.mock.infill import Motion, hii_region, observed_lines, observed_stars
from engine.spectrum.kinematics import FEW_TEMPLATES, FULL, SYSTEMIC, VELOCITY_ONLY, cross_correlate, fit_kinematics
from engine.spectrum.log_grid import KinematicsSettings, on_log_grid
from engine.spectrum.spectra import make_spectra
from engine.spectrum.templates import broadened, match_templates, pick_ssps
from tests.reference.model_spectra import REDSHIFT, WAVE, noisy


def plain(wave, flux, velocity, sigma):
    """A spectrum on a grid of ln(lambda), moved and broadened by a sum over velocities."""
    speeds = np.linspace(-6, 6, 241) * sigma
    share = np.exp(-0.5 * (speeds / sigma) ** 2)
    log_wave = np.log(wave)
    parts = [np.interp(log_wave - (velocity + v) / 299_792.458, log_wave, flux) for v in speeds]
    return np.tensordot(share / share.sum(), parts, axes=1)


def test_templates_are_few_and_reach_from_young_to_old(models):
    metal, age = pick_ssps(models.age, models.metallicity)
    assert 20 <= len(metal) <= 40
    assert models.age[age].min() < 1e7
    assert models.age[age].max() > 1e10


def test_broadening_by_transforms_is_the_sum_over_velocities(templates):
    wave = np.exp(templates.log_wave)
    inside = slice(60, -60)
    for row in (3, 18, 28):
        truth = plain(wave, templates.flux[row], 130.0, 180.0)
        assert broadened(templates, 130.0, 180.0)[row, inside] == pytest.approx(truth[inside], rel=2e-3)


def test_templates_have_the_resolution_of_the_data(models, templates):
    """Constant 6 Angstrom as observed, against a spectrum convolved on a fine grid."""
    metal, age = pick_ssps(models.age, models.metallicity)
    row = 25
    direct = observed_stars(WAVE, models.wave, models.flux[metal[row], age[row]], Motion(0.0, 1e-3, REDSHIFT))
    inside = (WAVE > 3800) & (WAVE < 7250)
    ours = CubicSpline(templates.log_wave, templates.flux[row])(np.log(WAVE[inside] / (1 + REDSHIFT)))
    ratio = ours / direct[inside]
    assert ratio / np.median(ratio) == pytest.approx(1.0, abs=1e-4)


def test_a_resolution_given_per_wavelength_is_the_same_as_one_number(models):
    one = models.templates()
    many = models.templates(fwhm=np.full(WAVE.size, 6.0))
    np.testing.assert_allclose(many.flux[:, 30:-30], one.flux[:, 30:-30], rtol=1e-3)


def test_templates_that_end_too_early_are_refused(models):
    blue = models.wave < 3800
    with pytest.raises(ShapeError, match="templates cover"):
        match_templates(models.wave[blue], models.flux[0][:, blue], WAVE, REDSHIFT)


def test_a_bright_spectrum_does_not_choose_the_templates_of_a_faint_one(models, templates):
    """Old stars beside a disc 13 times as bright: velocity as when fitted alone, within 2 km/s."""
    faint, bright = (
        observed_stars(WAVE, models.wave, models.mixture(parts), Motion(velocity, 130.0, REDSHIFT))
        for parts, velocity in (([(1.0, 1.1e10, 2.5)], -150.0), ([(1.0, 6e7, 0.4), (0.2, 5e8, 0.4)], 150.0))
    )
    faint, bright = faint / np.median(faint), bright / np.median(bright)
    old, old_err = noisy(faint, 40, 1, seed=3)
    disc, disc_err = noisy(bright, 60, 2, seed=4)
    alone = fit_kinematics(make_spectra(WAVE, old, old_err), templates)
    together = np.concatenate([13 * disc, old]), np.concatenate([13 * disc_err, old_err])
    found = fit_kinematics(make_spectra(WAVE, *together), templates)
    assert abs(found.v_star[2] - alone.v_star[0]) < 2.0
    assert abs(found.v_star[2] + 150.0) < 4 * found.v_star_err[2]


@pytest.mark.parametrize(
    ("velocity", "sigma", "snr"), [(0.0, 150.0, 20.0), (-280.0, 220.0, 15.0), (210.0, 110.0, 40.0)]
)
def test_velocity_and_dispersion_are_recovered_and_their_errors_are_right(models, templates, velocity, sigma, snr):
    motion = Motion(velocity, sigma, REDSHIFT)
    mixture = models.mixture([(1.0, 8e9, 1.0), (1.0, 1e9, 0.7), (0.2, 3e9, 0.3)])
    flux, err = noisy(observed_stars(WAVE, models.wave, mixture, motion), snr, 40, seed=int(sigma))
    found = fit_kinematics(make_spectra(WAVE, flux, err), templates)
    assert (found.mode == FULL).all()
    assert not found.flags.any()
    for values, errors, truth in (
        (found.v_star, found.v_star_err, velocity), (found.sigma_star, found.sigma_star_err, sigma),
    ):  # fmt: skip
        pulls = (values - truth) / errors
        assert pulls.std() == pytest.approx(1.0, abs=0.2)
        assert abs(pulls.mean()) < 0.5
    assert found.v_systemic == pytest.approx(velocity, abs=10)


@pytest.mark.parametrize("sigma", [50.0, 100.0, 250.0])
def test_dispersions_far_below_the_instrument_are_unbiased_at_high_signal(models, templates, sigma):
    """The instrument's sigma is 160 km/s at 4800 Angstrom; one template of the set, S/N 300."""
    metal, age = pick_ssps(models.age, models.metallicity)
    stars = observed_stars(WAVE, models.wave, models.flux[metal[18], age[18]], Motion(100.0, sigma, REDSHIFT))
    found = fit_kinematics(make_spectra(WAVE, *noisy(stars, 300, 8)), templates)
    assert found.sigma_star.mean() == pytest.approx(sigma, abs=1.5)
    assert found.v_star.mean() == pytest.approx(100.0, abs=1.0)


def test_a_rotating_galaxy_of_changing_ages_is_recovered_spectrum_by_spectrum(models, templates):
    """Templates are chosen from sums over the whole galaxy; no place may suffer from it."""
    places = np.linspace(-1, 1, 50)
    motions = [Motion(220 * p, 160 - 80 * abs(p), REDSHIFT) for p in places]
    mixtures = [models.mixture([(1.0, 1e10, 1.0), (0.4, 10 ** (9.5 - 2 * abs(p)), abs(p))]) for p in places]
    stars = np.array(
        [observed_stars(WAVE, models.wave, m, motion) for m, motion in zip(mixtures, motions, strict=True)]
    )
    err = stars / 20
    flux = stars + err * np.random.default_rng(8).standard_normal(stars.shape)
    found = fit_kinematics(make_spectra(WAVE, flux, err), templates)
    velocity = np.array([motion.velocity for motion in motions])
    sigma = np.array([motion.sigma for motion in motions])
    for pulls in ((found.v_star - velocity) / found.v_star_err, (found.sigma_star - sigma) / found.sigma_star_err):
        assert abs(pulls.mean()) < 0.5
        assert pulls.std() == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("halpha", [60.0, 400.0])
def test_emission_lines_do_not_pull_the_stars(disc, templates, halpha):
    wave, stars, motion = disc
    gas, _ = observed_lines(wave, hii_region(halpha), 0.2, motion._replace(velocity=motion.velocity + 80, sigma=70.0))
    flux, err = noisy(stars, 40, 6)
    without, with_gas = (fit_kinematics(make_spectra(wave, flux + more, err), templates) for more in (0.0, gas))
    assert with_gas.v_star == pytest.approx(without.v_star, abs=4)
    assert with_gas.sigma_star == pytest.approx(without.sigma_star, abs=8)


@pytest.mark.parametrize("degree", [4, 6, 10])
def test_the_degree_of_the_polynomial_changes_nothing_in_the_mean(disc, templates, degree):
    wave, stars, motion = disc
    flux, err = noisy(stars * (1 + 0.3 * np.sin(wave / 900)), 40, 12)
    found = fit_kinematics(make_spectra(wave, flux, err), templates, settings=KinematicsSettings(degree=degree))
    assert found.v_star.mean() == pytest.approx(motion.velocity, abs=5)
    assert found.sigma_star.mean() == pytest.approx(motion.sigma, abs=12)


def test_poor_spectra_fall_back_step_by_step_and_say_so(disc, templates):
    wave, stars, motion = disc
    snr = np.repeat([30.0, 7.0, 3.5, 0.8], [10, 5, 5, 5])
    err = stars / snr[:, None]
    flux = stars + err * np.random.default_rng(3).standard_normal(err.shape)
    found = fit_kinematics(make_spectra(wave, flux, err), templates)
    assert (found.mode[:10] == FULL).all()
    assert (found.mode[10:15] >= FEW_TEMPLATES).all()
    assert (found.mode[15:20] >= VELOCITY_ONLY).all()
    assert (found.mode[20:] == SYSTEMIC).all()
    assert np.array_equal(found.flags != 0, found.mode != FULL)
    assert found.flags[20] == SpaxelFlag.KINEMATICS_FELL_BACK
    assert np.isfinite(found.v_star).all()
    assert np.isfinite(found.sigma_star).all()
    assert found.v_star[20:] == pytest.approx(motion.velocity, abs=20)
    assert found.sigma_star[20:] == pytest.approx(np.median(found.sigma_star[:10]))
    assert np.isnan(found.sigma_star_err[15:]).all()
    assert np.isnan(found.v_star_err[20:]).all()


def test_errors_that_are_stated_too_small_change_no_error_of_the_motion(disc, templates):
    """Errors are scaled to a chi-square of one per degree of freedom, but are not made smaller."""
    wave, stars, _ = disc
    flux, err = noisy(stars, 25, 6)
    fair, small = (fit_kinematics(make_spectra(wave, flux, part), templates) for part in (err, err / 3))
    assert small.chi2 == pytest.approx(9 * fair.chi2, rel=0.05)
    scaled = np.sqrt(np.minimum(fair.chi2, 1.0))
    assert small.v_star_err == pytest.approx(scaled * fair.v_star_err, rel=0.05)
    assert small.sigma_star_err == pytest.approx(scaled * fair.sigma_star_err, rel=0.05)


def test_a_cosmic_ray_does_not_matter(disc, templates):
    wave, stars, _ = disc
    flux, err = noisy(stars, 30, 5)
    hit = flux.copy()
    hit[:, 900:902] += 20.0
    clean, struck = (fit_kinematics(make_spectra(wave, part, err), templates) for part in (flux, hit))
    assert struck.v_star == pytest.approx(clean.v_star, abs=4)
    assert struck.sigma_star == pytest.approx(clean.sigma_star, abs=8)


def test_bad_pixels_may_hold_anything(disc, templates):
    wave, stars, _ = disc
    flux, err = noisy(stars, 30, 3)
    good = np.ones(flux.shape, bool)
    good[:, 700:760] = False
    spoilt, noise = flux.copy(), err.copy()
    spoilt[:, 700:760], noise[:, 705] = np.nan, 1e10
    a = fit_kinematics(make_spectra(wave, spoilt, noise), templates)
    b = fit_kinematics(make_spectra(wave, flux, err, good), templates)
    assert a.v_star == pytest.approx(b.v_star, abs=1e-6)


def test_sodium_and_the_lines_of_the_night_sky_are_not_fitted(templates):
    """Na I of the gas between the stars lies still in the galaxy, [OI] of our atmosphere as observed."""
    flat = np.ones((1, WAVE.size))
    problem = on_log_grid(make_spectra(WAVE, flat, 0.1 * flat), templates, KinematicsSettings())
    rest = np.exp(problem.log_wave)
    observed = rest * (1 + REDSHIFT)
    for axis, line in ((rest, 5889.95), (rest, 5895.92), (observed, 5577.3), (observed, 6300.3)):
        assert not problem.good[0, np.abs(axis - line) < 3.0].any()
    assert problem.good[0, (observed > 5595.0) & (observed < 5650.0)].all()


@given(
    scale=st.sampled_from([0.0, -1.0, 1e-30, 1e30, np.nan, np.inf]), noise=st.sampled_from([0.0, 1e-300, 1.0, np.nan])
)
@settings(max_examples=12, deadline=None)
def test_no_spectrum_raises(disc, templates, scale, noise):
    wave, stars, _ = disc
    with np.errstate(invalid="ignore"):
        flux = np.stack(
            [scale * stars, np.where(wave > 5000, stars, np.nan), np.random.default_rng(1).normal(size=wave.size)]
        )
    found = fit_kinematics(make_spectra(wave, flux, np.full(flux.shape, noise)), templates)
    assert np.isfinite(found.v_star).all()
    assert found.v_star.shape == (3,)


def test_the_fits_begin_near_the_velocities(models, templates):
    """To a fifth of a pixel of 104 km/s, without noise and from the population of the spectra themselves."""
    metal, age = pick_ssps(models.age, models.metallicity)
    row = 18
    velocity = np.array([-280.0, -33.0, 0.0, 47.0, 210.0])
    motions = [Motion(v, 150.0, REDSHIFT) for v in velocity]
    flux = np.array([observed_stars(WAVE, models.wave, models.flux[metal[row], age[row]], one) for one in motions])
    chosen = KinematicsSettings()
    problem = on_log_grid(make_spectra(WAVE, flux, flux / 50), templates, chosen)
    assert cross_correlate(problem, problem.templates[row], 150.0, chosen) == pytest.approx(velocity, abs=20)


def test_progress_is_told(disc, templates):
    wave, stars, _ = disc
    told = []
    fit_kinematics(make_spectra(wave, *noisy(stars, 30, 3)), templates, progress=lambda *numbers: told.append(numbers))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_spectra_that_do_not_reach_the_fit_are_refused(templates):
    wave = np.arange(3000.0, 3700.0, 2.0)
    with pytest.raises(ShapeError, match="3000-3698 Angstrom"):
        fit_kinematics(make_spectra(wave, np.ones((2, wave.size)), np.ones((2, wave.size))), templates)
