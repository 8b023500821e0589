"""Time of the steps from a cube to smoothed spectra, per spaxel of a cube of CALIFA's size, on one core.

python benchmarks/bench_smoothing.py [--json FILE]
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from astropy.wcs import WCS
from scipy.ndimage import zoom

from engine.cube.foreground import foreground_spaxels
from engine.cube.masks import mask_spaxels, usable_spaxels
from engine.cube.noise import without_cosmic_rays
from engine.cube.registration import register
from engine.cube.smoothing import DEFAULT, choose_levels, level_fractions, smooth_cube
from engine.cube.snr import window_snr
from engine.cube.types import CUBE_UNIT, NANOMAGGY, Cube, Image
from engine.cube.voronoi import bin_cube, voronoi_bins
from engine.spectrum.photometry import band_weights
from precompute.io.cubes import read_cube, write_cube
from precompute.io.filters import read_sdss_filters
from tests.reference import smoothing_plain

SHAPE, WAVE, REDSHIFT = (72, 78), 3701.0 + 2.0 * np.arange(1901), 0.015


def wcs_of(shape: tuple[int, int], pixel: float) -> WCS:
    """A grid about one place of the sky."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 20.0]
    wcs.wcs.cd = np.array([[-pixel, 0.0], [0.0, pixel]]) / 3600
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    return wcs


def made_up() -> tuple[Cube, tuple[Image, ...], tuple]:
    """A disc of S/N 100 down to 2 per pixel with 2 % of bad pixels, its images in ugriz, the filters."""
    rng, filters = np.random.default_rng(1), read_sdss_filters()
    y, x = np.indices(SHAPE) - np.array(SHAPE)[:, None, None] / 2
    brightness = 20.0 * np.exp(-np.hypot(x, y / 0.7) / 9.0)
    spectrum = WAVE**-2.0
    spectrum /= band_weights(WAVE, filters[2]) @ spectrum
    flux = (spectrum[:, None, None] * brightness * NANOMAGGY / CUBE_UNIT).astype(np.float32)
    error = np.sqrt(flux * flux.max() / 100**2 + (flux.max() / 500) ** 2).astype(np.float32)
    good = rng.random(flux.shape, dtype=np.float32) > 0.02
    flux = np.where(good, flux + error * rng.standard_normal(flux.shape, dtype=np.float32), 0)
    cube = Cube("bench", WAVE, flux, error * good, good, 1.0, wcs_of(SHAPE, 1.0), a_v=0.1)
    fine = zoom(np.pad(brightness, 30, mode="edge"), 2.5, order=1) * 0.16
    noise = np.full(fine.shape, 0.02)
    images = tuple(Image(f.name, fine, noise, wcs_of(fine.shape, 0.4), 0.4) for f in filters)
    return cube, images, filters


def timed(work) -> tuple[float, object]:
    """Seconds of a second call (the first may compile), and what it gives."""
    work()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def run() -> dict[str, float]:
    """Milliseconds per spaxel of each step, and the factor to the plain smoothing."""
    cube, images, filters = made_up()
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.COMB.rscube.fits.gz"
        write_cube(cube, path)
        took["read the cube"], _ = timed(lambda: read_cube(path))
    took["cosmic rays"], _ = timed(lambda: without_cosmic_rays(cube))
    took["register ugriz"], (grid, report) = timed(lambda: register(cube, images, filters))
    took["find foreground"], foreground = timed(lambda: foreground_spaxels(images[2], cube, report.shift))
    took["flags"], flags = timed(lambda: mask_spaxels(cube, grid, foreground, filters))
    took["signal and noise"], (signal, noise) = timed(lambda: window_snr(cube, REDSHIFT))
    usable = usable_spaxels(flags)
    took["choose levels"], found = timed(lambda: choose_levels(signal, noise, usable))
    took["smooth the cube"], _ = timed(lambda: smooth_cube(cube, found.level, usable))
    took["all at level 5"], _ = timed(lambda: smooth_cube(cube, np.full(SHAPE, 5), usable))
    bright = flags == 0
    took["Voronoi bins"], bins = timed(lambda: voronoi_bins(signal, noise, bright))
    took["bin the cube"], _ = timed(lambda: bin_cube(cube, bins.bin))
    few = slice(0, 4)
    start = time.perf_counter()
    smoothing_plain.smooth_planes(cube.flux[few], cube.error[few], cube.good[few], found.level, usable)
    plain = (time.perf_counter() - start) * len(WAVE) / 4
    print(f"levels of the kept spaxels {level_fractions(found.level, bright & (found.snr > DEFAULT.minimum)).round(3)}")
    n = usable.sum()
    return {name: 1e3 * seconds / n for name, seconds in {**took, "smooth, plain numpy": plain}.items()}


def main() -> None:
    """Print a line per step; with --json FILE also write them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    steps = run()
    for name, ms in steps.items():
        print(f"{name:20s} {ms:9.3f} ms per spaxel")
    if wanted.json:
        wanted.json.write_text(json.dumps({"ms_per_spaxel": steps}, indent=1))


if __name__ == "__main__":
    main()
