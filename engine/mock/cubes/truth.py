"""What is true of a mock cube: maps, indices and lines at the cube's point spread, and its noise-free spectra."""

from collections.abc import Callable

import numpy as np

from engine.adopted import CALIFA_SPAXEL_ARCSEC
from engine.columns import BANDS, INDEX_NAMES
from engine.cube.types import CUBE_UNIT, ZERO_POINT
from engine.mock.cubes.settings import CubeMockSettings, califa_wave
from engine.mock.cubes.sky import MockSky
from engine.mock.cubes.spectrograph import blurred, line_planes
from engine.mock.expected import TRUE_LINES, TrueLight, TrueLine, indices_of, line_members, line_window, needed_planes
from engine.mock.populations import R_BAND
from engine.spectrum.lines import LINE_NAMES
from engine.types import FloatArray


def true_maps(sky: MockSky, settings: CubeMockSettings) -> dict[str, FloatArray]:
    """Means weighted by r light at the cube's point spread, as one star in each resolution element would have them.

    Names as in the region table, lines as flux_Halpha [1e-16 erg/s/cm2]; (y, x) each.
    """

    def seen(values: FloatArray) -> FloatArray:
        return blurred(values[None].astype(np.float64), settings)[0].astype(float)

    found = _true_stars(sky, seen)
    for band, plane in zip(BANDS, sky.rest_bands, strict=True):
        found[f"mag_{band}"] = ZERO_POINT - 2.5 * np.log10(seen(plane) * CALIFA_SPAXEL_ARCSEC**2)
    for name, flux in zip(LINE_NAMES, sky.line_flux, strict=True):
        found[f"flux_{name}"] = seen(flux) / CUBE_UNIT * CALIFA_SPAXEL_ARCSEC**2
    return found


def _true_stars(sky: MockSky, seen: Callable[[FloatArray], FloatArray]) -> dict[str, FloatArray]:
    """Density, age, metallicity, kinematics and brightness; seen: what becomes of a map at the cube's point spread."""
    light = sky.bands[R_BAND]
    maps = sky.maps
    total = seen(light)
    v_star = seen(light * maps.v_star) / total
    second_moment = seen(light * (maps.sigma_star**2 + maps.v_star**2)) / total
    return {
        "log_mu_star": np.log10(seen(10.0**maps.log_mu_star)),
        "log_age_wr": np.log10(seen(light * 10.0 ** sky.log_age_wr[sky.model]) / total),
        "log_Z_wr": np.log10(seen(light * 10.0 ** sky.log_Z_wr[sky.model]) / total),
        "v_star": v_star,
        "sigma_star": np.sqrt(np.maximum(second_moment - v_star**2, 0.0)),
        "sb_r": ZERO_POINT - 2.5 * np.log10(total),
    }


def true_lines(sky: MockSky, wave: FloatArray, redshift: float, settings: CubeMockSettings) -> dict[str, TrueLine]:
    """Each line that is compared alone, at the cube's point spread."""
    found = {}
    for name in TRUE_LINES:
        window = line_window(name, wave, redshift)
        planes = line_planes(sky, wave[window], redshift, settings.gas_sigma, line_members(name))
        found[name] = TrueLine(window.start, blurred(planes, settings))
    return found


def true_indices(stars: FloatArray, wave: FloatArray, v_star: FloatArray, redshift: float) -> dict[str, FloatArray]:
    """Indices of the stars as the cube would see them without noise, each spaxel at its own velocity, (y, x) each."""
    spectra = stars.reshape(wave.size, -1).T
    values = indices_of(spectra, wave, v_star.ravel(), redshift)
    maps = np.moveaxis(values.reshape(*stars.shape[1:], -1), -1, 0)
    return dict(zip(INDEX_NAMES, maps, strict=True))


def true_light(
    stars: FloatArray, lines: dict[str, TrueLine], scale: FloatArray, noise: tuple[FloatArray, FloatArray],
    redshift: float,
) -> TrueLight:  # fmt: skip
    """Stars (wave, y, x) and lines on a flux scale (y, x), without the planes that no comparison needs.

    noise: one sigma (y, x), and the factor (wave,) by which it grows.
    """
    wave = califa_wave()
    scale = scale.astype(np.float32)
    needed = needed_planes(wave, redshift)[:, None, None]
    kept = np.where(needed, stars * scale, np.float32(0))
    scaled = {name: line._replace(planes=line.planes * scale) for name, line in lines.items()}
    one_sigma, growth = noise
    return TrueLight(wave, kept, scaled, one_sigma, growth)
