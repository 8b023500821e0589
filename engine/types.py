"""Named array shapes, for signatures. Spaxel axis first, wavelength last."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# The names tell a reader what kind of numbers an array holds. To mypy an array is an array: the types that numpy's own
# functions state are wider than what they return, and nearly every expression would need a cast.
if TYPE_CHECKING:
    FloatArray: TypeAlias = NDArray[Any]
    IntArray: TypeAlias = NDArray[Any]
    BoolArray: TypeAlias = NDArray[Any]
else:
    FloatArray = NDArray[np.floating]
    IntArray = NDArray[np.integer]
    BoolArray = NDArray[np.bool_]

Progress = Callable[[int, int], None]  # done, total; called now and then by long work
