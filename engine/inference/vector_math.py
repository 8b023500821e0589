"""Exponential and logarithm plain enough for the compiler to work on many numbers at once.

The ones of the C library are called number by number; in the loops over models that is most of the time.
Ranges and errors are tested in tests/engine/inference/test_vector_math.py.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from engine.compiled import njit

_F = np.float32
_as_function: Any = intrinsic  # what it makes is called without the first argument, which mypy cannot know
# Taylor series of 2^f about 0 for |f| <= 1/2: the first term left out is below 1e-7
_EXP2 = tuple(_F(np.log(2.0) ** n / np.prod(np.arange(1.0, n + 1))) for n in range(7))
# log2 m = 2 / ln 2 * artanh(s), s = (m - 1) / (m + 1), |s| <= 0.172 for m in [sqrt(1/2), sqrt(2)]
_LOG2 = tuple(_F(2.0 / np.log(2.0) / n) for n in (1, 3, 5))
_LOG2_E = _F(1.0 / np.log(2.0))
_LOG10_2 = _F(np.log10(2.0))
_SMALLEST = _F(-126.0)
_LARGEST = _F(126.0)


@_as_function
def bits_of(_typing, _number):
    """The 32 bits of a float32, as an integer."""
    return types.int32(types.float32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.IntType(32))


@_as_function
def float_of(_typing, _bits):
    """The float32 that 32 bits mean."""
    return types.float32(types.int32), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.FloatType())


@njit(inline="always")
def exp_of(x):
    """e^x of a float32, right to 5e-6 of it; held within 1.2e-38 and 8.5e37."""
    power = min(max(_F(x) * _LOG2_E, _SMALLEST), _LARGEST)
    whole = np.int32(power + _F(126.5)) - np.int32(126)  # the nearest whole number: what is cut off is positive
    f = power - _F(whole)
    a = _EXP2[6]
    b = _EXP2[5]
    c = _EXP2[4]
    series = (((((a * f + b) * f + c) * f + _EXP2[3]) * f + _EXP2[2]) * f + _EXP2[1]) * f + _EXP2[0]
    return series * float_of((whole + np.int32(127)) << np.int32(23))


@njit(inline="always")
def log10_of(x):
    """log10 of a positive float32, right to 4e-6."""
    bits = bits_of(_F(x))
    power = (bits - np.int32(0x3F3504F3)) >> np.int32(23)  # of sqrt(1/2): the mantissa is within sqrt(1/2) and sqrt(2)
    m = float_of(bits - (power << np.int32(23)))
    s = (m - _F(1.0)) / (m + _F(1.0))
    s2 = s * s
    return (_F(power) + s * ((_LOG2[2] * s2 + _LOG2[1]) * s2 + _LOG2[0])) * _LOG10_2
