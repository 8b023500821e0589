"""How mock cubes and images are made, step by step, against arithmetic: another way than a pipeline goes."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.constants import LIGHT_SPEED_KMS
from engine.cube.types import CUBE_UNIT
from engine.mock.cubes.camera import photographs
from engine.mock.cubes.flaws import spoil
from engine.mock.cubes.settings import CubeMockSettings, califa_wave
from engine.mock.cubes.spectrograph import line_planes, star_planes
from engine.mock.cubes.truth import true_maps
from engine.mock.settings import MockSettings
from engine.spectrum.lines import HALPHA, LINE_NAMES

WAVE = califa_wave()
REDSHIFT = 0.02
CALM = CubeMockSettings(shape=(26, 28), star_magnitude=60.0, n_cosmic=0, wrong_scale=0.0, wrong_colour=0.0, a_v=0.0)
SIGMA = 6.0 / 2.3548  # Angstrom, of the instrument
PLACE = SimpleNamespace(ra=150.0, dec=20.0)


def moments(wave, profile):
    """Area, centre and standard deviation of a line on an even grid."""
    area = profile.sum() * (wave[1] - wave[0])
    centre = wave @ profile / profile.sum()
    return area, centre, np.sqrt((wave - centre) ** 2 @ profile / profile.sum())


def test_a_line_has_its_flux_at_its_velocity_with_the_width_of_gas_and_instrument():
    flux = np.zeros((len(LINE_NAMES), 1, 2))
    flux[LINE_NAMES.index("Halpha")] = 3e-15
    sky = SimpleNamespace(maps=SimpleNamespace(v_star=np.array([[150.0, -150.0]])), model=np.zeros((1, 2), int))
    sky.line_flux = flux
    planes = line_planes(sky, WAVE, REDSHIFT, 35.0)
    for column, velocity in enumerate((150.0, -150.0)):
        area, centre, width = moments(WAVE, planes[:, 0, column].astype(float))
        at = HALPHA * (1 + REDSHIFT) * np.exp(velocity / LIGHT_SPEED_KMS)
        assert area * CUBE_UNIT == pytest.approx(3e-15, rel=1e-3)
        assert centre == pytest.approx(at, abs=0.01)
        assert width == pytest.approx(np.hypot(SIGMA, at * 35.0 / LIGHT_SPEED_KMS), rel=2e-3)


def test_stars_move_are_broadened_by_their_dispersion_and_the_instrument_and_dimmed_by_distance():
    """An absorption line of 4 Angstrom sigma at 5000; models have 2.5 Angstrom FWHM already."""
    rest = np.arange(3400.0, 7800.0, 0.5)
    spectrum = 1e-18 * (1 - 0.4 * np.exp(-0.5 * ((rest - 5000.0) / 4.0) ** 2))
    maps = SimpleNamespace(log_mu_star=np.full((1, 2), 2.0), v_star=np.array([[200.0, -200.0]]))
    maps.sigma_star = np.array([[60.0, 180.0]])
    sky = SimpleNamespace(wave=rest, spectra=spectrum[None], model=np.zeros((1, 2), int), maps=maps)
    planes = star_planes(sky, WAVE, REDSHIFT).astype(float)
    level = 100.0 * 1e-18 / CUBE_UNIT * (1 + REDSHIFT) ** -5
    near = np.abs(WAVE - 5000.0 * (1 + REDSHIFT)) < 60
    for column, (velocity, sigma) in enumerate(((200.0, 60.0), (-200.0, 180.0))):
        row = planes[near, 0, column]
        _, centre, width = moments(WAVE[near], level - row)
        at = 5000.0 * (1 + REDSHIFT) * np.exp(velocity / LIGHT_SPEED_KMS)
        instrument = SIGMA**2 - (2.5 / 2.3548 * (1 + REDSHIFT)) ** 2
        assert row[0] == pytest.approx(level, rel=1e-4)
        assert centre == pytest.approx(at, abs=0.05)
        wanted = np.sqrt((4.0 * (1 + REDSHIFT)) ** 2 + instrument + (at * sigma / LIGHT_SPEED_KMS) ** 2)
        assert width == pytest.approx(wanted, rel=0.01)


def test_the_truth_of_a_resolution_element_is_the_mean_of_its_light():
    """A chessboard finer than the point spread: mass adds up, ages and motions count by r light, three to one."""
    black = np.indices((116, 118)).sum(axis=0) % 2
    even = np.ones(black.shape)
    maps = SimpleNamespace(
        log_mu_star=np.where(black, 2.0, 1.0), v_star=np.where(black, 100.0, -100.0), sigma_star=50.0 * even
    )
    sky = SimpleNamespace(
        maps=maps, model=black, log_age_wr=np.array([9.0, 10.0]), log_Z_wr=np.array([0.0, -1.0]),
        bands=np.tile(np.where(black, 1.0, 3.0), (5, 1, 1)), rest_bands=np.tile(10.0 * even, (5, 1, 1)),
        line_flux=np.tile(4e-17 * even, (len(LINE_NAMES), 1, 1)),
    )  # fmt: skip
    found = true_maps(sky, CALM)
    wanted = {
        "log_mu_star": np.log10((10.0 + 100.0) / 2), "log_age_wr": np.log10((3e9 + 1e10) / 4),
        "log_Z_wr": np.log10((3.0 + 0.1) / 4), "v_star": -50.0, "sigma_star": np.sqrt(50.0**2 + 100.0**2 - 50.0**2),
        "sb_r": 22.5 - 2.5 * np.log10(2.0), "mag_r": 20.0, "flux_Halpha": 4e-17 / CUBE_UNIT,
    }  # fmt: skip
    for name, value in wanted.items():
        assert found[name] == pytest.approx(np.full(CALM.shape, value), rel=0.02, abs=0.01), name


@pytest.fixture(scope="module")
def spoilt():
    """Even light of 21 mag/arcsec2 with noise and a dead fibre."""
    clean = np.ones((WAVE.size, *CALM.shape), np.float32)
    return spoil(clean, np.full(CALM.shape, 21.0), MockSettings(), CALM, np.random.default_rng(3))


def test_a_cube_has_the_signal_to_noise_of_its_brightness_and_more_noise_in_the_blue(spoilt):
    per_pixel = 1.0 / MockSettings().snr_per_angstrom_at_21 / np.sqrt(2.0)  # pixels of 2 Angstrom
    error = spoilt.noise.error[:, 0, 0]
    assert error[WAVE >= 5600] == pytest.approx(per_pixel, rel=1e-5)
    assert np.interp(3750.0, WAVE, error) == pytest.approx(1.5 * per_pixel, rel=1e-3)


def test_noise_scatters_as_its_errors_say_and_neighbours_share_it(spoilt):
    """White noise blurred by a Gaussian of s spaxels has a correlation of exp(-1 / (4 s^2)) at a distance of one."""
    noise = (spoilt.flux - 1.0) / spoilt.noise.error
    alive = noise[:, :8]  # the dead fibre lies above
    assert not spoilt.dead[:8].any()
    assert alive.std() == pytest.approx(1.0, abs=0.02)
    assert np.mean(alive[:, :, 1:] * alive[:, :, :-1]) == pytest.approx(np.exp(-0.25 / 0.9**2), abs=0.03)
    assert np.mean(alive[1:] * alive[:-1]) == pytest.approx(0.0, abs=0.02)


def test_a_dead_fibre_passes_two_per_cent(spoilt):
    assert spoilt.dead.any()
    assert spoilt.flux[:, spoilt.dead].mean() == pytest.approx(0.02, abs=0.01)


def photographed(brightness=0.0, **changed):
    """Images in ugriz of an even sky [nanomaggies/arcsec2], with the same noise each time."""
    sky = SimpleNamespace(bands=np.full((5, 116, 118), brightness))
    return photographs(sky, PLACE, CALM._replace(**changed), np.random.default_rng(8))


def test_images_have_the_flux_of_their_pixels_on_the_zero_points_of_sdss():
    """AB - SDSS is -0.04 mag in u and 0.02 in z: the same light is fainter in u, brighter in z."""
    area = CALM.sdss_pixel**2
    for image, offset in zip(photographed(5.0), (-0.04, 0.0, 0.0, 0.0, 0.02), strict=True):
        assert np.median(image.data) == pytest.approx(5.0 * area * 10 ** (0.4 * offset), rel=2e-3), image.band


def test_images_have_the_sky_noise_of_their_depth():
    """One sigma of a square arcsecond, whose n pixels add up in quadrature."""
    for image, depth in zip(photographed(), MockSettings().photometric_depth, strict=True):
        n = 1.0 / CALM.sdss_pixel**2
        assert image.data.std() * np.sqrt(n) == pytest.approx(10.0 ** (-0.4 * (depth - 22.5)), rel=0.02)


def test_dust_of_our_galaxy_dims_by_its_extinction():
    """2.751 E(B-V) in r (Schlegel+98), A_V = 3.1 E(B-V)."""
    clear, dusty = (np.median(photographed(50.0, a_v=a_v)[2].data) for a_v in (0.0, 0.31))
    assert -2.5 * np.log10(dusty / clear) == pytest.approx(0.2751, abs=1e-3)


def test_the_star_has_its_magnitude():
    dark, lit = (photographed(star_magnitude=magnitude)[2].data for magnitude in (60.0, 16.5))
    assert 22.5 - 2.5 * np.log10((lit - dark).sum()) == pytest.approx(16.5, abs=0.02)
