"""Settings of all steps by which one galaxy is analysed."""

from typing import NamedTuple

from engine.cube.masks import MaskSettings
from engine.cube.noise import NoiseSettings
from engine.cube.registration import RegistrationSettings
from engine.cube.smoothing import (
    SmoothingSettings,
)
from engine.inference.posterior import FEW_MODELS
from engine.spectrum.gas import EmissionSettings
from engine.spectrum.log_grid import KinematicsSettings

ADAPTIVE = "adaptive"
VORONOI = "voronoi"
NONE = "none"
BINNINGS = (ADAPTIVE, VORONOI, NONE)


class PhotometrySettings(NamedTuple):
    """Images. floor: error of calibration and of matching to the cube [mag], added in quadrature: choice.

    Their noise is correlated over the cube's point spread once they are blurred to it, over more than the cube's own:
    with correlation_slope as in smoothing. choice
    """

    floor: float = 0.03
    correlation_slope: float = SmoothingSettings().correlation_slope


class PosteriorSettings(NamedTuple):
    """least_models: errors are inflated until this many models contribute (posterior.percentiles); 0: never."""

    least_models: float = FEW_MODELS


class PipelineSettings(NamedTuple):
    """Settings of all steps. binning: adaptive smoothing, Voronoi bins, or none (ZG22 app. A compares them)."""

    binning: str = ADAPTIVE
    noise: NoiseSettings = NoiseSettings()
    smoothing: SmoothingSettings = SmoothingSettings()
    masks: MaskSettings = MaskSettings()
    registration: RegistrationSettings = RegistrationSettings()
    kinematics: KinematicsSettings = KinematicsSettings()
    emission: EmissionSettings = EmissionSettings()
    photometry: PhotometrySettings = PhotometrySettings()
    posterior: PosteriorSettings = PosteriorSettings()


DEFAULT = PipelineSettings()
