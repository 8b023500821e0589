"""Libraries of real stellar models for mock surveys."""

import pytest

from engine.mock.populations import quiet_priors
from engine.mock.settings import MockSettings
from precompute.stages.demo import Libraries


@pytest.fixture(scope="session")
def libraries(library_of) -> Libraries:
    """Small libraries of three seeds: histories of young regions and of old ones, and models that measure them."""
    quiet = library_of(15_000, 3, quiet_priors(MockSettings()))
    return Libraries(library_of(30_000, 1), quiet, library_of(30_000, 2))
