"""Why a spaxel was smoothed, doubted or dropped."""

from enum import IntFlag


class SpaxelFlag(IntFlag):
    """Bits of the ``flags`` column; 0 means nothing to report."""

    NONE = 0
    SMOOTHED = 1  # median over its surroundings (smoothing_level > 1)
    TARGET_MISSED = 2  # still below 15 per Angstrom at the largest kernel
    INDEX_MASKED = 4  # at least one index was left out of the chi-square
    PHOTOMETRY_MASKED = 8  # at least one band was left out
    FEW_MODELS = 16  # fewer than ten models come within the errors; these are then taken larger, unless told not to
    NO_GOOD_MODEL = 32  # best chi-square far above the number of observables
    NOT_MEASURED = 64  # no posterior; values are NaN
    KINEMATICS_FELL_BACK = 128  # velocity or dispersion partly or wholly taken from the galaxy, or few templates
    LINES_REMOVED = 256  # at least one emission line was taken out of the spectrum
    SPECTRUM_NOT_FITTED = 512  # stars and lines could not be told apart; the spectrum is as observed
    FOREGROUND = 1024  # a foreground star, another galaxy or an artefact lies on it
    BELOW_BRIGHTNESS_CUT = 2048  # fainter than 22.5 mag/arcsec2 in r
    SNR_TOO_LOW = 4096  # below 7.5 per Angstrom even after smoothing
    BAD_PIXELS = 8192  # too few good wavelengths, or no image there
    REGISTRATION_DOUBTFUL = 16384  # images of the galaxy match the cube badly in place or in flux
