"""Undo and redo of what a visitor chose."""

from app.selection import Selection
from app.values import CHOICES

KEPT = 100


class History:
    """Follows a selection; ``undo`` and ``redo`` step through what it was. ``changed`` hears when either may act."""

    def __init__(self, selection: Selection):
        self.selection = selection
        self._past: list[dict] = []
        self._future: list[dict] = []
        self._now = selection.choices()
        self._stepping = False
        selection.param.watch(self._remember, list(CHOICES))

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to go back to."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is anything to come forward to."""
        return bool(self._future)

    def undo(self) -> None:
        """Back by one change."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Forward again by one change."""
        self._step(self._future, self._past)

    def _step(self, source: list[dict], target: list[dict]) -> None:
        if source:
            target.append(self._now)
            self._now = source.pop()
            self._stepping = True
            try:
                self.selection.param.update(**self._now)
            finally:
                self._stepping = False

    def _remember(self, *_events: object) -> None:
        if not self._stepping:
            self._past = [*self._past, self._now][-KEPT:]
            self._future = []
            self._now = self.selection.choices()
