"""The mock survey: every galaxy invented, observed spaxel by spaxel, then measured like real data."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from engine.adopted import CALIFA_SPAXEL_ARCSEC, SNR_MINIMUM_PER_ANGSTROM, SNR_TARGET_PER_ANGSTROM
from engine.adopted import SURFACE_BRIGHTNESS_LIMIT as SB_LIMIT
from engine.columns import BANDS, INDEX_NAMES, MOCK
from engine.cosmology import pc_per_arcsec
from engine.cube.smoothing import Smoothing, smooth_maps, smoothing_offsets
from engine.flags import SpaxelFlag
from engine.galaxy.structure import mean_densities
from engine.library.dispersion import indices_at
from engine.library.types import Library, joined
from engine.mock.galaxies import MockGalaxies, flux_to_brightness
from engine.mock.maps import GalaxyMaps, draw_maps, field_of_view
from engine.mock.observe import (
    choose_smoothing,
    index_errors,
    kernel_noise,
    kernel_sums,
    lost_to_stars,
    magnitude_errors,
    spaxel_snr,
)
from engine.mock.populations import R_BAND, dust_depth
from engine.mock.settings import MockSettings
from engine.regions import Rows, region_rows, stack_regions
from engine.types import BoolArray, FloatArray, IntArray, Progress

N_INDICES = len(INDEX_NAMES)
MAGNITUDES = [f"mag_{band}" for band in BANDS]


class Truth(NamedTuple):
    """Library of star-formation histories the mock regions take, and the trees that find the nearest.

    The library holds histories of any kind, then quiet ones, without a late burst.
    """

    library: Library
    any_history: cKDTree
    quiet: cKDTree
    n_any: int  # models before the first quiet one
    settings: MockSettings

    @classmethod
    def from_libraries(cls, any_history: Library, quiet: Library, settings: MockSettings) -> "Truth":
        """Histories of young regions, which may be of any kind, and of old ones (populations.quiet_priors)."""
        return cls(
            library=joined(any_history, quiet),
            any_history=cKDTree(_places(any_history, settings)),
            quiet=cKDTree(_places(quiet, settings)),
            n_any=any_history.log_age_wr.size,
            settings=settings,
        )

    def choose(self, maps: GalaxyMaps) -> IntArray:
        """The model of each spaxel (y, x): one of the nearest to its targets, picked by its rank.

        Old regions are quiet: they had no burst lately, as the passive galaxies and bulges they stand for.
        """
        n = self.settings.neighbours
        targets = np.stack([maps.log_age, maps.log_Z, maps.depth], axis=-1) / self.settings.neighbour_scale
        near = np.empty((*maps.old.shape, n), int)
        near[~maps.old] = self.any_history.query(targets[~maps.old], k=n)[1]
        near[maps.old] = self.n_any + self.quiet.query(targets[maps.old], k=n)[1]
        pick = np.minimum((maps.rank * n).astype(int), n - 1)
        return np.take_along_axis(near, pick[..., None], axis=-1)[..., 0]

    def indices(self, model: IntArray, sigma_star: FloatArray) -> FloatArray:
        """Indices of the models at the dispersion sigma_star, (..., 5)."""
        return indices_at(self.library, model, sigma_star)


def _places(library: Library, settings: MockSettings) -> FloatArray:
    """Age, metallicity and dust of models in units of what counts as equal, (model, 3)."""
    return np.stack([library.log_age_wr, library.log_Z_wr, dust_depth(library)], axis=-1) / settings.neighbour_scale


class ObservedSpaxels(NamedTuple):
    """Kept spaxels of one galaxy as columns of the region table, and how many lay above the brightness cut."""

    spaxels: Rows
    n_above_cut: int


class _Seen(NamedTuple):
    """What is seen of each spaxel before noise, (y, x, ...)."""

    model: IntArray
    flux: FloatArray  # (y, x, band)
    r_brightness: FloatArray  # mag/arcsec2


class _Exposure(NamedTuple):
    """What became of the spaxels of a galaxy, (y, x) each, and how many lay above the brightness cut."""

    smoothing: Smoothing
    seen: "KeptSpaxels"
    n_above_cut: int


def observe_galaxy(
    galaxy: MockGalaxies, truth: Truth, settings: MockSettings, rng: np.random.Generator
) -> ObservedSpaxels:
    """One galaxy from its maps to observed indices and magnitudes with noise; ZG22 sec. 2.1 in its order."""
    maps = draw_maps(galaxy, settings, rng)
    light = _light_of(maps, truth, galaxy.redshift)
    smoothing, seen, n_above_cut = _expose(light, settings, rng)
    kept = _at(smoothing, seen.kept)
    quantities = np.concatenate([truth.indices(light.model, maps.sigma_star), light.flux], axis=-1)
    spaxels = _place(seen.kept, smoothing, light.r_brightness) | true_values(maps, light.model, truth, seen)
    spaxels |= _observed(quantities, seen, kept, galaxy.redshift, settings, rng)
    spaxels |= _kinematics(maps, seen.kept, kept.snr, settings, rng)
    return ObservedSpaxels(spaxels, n_above_cut)


def _expose(light: _Seen, settings: MockSettings, rng: np.random.Generator) -> _Exposure:
    """Which spaxels become regions: those above the cut, off the stars and deep enough once smoothed."""
    field = field_of_view(settings)
    usable = field & ~lost_to_stars(settings.map_shape, settings, rng)
    above = field & (light.r_brightness < SB_LIMIT)
    smoothing = _smoothing_of(light, usable, settings, rng)
    worked = rng.uniform(size=usable.shape) >= settings.failures
    kept = above & usable & worked & (smoothing.snr >= SNR_MINIMUM_PER_ANGSTROM)
    return _Exposure(smoothing, KeptSpaxels(smoothing.level, usable, kept), int(above.sum()))


def _smoothing_of(light: _Seen, usable: BoolArray, settings: MockSettings, rng: np.random.Generator) -> Smoothing:
    """Levels and S/N (y, x), in the weather of one galaxy."""
    weather = 10.0 ** (settings.snr_scatter * rng.standard_normal())
    snr = spaxel_snr(light.r_brightness, settings, weather)
    return choose_smoothing(light.flux[..., R_BAND], snr, usable, settings)


def _light_of(maps: GalaxyMaps, truth: Truth, redshift: FloatArray | float) -> _Seen:
    model = truth.choose(maps)
    flux = 10.0 ** maps.log_mu_star[..., None] * truth.library.flux[model]
    return _Seen(model, flux, flux_to_brightness(flux[..., R_BAND], redshift))


def _kinematics(
    maps: GalaxyMaps, kept: BoolArray, snr: FloatArray, settings: MockSettings, rng: np.random.Generator
) -> Rows:
    """Velocity and dispersion with noise that grows as 1 / (S/N)."""
    noise = rng.standard_normal((2, snr.size)) * SNR_TARGET_PER_ANGSTROM / snr
    v_error, sigma_error = settings.kinematic_errors
    sigma_star = maps.sigma_star[kept] + sigma_error * noise[1]
    return {"v_star": maps.v_star[kept] + v_error * noise[0], "sigma_star": np.maximum(sigma_star, 5.0)}


def _place(kept: BoolArray, smoothing: Smoothing, r_brightness: FloatArray) -> Rows:
    y, x = np.nonzero(kept)
    level = smoothing.level[kept]
    snr = smoothing.snr[kept]
    flags = np.where(level > 1, SpaxelFlag.SMOOTHED, 0)
    flags = flags | np.where(snr < SNR_TARGET_PER_ANGSTROM, SpaxelFlag.TARGET_MISSED, 0)
    return {
        "x": x,
        "y": y,
        "smoothing_level": level,
        "snr_per_angstrom": snr,
        "flags": flags,
        "sb_r": r_brightness[kept],
    }


class KeptSpaxels(NamedTuple):
    """Smoothing level, spaxels that may enter a kernel, and those that became regions, (y, x) each."""

    level: IntArray
    usable: BoolArray
    kept: BoolArray


def true_values(maps: GalaxyMaps, model: IntArray, truth: Truth, seen: KeptSpaxels) -> Rows:
    """What is true of the stars that each kept spaxel shows, those of its whole kernel.

    Age and metallicity are weighted by r-band light (ZG22 eqs. 1, 2); the density is the median, as that of the fluxes.
    """
    density = 10.0**maps.log_mu_star
    light = density * truth.library.flux[model, R_BAND]
    age = 10.0 ** truth.library.log_age_wr[model]
    Z = 10.0 ** truth.library.log_Z_wr[model]
    weighted = np.stack([light, light * age, light * Z], axis=-1)
    in_all, of_age, of_Z = kernel_sums(weighted, seen.level, seen.usable)[seen.kept].T
    median_density = smooth_maps(density[..., None], seen.level, seen.usable)[seen.kept]
    return {
        "true_log_mu_star": np.log10(median_density[:, 0]),
        "true_log_age_wr": np.log10(of_age / in_all),
        "true_log_Z_wr": np.log10(of_Z / in_all),
    }


def _at(smoothing: Smoothing, kept: BoolArray) -> Smoothing:
    return Smoothing(*(part[kept] for part in smoothing))


def _observed(
    quantities: FloatArray,
    seen: KeptSpaxels,
    smoothing: Smoothing,
    redshift: FloatArray | float,
    settings: MockSettings,
    rng: np.random.Generator,
) -> Rows:
    """Columns of indices and magnitudes of the kept spaxels; quantities (y, x, 10) before smoothing and noise."""
    smoothed = smooth_maps(quantities, seen.level, seen.usable)
    noise = kernel_noise(rng.standard_normal(smoothed.shape), seen.level)
    return _with_noise(smoothed[seen.kept], noise[seen.kept], smoothing, redshift, settings)


def _with_noise(
    smoothed: FloatArray,
    noise: FloatArray,
    smoothing: Smoothing,
    redshift: FloatArray | float,
    settings: MockSettings,
) -> Rows:
    """Columns of indices and magnitudes with their errors, and noise in units of these errors added."""
    errors = index_errors(smoothing.snr, settings)
    indices = smoothed[:, :N_INDICES] + errors * noise[:, :N_INDICES]
    flux = smoothed[:, N_INDICES:]
    n_spaxels = smoothing_offsets()[1][smoothing.level - 1]
    mag_errors = magnitude_errors(flux_to_brightness(flux, redshift), n_spaxels, settings)
    noisy = flux * 10.0 ** (-0.4 * mag_errors * noise[:, N_INDICES:])
    magnitudes = flux_to_brightness(noisy, redshift) - 2.5 * np.log10(CALIFA_SPAXEL_ARCSEC**2)
    return _columns(INDEX_NAMES, indices, errors) | _columns(MAGNITUDES, magnitudes, mag_errors)


def _columns(names: Sequence[str], values: FloatArray, errors: FloatArray) -> Rows:
    pairs = (((name, values[:, i]), (f"{name}_err", errors[:, i])) for i, name in enumerate(names))
    return dict(column for pair in pairs for column in pair)


class Observation(NamedTuple):
    """The whole survey before measurement: region columns, redshift of each region, spaxels above the cut."""

    regions: Rows
    redshift: FloatArray
    n_above_cut: IntArray


def observe_survey(
    galaxies: MockGalaxies,
    truth: Truth,
    settings: MockSettings,
    rng: np.random.Generator,
    progress: Progress = lambda done, total: None,
) -> Observation:
    """Observe all galaxies, each with its own stream of chance, so that their order does not matter."""
    number = len(galaxies.galaxy_id)
    rows = []
    above = []
    for i, stream in enumerate(rng.spawn(number)):
        galaxy = galaxies.row(i)
        seen = observe_galaxy(galaxy, truth, settings, stream)
        rows.append(_region_rows_of(galaxy, seen))
        above.append(seen.n_above_cut)
        progress(i + 1, number)
    regions = stack_regions(rows)
    place = np.argsort(galaxies.galaxy_id)
    of_region = place[np.searchsorted(galaxies.galaxy_id[place], regions["galaxy_id"])]
    return Observation(regions, galaxies.redshift[of_region], np.array(above))


def _region_rows_of(galaxy: MockGalaxies, seen: ObservedSpaxels) -> Rows:
    return region_rows(
        seen.spaxels,
        galaxy_id=int(galaxy.galaxy_id),
        pc_per_arcsec=float(pc_per_arcsec(galaxy.redshift)),
        spaxel_arcsec=CALIFA_SPAXEL_ARCSEC,
        inv_vmax=float(galaxy.inv_vmax),
    )


def galaxy_table(galaxies: MockGalaxies, regions: Rows, n_above_cut: IntArray, settings: MockSettings) -> Rows:
    """Columns of the galaxy table; the mean density inside the half-light ellipse is that of the measured map."""
    number = len(galaxies.galaxy_id)
    n_regions = [(regions["galaxy_id"] == i).sum() for i in galaxies.galaxy_id]
    rows, columns = settings.map_shape
    table = {
        "galaxy_id": galaxies.galaxy_id,
        "name": galaxies.name,
        "origin": np.full(number, MOCK),
        "ra": galaxies.ra,
        "dec": galaxies.dec,
        "redshift": galaxies.redshift,
        "log_M_star": galaxies.log_M_star_measured,
        "inv_vmax": galaxies.inv_vmax,
        "pc_per_arcsec": pc_per_arcsec(galaxies.redshift),
        "spaxel_arcsec": np.full(number, CALIFA_SPAXEL_ARCSEC),
        "axis_ratio": galaxies.profile.axis_ratio,
        "position_angle": galaxies.position_angle,
        "half_light_radius": galaxies.half_light_radius,
        "iso_diameter": galaxies.iso_diameter,
        "x_centre": np.full(number, (columns - 1) / 2.0),
        "y_centre": np.full(number, (rows - 1) / 2.0),
        "hubble_type": np.where(galaxies.spheroid, "spheroid", "disc"),
        "n_regions": np.array(n_regions),
        "n_spaxels_above_cut": n_above_cut,
    }
    return {**table, "log_mu_e": mean_densities(regions, table)}
