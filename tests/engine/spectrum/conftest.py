"""Real stellar models, templates made of them, and spectra made another way than they are fitted."""

import numpy as np
import pytest

from engine.mock.infill import Motion, observed_stars
from tests.reference.model_spectra import REDSHIFT, WAVE, Models


@pytest.fixture(scope="session")
def models(real_grid) -> Models:
    optical = (real_grid.wave > 3300) & (real_grid.wave < 8000)
    flux = real_grid.flux[..., optical].astype(float)
    return Models(real_grid.wave[optical], flux, real_grid.age, real_grid.metallicity)


@pytest.fixture(scope="session")
def templates(models):
    return models.templates()


@pytest.fixture(scope="session")
def disc(models):
    """Old, middle-aged and young stars at 120 km/s with 150 km/s dispersion, median 1: (wave,), (wave,), motion."""
    motion = Motion(120.0, 150.0, REDSHIFT)
    flux = observed_stars(
        WAVE, models.wave, models.mixture([(1.0, 8e9, 1.0), (0.4, 2e9, 0.5), (1.0, 1e8, 0.2)]), motion
    )
    return WAVE, flux / np.median(flux), motion
