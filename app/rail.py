"""The rail: every choice of the selection, in the order of the argument, with the counts that follow."""

from itertools import pairwise

import numpy as np
import panel as pn

from app import theme
from app.compat import Buttons, Slider, WordsPane
from app.current import lacking
from app.cuts import ExtraCuts
from app.forms import RANGE
from app.history import History
from app.legend import Legend, has_columns, shown_figure
from app.looks import widget_style
from app.pages.context import Context
from app.values import CHOICES, VALLEYS, WEIGHTINGS
from engine.adopted import LOG_M_STAR_BINS, LOG_MU_E_BINS
from engine.figures.cut import SEQUENCES, SMOOTHINGS, Range

SLIDER_STEP = 0.05
BARS = 32
ALL = RANGE.write(None)
SEQUENCE_WORDS = dict(zip(("all", "old ridge", "young"), SEQUENCES, strict=True))
VALLEY_WORDS = dict(zip(("eq. 3", "fitted", "by hand"), VALLEYS, strict=True))
WEIGHT_WORDS = dict(zip(("area × 1/V′", "area", "equal"), WEIGHTINGS, strict=True))
WEIGHT_LONG = dict(zip(WEIGHTINGS, ("area × 1/V′<sub>max</sub>", "area", "each region equal"), strict=True))
SHADE_WORDS = {"density": False, "per column": True}
MASSES = {"log_M_star": ("Galaxy mass", LOG_M_STAR_BINS), "log_mu_e": ("Mean density", LOG_MU_E_BINS)}
HAND = {"step": 0.005, "format": "0.000", "width": 112}
EMPTY = '<p class="notice" role="status">No region lies in this selection. Widen a range or press Reset.</p>'


class Rail:
    """Widgets bound to one Selection. ``panels`` are what the shell embeds, by name."""

    def __init__(self, context: Context):
        self.survey = context.survey
        self.selection = context.selection
        self.current = context.current
        self.history = History(self.selection)
        self.style = widget_style()
        self.counts, self.formula, self.notes = self._html(), self._html(), self._html()
        self.histograms = {name: self._html() for name in MASSES}
        self.limits = {name: _outer(self.survey.galaxies[name].to_numpy()) for name in MASSES}
        self.panels: dict[str, pn.viewable.Viewable] = {"counts": self.counts, "formula": self.formula}
        self.panels["notes"] = self.notes
        for name in MASSES:
            self._add_range(name)
        self._add_groups()
        self._add_hand()
        self._add_legend()
        self._add_steps()
        self.cuts = ExtraCuts(context)
        self.panels["cuts"] = self.cuts.place
        self.current.listen(self._refresh)
        self.selection.param.watch(lambda *_: self._steps_follow(), list(CHOICES))
        self.selection.param.watch(lambda *_: self._shading_follows(), ["page", "figures"])
        self._refresh()
        self._steps_follow()
        self._shading_follows()

    def reset(self) -> None:
        """Back to the whole survey, and to how it is first shown; page, zooms and galaxy stay."""
        with pn.io.hold():
            self.selection.param.update(**{name: self.selection.param[name].default for name in CHOICES})

    def undo(self) -> None:
        """Back by one change."""
        with pn.io.hold():
            self.history.undo()

    def redo(self) -> None:
        """Forward by one change."""
        with pn.io.hold():
            self.history.redo()

    # --- widgets

    def _html(self) -> WordsPane:
        return WordsPane("", stylesheets=[self.style], margin=0, sizing_mode="stretch_width")

    def _look(self) -> dict:
        return {"stylesheets": [self.style], "margin": 0, "sizing_mode": "stretch_width"}

    def _choose(self, name: str, value: object) -> None:
        """Set one value; everything that follows goes to the browser as one message and is painted once."""
        with pn.io.hold():
            setattr(self.selection, name, value)

    def _group(self, options: dict | list, name: str, label: str) -> Buttons:
        """Buttons of which one is down, tied to the value of that name; off where the survey has nothing for it."""
        group = Buttons(options=options, value=getattr(self.selection, name), label=label,
                        disabled=bool(lacking(self.survey, name)), **self._look())  # fmt: skip
        group.param.watch(lambda event: self._choose(name, event.new), "value")
        self.selection.param.watch(lambda event: group.param.update(value=event.new), name)
        return group

    def _add_groups(self) -> None:
        for name, options, label in (
            ("sequence", SEQUENCE_WORDS, "Sequence"),
            ("valley", VALLEY_WORDS, "Green valley"),
            ("smoothing", list(SMOOTHINGS), "Smoothing"),
            ("weighting", WEIGHT_WORDS, "Weighting"),
            ("normalised", SHADE_WORDS, "Shading"),
        ):
            self.panels[name] = self._group(options, name, label)

    def _add_hand(self) -> None:
        self.hand = pn.Row(margin=0, visible=False)
        for name, label in (("valley_slope", "slope"), ("valley_intercept", "intercept")):
            low, high = self.selection.param[name].bounds
            field = pn.widgets.FloatInput(
                value=getattr(self.selection, name), start=low, end=high, label=label, stylesheets=[self.style],
                margin=(4, 6, 0, 0), **HAND,
            )  # fmt: skip
            field.param.watch(lambda event, name=name: self._typed(name, event), "value")
            self.selection.param.watch(lambda event, field=field: field.param.update(value=event.new), name)
            self.hand.append(field)
        self.panels["hand"] = self.hand

    def _typed(self, name: str, event) -> None:
        """Take a number that was typed; an emptied field takes back the number in force."""
        if event.new is None:
            event.obj.value = getattr(self.selection, name)
        else:
            self._choose(name, event.new)

    def _add_legend(self) -> None:
        self.legend = Legend(self.selection, self._choose, **self._look())
        self.panels["show"] = self.legend.buttons

    def _add_steps(self) -> None:
        self.steps = {}
        for name, act in (("undo", self.undo), ("redo", self.redo), ("reset", self.reset)):
            button = pn.widgets.Button(
                label=name.capitalize(), stylesheets=[self.style], css_classes=["action", "step-back"], margin=0
            )
            button.on_click(lambda _, act=act: act())
            self.steps[name] = button
        self.panels["steps"] = pn.Row(*self.steps.values(), margin=0)

    def _add_range(self, name: str) -> None:
        low, high = self.limits[name]
        off = bool(lacking(self.survey, name))
        slider = Slider(start=low, end=high, step=SLIDER_STEP, value=self._shown(name), show_value=False,
                        tooltips=False, label="", disabled=off, **self._look())  # fmt: skip
        bins = presets_of(MASSES[name][1])
        presets = Buttons(options=bins, value=None, disabled=off, label=MASSES[name][0], **self._look())

        def slid(event) -> None:
            self._choose(name, range_of(event.new, self.limits[name]))

        def chosen(event) -> None:
            if event.new:  # no preset fits a free range
                self._choose(name, RANGE.read(event.new))

        def follow(*_events) -> None:
            slider.value = self._shown(name)
            words = RANGE.write(getattr(self.selection, name))
            presets.value = words if words in bins.values() else None

        follow()
        slider.param.watch(slid, "value_throttled", onlychanged=False)  # a preset in between moved only "value"
        presets.param.watch(chosen, "value")
        self.selection.param.watch(follow, name)
        self.panels |= {f"{name}_histogram": self.histograms[name], f"{name}_slider": slider, f"{name}_bins": presets}

    def _shown(self, name: str) -> tuple[float, float]:
        """What the slider shows of a range: its ends, or those of the survey where it is open."""
        low, high = self.limits[name]
        limits = getattr(self.selection, name) or Range()
        ends = (low if limits.low is None else limits.low, high if limits.high is None else limits.high)
        return float(np.clip(ends[0], low, high)), float(np.clip(ends[1], low, high))

    # --- what follows

    def _steps_follow(self) -> None:
        changed = any(not self.selection.is_default(name) for name in CHOICES)
        for name, can in (("undo", self.history.can_undo), ("redo", self.history.can_redo), ("reset", changed)):
            self.steps[name].disabled = not can

    def _shading_follows(self) -> None:
        """Shades per column are offered where the figure has them."""
        figure = shown_figure(self.selection)
        self.panels["normalised"].visible = figure is None or has_columns(figure)

    def _refresh(self) -> None:
        sample = self.current.sample
        words, n = WEIGHT_LONG[sample.weighting], len(self.survey.galaxies)
        self.counts.object = (
            f'<div class="count" role="status">{theme.thousands(sample.n_regions)} regions</div>'
            f'<div class="quiet">{theme.thousands(sample.n_galaxies)} of {n} galaxies · {words}</div>'
            + ("" if sample.n_regions else EMPTY)
        )
        line = sample.line
        self.formula.object = f'<div class="quiet">{_formula(*line)}</div>'
        self.hand.visible = self.selection.valley == "hand"
        self.notes.object = _notes(self.survey)
        for name, (title, _) in MASSES.items():
            values = self.survey.galaxies[name].to_numpy()
            self.histograms[name].object = _histogram(title, name, values, self.limits[name], self._shown(name))


def range_of(ends: tuple[float, float], limits: tuple[float, float]) -> Range | None:
    """The range a slider means: open at an end where its handle stands at the end."""
    low = None if ends[0] <= limits[0] else ends[0]
    high = None if ends[1] >= limits[1] else ends[1]
    return None if low is None and high is None else Range(low, high)


def presets_of(edges: tuple[float, ...]) -> dict[str, str]:
    """Presets by their words, as the words of a link: all, below the first edge, between edges, above the last one."""
    words = [f"<{edges[0]:g}", *(f"{low:g}–{high:g}" for low, high in pairwise(edges)), f">{edges[-1]:g}"]
    ranges = (Range(*ends) for ends in pairwise((None, *edges, None)))
    return {"all": ALL} | dict(zip(words, map(RANGE.write, ranges), strict=True))


def _notes(survey) -> str:
    reason = lacking(survey, "smoothing")
    return f'<div class="quiet">{reason}</div>' if reason else ""


def _outer(values: np.ndarray) -> tuple[float, float]:
    """Limits that hold all values, on the step of the slider."""
    values = values[np.isfinite(values)].astype(float)
    if not values.size:
        return 0.0, 1.0
    low, high = np.floor(values.min() / SLIDER_STEP), np.floor(values.max() / SLIDER_STEP) + 1
    return round(float(low) * SLIDER_STEP, 2), round(float(high) * SLIDER_STEP, 2)


def _formula(slope: float, intercept: float) -> str:
    if not np.isfinite(slope):
        return "no green valley found in this survey"
    return f"log Age = {slope:.3f} log μ<sub>∗</sub> + {intercept:.2f}".replace("-", "−")


def _histogram(
    title: str, name: str, values: np.ndarray, limits: tuple[float, float], shown: tuple[float, float]
) -> str:
    """Galaxies over the range of the slider, the selected ones in ink, as an inline drawing."""
    edges = np.linspace(*limits, BARS + 1)
    count = np.histogram(values[np.isfinite(values)], edges)[0]
    tall = 30 * count / max(count.max(initial=0), 1)
    middle = (edges[1:] + edges[:-1]) / 2
    bars = "".join(
        f'<rect x="{i * 10 + 1}" y="{30 - h:.1f}" width="8" height="{h:.1f}" class="{"in" if inside else "out"}"/>'
        for i, (h, inside) in enumerate(zip(tall, (middle >= shown[0]) & (middle < shown[1]), strict=True))
    )
    ends = f"{shown[0]:.2f} – {shown[1]:.2f}"
    return (
        f'<div class="head"><span>{title} {theme.html_label(name)}</span><span class="ends">{ends}</span></div>'
        f'<svg class="bars" viewBox="0 0 {BARS * 10} 30" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>'
    )
