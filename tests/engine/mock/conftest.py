"""Small mock surveys from the toy library."""

import dataclasses

import numpy as np
import pytest

from engine.library.types import Library
from engine.mock.galaxies import draw_galaxies
from engine.mock.populations import fit_light_per_mass
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth
from engine.mock.toy import toy_library


@pytest.fixture(scope="session")
def settings() -> MockSettings:
    return dataclasses.replace(MockSettings(), n_galaxies=12)


@pytest.fixture(scope="session")
def truth(settings) -> Truth:
    return Truth.from_libraries(toy_library(6000, seed=1), toy_library(3000, seed=3), settings)


@pytest.fixture(scope="session")
def galaxies(truth, settings):
    return draw_galaxies(fit_light_per_mass(toy_library(6000, seed=1)), settings, np.random.default_rng(5))


@pytest.fixture(scope="session")
def inference_library() -> Library:
    return toy_library(4000, seed=2)
