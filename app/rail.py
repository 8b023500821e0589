"""The rail: every choice of the selection, in the order of the argument, with the counts that follow."""

from itertools import pairwise

import numpy as np
import panel as pn

from app import theme
from app.compat import Buttons, CheckButtons, Slider, Words
from app.pages.relations import RelationsPage
from app.selection import OVERLAYS, SEQUENCES, SMOOTHINGS, Selection
from app.settings import ASSETS
from app.store import WEIGHTINGS, Survey
from engine.adopted import LOG_M_STAR_BINS, LOG_MU_E_BINS

SLIDER_STEP = 0.05
BARS = 32
ALL = (-99.0, 99.0)  # wider than any galaxy
VALLEY_WORDS = {"eq. 3": "paper", "fitted": "fitted", "by hand": "hand"}
WEIGHT_WORDS = {"area × 1/V′": "area/V'max", "area": "area", "equal": "equal"}
WEIGHT_LONG = {"area/V'max": "area × 1/V′<sub>max</sub>", "area": "area", "equal": "each region equal"}
SEQUENCE_WORDS = dict(zip(("all", "old ridge", "young"), SEQUENCES, strict=True))
SHADE_WORDS = {"density": False, "per column": True}
HAND = {"step": 0.005, "format": "0.000", "width": 112}
assert set(WEIGHT_WORDS.values()) == set(WEIGHTINGS)


def widget_style() -> str:
    """The style sheet of widgets, which live in shadow roots and see no other."""
    return (ASSETS / "style" / "widgets.css").read_text(encoding="utf-8")


class Rail:
    """Widgets bound to one Selection. ``panels`` are what the shell embeds, by name."""

    def __init__(self, survey: Survey, selection: Selection, page: RelationsPage):
        self.survey, self.selection, self.page = survey, selection, page
        self.style = widget_style()
        self.counts, self.formula, self.notice = self._html(), self._html(), self._html()
        self.histograms = {"log_M_star": self._html(), "log_mu_e": self._html()}
        self.limits = {name: _outer(survey.galaxies[name].to_numpy()) for name in self.histograms}
        self.panels = {"counts": self.counts, "formula": self.formula, "notice": self.notice}
        for name, edges in (("log_M_star", LOG_M_STAR_BINS), ("log_mu_e", LOG_MU_E_BINS)):
            self._add_range(name, edges)
        self._add_groups()
        self._add_hand()
        self._add_legend()
        selection.param.watch(self._refresh, list(selection.param.values()))
        self._refresh()

    def _html(self) -> Words:
        return Words("", stylesheets=[self.style], margin=0, sizing_mode="stretch_width")

    def _group(self, options: dict, name: str, label: str) -> pn.widgets.RadioButtonGroup:
        """Buttons of which one is down, tied to the value of that name."""
        group = Buttons(options=options, value=getattr(self.selection, name), label=label, **self._look())
        group.param.watch(lambda event: self._choose(name, event.new), "value")
        self.selection.param.watch(lambda event: group.param.update(value=event.new), name)
        return group

    def _choose(self, name: str, value: object) -> None:
        """Set one value; everything that follows goes to the browser as one message and is painted once."""
        with pn.io.hold():
            setattr(self.selection, name, value)

    def _look(self) -> dict:
        return {"stylesheets": [self.style], "margin": 0, "sizing_mode": "stretch_width"}

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
            field = pn.widgets.FloatInput.from_param(
                self.selection.param[name],
                label=label,
                description="",
                stylesheets=[self.style],
                margin=(4, 6, 0, 0),
                **HAND,
            )
            self.hand.append(field)
        self.panels["hand"] = self.hand

    def _add_legend(self) -> None:
        legend = CheckButtons(
            options=list(OVERLAYS),
            value=list(self.selection.show),
            label="Show",
            css_classes=["legend"],
            **self._look(),
        )
        legend.param.watch(lambda event: self._choose("show", event.new), "value")
        self.selection.param.watch(lambda event: legend.param.update(value=event.new), "show")
        self.panels["show"] = legend
        reset = pn.widgets.Button(label="Reset", stylesheets=[self.style], css_classes=["action", "reset"], margin=0)
        reset.on_click(lambda _: self.reset())
        self.panels["reset"] = reset

    def _add_range(self, name: str, edges: tuple[float, ...]) -> None:
        low, high = self.limits[name]
        slider = Slider(start=low, end=high, step=SLIDER_STEP, value=self._shown(name), show_value=False,
                         tooltips=False, label="", **self._look())  # fmt: skip
        bins = _bins(edges)
        presets = Buttons(options=bins, value=ALL, **self._look())
        presets.value = _preset(getattr(self.selection, name), bins)

        def slid(event) -> None:
            whole = event.new[0] <= low and event.new[1] >= high
            self._choose(name, None if whole else tuple(event.new))

        def chosen(event) -> None:
            if event.new:  # no preset fits a free range
                self._choose(name, None if event.new == ALL else event.new)

        def follow(event) -> None:
            slider.value = self._shown(name)
            presets.value = _preset(event.new, bins)

        slider.param.watch(slid, "value_throttled", onlychanged=False)  # a preset in between moved only "value"
        presets.param.watch(chosen, "value")
        self.selection.param.watch(follow, name)
        self.panels |= {f"{name}_histogram": self.histograms[name], f"{name}_slider": slider, f"{name}_bins": presets}

    def _shown(self, name: str) -> tuple[float, float]:
        low, high = self.limits[name]
        limits = getattr(self.selection, name)
        return (
            (low, high)
            if limits is None
            else (float(np.clip(limits[0], low, high)), float(np.clip(limits[1], low, high)))
        )

    def reset(self) -> None:
        """Back to the whole survey; the page and the galaxy stay."""
        fresh = Selection()
        kept = ("name", "page", "galaxy_id", "spaxel", "plane")
        with pn.io.hold():
            self.selection.param.update({k: v for k, v in fresh.param.values().items() if k not in kept})

    def _refresh(self, *_events) -> None:
        sample = self.page.sample
        shown = self.selection.galaxy_mask(self.survey)
        words = WEIGHT_LONG[sample.weighting]
        self.counts.object = (
            f'<div class="count">{theme.thousands(sample.n_regions)} regions</div>'
            f'<div class="quiet">{theme.thousands(sample.n_galaxies)} of {len(shown)} galaxies · {words}</div>'
        )
        self.notice.object = "" if sample.n_regions else EMPTY
        self.notice.visible = not sample.n_regions
        line = self.selection.line(self.survey)
        self.formula.object = f'<div class="quiet">{_formula(*line)}</div>'
        self.hand.visible = self.selection.valley == "hand"
        for name, title in (("log_M_star", "Galaxy mass"), ("log_mu_e", "Mean density")):
            values = self.survey.galaxies[name].to_numpy()
            self.histograms[name].object = _histogram(title, name, values, self.limits[name], self._shown(name))


EMPTY = '<p class="notice">No region of this survey lies in this selection. Widen a range or press Reset.</p>'


def _outer(values: np.ndarray) -> tuple[float, float]:
    """Limits that hold all values, on the step of the slider."""
    values = values[np.isfinite(values)].astype(float)
    if not values.size:
        return 0.0, 1.0
    low, high = np.floor(values.min() / SLIDER_STEP), np.floor(values.max() / SLIDER_STEP) + 1
    return round(float(low) * SLIDER_STEP, 2), round(float(high) * SLIDER_STEP, 2)


def _bins(edges: tuple[float, ...]) -> dict[str, tuple]:
    """Presets by their words: all, below the first edge, between edges, above the last one."""
    words = [f"<{edges[0]:g}", *(f"{low:g}–{high:g}" for low, high in pairwise(edges)), f">{edges[-1]:g}"]
    ends = (ALL[0], *edges, ALL[1])
    return {"all": ALL} | dict(zip(words, pairwise(ends), strict=True))


def _preset(limits: tuple | None, bins: dict) -> tuple | None:
    limits = ALL if limits is None else limits
    return limits if limits in bins.values() else None


def _formula(slope: float, intercept: float) -> str:
    if not np.isfinite(slope):
        return "no green valley found in this survey"
    return f"log Age = {slope:.3f} log μ<sub>∗</sub> + {intercept:.2f}".replace("-", "−")


def _histogram(title: str, name: str, values: np.ndarray, limits: tuple, shown: tuple) -> str:
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
