"""Named array shapes, for signatures. Spaxel axis first, wavelength last."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]

Progress = Callable[[int, int], None]  # done, total; called now and then by long work
