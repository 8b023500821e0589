"""One galaxy from its cube and images to the rows of the region table."""

from engine.pipeline.analysis import Analysed, Materials, Measured, analyse, measure_spectra, observed_magnitudes
from engine.pipeline.preparation import Binned, Target, bring_together
from engine.pipeline.settings import ADAPTIVE, BINNINGS, NONE, VORONOI, PipelineSettings

__all__ = [
    "ADAPTIVE", "BINNINGS", "NONE", "VORONOI", "Analysed", "Binned", "Materials", "Measured", "PipelineSettings",
    "Target", "analyse", "bring_together", "measure_spectra", "observed_magnitudes",
]  # fmt: skip
