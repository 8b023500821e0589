"""A model galaxy the long way: many thin age slices, whole spectra, dust at every wavelength."""

from itertools import pairwise

import numpy as np

from engine.library.ssp import SSPGrid
from engine.spectrum.photometry import band_weights


def spectrum_of(grid: SSPGrid, age: float, Z: float) -> tuple[np.ndarray, float]:
    """Spectrum and living mass per Msun formed of one population, linear in age and log Z between those of the grid."""
    k = min(max(np.searchsorted(grid.age, age, side="right") - 1, 0), grid.age.size - 2)
    t = (age - grid.age[k]) / (grid.age[k + 1] - grid.age[k])
    log_Z = np.log10(grid.metallicity)
    j = min(max(np.searchsorted(log_Z, np.log10(Z), side="right") - 1, 0), log_Z.size - 2)
    z = float(np.clip((np.log10(Z) - log_Z[j]) / (log_Z[j + 1] - log_Z[j]), 0, 1))
    corners = [(j, k, (1 - z) * (1 - t)), (j + 1, k, z * (1 - t)), (j, k + 1, (1 - z) * t), (j + 1, k + 1, z * t)]
    spectrum = sum(w * grid.flux[a, b] for a, b, w in corners)
    return spectrum, sum(w * grid.living_fraction[a, b] for a, b, w in corners)


def slices_of(one: dict, n: int) -> list[tuple[float, float, float]]:
    """(mass, age, Z) of stars, in all 1 Msun; the continuous history in slices of equal ratio of age."""
    start = one["onset_age"]

    def formed(time):
        if one["exponential"]:
            return 1 - np.exp(-time / one["tau"])
        return 1 - np.exp(-(time**2) / (2 * one["tau"] ** 2))

    def fraction_formed(age):
        return formed(start - age) / formed(start)

    edges = np.concatenate([[0.0], np.geomspace(1e5, start, n)])
    stars = []
    for young, old in pairwise(edges):
        age, mass = (young + old) / 2, fraction_formed(young) - fraction_formed(old)
        Z = one["Z_final"] - (one["Z_final"] - one["Z_initial"]) * max(1 - fraction_formed(age), 0.0) ** one["alpha"]
        stars.append((mass, age, Z))
    bursts = zip(one["burst_mass"], one["burst_age"], one["burst_length"], one["burst_Z"], strict=True)
    for burst, age, length, Z in bursts:
        moments = age - length * (np.arange(200) + 0.5) / 200
        stars += [(burst / 200, moment, Z) for moment in moments if burst > 0]
    mass = sum(star[0] for star in stars)
    return [(m / mass, a, Z) for m, a, Z in stars]


def galaxy_of(grid: SSPGrid, one: dict, r_band, n: int = 1500) -> dict:
    """Spectrum per Msun of living stars, living fraction, and the two light-weighted means."""
    grid = grid._replace(flux=grid.flux.astype(float))
    young_dust = (1 - one["ism_fraction"]) * one["tau_v"] * (grid.wave / 5500) ** -1.3
    ism = one["ism_fraction"] * one["tau_v"] * (grid.wave / 5500) ** -0.7
    total, living, light, ages, metals = np.zeros(grid.wave.size), 0.0, 0.0, 0.0, 0.0
    r_weights = band_weights(grid.wave, r_band)
    for mass, age, Z_born in slices_of(one, n):
        Z = min(max(Z_born, grid.metallicity[0]), grid.metallicity[-1])
        spectrum, alive = spectrum_of(grid, age, Z)
        seen = mass * spectrum * np.exp(-ism - (young_dust if age < 1e7 else 0.0))
        r_light = seen @ r_weights
        total += seen
        living += mass * alive
        light += r_light
        ages += r_light * age
        metals += r_light * Z
    return {
        "spectrum": total / living, "living_fraction": living,
        "log_age_wr": np.log10(ages / light), "log_Z_wr": np.log10(metals / light),
    }  # fmt: skip


def broaden(wave: np.ndarray, flux: np.ndarray, at: np.ndarray, sigma_angstrom: float, sigma_kms: float) -> np.ndarray:
    """Spectrum at given wavelengths after Gaussian broadening, by summing the kernel."""
    out = np.empty(at.size)
    step = np.gradient(wave)
    for i, centre in enumerate(at):
        width = np.hypot(sigma_angstrom, centre * sigma_kms / 299792.458)
        near = slice(*np.searchsorted(wave, [centre - 9 * width, centre + 9 * width]))
        kernel = np.exp(-0.5 * ((wave[near] - centre) / width) ** 2) * step[near]
        out[i] = (kernel * flux[near]).sum() / kernel.sum()
    return out
