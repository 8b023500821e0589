"""Maps of one invented galaxy on the CALIFA grid: mass density, targets of age, metallicity and dust, kinematics."""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.special import ndtr

from engine.adopted import CALIFA_PSF_FWHM_ARCSEC, CALIFA_SPAXEL_ARCSEC
from engine.constants import FWHM_PER_SIGMA
from engine.cosmology import pc_per_arcsec
from engine.galaxy.structure import Ellipse, galaxy_frame
from engine.mock.galaxies import MockGalaxies
from engine.mock.populations import expected_log_Z, old_probability, young_log_age
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray

OUTSKIRTS_LOG_MU = 2.5  # log Msun/pc2; choice


class GalaxyMaps(NamedTuple):
    """What is true at each spaxel of a map, (y, x) each.

    log_mu_star [Msun/pc2]; old, whether on the old ridge; targets log_age [yr], log_Z [Zsun], depth (V-band
    optical depth of diffuse dust); rank, evenly spread in 0..1; v_star and sigma_star [km/s]. Spaxels of one patch of
    stars share all but density and kinematics.
    """

    log_mu_star: FloatArray
    old: BoolArray
    log_age: FloatArray
    log_Z: FloatArray
    depth: FloatArray
    rank: FloatArray
    v_star: FloatArray
    sigma_star: FloatArray


def ellipse_of(galaxy: MockGalaxies, settings: MockSettings) -> Ellipse:
    """Half-light ellipse of a mock galaxy, in the middle of the map."""
    rows, columns = settings.map_shape
    centre = (columns - 1) / 2.0, (rows - 1) / 2.0
    size = float(galaxy.half_light_radius)
    flattening = float(galaxy.profile.axis_ratio)
    return Ellipse(*centre, size, flattening, float(galaxy.position_angle))


@cache
def field_of_view(settings: MockSettings) -> BoolArray:
    """Spaxels inside the hexagon of the CALIFA field, corners east and west, (y, x)."""
    rows, columns = settings.map_shape
    y, x = np.indices(settings.map_shape) * CALIFA_SPAXEL_ARCSEC
    x = np.abs(x - (columns - 1) / 2.0)
    y = np.abs(y - (rows - 1) / 2.0)
    width, height = settings.field_arcsec
    return (y <= height / 2.0) & (x <= width / 2.0 - y / height * width / 2.0)


def random_field(shape: tuple[int, int], length: float, rng: np.random.Generator) -> FloatArray:
    """Gaussian field of mean 0 and scatter 1 whose values resemble each other over a length [spaxel], (y, x)."""
    noise = gaussian_filter(rng.standard_normal(shape), length, mode="wrap")
    return noise * (2.0 * np.sqrt(np.pi) * length)  # variance of a smoothed white field: 1 / (4 pi length^2)


def mass_maps(galaxy: MockGalaxies, settings: MockSettings) -> tuple[FloatArray, FloatArray]:
    """Mass density of bulge and of disc [Msun/pc2], (y, x) each: the profile averaged over spaxels, then blurred."""
    x, y = _fine_places(settings)
    along, across = galaxy_frame(x, y, ellipse_of(galaxy, settings), CALIFA_SPAXEL_ARCSEC)
    radius = np.hypot(along, across / galaxy.profile.axis_ratio)
    scale = 10.0**galaxy.log_M_star / pc_per_arcsec(galaxy.redshift) ** 2
    blur = CALIFA_PSF_FWHM_ARCSEC / FWHM_PER_SIGMA / CALIFA_SPAXEL_ARCSEC
    bulge, disc = (
        gaussian_filter(scale * part.mean(axis=(1, 3)), blur, mode="constant")
        for part in galaxy.profile.densities(radius)
    )
    return bulge, disc


def _fine_places(settings: MockSettings) -> tuple[FloatArray, FloatArray]:
    """Places x and y within all spaxels, (y, step in y, x, step in x) each."""
    n = settings.oversampling
    fine = (np.arange(n) + 0.5) / n - 0.5
    y, x = np.indices(settings.map_shape)
    return x[:, None, :, None] + fine, y[:, None, :, None] + fine[:, None, None]


def draw_maps(galaxy: MockGalaxies, settings: MockSettings, rng: np.random.Generator) -> GalaxyMaps:
    """Invent the maps of one galaxy: smooth bulge and disc, clumps, two age sequences, correlated scatter.

    galaxy is one row; rng its own generator.
    """
    bulge, disc = mass_maps(galaxy, settings)
    fields = [random_field(settings.map_shape, settings.correlation_length, rng) for _ in range(6)]
    smooth = bulge + disc
    log_mu = _clumped(smooth, fields[0], settings)
    targets = _targets(log_mu, bulge / smooth, galaxy, settings, fields[1:5], rng)
    patch = draw_patches(log_mu, settings, rng)
    of_stars = [part[patch] for part in (*targets, ndtr(fields[5]))]
    return GalaxyMaps._make([log_mu, *of_stars, *kinematics(galaxy, bulge / smooth, settings)])


class _Targets(NamedTuple):
    """As in GalaxyMaps."""

    old: BoolArray
    log_age: FloatArray
    log_Z: FloatArray
    depth: FloatArray


def _targets(
    log_mu: FloatArray,
    bulge: FloatArray,
    galaxy: MockGalaxies,
    settings: MockSettings,
    fields: list[FloatArray],
    rng: np.random.Generator,
) -> _Targets:
    """Ages, metallicities and dust of stars; bulge: its share of the mass; fields: one random field for each."""
    old = _old_regions(log_mu, bulge, galaxy, settings, _Chance(fields[0], rng.standard_normal()))
    log_age = _ages(log_mu, old, galaxy, settings, _Chance(fields[1], rng.standard_normal()))
    log_Z = _metallicities(log_mu, old, galaxy, settings, _Chance(fields[2], rng.standard_normal()))
    depth = np.where(old, *settings.dust_depth) * 10.0 ** (settings.dust_scatter * fields[3])
    return _Targets(old, log_age, log_Z, depth)


def _clumped(smooth: FloatArray, field: FloatArray, settings: MockSettings) -> FloatArray:
    """log mass density (y, x) with clumps, which move mass inside the map and add none."""
    clumped = smooth * 10.0 ** (settings.clumps * field)
    return np.log10(clumped * smooth.sum() / clumped.sum())


def draw_patches(log_mu: FloatArray, settings: MockSettings, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """The spaxel, y and x, whose stars each spaxel shares, (y, x) each: the nearest of some chosen by their mass."""
    chosen = np.log10(rng.uniform(size=log_mu.shape)) < log_mu - settings.patch_log_mu
    chosen[np.unravel_index(log_mu.argmax(), log_mu.shape)] = True
    nearest = distance_transform_edt(~chosen, return_distances=False, return_indices=True)
    return nearest[0], nearest[1]


class _Chance(NamedTuple):
    """What chance adds to the rules: a field of unit variance over the map, and one number for the galaxy."""

    field: FloatArray  # (y, x)
    of_galaxy: float


def _old_regions(
    log_mu: FloatArray, bulge: FloatArray, galaxy: MockGalaxies, settings: MockSettings, chance: _Chance
) -> BoolArray:
    """Patches on the old ridge: where a smooth field falls short of the probability."""
    offset = settings.old_half_scatter * chance.of_galaxy
    return ndtr(chance.field) < old_probability(log_mu, bulge, galaxy.log_M_star, galaxy.spheroid, settings, offset)


def _ages(
    log_mu: FloatArray, old: BoolArray, galaxy: MockGalaxies, settings: MockSettings, chance: _Chance
) -> FloatArray:
    """Targets of age: a sequence, a field that varies over the map, and an offset of the galaxy, larger outside."""
    old_regions, old_galaxies = settings.old_age_scatter
    young_regions, young_galaxies = settings.young_age_scatter
    sequence = np.where(old, settings.old_log_age, young_log_age(log_mu, galaxy.log_M_star, settings))
    outside = 1.0 + settings.outskirts_scatter * np.maximum(OUTSKIRTS_LOG_MU - log_mu, 0.0)
    of_galaxy = np.where(old, old_galaxies, young_galaxies) * outside * chance.of_galaxy
    return sequence + of_galaxy + np.where(old, old_regions, young_regions) * chance.field


def _metallicities(
    log_mu: FloatArray, old: BoolArray, galaxy: MockGalaxies, settings: MockSettings, chance: _Chance
) -> FloatArray:
    """Targets of metallicity: what density and mass tell, a field over the map, and an offset of the galaxy."""
    of_regions, of_galaxies = settings.log_Z_scatter
    expected = expected_log_Z(log_mu, galaxy.log_M_star, old, settings)
    return expected + of_regions * chance.field + of_galaxies * chance.of_galaxy


def kinematics(galaxy: MockGalaxies, bulge: FloatArray, settings: MockSettings) -> tuple[FloatArray, FloatArray]:
    """Rotation of an inclined disc and a dispersion that follows the bulge [km/s], (y, x) each.

    The speed follows M* as in Tully & Fisher, the bulge's dispersion as in Faber & Jackson.
    """
    y, x = np.indices(settings.map_shape)
    along, across = galaxy_frame(x, y, ellipse_of(galaxy, settings), CALIFA_SPAXEL_ARCSEC)
    radius = np.hypot(along, across / galaxy.profile.axis_ratio) + 1e-6
    rise = 2.0 / np.pi * np.arctan(radius / (0.3 * galaxy.half_light_radius))
    speed = _power_law(settings.rotation, galaxy) * (0.4 if galaxy.spheroid else 1.0)
    hot = _power_law(settings.dispersion, galaxy)
    dispersion = np.sqrt(bulge * hot**2 + (1.0 - bulge) * settings.disc_dispersion**2)
    return speed * rise * _sine_of_inclination(galaxy, settings) * along / radius, dispersion


def _power_law(law: tuple[float, float], galaxy: MockGalaxies) -> FloatArray:
    """Value at a galaxy mass of 1e10 Msun, and the power of the mass that it follows."""
    return law[0] * 10.0 ** (law[1] * (galaxy.log_M_star - 10.0))


def _sine_of_inclination(galaxy: MockGalaxies, settings: MockSettings) -> FloatArray:
    """Of a disc of this thickness that is seen with this axis ratio."""
    flattening = galaxy.profile.axis_ratio
    return np.sqrt(np.clip((1.0 - flattening**2) / (1.0 - settings.disc_thickness**2), 0.0, 1.0))
