"""Sentences that go with figures: what was selected, and how it was weighted."""

from app import theme
from app.screen.plane_data import Sample
from app.selection import Selection
from engine.columns import column

WEIGHT_WORDS = {"area/V'max": "by projected area and 1/V′max", "area": "by projected area", "equal": "equally"}


def selection_words(selection: Selection, sample: Sample) -> str:
    """One or two plain sentences for a caption: counts, weights and cuts."""
    n, galaxies = theme.thousands(sample.n_regions), theme.thousands(sample.n_galaxies)
    cuts = [_range_words(name, getattr(selection, name)) for name in ("log_M_star", "log_mu_e")]
    cuts.append("" if selection.sequence == "all" else selection.sequence)
    cuts.append("" if selection.smoothing == "all" else "unsmoothed spaxels only")
    said = "; ".join(cut for cut in cuts if cut)
    counted = f"{n} regions of {galaxies} galaxies, weighted {WEIGHT_WORDS[sample.weighting]}."
    return f"{counted} Selected: {said}." if said else counted


def _range_words(name: str, limits: tuple[float, float] | None) -> str:
    if limits is None:
        return ""
    label, (low, high) = column(name).label, limits
    if low < -90:
        return f"{label} below {high:g}"
    return f"{label} from {low:g}" if high > 90 else f"{label} {low:g} to {high:g}"
