"""What spoils mock cubes and images, and the grid they lie on."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from engine.adopted import CALIFA_PIXEL_ANGSTROM
from engine.cube.types import Moffat
from engine.mock.settings import MockSettings
from engine.types import FloatArray


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


def califa_wave() -> FloatArray:
    """Wavelengths of a COMB cube, (1901,) [Angstrom, air]."""
    return 3701.0 + CALIFA_PIXEL_ANGSTROM * np.arange(1901)


def fitting(mock: MockSettings, shape: tuple[int, int]) -> MockSettings:
    """The same mock on another grid (rows, columns); the field of view keeps its shape."""
    scale = shape[0] / mock.map_shape[0]
    width, height = mock.field_arcsec
    return replace(mock, map_shape=shape, field_arcsec=(scale * width, scale * height))


def star_place(sky_shape: tuple[int, int], settings: CubeMockSettings) -> tuple[int, int]:
    """Column and row of the star in a sky or field that has the cube's field in its middle."""
    rows, columns = settings.shape
    margin_y = (sky_shape[0] - rows) // 2
    margin_x = (sky_shape[1] - columns) // 2
    part_x, part_y = settings.star_place
    return margin_x + round(part_x * columns), margin_y + round(part_y * rows)
