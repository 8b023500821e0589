"""One galaxy from its cube and images to the rows of the region table."""

from engine.pipeline.analysis import (
    Analysed,
    Materials,
    Measured,
    analyse,
    index_columns,
    measure_spectra,
    motions,
    observed_magnitudes,
)
from engine.pipeline.preparation import Binned, Target, bring_together
from engine.pipeline.settings import ADAPTIVE, BINNINGS, NONE, VORONOI, PhotometrySettings, PipelineSettings

__all__ = [
    "ADAPTIVE",
    "BINNINGS",
    "NONE",
    "VORONOI",
    "Analysed",
    "Binned",
    "Materials",
    "Measured",
    "PhotometrySettings",
    "PipelineSettings",
    "Target",
    "analyse",
    "bring_together",
    "index_columns",
    "measure_spectra",
    "motions",
    "observed_magnitudes",
]
