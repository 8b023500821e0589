"""A small analytic grid of populations."""

import numpy as np
import pytest

from engine.library.ssp import SSPGrid
from engine.spectrum.indices import LICK


@pytest.fixture(scope="session")
def small_grid() -> SSPGrid:
    """Three metallicities, forty ages, smooth spectra with lines; light fades with age, lines grow with Z."""
    wave = np.arange(2900.0, 11500.0, 2.0)
    age = np.concatenate([[0.0], np.geomspace(1e5, 2e10, 39)])
    metallicity = np.array([0.02, 0.4, 2.5])
    log_age, log_Z = np.log10(np.maximum(age, 1e5))[None, :, None], np.log10(metallicity)[:, None, None]
    light = 10 ** (-0.7 * (log_age - 5) - 0.1 * log_Z) * (wave / 5500) ** (0.8 * (log_age - 8.5) + 0.3 * log_Z)
    profile = sum(np.exp(-(((wave - np.mean(index.centre)) / 9.0) ** 2)) for index in LICK)
    lines = 1 - 0.15 * (1 + 0.3 * log_Z) * profile - 0.05 * (log_age - 5) * (wave < 3990)
    living = np.broadcast_to(1 - 0.1 * (log_age[..., 0] - 5), (3, 40))
    return SSPGrid(
        wave, age, metallicity, np.float32(1e-2 * light * lines), living, "Kroupa", "made up for tests", "none",
    )  # fmt: skip
