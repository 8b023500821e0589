"""Every value a visitor can choose, declared once: default, kind, form in a link, columns it needs.

Selection, link, undo, reset and the rail's extra cuts derive from ``VALUES``.
"""

from dataclasses import dataclass

from app import forms, registry
from app.forms import Form
from engine.adopted import GREEN_VALLEY_INTERCEPT, GREEN_VALLEY_SLOPE, LOG_M_STAR_BINS
from engine.figures.cut import SEQUENCES, SMOOTHINGS
from engine.figures.marks import MEDIAN, SCATTER

CUT, LOOK, PLACE = "cut", "look", "place"  # which regions count; how they are shown; where the visitor is
VALLEYS = ("paper", "fitted", "hand")
WEIGHTINGS = ("area/V'max", "area", "equal")
MAPS = ("log_mu_star", "log_age_wr", "log_Z_wr", "smoothing_level")
MAP_RANGES = ("survey", "galaxy")
DETAILS = ("spectrum", "sample", "profiles")
INSETS = "insets"
OVERLAYS = ("old ridge", "young sequence", "green valley", "median", "Gallazzi+05", "contours", INSETS)
RADIUS = "radius_re"


@dataclass(frozen=True)
class Value:
    """One value: its name, what it is before anything is chosen, its form, and what it is for.

    ``needs`` are columns without which it can do nothing: then it stays at its default, and its control is off and
    says so. ``label`` and ``hint`` are words next to the control of an extra cut. Captions take their words from the
    cut (``engine.figures.words``).
    """

    name: str
    default: object
    form: Form
    kind: str = PLACE
    needs: tuple[str, ...] = ()
    label: str = ""
    hint: str = ""


def _range(name: str, hint: str = "", label: str = "", needs: tuple[str, ...] | None = None) -> Value:
    needs = (name,) if needs is None else needs
    return Value(name, None, forms.RANGE, CUT, needs, label, hint)


VALUES: tuple[Value, ...] = (
    Value("page", registry.NAMES[0], forms.one_of(registry.NAMES)),
    Value("figures", (), forms.some_of(registry.SWITCHED)),
    _range("log_M_star"),
    _range("log_mu_e"),
    Value("sequence", "all", forms.one_of(SEQUENCES), CUT),
    Value("valley", "paper", forms.one_of(VALLEYS), CUT),
    Value("valley_slope", GREEN_VALLEY_SLOPE, forms.number(-2.0, 2.0), CUT),
    Value("valley_intercept", GREEN_VALLEY_INTERCEPT, forms.number(0.0, 20.0), CUT),
    Value("smoothing", "all", forms.one_of(SMOOTHINGS), CUT, ("smoothing_level",)),
    _range("snr_per_angstrom", "at least", "S/N per Å"),
    _range("log_mu_star_err", "below"),
    _range("log_age_wr_err", "below"),
    _range("log_Z_wr_err", "below"),
    _range(RADIUS, "within", "radius in R<sub>e</sub>",
           ("half_light_radius", "axis_ratio", "position_angle", "x_centre", "y_centre")),
    Value("galaxies", None, forms.NUMBERS, CUT),
    Value("types", None, forms.NAMES, CUT, ("hubble_type",)),
    Value("weighting", WEIGHTINGS[0], forms.one_of(WEIGHTINGS), CUT),
    Value("edges", LOG_M_STAR_BINS, forms.rising_numbers(len(LOG_M_STAR_BINS)), LOOK),
    Value("min_count", 50, forms.whole_number(1, 10_000), LOOK),
    Value("shows", MEDIAN, forms.one_of((MEDIAN, SCATTER)), LOOK),
    Value("normalised", False, forms.FLAG, LOOK),
    Value("show", OVERLAYS, forms.some_of(OVERLAYS), LOOK),
    Value("plane", "", forms.TEXT),
    Value("zoom", {}, forms.WINDOWS),
    Value("galaxy_id", None, forms.whole_number(0, 2**31 - 1, or_none=True)),
    Value("maps", MAPS, forms.words_of(len(MAPS))),
    Value("map_range", MAP_RANGES[0], forms.one_of(MAP_RANGES)),
    Value("detail", DETAILS[0], forms.one_of(DETAILS)),
    Value("spaxel", None, forms.PLACE),
)  # fmt: skip
BY_NAME = {value.name: value for value in VALUES}
CUTS = tuple(value.name for value in VALUES if value.kind == CUT)
RANGES = tuple(value.name for value in VALUES if value.form is forms.RANGE)
CHOICES = tuple(value.name for value in VALUES if value.kind in (CUT, LOOK))  # what undo and Reset are about
EXTRA_CUTS = tuple(value for value in VALUES if value.hint)
