"""Why a spaxel was smoothed, doubted or dropped."""

from enum import IntFlag


class SpaxelFlag(IntFlag):
    """Bits of the ``flags`` column; 0 means nothing to report."""

    NONE = 0
    SMOOTHED = 1  # median over its surroundings (smoothing_level > 1)
    TARGET_MISSED = 2  # still below 15 per Angstrom at the largest kernel
    INDEX_MASKED = 4  # at least one index was left out of the chi-square
    PHOTOMETRY_MASKED = 8  # at least one band was left out
    FEW_MODELS = 16  # the posterior rests on fewer than ten effective models
    NO_GOOD_MODEL = 32  # best chi-square far above the number of observables
    NOT_MEASURED = 64  # no posterior; values are NaN
