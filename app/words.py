"""Sentences that go with figures: what was selected, and how it was weighted."""

from app import theme
from app.selection import Selection
from app.values import VALUES
from engine.figures.sample import Sample

WEIGHT_WORDS = {"area/V'max": "by projected area and 1/V′max", "area": "by projected area", "equal": "equally"}


def selection_words(selection: Selection, sample: Sample) -> str:
    """One or two plain sentences for a caption: counts, weights and cuts."""
    n, galaxies = theme.thousands(sample.n_regions), theme.thousands(sample.n_galaxies)
    cuts = "; ".join(words for value in VALUES if value.says and (words := value.says(getattr(selection, value.name))))
    counted = f"{n} regions of {galaxies} galaxies, weighted {WEIGHT_WORDS[sample.weighting]}."
    return f"{counted} Selected: {cuts}." if cuts else counted
