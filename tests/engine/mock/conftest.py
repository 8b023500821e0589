"""A toy library whose observables are simple formulas of age, metallicity and dust, and small surveys from it."""

import dataclasses

import numpy as np
import pytest

from engine.library.types import Library
from engine.mock.galaxies import draw_galaxies
from engine.mock.populations import fit_light_per_mass
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth


def toy_library(n_model: int, seed: int) -> Library:
    """Mass-to-light ratios and indices roughly as in real models, without any noise in the relations."""
    rng = np.random.default_rng(seed)
    log_age, log_Z = rng.uniform(8.3, 10.1, n_model), rng.uniform(-1.2, 0.4, n_model)
    tau_v, ism_fraction = rng.exponential(1.0, n_model), rng.uniform(0.1, 0.7, n_model)
    a, depth = log_age - 9.5, tau_v * ism_fraction
    log_light = -1.86 - (0.07 + 0.75 * a + 0.15 * log_Z + 0.35 * depth)
    colour = np.array([-2.2, -0.75, 0.0, 0.3, 0.5])
    redness = 1.0 + 0.8 * (a - 0.3) + 0.2 * log_Z + 0.3 * depth
    flux = 10.0 ** (log_light[:, None] + 0.4 * colour * redness[:, None])
    indices = np.stack(
        [1.5 + 0.5 * a + 0.1 * log_Z, 3.0 - 2.0 * a, -2.0 - 9.0 * a - 2.0 * log_Z,
         0.2 + 0.1 * log_Z + 0.03 * a, 2.2 + 1.2 * log_Z + 0.6 * a], axis=-1,
    )  # fmt: skip
    grid = np.repeat(indices[:, None], 2, axis=1).astype(np.float32)
    parameters = {"tau_v": tau_v, "ism_fraction": ism_fraction}
    return Library(log_age, log_Z, grid, np.array([100.0, 200.0]), flux.astype(np.float32), parameters, {})


@pytest.fixture(scope="session")
def settings() -> MockSettings:
    return dataclasses.replace(MockSettings(), n_galaxies=12)


@pytest.fixture(scope="session")
def truth(settings) -> Truth:
    return Truth.from_library(toy_library(6000, seed=1), settings)


@pytest.fixture(scope="session")
def galaxies(truth, settings):
    return draw_galaxies(fit_light_per_mass(truth.library), settings, np.random.default_rng(5))


@pytest.fixture(scope="session")
def inference_library() -> Library:
    return toy_library(4000, seed=2)
