"""One mock galaxy as both instruments see it, with its truth."""

from typing import NamedTuple

import numpy as np

from engine.adopted import CALIFA_SPAXEL_ARCSEC
from engine.constants import LIGHT_SPEED_KMS
from engine.cube.types import Cube, Image
from engine.mock.cubes.camera import photographs, sky_wcs
from engine.mock.cubes.flaws import Spoilt, spoil
from engine.mock.cubes.settings import CubeMockSettings, califa_wave, fitting
from engine.mock.cubes.sky import MockSky, TrueModels, draw_sky, near_field
from engine.mock.cubes.spectrograph import blurred, line_planes, star_planes
from engine.mock.cubes.truth import true_indices, true_light, true_lines, true_maps
from engine.mock.expected import TrueLight
from engine.mock.galaxies import MockGalaxies
from engine.mock.maps import field_of_view
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray, IntArray


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


def make_cube(
    galaxy: MockGalaxies, models: TrueModels, mock: MockSettings, settings: CubeMockSettings, rng: np.random.Generator
) -> MadeCube:
    """One galaxy, a row with ra and dec, seen by both instruments, and its truth."""
    redshift = float(galaxy.redshift)
    wave = califa_wave()
    sky = draw_sky(galaxy, models, mock, settings, rng)
    near = near_field(sky, settings)
    stars = blurred(star_planes(near, wave, redshift), settings)
    lines = blurred(line_planes(near, wave, redshift, settings.gas_sigma), settings)
    maps = true_maps(near, settings)
    maps |= true_indices(stars, wave, maps["v_star"], redshift)
    images = photographs(sky, galaxy, settings, rng)
    spoilt = spoil(stars + lines, maps["sb_r"], mock, settings, rng)
    cube, wrong = _cube_of(spoilt, galaxy, mock, settings, rng)
    light = _light_of(stars, near, cube, spoilt, redshift, settings)
    return MadeCube(cube, images, maps, spoilt.star, spoilt.dead, spoilt.cosmic, wrong, spoilt.scale, light)


def _light_of(
    stars: FloatArray, near: MockSky, cube: Cube, spoilt: Spoilt, redshift: float, settings: CubeMockSettings
) -> TrueLight:
    """Noise-free spectra on the flux scale of the cube."""
    lines = true_lines(near, cube.wave, redshift, settings)
    scale = np.where(cube.good[0], spoilt.scale, 0.0)
    return true_light(stars, lines, scale, (spoilt.noise.at_5600, spoilt.noise.growth), redshift)


def _cube_of(
    spoilt: Spoilt, galaxy: MockGalaxies, mock: MockSettings, settings: CubeMockSettings, rng: np.random.Generator
) -> tuple[Cube, tuple[float, float]]:
    """The cube in its hexagonal field, and the shift of its stated coordinates along x and y [arcsec]."""
    good = np.broadcast_to(field_of_view(fitting(mock, settings.shape)), spoilt.flux.shape).copy()
    wcs = sky_wcs(galaxy, settings.shape)
    wrong_x, wrong_y = (settings.wrong_place * rng.standard_normal(2)).tolist()
    wcs.wcs.crpix = wcs.wcs.crpix + np.array([wrong_x, wrong_y]) / CALIFA_SPAXEL_ARCSEC
    cube = Cube(
        name=str(galaxy.name),
        wave=califa_wave(),
        flux=np.where(good, spoilt.flux, 0).astype(np.float32),
        error=np.where(good, spoilt.noise.error, 0).astype(np.float32),
        good=good,
        spaxel_arcsec=CALIFA_SPAXEL_ARCSEC,
        wcs=wcs,
        psf=settings.psf,
        a_v=settings.a_v,
        med_vel=float(galaxy.redshift) * LIGHT_SPEED_KMS,
    )
    return cube, (wrong_x, wrong_y)
