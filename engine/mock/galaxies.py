"""Invented galaxies: masses, sizes and shapes in the CALIFA volume, put through the diameter selection."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from engine.adopted import ISO_DIAMETER_RANGE_ARCSEC, REDSHIFT_RANGE, SKY_AREA_DEG2, SURVEY_AREA_DEG2
from engine.constants import PC2_SURFACE_BRIGHTNESS
from engine.cosmology import comoving_distance, pc_per_arcsec
from engine.errors import SampleError
from engine.galaxy.sample import vmax
from engine.mock.populations import LightPerMass, expected_light
from engine.mock.profiles import Profile, crossing
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray


class MockGalaxies(NamedTuple):
    """What is true of each galaxy, (galaxy,) each; radii in arcsec along the major axis, angles in deg.

    log_M_star is the true mass; log_M_star_measured what a survey would list.
    """

    galaxy_id: IntArray
    name: np.ndarray
    redshift: FloatArray
    log_M_star: FloatArray
    log_M_star_measured: FloatArray
    spheroid: BoolArray
    profile: Profile
    position_angle: FloatArray
    half_light_radius: FloatArray
    iso_diameter: FloatArray
    inv_vmax: FloatArray
    ra: FloatArray
    dec: FloatArray

    def row(self, i: int) -> "MockGalaxies":
        """Galaxy i alone, fields without the galaxy axis."""
        fields = {key: value[i] for key, value in self._asdict().items() if key != "profile"}
        return MockGalaxies(profile=Profile(*(field[i] for field in self.profile)), **fields)

    def take(self, rows: IntArray) -> "MockGalaxies":
        """Some galaxies, in the order of rows."""
        return self.row(rows)


def survey_volume() -> float:
    """Comoving volume of the CALIFA mother sample [Mpc3]: the SDSS area between the redshift limits."""
    near, far = comoving_distance(np.array(REDSHIFT_RANGE))
    return SURVEY_AREA_DEG2 / SKY_AREA_DEG2 * 4.0 / 3.0 * np.pi * (far**3 - near**3)


def mass_function(log_mass: FloatArray, settings: MockSettings) -> FloatArray:
    """Galaxies per Mpc3 and dex of stellar mass: double Schechter function of Baldry+12 eq. 6."""
    log_knee, phi1, alpha1, phi2, alpha2 = settings.mass_function
    ratio = 10.0 ** (np.asarray(log_mass) - settings.mass_offset - log_knee)
    return np.log(10.0) * np.exp(-ratio) * (phi1 * ratio ** (alpha1 + 1.0) + phi2 * ratio ** (alpha2 + 1.0))


def draw_masses(volume: float, settings: MockSettings, rng: np.random.Generator) -> FloatArray:
    """log M* of all galaxies of a volume [Mpc3], a Poisson sample of the mass function."""
    grid = np.linspace(*settings.log_mass_range, 701)
    density = mass_function(grid, settings)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
    number = rng.poisson(cumulative[-1] * volume)
    return np.interp(rng.uniform(0.0, cumulative[-1], number), cumulative, grid)


def draw_redshifts(number: int, rng: np.random.Generator) -> FloatArray:
    """Redshifts of galaxies spread evenly over the comoving volume."""
    grid = np.linspace(*REDSHIFT_RANGE, 501)
    volume = comoving_distance(grid) ** 3
    return np.interp(rng.uniform(volume[0], volume[-1], number), volume, grid)


def draw_spheroids(log_mass: FloatArray, settings: MockSettings, rng: np.random.Generator) -> BoolArray:
    """Which galaxies are spheroids: ever more of them at high mass."""
    centre, width = settings.spheroid_fraction
    return rng.uniform(size=log_mass.size) < expit((log_mass - centre) / width)


def draw_half_radii(
    log_mass: FloatArray, spheroid: BoolArray, settings: MockSettings, rng: np.random.Generator
) -> FloatArray:
    """Circularised half-light radii [kpc] from the size-mass relations of Shen+03 with log-normal scatter."""
    gamma, alpha, beta, knee = settings.disc_size
    mass = 10.0**log_mass
    disc = gamma * mass**alpha * (1.0 + mass / knee) ** (beta - alpha)
    factor, power = settings.spheroid_size
    round_one = np.maximum(factor * mass**power, settings.spheroid_size_floor)
    low, high = settings.size_scatter
    scatter = high + (low - high) / (1.0 + (mass / knee) ** 2)
    return np.where(spheroid, round_one, disc) * np.exp(scatter * rng.standard_normal(mass.size))


def draw_axis_ratios(spheroid: BoolArray, settings: MockSettings, rng: np.random.Generator) -> FloatArray:
    """Projected b/a: discs of some thickness seen from random sides, spheroids rounder."""
    cosine = rng.uniform(size=spheroid.size)
    flat = np.sqrt(settings.disc_thickness**2 + (1.0 - settings.disc_thickness**2) * cosine**2)
    mean, scatter = settings.spheroid_axis_ratio
    return np.where(spheroid, np.clip(rng.normal(mean, scatter, spheroid.size), 0.3, 1.0), flat)


def draw_profiles(
    log_mass: FloatArray, spheroid: BoolArray, axis_ratio: FloatArray, settings: MockSettings, rng: np.random.Generator
) -> Profile:
    """Bulge and disc of each galaxy with a half-mass radius of 1."""
    at_ten, slope = settings.bulge_fraction
    mean = np.where(spheroid, settings.spheroid_bulge_fraction, at_ten + slope * (log_mass - 10.0))
    bulge = np.clip(mean + settings.bulge_fraction_scatter * rng.standard_normal(mean.size), 0.0, 0.95)
    size = np.where(spheroid, settings.bulge_to_disc_size[1], settings.bulge_to_disc_size[0])
    index = np.where(spheroid, settings.sersic[1], settings.sersic[0])
    profile = Profile(bulge, size, np.ones_like(size), index, axis_ratio)
    return profile.scaled(1.0 / profile.half_mass_radius())


class LightRadii(NamedTuple):
    """Semi-major axes in r-band light [arcsec]: of half the light, and of the catalogue isophote (NaN: too faint)."""

    half_light: FloatArray
    isophote: FloatArray


def light_radii(
    log_mass: FloatArray,
    spheroid: BoolArray,
    redshift: FloatArray,
    profile: Profile,
    light: LightPerMass,
    settings: MockSettings,
) -> LightRadii:
    """Sizes a photometric survey would list, from the mean populations at every radius.

    (galaxy,) each; profile radii in arcsec.
    """
    radius = np.geomspace(0.003, 8.0, 130) * profile.disc_radius[:, None]
    scale = (10.0**log_mass / pc_per_arcsec(redshift) ** 2)[:, None]
    bulge, disc = (part * scale for part in profile.column().densities(radius))
    density = bulge + disc
    model = (light, settings)
    flux = expected_light(np.log10(density), bulge / density, log_mass[:, None], spheroid[:, None], model)
    rings = flux * radius**2  # times dlog r, which is constant
    inside = (np.cumsum(rings, axis=1) - 0.5 * rings) / rings.sum(axis=1, keepdims=True)  # half of its own ring
    brightness = flux_to_brightness(flux, redshift[:, None])
    return LightRadii(crossing(radius, inside, 0.5), crossing(radius, -brightness, -settings.isophote))


def flux_to_brightness(flux: FloatArray, redshift: FloatArray) -> FloatArray:
    """Surface brightness [AB mag/arcsec2] of a flux per pc2, dimmed by (1 + z)^4: the inverse of surface_flux."""
    return PC2_SURFACE_BRIGHTNESS - 2.5 * np.log10(flux) + 10.0 * np.log10(1.0 + redshift)


def draw_galaxies(light: LightPerMass, settings: MockSettings, rng: np.random.Generator) -> MockGalaxies:
    """A mock of the CALIFA sample: every galaxy of the volume is drawn, the diameter selects, n_galaxies are observed.

    Raises SampleError if the selection leaves too few.
    """
    log_mass = draw_masses(survey_volume(), settings, rng)
    redshift = draw_redshifts(log_mass.size, rng)
    spheroid = draw_spheroids(log_mass, settings, rng)
    axis_ratio = draw_axis_ratios(spheroid, settings, rng)
    radius = draw_half_radii(log_mass, spheroid, settings, rng) * 1e3 / pc_per_arcsec(redshift)
    radius *= np.where(spheroid, settings.size_factor[1], settings.size_factor[0])
    profile = draw_profiles(log_mass, spheroid, axis_ratio, settings, rng).scaled(radius)
    sizes = light_radii(log_mass, spheroid, redshift, profile, light, settings)
    chosen = _observed(2.0 * sizes.isophote, settings.n_galaxies, rng)
    profile = Profile(*(field[chosen] for field in profile))
    truth = (log_mass[chosen], spheroid[chosen], redshift[chosen], profile)
    return _catalogue(truth, LightRadii(*(size[chosen] for size in sizes)), settings, rng)


def _observed(iso_diameter: FloatArray, number: int, rng: np.random.Generator) -> IntArray:
    smallest, largest = ISO_DIAMETER_RANGE_ARCSEC
    selected = np.flatnonzero((iso_diameter >= smallest) & (iso_diameter <= largest))
    if selected.size < number:
        raise SampleError(f"the diameter selection leaves {selected.size} mock galaxies, {number} are wanted")
    return np.sort(rng.choice(selected, number, replace=False))


def _catalogue(truth: tuple, sizes: LightRadii, settings: MockSettings, rng: np.random.Generator) -> MockGalaxies:
    log_mass, spheroid, redshift, profile = truth
    number = np.arange(1, log_mass.size + 1)
    return MockGalaxies(
        galaxy_id=number,
        name=np.array([f"mock {i:03d}" for i in number]),
        redshift=redshift,
        log_M_star=log_mass,
        log_M_star_measured=log_mass + settings.mass_error * rng.standard_normal(log_mass.size),
        spheroid=spheroid,
        profile=profile,
        position_angle=rng.uniform(0.0, 180.0, log_mass.size),
        half_light_radius=sizes.half_light,
        iso_diameter=2.0 * sizes.isophote,
        inv_vmax=1.0 / vmax(2.0 * sizes.isophote, redshift),
        ra=np.full(log_mass.size, np.nan),
        dec=np.full(log_mass.size, np.nan),
    )
