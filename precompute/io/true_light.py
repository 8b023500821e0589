"""Noise-free spectra of a mock galaxy in its truth file: stars, the compared lines, the noise.

Stars are kept in steps that are small compared with the noise, lines as they are; both compressed.
"""

from pathlib import Path

import numpy as np
from astropy.io import fits

from engine.adopted import CALIFA_PIXEL_ANGSTROM
from engine.errors import TableError
from engine.mock.expected import TRUE_LINES, TrueLight, TrueLine

STARS = "TRUE_STARS"
NOISE = "NOISE"
GROWTH = "NOISE_GROWTH"
FIRST = "FIRST"
STEP = 0.03  # of the smallest noise; *choice*: rounding then adds less than 1e-4 to the noise
FLUX_UNIT = "1e-16 erg s-1 cm-2 Angstrom-1"


def light_hdus(light: TrueLight) -> list:
    """HDUs of noise-free spectra."""
    hdus = [_stars_hdu(light)]
    for name, line in light.lines.items():
        hdus.append(_compressed(line.planes, _line_hdu(name), f"noise-free {name} alone", 0.0))
        hdus[-1].header[FIRST] = line.first, "pixel of the cube, from 0, of the first plane"
    noise = fits.ImageHDU(light.noise.astype(np.float32), name=NOISE)
    noise.header["BUNIT"] = FLUX_UNIT
    return [*hdus, noise, fits.ImageHDU(light.growth, name=GROWTH)]


def _stars_hdu(light: TrueLight) -> fits.CompImageHDU:
    used = light.noise[np.isfinite(light.noise) & (light.noise > 0)]
    stars = _compressed(light.stars, STARS, "noise-free stars; 0 where nothing is compared", -STEP * used.min())
    stars.header["CRPIX3"] = 1
    stars.header["CRVAL3"] = light.wave[0]
    stars.header["CDELT3"] = CALIFA_PIXEL_ANGSTROM
    return stars


def read_light(hdus: fits.HDUList, path: Path) -> TrueLight:
    """What light_hdus wrote; TableError if the truth is of an older kind, without spectra."""
    missing = [name for name in (STARS, *map(_line_hdu, TRUE_LINES), NOISE, GROWTH) if name not in hdus]
    if missing:
        raise TableError(f"{path} has no {missing[0]}, it is an older mock's: make it again with glocal mock-cubes")
    head = hdus[STARS].header
    stars = _native(hdus[STARS].data)
    wave = head["CRVAL3"] + head["CDELT3"] * np.arange(len(stars))
    lines = {name: TrueLine(hdus[_line_hdu(name)].header[FIRST], _native(hdus[_line_hdu(name)].data))
             for name in TRUE_LINES}  # fmt: skip
    return TrueLight(wave, stars, lines, _native(hdus[NOISE].data), np.asarray(hdus[GROWTH].data, float))


def _line_hdu(name: str) -> str:
    return f"TRUE_{name.upper()}"


def _native(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32)


def _compressed(planes: np.ndarray, name: str, words: str, step: float) -> fits.CompImageHDU:
    """Planes (plane, y, x) compressed plane by plane; step: -size of the steps they are rounded to, or 0 for none."""
    how = {"compression_type": "RICE_1" if step else "GZIP_2", "quantize_level": step}
    hdu = fits.CompImageHDU(planes.astype(np.float32), name=name, tile_shape=(1, *planes.shape[1:]), **how)
    hdu.header["BUNIT"] = FLUX_UNIT
    hdu.header["COMMENT"] = words
    return hdu
