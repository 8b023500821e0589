"""Seconds that the steps of one galaxy take."""

import time
from typing import Any


class Clock:
    """Seconds that each step takes; called with the name of a step as it begins."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._step = ""
        self._step_began = time.perf_counter()
        self._began = self._step_began
        self._cpu_began = time.process_time()

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        if self._step:
            self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._step_began
        self._step = step
        self._step_began = now

    def numbers(self) -> dict[str, Any]:
        """What the report says of the time taken so far; the last step ends."""
        self("")
        return {
            "steps_s": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            "seconds": round(time.perf_counter() - self._began, 2),
            "core_seconds": round(time.process_time() - self._cpu_began, 2),
        }
