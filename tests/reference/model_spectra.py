"""Real stellar models and spectra made of them, for tests of fits."""

from typing import NamedTuple

import numpy as np

from engine.spectrum.templates import match_templates, pick_ssps

WAVE = np.arange(3701.0, 7502.0, 2.0)  # of CALIFA's COMB cubes
REDSHIFT = 0.015


class Models(NamedTuple):
    wave: np.ndarray
    flux: np.ndarray  # (metal, age, wave)
    age: np.ndarray
    metallicity: np.ndarray

    def mixture(self, parts):
        """Sum of (metallicity / Zsun, age [yr], share of the light)."""
        total = 0.0
        for metallicity, age, share in parts:
            one = self.flux[np.abs(self.metallicity - metallicity).argmin(), np.abs(self.age - age).argmin()]
            total = total + share * one / np.median(one)
        return total

    def templates(self, data_wave=WAVE, redshift=REDSHIFT, **resolution):
        rows = pick_ssps(self.age, self.metallicity)
        return match_templates(self.wave, self.flux[rows], data_wave, redshift, **resolution)


def noisy(flux, snr, n, seed=0):
    """(n, wave) spectra of the same flux and their errors."""
    err = np.broadcast_to(np.abs(flux) / snr, (n, flux.size))
    return flux + err * np.random.default_rng(seed).standard_normal(err.shape), err
