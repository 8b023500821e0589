"""The rules the mock obeys: age, metallicity and dust expected where a galaxy has a given mass and density."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from engine.adopted import LOG_M_STAR_THRESHOLD
from engine.library.priors import Priors
from engine.library.types import Library
from engine.mock.settings import MockSettings
from engine.types import BoolArray, FloatArray

R_BAND = 2  # place of r in ugriz
MIDDLE_LOG_AGE = 9.5  # the fit of light per mass is in log age from here


def old_probability(
    log_mu: FloatArray,
    bulge: FloatArray,
    log_mass: FloatArray,
    spheroid: BoolArray,
    settings: MockSettings,
    offset: FloatArray | float = 0.0,
) -> FloatArray:
    """Chance that a region lies on the old ridge, from its density, the share of bulge, and its galaxy.

    Arrays broadcast. The density at which half of the regions are old falls with M*, faster below the
    threshold of ZG22 sec. 5; offset [dex] shifts it for one galaxy.
    """
    at_threshold, above, below = settings.old_half_disc
    excess = np.asarray(log_mass) - LOG_M_STAR_THRESHOLD
    disc_half = at_threshold + np.where(excess > 0, above, below) * excess
    half = np.where(spheroid, settings.old_half_spheroid, disc_half) + offset
    return ndtr((log_mu + settings.bulge_is_older * bulge - half) / settings.old_half_width)


def young_log_age(log_mu: FloatArray, log_mass: FloatArray, settings: MockSettings) -> FloatArray:
    """Young sequence: log age at a density, lower in the faint outskirts of light galaxies (ZG22 sec. 5)."""
    at_two, slope = settings.young_log_age
    light = ndtr((LOG_M_STAR_THRESHOLD - np.asarray(log_mass)) / settings.step_width)
    faint = ndtr((1.5 - np.asarray(log_mu)) / settings.step_width)
    return at_two + slope * (log_mu - 2.0) - settings.faint_disc_step * light * faint


def expected_log_Z(
    log_mu: FloatArray, log_mass: FloatArray, old: FloatArray | float, settings: MockSettings
) -> FloatArray:
    """Metallicity at a density: rises with it, falls below the threshold mass, a little higher in young regions."""
    at_two, slope, fall = settings.log_Z
    lack = np.maximum(LOG_M_STAR_THRESHOLD - np.asarray(log_mass), 0.0)
    return at_two + slope * (log_mu - 2.0) - fall * lack + (1.0 - old) * settings.young_log_Z_offset


def quiet_priors(settings: MockSettings) -> Priors:
    """What the histories of old regions are drawn from: no burst lately and little dust, else as in the default priors.

    So passive galaxies and bulges are, for which old regions stand.
    """
    low, high = settings.quiet_onset_age
    return replace(
        Priors(),
        name="quiet",
        onset_age=(low, high),
        burst_age=(10.0**settings.quiet_since, high),
        tau_v=(*Priors().tau_v[:2], settings.quiet_tau_v),
    )


class LightPerMass(NamedTuple):
    """Fit of log r-band flux per Msun (unit of Library.flux): quadratic in log age and log Z, linear in dust depth."""

    coefficients: FloatArray

    def __call__(self, log_age: FloatArray | float, log_Z: FloatArray, depth: FloatArray | float) -> FloatArray:
        even, of_age, of_Z, of_age_2, of_both, of_Z_2, of_depth = self.coefficients
        age = np.asarray(log_age) - MIDDLE_LOG_AGE
        with_age = age * (of_age + of_age_2 * age + of_both * log_Z)
        return even + with_age + log_Z * (of_Z + of_Z_2 * log_Z) + of_depth * np.asarray(depth)


def fit_light_per_mass(library: Library) -> LightPerMass:
    """Least-squares fit to all models of a library; good to 0.1 or 0.2 dex, enough to select galaxies by size."""
    terms = _terms(library.log_age_wr.astype(float), library.log_Z_wr.astype(float), dust_depth(library))
    target = np.log10(library.flux[:, R_BAND].astype(float))
    return LightPerMass(np.linalg.lstsq(terms.T, target, rcond=None)[0])


def dust_depth(library: Library) -> FloatArray:
    """V-band optical depth of the diffuse dust of each model, the one that old stars see."""
    return library.parameters["tau_v"] * library.parameters["ism_fraction"]


def _terms(log_age: FloatArray | float, log_Z: FloatArray, depth: FloatArray | float) -> FloatArray:
    """Terms of the fit in the order of its coefficients, (term, model)."""
    age, metal, dust = np.broadcast_arrays(np.asarray(log_age) - MIDDLE_LOG_AGE, log_Z, depth)
    return np.stack([np.ones_like(age), age, metal, age**2, age * metal, metal**2, dust])


def expected_light(
    log_mu: FloatArray,
    bulge: FloatArray,
    log_mass: FloatArray,
    spheroid: BoolArray,
    light: LightPerMass,
    settings: MockSettings,
) -> FloatArray:
    """r-band flux per area of the mean galaxy at a density, old and young regions mixed by their chance.

    Unit of Library.flux per pc2.
    """
    old = old_probability(log_mu, bulge, log_mass, spheroid, settings)
    old_dust, young_dust = settings.dust_depth
    young_age = young_log_age(log_mu, log_mass, settings)
    young_light = light(young_age, expected_log_Z(log_mu, log_mass, 0.0, settings), young_dust)
    old_light = light(settings.old_log_age, expected_log_Z(log_mu, log_mass, 1.0, settings), old_dust)
    return 10.0**log_mu * (old * 10.0**old_light + (1.0 - old) * 10.0**young_light)
