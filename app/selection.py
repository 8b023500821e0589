"""What one visitor chose: one small value that every page reads and that a link can carry."""

import param

from app.values import BY_NAME, CHOICES, RANGES, VALUES
from engine.figures.cut import FITTED, Cut
from engine.relations.green_valley import EQUATION_3, ValleyLine

OLD_ZOOMS = "relations."  # the page of zoomed axes that a link names without one, as those of Glocal 0.1 do


class Selection(param.Parameterized):
    """One per visitor, with a parameter for each of ``app.values.VALUES``.

    A range of None cuts nothing; ranges hold their lower end, not their upper one, and None leaves an end open.
    """

    def cut(self) -> Cut:
        """Which regions count."""
        return Cut(
            ranges={name: limits for name in RANGES if (limits := getattr(self, name)) is not None},
            sequence=self.sequence,
            smoothing=self.smoothing,
            galaxies=self.galaxies,
            types=self.types,
            valley=self.valley_asked(),
        )

    def valley_asked(self) -> ValleyLine | str:
        """The green valley asked for: eq. 3, FITTED, or the visitor's own line."""
        if self.valley == "hand":
            return ValleyLine(self.valley_slope, self.valley_intercept)
        return FITTED if self.valley == "fitted" else EQUATION_3

    def choices(self) -> dict[str, object]:
        """What undo brings back."""
        return {name: getattr(self, name) for name in CHOICES}

    def is_default(self, name: str) -> bool:
        """Whether a value was left alone."""
        return getattr(self, name) == self.param[name].default

    def to_query(self) -> dict[str, str]:
        """Every value, also defaults, as the words of a link: links outlive defaults."""
        return {value.name: value.form.write(getattr(self, value.name)) for value in VALUES}

    @classmethod
    def from_query(cls, query: dict[str, str]) -> tuple["Selection", list[str]]:
        """The selection a link means, and a sentence for every word that was dropped."""
        chosen = cls()
        dropped = []
        for name, word in query.items():
            if name not in BY_NAME:
                dropped.append(f"The link holds “{name[:40]}”, which is not known here.")
                continue
            try:
                setattr(chosen, name, BY_NAME[name].form.read(word))
            except (ValueError, TypeError, OverflowError):
                dropped.append(f"The link asks for {name} = “{word[:40]}”, which is not possible here.")
        chosen.zoom = {name if "." in name else OLD_ZOOMS + name: window for name, window in chosen.zoom.items()}
        return chosen, dropped


for _value in VALUES:
    Selection.param.add_parameter(_value.name, _value.form.parameter(_value.default))
