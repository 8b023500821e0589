"""Exponential and logarithm for the vector unit against those of the C library."""

import numba
import numpy as np

from engine.inference.vector_math import exp_of, log10_of


@numba.njit
def _exp(x, out):
    for at in range(x.size):
        out[at] = exp_of(x[at])


@numba.njit
def _log10(x, out):
    for at in range(x.size):
        out[at] = log10_of(x[at])


def of_all(function, x):
    out = np.empty_like(x)
    function(x, out)
    return out.astype(float)


def test_the_exponential_is_right_to_five_millionths_wherever_float32_has_one():
    x = np.linspace(-86, 86, 200_001).astype(np.float32)
    np.testing.assert_allclose(of_all(_exp, x), np.exp(x.astype(float)), rtol=5e-6)


def test_the_exponential_of_zero_is_one_and_of_very_negative_numbers_next_to_nothing():
    one, none, least = of_all(_exp, np.float32([0.0, -100.0, -3e38]))
    assert one == 1.0
    assert 0 < none < 2e-38
    assert 0 < least < 2e-38


def test_the_logarithm_is_right_to_four_millionths_of_a_dex():
    x = (10.0 ** np.linspace(-37, 37, 200_001)).astype(np.float32)
    np.testing.assert_allclose(of_all(_log10, x), np.log10(x.astype(float)), atol=4e-6)


def test_the_logarithm_of_one_is_zero():
    assert of_all(_log10, np.float32([1.0]))[0] == 0.0
