"""The regions a visitor has selected, found once per change; rail and pages read them here."""

from collections.abc import Callable

from app.selection import Selection
from app.store import Survey
from app.values import BY_NAME, CUTS
from engine.columns import column
from engine.figures.sample import Sample, full_sample, select


class Current:
    """``sample`` follows the cuts of a selection; who listens is called after it has changed, in order."""

    def __init__(self, survey: Survey, selection: Selection):
        self.survey = survey
        self.selection = selection
        self.dropped = drop_what_cannot_act(survey, selection)
        self._listeners: list[Callable[[], None]] = []
        self.sample = self._select()
        selection.param.watch(self._changed, list(CUTS))

    @property
    def full(self) -> Sample:
        """All regions, under the weighting and the green valley in force."""
        return full_sample(self.survey, self.selection.weighting, self.selection.valley_asked())

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it whenever other regions count, or count otherwise."""
        self._listeners.append(listener)

    def _select(self) -> Sample:
        return select(self.survey, self.selection.cut(), self.selection.weighting)

    def _changed(self, *_events: object) -> None:
        self.sample = self._select()
        for listener in self._listeners:
            listener()


def lacking(survey: Survey, name: str) -> str:
    """Why a value of the selection can do nothing with this survey, in a few words; empty if it can."""
    missing = [column(needed).label for needed in BY_NAME[name].needs if not survey.tells(needed)]
    return f"This table has no {', '.join(missing)}." if missing else ""


def drop_what_cannot_act(survey: Survey, selection: Selection) -> list[str]:
    """Set back what this survey has no columns for; a sentence for each."""
    dropped = []
    for name in CUTS:
        reason = "" if selection.is_default(name) else lacking(survey, name)
        if reason:
            setattr(selection, name, selection.param[name].default)
            dropped.append(f"The link asks for {name}, which does nothing here. {reason}")
    return dropped
