"""What is suspicious about a galaxy that was analysed, in sentences: numbers may look well and be of another galaxy."""

import numpy as np

from engine.constants import LIGHT_SPEED_KMS
from engine.cube.sky import pixel_at, sky_position
from engine.cube.types import Cube, Image
from engine.errors import CubeError
from engine.flags import SpaxelFlag
from engine.pipeline import Analysed, PipelineSettings, Target
from engine.spectrum.kinematics import FULL
from engine.spectrum.log_grid import KinematicsSettings
from engine.types import BoolArray
from precompute.io.tables import plain_name

# all *choice*: what a sound galaxy of CALIFA or of the mock keeps far from
REDSHIFT_KMS = 300.0  # between the catalogue and the spectra, or the header
FEWEST_CORRELATION = 0.3  # of the spectra with templates, for a redshift to be believed
FELL_BACK_SHARE = 0.3  # of the spectra with S/N enough for a full fit
LOST_SHARE = 0.3  # of the spaxels, or of the regions, that lack something
COSMIC_RAY_SHARE = 1e-3  # of the good pixels
FROM_BRIGHTEST_ARCSEC = 10.0  # from the catalogue's position to the brightest spot
NO_NAMES = ("", "UNKNOWN", "NONE", "OBJECT", "TARGET", "TEST")  # what OBJECT holds where nobody filled it


def refuse_mixed_images(images: tuple[Image, ...]) -> None:
    """Raises CubeError where headers, each with a band of its own, say that images have each other's names.

    Headers that all name the same band are copies of one, as tools that resample images leave them: see band_signs.
    """
    stated = [image for image in images if image.stated_band]
    wrong = [image for image in stated if image.stated_band != image.band]
    if wrong and len({image.stated_band for image in stated}) == len(stated):
        pairs = ", ".join(f"FILTER of the {image.band} image is {image.stated_band}" for image in wrong)
        raise CubeError(f"the images are mixed up: {pairs}")


def suspicious_signs(
    cube: Cube, images: tuple[Image, ...], target: Target, found: Analysed, settings: PipelineSettings
) -> list[str]:
    """All that does not fit together about one galaxy; empty for a sound one. cube and images are as read."""
    return [
        *name_signs(cube),
        *band_signs(images),
        *redshift_signs(cube, target, found),
        *kinematics_signs(found, settings.kinematics),
        *place_signs(target, found),
        *noise_signs(found, settings),
        *loss_signs(found),
    ]


def notes_of(cube: Cube, images: tuple[Image, ...], target: Target) -> list[str]:
    """What had to be assumed or converted to read the files of a galaxy."""
    notes = [*cube.notes, *(note for image in images for note in image.notes)]
    if not np.isfinite((target.ra, target.dec)).all():
        notes.append("the catalogue has no position: the brightest spot is taken as the centre")
    return notes


def name_signs(cube: Cube) -> list[str]:
    """The header's OBJECT against the galaxy's name; 'NGC 2906 V500' is a name of NGC2906."""
    stated = plain_name(cube.object_name)
    wanted = plain_name(cube.name)
    if stated in NO_NAMES or stated.startswith(wanted) or wanted.startswith(stated):
        return []
    return [f"OBJECT of the cube is {cube.object_name!r}"]


def band_signs(images: tuple[Image, ...]) -> list[str]:
    """FILTER of the images against the bands their files are taken for."""
    return [
        f"FILTER of the {image.band} image is {image.stated_band}"
        for image in images
        if image.stated_band and image.stated_band != image.band
    ]


def redshift_signs(cube: Cube, target: Target, found: Analysed) -> list[str]:
    """The catalogue's redshift against the spectra and against the header's MED_VEL."""
    shown = found.measured.redshift
    signs = []
    away = LIGHT_SPEED_KMS * (np.log1p(shown.redshift) - np.log1p(target.redshift))
    if shown.correlation > FEWEST_CORRELATION and abs(away) > REDSHIFT_KMS:
        signs.append(
            f"the spectra show a redshift of {shown.redshift:.4f}, the catalogue has {target.redshift:.4f} "
            f"({away:+,.0f} km/s)"
        )
    velocity = LIGHT_SPEED_KMS * target.redshift
    if 0.0 < cube.med_vel and abs(cube.med_vel - velocity) > REDSHIFT_KMS:
        signs.append(f"MED_VEL of the cube is {cube.med_vel:,.0f} km/s, the catalogue's redshift {velocity:,.0f} km/s")
    return signs


def kinematics_signs(found: Analysed, settings: KinematicsSettings) -> list[str]:
    """Fits that fell back although their S/N was enough, and velocities at the border of what is searched."""
    stars = found.measured.stars
    signs = []
    enough = stars.snr_per_pixel >= settings.snr_full
    share = _share(stars.mode[enough] != FULL)
    if share > FELL_BACK_SHARE:
        signs.append(f"{share:.0%} of the kinematic fits with enough S/N fell back")
    if abs(stars.v_systemic) > 0.95 * settings.velocity_limit:
        signs.append(f"the systemic velocity, {stars.v_systemic:+.0f} km/s from the redshift, is at the search limit")
    at_limit = _share(np.abs(stars.v_star) > 0.95 * settings.velocity_limit)
    if at_limit > FELL_BACK_SHARE:
        signs.append(f"{at_limit:.0%} of the velocities are at the search limit of {settings.velocity_limit:.0f} km/s")
    return signs


def place_signs(target: Target, found: Analysed) -> list[str]:
    """The catalogue's position against the brightest spot of the field."""
    if not np.isfinite((target.ra, target.dec)).all():
        return []
    place = pixel_at(found.wcs, sky_position(target.ra, target.dec))
    spot = found.binned.brightest
    away = found.binned.cube.spaxel_arcsec * np.hypot(place.x - spot[0], place.y - spot[1])
    if away > FROM_BRIGHTEST_ARCSEC:
        return [f"the brightest spot of the field is {away:.0f} arcsec from the catalogue's position"]
    return []


def noise_signs(found: Analysed, settings: PipelineSettings) -> list[str]:
    """The errors of the cube against the scatter of its pixels, and what was taken as cosmic rays."""
    check = found.binned.noise_check
    signs = []
    low, high = settings.noise.limits
    if check.ratio > high:
        done = f", they were multiplied by {check.factor:.1f}" if check.factor > 1.0 else ""
        signs.append(f"the errors are {check.ratio:.1f} times smaller than the scatter of neighbouring pixels{done}")
    if check.ratio < low:
        signs.append(f"the errors are {1 / check.ratio:.1f} times larger than the scatter of neighbouring pixels")
    if check.cosmic_ray_share > COSMIC_RAY_SHARE:
        signs.append(f"{check.cosmic_ray_share:.2%} of the pixels were taken as cosmic rays")
    return signs


def loss_signs(found: Analysed) -> list[str]:
    """Shares of the regions without an index or a fitted spectrum, and of the field without enough good pixels."""
    flags = np.asarray(found.spaxels["flags"], int)
    signs = []
    words = {
        SpaxelFlag.INDEX_MASKED: "lack an index",
        SpaxelFlag.SPECTRUM_NOT_FITTED: "have spectra that could not be fitted",
        SpaxelFlag.NO_GOOD_MODEL: "fit no model",
    }
    for flag, text in words.items():
        share = _share((flags & flag.value) > 0)
        if share > LOST_SHARE:
            signs.append(f"{share:.0%} of the regions {text}")
    observed = found.binned.cube.good.any(axis=0)  # beyond the hexagon of the fibres there are no pixels to miss
    bright = observed & ((found.binned.flags & SpaxelFlag.BELOW_BRIGHTNESS_CUT.value) == 0)
    bad = _share((found.binned.flags[bright] & SpaxelFlag.BAD_PIXELS.value) > 0)
    if bad > LOST_SHARE:
        signs.append(f"{bad:.0%} of the spaxels above the cut have too few good pixels")
    return signs


def _share(which: BoolArray) -> float:
    return float(np.mean(which)) if len(which) else 0.0
