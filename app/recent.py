"""What visitors asked for last, kept as long as it fits: colleagues in a meeting press the same buttons."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

SMALLEST = 500  # bytes counted for what holds no arrays


class Recent:
    """Values by key, the least recently asked for dropped first; all together take at most this many bytes."""

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self.bytes = 0
        self._kept: OrderedDict[object, object] = OrderedDict()

    def get(self, key: object, make: Callable[[], object]) -> object:
        """What ``make`` makes, or made before; nobody may change it."""
        if key not in self._kept:
            self._kept[key] = make()
            self.bytes += size_of(self._kept[key])
        self._kept.move_to_end(key)
        value = self._kept[key]
        while self.bytes > self.most_bytes and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self.bytes -= size_of(dropped)
        return value


def size_of(value: object) -> int:
    """Bytes of the arrays in a value, however nested in tuples, lists and dictionaries."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return SMALLEST + sum(size_of(part) for part in value.values())
    if isinstance(value, tuple | list):
        return SMALLEST + sum(size_of(part) for part in value)
    return SMALLEST
