"""A library of model galaxies from simple formulas, for tests that need no stellar models."""

import numpy as np

from engine.library.types import Library

SOLAR_R = 4.65  # absolute AB magnitude; the formulas below are rough fits by eye to BC03 models


def toy_library(n_model: int, seed: int) -> Library:
    """Models spread evenly in log age, log Z and dust, whose observables are smooth functions of these three.

    Mass-to-light ratios, colours and indices are about those of real models, at every dispersion the same.
    """
    rng = np.random.default_rng(seed)
    log_age = rng.uniform(8.3, 10.1, n_model)
    log_Z = rng.uniform(-1.2, 0.4, n_model)
    tau_v = rng.exponential(1.0, n_model)
    ism_fraction = rng.uniform(0.1, 0.7, n_model)
    indices = np.stack(toy_indices(log_age, log_Z), axis=-1)
    return Library(
        log_age_wr=log_age,
        log_Z_wr=log_Z,
        indices=np.repeat(indices[:, None], 2, axis=1).astype(np.float32),
        sigma_grid=np.array([100.0, 200.0]),
        flux=toy_fluxes(log_age, log_Z, tau_v * ism_fraction).astype(np.float32),
        parameters={"tau_v": tau_v, "ism_fraction": ism_fraction, "log_last_burst_age": np.full(n_model, np.nan)},
        meta={"models": "toy", "seed": seed},
    )


def toy_fluxes(log_age: np.ndarray, log_Z: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """ugriz of the toy, (model, band), behind dust of an optical depth (model,)."""
    age = log_age - 9.5
    log_light = -0.4 * SOLAR_R - (0.07 + 0.75 * age + 0.15 * log_Z + 0.35 * depth)
    colour = np.array([-2.2, -0.75, 0.0, 0.3, 0.5])
    redness = 1.0 + 0.8 * (age - 0.3) + 0.2 * log_Z + 0.3 * depth
    return 10.0 ** (log_light[:, None] + 0.4 * colour * redness[:, None])


def toy_indices(log_age: np.ndarray, log_Z: np.ndarray) -> tuple[np.ndarray, ...]:
    """The five indices of the toy, in the order of columns.INDEX_NAMES."""
    age = log_age - 9.5
    return (
        1.5 + 0.5 * age + 0.1 * log_Z,
        3.0 - 2.0 * age,
        -2.0 - 9.0 * age - 2.0 * log_Z,
        0.2 + 0.1 * log_Z + 0.03 * age,
        2.2 + 1.2 * log_Z + 0.6 * age,
    )
