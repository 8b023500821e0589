"""More cuts, made when they are first asked for: S/N, errors, radius, galaxies by name or type, each with its count."""

import re
from html import escape

import panel as pn

from app import theme
from app.compat import WordsPane
from app.current import lacking
from app.looks import widget_style
from app.pages.context import Context
from app.values import EXTRA_CUTS, Value
from engine.figures.cut import Cut, Range

LOW_HINT = "at least"
FIELD = {"width": 74, "step": 0.1}


class ExtraCuts:
    """``place`` is filled by ``open``; before, only those that are set count."""

    def __init__(self, context: Context):
        self.survey = context.survey
        self.selection = context.selection
        self.current = context.current
        self.place = pn.Column(margin=0, sizing_mode="stretch_width")
        self.counts: dict[str, WordsPane] = {}

    def open(self) -> None:
        """Make the fields, once."""
        if len(self.place):
            return
        rows = [self._range(value) for value in EXTRA_CUTS]
        self.place[:] = [*rows, *self._names(), *self._types()]
        self.current.listen(self._refresh)
        self._refresh()

    def _look(self, **more: object) -> dict:
        return {"stylesheets": [widget_style()], "margin": 0} | more

    def _range(self, value: Value) -> pn.Row:
        """One bound of a quantity; the reason where this survey has none."""
        name, low = value.name, value.hint == LOW_HINT
        label = value.label or theme.html_label(name)
        reason = lacking(self.survey, name)
        words = WordsPane(f'<span class="cut-label">{label} {value.hint}</span>', **self._look(width=148))
        self.counts[name] = WordsPane("", **self._look(sizing_mode="stretch_width"))
        if reason:
            self.counts[name].object = f'<span class="quiet">{reason}</span>'
            return pn.Row(words, self.counts[name], margin=0)
        field = pn.widgets.FloatInput(value=self._end(name, low), placeholder="any", css_classes=["bound"],
                                      label=f"{theme.plain(label)} {value.hint}", **FIELD, **self._look())  # fmt: skip

        def typed(event) -> None:
            bound = event.new
            limits = None if bound is None else Range(bound, None) if low else Range(None, bound)
            self._set(name, limits)

        field.param.watch(typed, "value")
        self.selection.param.watch(lambda _: field.param.update(value=self._end(name, low)), name)
        return pn.Row(words, field, self.counts[name], margin=(0, 0, 4, 0))

    def _end(self, name: str, low: bool) -> float | None:
        limits = getattr(self.selection, name) or Range()
        return limits.low if low else limits.high

    def _names(self) -> list:
        self.counts["galaxies"] = WordsPane("", **self._look(sizing_mode="stretch_width"))
        area = pn.widgets.TextAreaInput(
            label="Galaxies", value=self._written(), placeholder="all; or names and numbers, one a line or by commas",
            height=58, sizing_mode="stretch_width", **self._look(),
        )  # fmt: skip

        def typed(event) -> None:
            found, unknown = read_galaxies(self.survey.galaxies, event.new)
            self._unknown = unknown
            self._set("galaxies", found)
            self._refresh()

        self._unknown: list[str] = []
        area.param.watch(typed, "value")
        self.selection.param.watch(lambda event: None if event.new else area.param.update(value=""), "galaxies")
        return [area, self.counts["galaxies"]]

    def _written(self) -> str:
        if self.selection.galaxies is None:
            return ""
        rows = self.survey.galaxies
        names = rows.loc[rows["galaxy_id"].isin(self.selection.galaxies), "name"]
        return ", ".join(map(str, names))

    def _types(self) -> list:
        if reason := lacking(self.survey, "types"):
            return [WordsPane(f'<span class="quiet">Types: {reason}</span>', **self._look(sizing_mode="stretch_width"))]
        self.counts["types"] = WordsPane("", **self._look(sizing_mode="stretch_width"))
        kinds = self.survey.galaxies["hubble_type"].dropna().astype(str).value_counts()
        options = {f"{kind} ({n})": kind for kind, n in sorted(kinds.items()) if kind.strip()}
        choice = pn.widgets.MultiSelect(
            label="Types", options=options, value=list(self.selection.types or ()), size=min(6, len(options)),
            sizing_mode="stretch_width", **self._look(),
        )  # fmt: skip
        choice.param.watch(lambda event: self._set("types", tuple(event.new) or None), "value")
        self.selection.param.watch(lambda event: choice.param.update(value=list(event.new or ())), "types")
        return [choice, self.counts["types"]]

    def _set(self, name: str, value: object) -> None:
        with pn.io.hold():
            setattr(self.selection, name, value)

    def _refresh(self) -> None:
        """How many regions each cut keeps by itself."""
        for name, words in self.counts.items():
            chosen = getattr(self.selection, name)
            if chosen is None:
                if not lacking(self.survey, name):
                    words.object = ""
                continue
            cut = Cut(**{name: chosen}) if name in ("galaxies", "types") else Cut(ranges={name: chosen})
            n = self.current.full.part(cut).n_regions
            words.object = f'<span class="quiet">{theme.thousands(n)} regions</span>'
        unknown = getattr(self, "_unknown", [])
        if unknown:
            listed = ", ".join(f"“{word[:30]}”" for word in unknown[:3]) + (" and others" if len(unknown) > 3 else "")
            self.counts["galaxies"].object += f' <span class="warning">Not in this survey: {escape(listed)}.</span>'


def read_galaxies(galaxies, words: str) -> tuple[tuple[int, ...] | None, list[str]]:
    """galaxy_id of the names or numbers in a pasted list, and the words that name none; None for an empty list.

    Names are parted by commas, semicolons or new lines; spaces, case and a leading CALIFA do not matter.
    """
    by_name = {_plain(name): int(i) for name, i in zip(galaxies["name"], galaxies["galaxy_id"], strict=True)}
    numbers = set(by_name.values())
    found, unknown = [], []
    for word in filter(None, (part.strip() for part in re.split(r"[,;\n]", words or ""))):
        plain = _plain(word)
        number = plain.removeprefix("califa")
        if plain in by_name:
            found.append(by_name[plain])
        elif number.isdecimal() and int(number) in numbers:
            found.append(int(number))
        else:
            unknown.append(word)
    return (tuple(dict.fromkeys(found)) if found or unknown else None), unknown


def _plain(words: object) -> str:
    return re.sub(r"[\s_-]", "", str(words)).lower()
