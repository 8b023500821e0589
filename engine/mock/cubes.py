"""Invented CALIFA cubes and SDSS images of galaxies whose maps are known: what the pipeline is tried on.

A galaxy's maps become spectra pixel by pixel of the sky: histories of the library's kind, moved and broadened, with
emission lines. The sky is blurred by each instrument's Moffat profile, and what spoils real data is added: noise that
neighbours share, a foreground star, a cosmic ray, a dead fibre, coordinates and a flux scale that are slightly wrong.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates
from scipy.signal import fftconvolve

from engine.adopted import CALIFA_FWHM_ANGSTROM, CALIFA_PIXEL_ANGSTROM, CALIFA_SPAXEL_ARCSEC
from engine.columns import BANDS, INDEX_NAMES
from engine.constants import (
    AB_ZERO_FLUX,
    FWHM_PER_SIGMA,
    LIGHT_SPEED,
    LIGHT_SPEED_KMS,
    PC2_SURFACE_BRIGHTNESS,
    TEN_PARSEC_FLUX,
)
from engine.cube.psf import KERNEL_RADIUS_ARCSEC, moffat_image
from engine.cube.registration import CUBE_UNIT, NANOMAGGY, SDSS_PSF_FWHM, ZERO_POINT, deredden
from engine.cube.types import Cube, Image, Moffat
from engine.library.build import model_spectra
from engine.library.draw import Histories
from engine.library.ssp import SSPGrid
from engine.mock.expected import TRUE_LINES, TrueLight, TrueLine, indices_of, line_members, line_window, needed_planes
from engine.mock.galaxies import MockGalaxies
from engine.mock.infill import hii_region
from engine.mock.maps import GalaxyMaps, draw_maps, field_of_view
from engine.mock.observe import spaxel_snr
from engine.mock.populations import R_BAND
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth
from engine.spectrum.decouple import cubic_read
from engine.spectrum.lines import HALPHA, LINE_NAMES, LINES, line_table, reddened_ratios
from engine.spectrum.photometry import Filter, ab_magnitudes, line_fluxes_in_bands
from engine.spectrum.templates import SSP_FWHM_ANGSTROM
from engine.types import BoolArray, FloatArray, IntArray

_LOG_STEP = 6e-5  # of ln(lambda), 18 km/s: a third of the narrowest dispersion
_EVEN_STEP = 0.5  # Angstrom, of the grid on which the instrument blurs
_ROWS = 512  # spectra at a time: bounds the memory
_LINE_REACH = 14  # pixels to each side of a line


class CubeMockSettings(NamedTuple):
    """What spoils the data. All of it *choice*, near to what real files show; lengths in arcsec."""

    shape: tuple[int, int] = (72, 78)  # rows, columns of a CALIFA cube
    sky_margin: int = 45  # around the field, for light that spreads and for the images
    psf: Moffat = Moffat()
    sdss_beta: float = 3.0
    sdss_pixel: float = 0.396
    sdss_angle: float = 33.0  # deg; SDSS scans are not north up
    noise_correlation: float = 0.9  # sigma of what neighbouring spaxels share; gives the beta(N) of Garcia-Benito+15
    blue_noise: float = 1.5  # noise at 3750 over that at 5600 Angstrom
    halpha_width: tuple[float, float] = (0.8, 18.0)  # equivalent width [Angstrom] in old and in young regions
    halpha_scatter: float = 0.25  # dex
    gas_sigma: float = 35.0  # km/s
    ebv: float = 0.3  # mag before the gas
    star_magnitude: float = 16.5  # r
    star_place: tuple[float, float] = (0.30, 0.72)  # part of the field's width and height
    dead_place: tuple[float, float] = (0.66, 0.42)
    dead_radius: float = 1.35  # half of a PPak fibre's 2.7 arcsec
    n_cosmic: int = 20
    wrong_place: float = 0.8  # scatter of the cube's coordinates, per axis
    wrong_scale: float = 0.03  # scatter of the cube's flux scale
    wrong_colour: float = 0.03  # mag, scatter of each image's zero point
    a_v: float = 0.10  # mag of our Galaxy's dust, in the images only


class TrueModels(NamedTuple):
    """Histories that mock regions take, with all it needs to make their spectra."""

    truth: Truth
    histories: Histories
    grid: SSPGrid
    filters: tuple[Filter, ...]


class MadeCube(NamedTuple):
    """A cube, its images, and what is true: maps (y, x) at the cube's point spread, and what was spoilt."""

    cube: Cube
    images: tuple[Image, ...]
    maps: dict[str, FloatArray]  # names as in the region table; lines as flux_Halpha [1e-16 erg/s/cm2]
    star: BoolArray  # (y, x) where the star is brighter than the galaxy
    dead: BoolArray  # (y, x)
    cosmic: IntArray  # (ray, 3) wavelength, y, x
    wrong: tuple[float, float]  # shift of the stated coordinates along x and y [arcsec]
    scale: float  # flux of the cube over the true one
    light: TrueLight  # what the cube would show without noise


class _Sky(NamedTuple):
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


def califa_wave() -> FloatArray:
    """Wavelengths of a COMB cube [Angstrom, air]."""
    return 3701.0 + CALIFA_PIXEL_ANGSTROM * np.arange(1901)


def make_cube(
    galaxy: MockGalaxies, models: TrueModels, mock: MockSettings, settings: CubeMockSettings, rng: np.random.Generator
) -> MadeCube:
    """One galaxy, a row with ra and dec, seen by both instruments, and its truth."""
    sky = _draw_sky(galaxy, models, mock, settings, rng)
    redshift, wave = float(galaxy.redshift), califa_wave()
    near = _near_field(sky, settings)
    stars = _blurred(_star_planes(near, wave, redshift), settings)
    lines = _blurred(_line_planes(near, wave, redshift, settings.gas_sigma), settings)
    each = _true_lines(near, wave, redshift, settings)
    maps = _true_maps(near, settings)
    maps |= _true_indices(stars, wave, maps["v_star"], redshift)
    images = _photographs(sky, galaxy, settings, rng)
    return _spoilt((stars, lines, each), maps, images, (galaxy, mock, settings), rng)


def _fitting(mock: MockSettings, shape: tuple[int, int]) -> MockSettings:
    """The same mock on another grid; the field keeps its shape."""
    scale = shape[0] / mock.map_shape[0]
    return replace(mock, map_shape=shape, field_arcsec=tuple(scale * side for side in mock.field_arcsec))


def _draw_sky(galaxy, models: TrueModels, mock: MockSettings, settings: CubeMockSettings, rng) -> _Sky:
    """Maps, histories and lines of a galaxy, on the field and its margin."""
    maps = draw_maps(galaxy, replace(mock, map_shape=tuple(n + 2 * settings.sky_margin for n in settings.shape)), rng)
    rows, model = np.unique(models.truth.choose(maps), return_inverse=True)
    model = model.reshape(maps.old.shape)
    ends = models.filters[0].wave[0] - 300.0, models.filters[-1].wave[-1] + 300.0
    wave, spectra = model_spectra(Histories(*(part[rows] for part in models.histories)), models.grid, ends)
    spectra = spectra * np.float32(TEN_PARSEC_FLUX * 10.0 ** (-0.4 * PC2_SURFACE_BRIGHTNESS))
    library, redshift = models.truth.library, float(galaxy.redshift)
    mass, dimmed = 10.0**maps.log_mu_star, (1 + redshift) ** -5.0
    at_halpha = dimmed * mass * spectra[:, np.abs(wave - HALPHA).argmin()][model]
    line_flux = _line_fluxes(at_halpha * (1 + redshift), maps, settings, rng)
    seen = 10.0 ** (-0.4 * ab_magnitudes(wave * (1 + redshift), dimmed * spectra, models.filters))
    bands = mass[..., None] * seen[model] + line_fluxes_in_bands(
        line_table().wave * (1 + redshift), np.moveaxis(line_flux, 0, -1), models.filters
    )
    at_rest = 10.0 ** (-0.4 * ab_magnitudes(wave, (1 + redshift) * dimmed * spectra, models.filters))
    return _Sky(
        maps, model, library.log_age_wr[rows], library.log_Z_wr[rows], wave, spectra, line_flux,
        np.moveaxis(bands, -1, 0) / NANOMAGGY, np.moveaxis(mass[..., None] * at_rest[model], -1, 0) / NANOMAGGY,
    )  # fmt: skip


def _line_fluxes(continuum: FloatArray, maps: GalaxyMaps, settings: CubeMockSettings, rng) -> FloatArray:
    """Lines of an HII region in young places and of the same kind, but faint, in old ones, (line, y, x)."""
    scatter = gaussian_filter(rng.standard_normal(maps.old.shape), 2.0, mode="wrap")
    width = np.where(maps.old, *settings.halpha_width) * 10.0 ** (settings.halpha_scatter * scatter / scatter.std())
    table, own = line_table(), [line.name for line in LINES if not line.parent]
    unit = np.array([hii_region(1.0, settings.ebv).get(name, 0.0) for name in own])
    ratios = unit[table.column] * reddened_ratios(table, settings.ebv)
    return ratios[:, None, None] * (width * continuum)


def _near_field(sky: _Sky, settings: CubeMockSettings) -> _Sky:
    """The sky without the part of its margin from which no light reaches the cube."""
    cut = max(settings.sky_margin - int(KERNEL_RADIUS_ARCSEC), 0)
    inner = slice(cut, sky.model.shape[0] - cut), slice(cut, sky.model.shape[1] - cut)
    maps = GalaxyMaps(*(part[inner] for part in sky.maps))
    planes = {name: getattr(sky, name)[(slice(None), *inner)] for name in ("line_flux", "bands", "rest_bands")}
    return sky._replace(maps=maps, model=sky.model[inner], **planes)


def _star_planes(sky: _Sky, wave: FloatArray, redshift: float) -> FloatArray:
    """Stars of every pixel of the sky, moved and broadened, (wave, y, x) float32 [1e-16 erg/s/cm2/Angstrom]."""
    log_wave, resolved = _at_resolution(sky, wave, redshift)
    transform = np.fft.rfft(resolved, axis=1).astype(np.complex64)
    omega = np.linspace(0.0, np.pi, transform.shape[1], dtype=np.float32) / np.float32(_LOG_STEP * LIGHT_SPEED_KMS)
    position = (np.log(wave / (1 + redshift)) - log_wave[0]) / _LOG_STEP
    model, v, sigma = (part.ravel() for part in (sky.model, sky.maps.v_star, sky.maps.sigma_star))
    mass = 10.0 ** sky.maps.log_mu_star.ravel() * (1 + redshift) ** -5.0 / CUBE_UNIT * CALIFA_SPAXEL_ARCSEC**2
    planes = np.empty((wave.size, model.size), np.float32)
    for start in range(0, model.size, _ROWS):
        rows = slice(start, start + _ROWS)
        kernel = np.exp(-0.5 * (omega * sigma[rows, None]) ** 2 - 1j * omega * v[rows, None])
        moved = np.fft.irfft(transform[model[rows]] * kernel, resolved.shape[1], axis=1)
        planes[:, rows] = (mass[rows, None] * cubic_read(moved, position)).T
    return planes.reshape(wave.size, *sky.model.shape)


def _at_resolution(sky: _Sky, wave: FloatArray, redshift: float) -> tuple[FloatArray, FloatArray]:
    """Spectra (model, pixel) on a grid even in ln(lambda), blurred by the instrument, at rest."""
    low, high = wave[0] / (1 + redshift) - 80.0, wave[-1] / (1 + redshift) + 80.0
    even = np.arange(low, high, _EVEN_STEP)
    width = np.sqrt((CALIFA_FWHM_ANGSTROM / (1 + redshift)) ** 2 - SSP_FWHM_ANGSTROM**2) / FWHM_PER_SIGMA
    log_wave = np.arange(np.log(low), np.log(high), _LOG_STEP)
    on_log = np.empty((len(sky.spectra), log_wave.size), np.float32)
    for row, spectrum in enumerate(sky.spectra):
        blurred = gaussian_filter1d(np.interp(even, sky.wave, spectrum), width / _EVEN_STEP, mode="nearest")
        on_log[row] = np.interp(np.exp(log_wave), even, blurred)
    return log_wave, on_log


def _line_planes(
    sky: _Sky, wave: FloatArray, redshift: float, sigma: float, chosen: slice | list[int] = slice(None)
) -> FloatArray:
    """Chosen emission lines of every pixel of the sky, (wave, y, x) float32 [1e-16 erg/s/cm2/Angstrom]."""
    v, n = sky.maps.v_star.ravel(), sky.model.size
    planes, every = np.zeros((wave.size, n), np.float32), np.arange(n)
    fluxes = sky.line_flux[chosen].reshape(-1, n)
    for rest, flux in zip(line_table().wave[chosen], fluxes, strict=True):
        centre = rest * (1 + redshift) * np.exp(v / LIGHT_SPEED_KMS)
        width = np.hypot(CALIFA_FWHM_ANGSTROM / FWHM_PER_SIGMA, centre * sigma / LIGHT_SPEED_KMS)
        nearest = np.round((centre - wave[0]) / CALIFA_PIXEL_ANGSTROM).astype(int)
        for step in range(-_LINE_REACH, _LINE_REACH + 1):
            inside = (nearest + step >= 0) & (nearest + step < wave.size)
            place = np.where(inside, nearest + step, 0)
            profile = np.exp(-0.5 * ((wave[place] - centre) / width) ** 2) / (np.sqrt(2 * np.pi) * width)
            planes[place[inside], every[inside]] += (profile * flux / CUBE_UNIT)[inside]
    return planes.reshape(wave.size, *sky.model.shape)


def _blurred(planes: FloatArray, settings: CubeMockSettings) -> FloatArray:
    """Planes (plane, y, x) of the sky at the cube's point spread, in its field; dark planes stay dark."""
    kernel = moffat_image(settings.psf, CALIFA_SPAXEL_ARCSEC)
    cut = [(n - m) // 2 for n, m in zip(planes.shape[1:], settings.shape, strict=True)]
    field = tuple(slice(c, c + m) for c, m in zip(cut, settings.shape, strict=True))
    result = np.zeros((len(planes), *settings.shape), np.float32)
    for plane in np.flatnonzero(planes.any(axis=(1, 2))):
        result[plane] = fftconvolve(planes[plane], kernel, mode="same")[field]
    return result


def _true_maps(sky: _Sky, settings: CubeMockSettings) -> dict[str, FloatArray]:
    """Means weighted by r light at the cube's point spread, as one star in each resolution element would have them."""
    light, maps = sky.bands[R_BAND], sky.maps

    def seen(values: FloatArray) -> FloatArray:
        return _blurred(values[None].astype(np.float64), settings)[0].astype(float)

    total = seen(light)
    v_star = seen(light * maps.v_star) / total
    second = seen(light * (maps.sigma_star**2 + maps.v_star**2)) / total
    found = {
        "log_mu_star": np.log10(seen(10.0**maps.log_mu_star)),
        "log_age_wr": np.log10(seen(light * 10.0 ** sky.log_age_wr[sky.model]) / total),
        "log_Z_wr": np.log10(seen(light * 10.0 ** sky.log_Z_wr[sky.model]) / total),
        "v_star": v_star, "sigma_star": np.sqrt(np.maximum(second - v_star**2, 0.0)),
        "sb_r": ZERO_POINT - 2.5 * np.log10(total),
    }  # fmt: skip
    for band, plane in zip(BANDS, sky.rest_bands, strict=True):
        found[f"mag_{band}"] = ZERO_POINT - 2.5 * np.log10(seen(plane) * CALIFA_SPAXEL_ARCSEC**2)
    lines = zip(LINE_NAMES, sky.line_flux, strict=True)
    return found | {f"flux_{name}": seen(flux) / CUBE_UNIT * CALIFA_SPAXEL_ARCSEC**2 for name, flux in lines}


def _true_lines(sky: _Sky, wave: FloatArray, redshift: float, settings: CubeMockSettings) -> dict[str, TrueLine]:
    """Each line that is compared alone, at the cube's point spread."""
    found = {}
    for name in TRUE_LINES:
        window = line_window(name, wave, redshift)
        planes = _line_planes(sky, wave[window], redshift, settings.gas_sigma, line_members(name))
        found[name] = TrueLine(window.start, _blurred(planes, settings))
    return found


def _true_indices(stars: FloatArray, wave: FloatArray, v_star: FloatArray, redshift: float) -> dict[str, FloatArray]:
    """Indices of the stars as the cube would see them without noise, each spaxel at its own velocity (y, x)."""
    values = indices_of(stars.reshape(wave.size, -1).T, wave, v_star.ravel(), redshift).reshape(*stars.shape[1:], -1)
    return dict(zip(INDEX_NAMES, np.moveaxis(values, -1, 0), strict=True))


def _photographs(sky: _Sky, galaxy, settings: CubeMockSettings, rng) -> tuple[Image, ...]:
    """SDSS-like images in ugriz, with our Galaxy's dust, the star, and the noise of SDSS's sky."""
    depth = MockSettings().photometric_depth
    return tuple(
        _photograph(plane, band, limit, galaxy, settings, rng)
        for plane, band, limit in zip(sky.bands, BANDS, depth, strict=True)
    )


def _photograph(plane: FloatArray, band: str, depth: float, galaxy, settings: CubeMockSettings, rng) -> Image:
    pixel, seeing = settings.sdss_pixel, Moffat(SDSS_PSF_FWHM[band], settings.sdss_beta)
    shape = tuple(int(min(plane.shape) / pixel / 1.4) for _ in range(2))  # turned, it still lies inside the sky
    wcs = tangent_wcs(galaxy.ra, galaxy.dec, shape, pixel, settings.sdss_angle)
    rows, columns = np.indices(shape)
    x, y = sky_wcs(galaxy, plane.shape).all_world2pix(*wcs.all_pix2world(columns, rows, 0), 0)
    bright = map_coordinates(plane, (y, x), order=3, mode="nearest") * pixel**2
    star_x, star_y = _star_place(plane.shape, settings)
    at = np.hypot(x - star_x, y - star_y)  # pixels of the sky are one arcsec
    norm = (seeing.beta - 1.0) / (np.pi * seeing.alpha**2)
    flux = 10.0 ** (-0.4 * (settings.star_magnitude - ZERO_POINT))
    star = flux * norm * (1.0 + (at / seeing.alpha) ** 2) ** -seeing.beta * pixel**2
    noise = 10.0 ** (-0.4 * (depth - ZERO_POINT)) * pixel
    seen = fftconvolve(np.pad(bright, 80, mode="edge"), moffat_image(seeing, pixel), mode="same")[80:-80, 80:-80] + star
    reddened = _reddened(Image(band, seen, np.full(shape, noise), wcs, pixel, seeing.fwhm), settings.a_v)
    scale = 10.0 ** (-0.4 * settings.wrong_colour * rng.standard_normal())
    return reddened._replace(data=scale * reddened.data + rng.normal(0.0, noise, shape))


def _reddened(image: Image, a_v: float) -> Image:
    """The image as SDSS would have it: behind our Galaxy's dust and on SDSS's own zero points."""
    factor = deredden(image._replace(data=np.ones((1, 1)), error=np.ones((1, 1))), a_v).data[0, 0]
    return image._replace(data=image.data / factor)


def tangent_wcs(ra: float, dec: float, shape: tuple[int, int], pixel: float, angle: float = 0.0) -> WCS:
    """Sky coordinates of a grid centred on a place, turned by an angle [deg]; east to the left at angle 0."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [float(ra), float(dec)]
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * pixel / 3600.0
    wcs.wcs.crpix = [(shape[1] + 1) / 2.0, (shape[0] + 1) / 2.0]
    return wcs


def sky_wcs(galaxy: MockGalaxies, shape: tuple[int, int]) -> WCS:
    """Sky coordinates of a mock's maps."""
    return tangent_wcs(galaxy.ra, galaxy.dec, shape, CALIFA_SPAXEL_ARCSEC)


def _star_place(sky_shape: tuple[int, int], settings: CubeMockSettings) -> tuple[int, int]:
    """Column and row of the star in a sky or field that has the cube's field in its middle."""
    part = settings.star_place
    margins = [(n - m) // 2 for n, m in zip(sky_shape, settings.shape, strict=True)]
    return margins[1] + round(part[0] * settings.shape[1]), margins[0] + round(part[1] * settings.shape[0])


def _spoilt(parts: tuple, maps: dict, images: tuple, made_of: tuple, rng) -> MadeCube:
    """The cube with star, dead fibre, noise and cosmic rays, its flux scale and coordinates wrong."""
    (stars, lines, each), (galaxy, mock, settings) = parts, made_of
    clean = stars + lines
    wave, r = califa_wave(), np.abs(califa_wave() - 6200.0).argmin()
    star = _star_light(wave, settings)
    stellar = star[r] > 0.1 * clean[r]
    noise, growth = _errors(clean + star, maps["sb_r"], mock, settings)
    error = (growth[:, None, None] * noise).astype(np.float32)
    y, x = np.indices(settings.shape)
    dead_at = [part * (n - 1) for part, n in zip(settings.dead_place, settings.shape[::-1], strict=True)]
    dead = np.hypot(x - dead_at[0], y - dead_at[1]) < settings.dead_radius
    scale = float(np.exp(settings.wrong_scale * rng.standard_normal()))
    flux = np.where(dead, 0.02, scale) * (clean + star) + error * _shared_noise(clean.shape, settings, rng)
    cosmic = np.stack([rng.integers(10, n - 10, settings.n_cosmic) for n in flux.shape], axis=1)
    flux[tuple(cosmic.T)] += 60.0 * error[tuple(cosmic.T)]
    good = np.broadcast_to(field_of_view(_fitting(mock, settings.shape)), flux.shape).copy()
    wcs, wrong = sky_wcs(galaxy, settings.shape), settings.wrong_place * rng.standard_normal(2)
    wcs.wcs.crpix = wcs.wcs.crpix + wrong / CALIFA_SPAXEL_ARCSEC
    cube = Cube(
        str(galaxy.name), wave, np.where(good, flux, 0).astype(np.float32), np.where(good, error, 0).astype(np.float32),
        good, CALIFA_SPAXEL_ARCSEC, wcs, settings.psf, settings.a_v, float(galaxy.redshift) * LIGHT_SPEED_KMS,
    )  # fmt: skip
    light = _true_light((stars, each), np.where(good[0], scale, 0.0), (noise, growth), float(galaxy.redshift))
    return MadeCube(cube, images, maps, stellar, dead, cosmic, tuple(wrong.tolist()), scale, light)


def _true_light(parts: tuple, scale: FloatArray, noise: tuple, redshift: float) -> TrueLight:
    """Stars and lines on a flux scale (y, x), without the planes that no comparison needs."""
    (stars, each), wave = parts, califa_wave()
    scale = scale.astype(np.float32)
    kept = np.where(needed_planes(wave, redshift)[:, None, None], stars * scale, np.float32(0))
    return TrueLight(wave, kept, {k: v._replace(planes=v.planes * scale) for k, v in each.items()}, *noise)


def _star_light(wave: FloatArray, settings: CubeMockSettings) -> FloatArray:
    """A foreground star of flat f_nu in the cube, (wave, y, x) [1e-16 erg/s/cm2/Angstrom]."""
    spread = moffat_image(settings.psf, CALIFA_SPAXEL_ARCSEC, 2.0 * KERNEL_RADIUS_ARCSEC)
    x, y = _star_place(settings.shape, settings)
    half = spread.shape[0] // 2
    rows, columns = (np.arange(n) - at + half for n, at in zip(settings.shape, (y, x), strict=True))
    inside = ((rows >= 0) & (rows < len(spread)))[:, None] & ((columns >= 0) & (columns < len(spread)))
    image = np.where(inside, spread[np.clip(rows, 0, len(spread) - 1)][:, np.clip(columns, 0, len(spread) - 1)], 0.0)
    f_lambda = AB_ZERO_FLUX * LIGHT_SPEED / wave**2 * 10.0 ** (-0.4 * settings.star_magnitude) / CUBE_UNIT
    return (f_lambda[:, None, None] * image).astype(np.float32)


def _errors(flux: FloatArray, sb_r: FloatArray, mock: MockSettings, settings: CubeMockSettings) -> tuple:
    """One-sigma errors (y, x) by photons of source and sky at 5600 Angstrom, and a factor (wave,): more in the blue."""
    wave = califa_wave()
    at_5600 = flux[np.abs(wave - 5600.0) < 60.0].mean(axis=0)
    per_pixel = at_5600 / spaxel_snr(sb_r, mock) / np.sqrt(CALIFA_PIXEL_ANGSTROM)
    blue = 1.0 + (settings.blue_noise - 1.0) * np.clip((5600.0 - wave) / (5600.0 - 3750.0), 0.0, None) ** 2
    return per_pixel, blue


def _shared_noise(shape: tuple[int, ...], settings: CubeMockSettings, rng) -> FloatArray:
    """Noise of unit scatter that neighbouring spaxels share, independent from wavelength to wavelength."""
    white = rng.standard_normal(shape, dtype=np.float32)
    width = settings.noise_correlation / CALIFA_SPAXEL_ARCSEC
    if width <= 0:
        return white
    kernel = gaussian_filter(np.pad([[1.0]], 8), width)
    shared = gaussian_filter(white, (0.0, width, width), mode="wrap")
    return shared / np.float32(np.sqrt((kernel**2).sum()))
