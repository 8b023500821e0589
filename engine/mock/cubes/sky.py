"""A galaxy before any instrument: which history each pixel of the sky has, its spectra, lines and colours."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from engine.constants import PC2_SURFACE_BRIGHTNESS, TEN_PARSEC_FLUX
from engine.cube.psf import KERNEL_RADIUS_ARCSEC
from engine.cube.types import NANOMAGGY
from engine.features import LINES
from engine.library.build import model_spectra
from engine.library.draw import Histories
from engine.library.ssp import SSPGrid
from engine.mock.cubes.settings import CubeMockSettings, fitting
from engine.mock.galaxies import MockGalaxies
from engine.mock.infill import hii_region
from engine.mock.maps import GalaxyMaps, draw_maps
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth
from engine.spectrum.lines import HALPHA, line_table, reddened_ratios
from engine.spectrum.photometry import Filter, ab_magnitudes, line_fluxes_in_bands
from engine.types import FloatArray, IntArray

_BEYOND_FILTERS = 300.0  # Angstrom of spectrum on either side of the filters


class TrueModels(NamedTuple):
    """Histories that mock regions take, with all it needs to make their spectra."""

    truth: Truth
    histories: Histories
    grid: SSPGrid
    filters: tuple[Filter, ...]


class MockSky(NamedTuple):
    """The galaxy before any instrument, in pixels (y, x) of one arcsec; model numbers the spectra."""

    maps: GalaxyMaps
    model: IntArray  # (y, x)
    log_age_wr: FloatArray  # (model,)
    log_Z_wr: FloatArray
    wave: FloatArray  # (wave,) Angstrom at rest
    spectra: FloatArray  # (model, wave) surface brightness of 1 Msun/pc2 at redshift 0 [erg/s/cm2/Angstrom/arcsec2]
    line_flux: FloatArray  # (line, y, x) erg/s/cm2/arcsec2
    bands: FloatArray  # (band, y, x) ugriz with lines [nanomaggies/arcsec2]
    rest_bands: FloatArray  # (band, y, x) ugriz of the stars in the rest frame [nanomaggies/arcsec2]


class _Stars(NamedTuple):
    """Spectra of the histories that the pixels have, and how many stars there are."""

    model: IntArray  # (y, x)
    mass: FloatArray  # (y, x) Msun/pc2
    wave: FloatArray  # (wave,) Angstrom at rest
    spectra: FloatArray  # (model, wave) of 1 Msun/pc2 at redshift 0


def draw_sky(
    galaxy: MockGalaxies, models: TrueModels, mock: MockSettings, settings: CubeMockSettings, rng: np.random.Generator
) -> MockSky:
    """Maps, histories and lines of a galaxy, on the field and its margin."""
    redshift = float(galaxy.redshift)
    maps = draw_maps(galaxy, _on_the_sky(mock, settings), rng)
    rows, model = np.unique(models.truth.choose(maps), return_inverse=True)
    model = model.reshape(maps.old.shape)
    wave, spectra = _spectra_of(rows, models)
    stars = _Stars(model, 10.0**maps.log_mu_star, wave, spectra)
    line_flux = _line_fluxes(_continuum_at_halpha(stars, redshift), maps, settings, rng)
    library = models.truth.library
    return MockSky(
        maps=maps,
        model=model,
        log_age_wr=library.log_age_wr[rows],
        log_Z_wr=library.log_Z_wr[rows],
        wave=wave,
        spectra=spectra,
        line_flux=line_flux,
        bands=_bands_observed(stars, line_flux, redshift, models.filters),
        rest_bands=_bands_at_rest(stars, redshift, models.filters),
    )


def dimming(redshift: float) -> float:
    """Of the surface brightness per Angstrom, over that at redshift 0."""
    return (1 + redshift) ** -5.0


def _continuum_at_halpha(stars: _Stars, redshift: float) -> FloatArray:
    """Per Angstrom at rest, (y, x)."""
    at_halpha = stars.spectra[:, np.abs(stars.wave - HALPHA).argmin()]
    return dimming(redshift) * stars.mass * at_halpha[stars.model] * (1 + redshift)


def _bands_observed(stars: _Stars, line_flux: FloatArray, redshift: float, filters: tuple[Filter, ...]) -> FloatArray:
    """Surface brightness of stars and lines (line, y, x) in the filters, (band, y, x) [nanomaggies/arcsec2]."""
    of_models = _light_in_bands(stars.wave * (1 + redshift), dimming(redshift) * stars.spectra, filters)
    of_lines = line_fluxes_in_bands(line_table().wave * (1 + redshift), np.moveaxis(line_flux, 0, -1), filters)
    return np.moveaxis(stars.mass[..., None] * of_models[stars.model] + of_lines, -1, 0) / NANOMAGGY


def _bands_at_rest(stars: _Stars, redshift: float, filters: tuple[Filter, ...]) -> FloatArray:
    """The same of the stars alone, in filters that move with them."""
    of_models = _light_in_bands(stars.wave, (1 + redshift) * dimming(redshift) * stars.spectra, filters)
    return np.moveaxis(stars.mass[..., None] * of_models[stars.model], -1, 0) / NANOMAGGY


def near_field(sky: MockSky, settings: CubeMockSettings) -> MockSky:
    """The sky without the part of its margin from which no light reaches the cube."""
    cut = max(settings.sky_margin - int(KERNEL_RADIUS_ARCSEC), 0)
    rows, columns = sky.model.shape
    inner = slice(cut, rows - cut), slice(cut, columns - cut)
    planes = {name: getattr(sky, name)[:, *inner] for name in ("line_flux", "bands", "rest_bands")}
    maps = GalaxyMaps(*(values[inner] for values in sky.maps))
    return sky._replace(maps=maps, model=sky.model[inner], **planes)


def _on_the_sky(mock: MockSettings, settings: CubeMockSettings) -> MockSettings:
    """The mock's maps on the field and its margin; its field of view is not used there."""
    rows, columns = settings.shape
    margins = 2 * settings.sky_margin
    return fitting(mock, (rows + margins, columns + margins))


def _spectra_of(rows: IntArray, models: TrueModels) -> tuple[FloatArray, FloatArray]:
    """Wavelengths (wave,) [Angstrom] and spectra (model, wave) of some histories, as surface brightness."""
    first = models.filters[0].wave[0] - _BEYOND_FILTERS
    last = models.filters[-1].wave[-1] + _BEYOND_FILTERS
    histories = Histories(*(values[rows] for values in models.histories))
    wave, spectra = model_spectra(histories, models.grid, (first, last))
    per_arcsec2 = TEN_PARSEC_FLUX * 10.0 ** (-0.4 * PC2_SURFACE_BRIGHTNESS)
    return wave, spectra * np.float32(per_arcsec2)


def _light_in_bands(wave: FloatArray, spectra: FloatArray, filters: tuple[Filter, ...]) -> FloatArray:
    """AB flux of spectra (model, wave) over that of magnitude 0, (model, band)."""
    return 10.0 ** (-0.4 * ab_magnitudes(wave, spectra, filters))


def _line_fluxes(
    continuum: FloatArray, maps: GalaxyMaps, settings: CubeMockSettings, rng: np.random.Generator
) -> FloatArray:
    """Lines of an HII region in young places and of the same kind, but faint, in old ones, (line, y, x).

    continuum: of the stars at Halpha, (y, x); the lines have its unit times Angstrom.
    """
    scatter = gaussian_filter(rng.standard_normal(maps.old.shape), 2.0, mode="wrap")
    in_old, in_young = settings.halpha_width
    width = np.where(maps.old, in_old, in_young) * 10.0 ** (settings.halpha_scatter * scatter / scatter.std())
    table = line_table()
    own = [line.name for line in LINES if not line.parent]
    fluxes = hii_region(1.0, settings.ebv)
    unit = np.array([fluxes.get(name, 0.0) for name in own])
    ratios = unit[table.column] * reddened_ratios(table, settings.ebv)
    return ratios[:, None, None] * (width * continuum)
