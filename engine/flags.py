"""Why a spaxel was smoothed, doubted or dropped: one table of bits, names, short words and sentences."""

from enum import IntFlag
from typing import Self


class SpaxelFlag(IntFlag):
    """Bits of the ``flags`` column; 0 means nothing to report.

    Each has ``words``, a few for reports and the page, and a ``sentence`` that says what it means.
    """

    words: str
    sentence: str

    def __new__(cls, bit: int, words: str = "", sentence: str = "") -> Self:
        """Bit, words and sentence of one row of the table."""
        flag = int.__new__(cls, bit)
        flag._value_ = bit
        flag.words = words
        flag.sentence = sentence
        return flag

    NONE = 0
    SMOOTHED = (
        1 << 0, "smoothed",
        "The median over the spaxel and its surroundings (smoothing_level above 1).",
    )  # fmt: skip
    TARGET_MISSED = (
        1 << 1, "S/N still below target at the largest kernel",
        "Still below the S/N that smoothing aims at, 15 per Angstrom unless set otherwise, at the largest kernel.",
    )  # fmt: skip
    INDEX_MASKED = (
        1 << 2, "an index was left out",
        "At least one index could not be measured and did not enter the chi-square.",
    )  # fmt: skip
    PHOTOMETRY_MASKED = (
        1 << 3, "a band was left out",
        "At least one magnitude was missing and did not enter the chi-square.",
    )  # fmt: skip
    FEW_MODELS = (
        1 << 4, "few models fit",
        "Fewer than ten models come within the errors, which are then inflated until ten do, unless disabled.",
    )  # fmt: skip
    NO_GOOD_MODEL = (
        1 << 5, "no model fits well",
        "The best chi-square is far above the number of observables.",
    )  # fmt: skip
    NOT_MEASURED = (1 << 6, "not measured", "There is no posterior; the estimates are empty.")
    KINEMATICS_FELL_BACK = (
        1 << 7, "velocity or dispersion partly assumed",
        "The velocity, the dispersion or both are the galaxy's, or come from a fit with few templates.",
    )  # fmt: skip
    LINES_REMOVED = (1 << 8, "emission lines removed", "At least one emission line was subtracted from the spectrum.")
    SPECTRUM_NOT_FITTED = (
        1 << 9, "stars and lines could not be separated",
        "The fit of stars and emission lines failed; the spectrum is as observed.",
    )  # fmt: skip
    FOREGROUND = (
        1 << 10, "a foreground star, another galaxy or an artefact lies on it",
        "Masked: a foreground star, another galaxy or an artefact lies on it. Not kept.",
    )  # fmt: skip
    BELOW_BRIGHTNESS_CUT = (
        1 << 11, "fainter than the surface-brightness cut in r",
        "Fainter in r than the surface-brightness cut, 22.5 mag/arcsec2 unless set otherwise. Not kept.",
    )  # fmt: skip
    SNR_TOO_LOW = (
        1 << 12, "S/N too low even after smoothing",
        "Below the least S/N, 7.5 per Angstrom unless set otherwise, even after smoothing. Not kept.",
    )  # fmt: skip
    BAD_PIXELS = (
        1 << 13, "too few good wavelengths, or no image there",
        "Too few wavelengths are good, or an image does not cover the spaxel. Not kept.",
    )  # fmt: skip
    REGISTRATION_DOUBTFUL = (
        1 << 14, "images match the cube badly",
        "Images of the galaxy match the cube badly in place or in flux.",
    )  # fmt: skip
    LIBRARY_EDGE = (
        1 << 15, "at the edge of the model library",
        "A sixth of the posterior or more lies among the youngest, poorest or richest 2 % of the models.",
    )  # fmt: skip
    DENSITY_KEPT = (
        1 << 16, "density of an earlier measurement",
        "The density could not be measured again and is that of an earlier measurement.",
    )  # fmt: skip
    AGE_KEPT = (
        1 << 17, "age of an earlier measurement",
        "The age could not be measured again and is that of an earlier measurement.",
    )  # fmt: skip
    METALLICITY_KEPT = (
        1 << 18, "metallicity of an earlier measurement",
        "The metallicity could not be measured again and is that of an earlier measurement.",
    )  # fmt: skip


DROPPED = (
    SpaxelFlag.FOREGROUND | SpaxelFlag.BELOW_BRIGHTNESS_CUT | SpaxelFlag.SNR_TOO_LOW | SpaxelFlag.BAD_PIXELS
    | SpaxelFlag.SPECTRUM_NOT_FITTED | SpaxelFlag.NOT_MEASURED
)  # why a spaxel has no estimates  # fmt: skip


KEPT = {
    "log_mu_star": SpaxelFlag.DENSITY_KEPT,
    "log_age_wr": SpaxelFlag.AGE_KEPT,
    "log_Z_wr": SpaxelFlag.METALLICITY_KEPT,
}  # by column: what tells that the estimate is of an earlier measurement


def flags_in(bits: int) -> list[SpaxelFlag]:
    """The single flags that are set."""
    return [flag for flag in SpaxelFlag if flag & bits]


def legend() -> str:
    """All bits and what they stand for, in one line."""
    return "; ".join(f"{flag.value} {flag.words}" for flag in SpaxelFlag if flag.value)
