"""Columns of the region table as the posterior compares them, and its answer as columns."""

import numpy as np
import pytest

from engine.columns import BANDS, INDEX_NAMES
from engine.flags import SpaxelFlag
from engine.inference.observed import has_observables, observed_from, with_measurements
from engine.inference.posterior import Posterior

NAMES = (*INDEX_NAMES, *(f"mag_{band}" for band in BANDS))


def table(magnitude=20.0, error=0.05):
    """One region with all indices and the same magnitude in all bands."""
    rows = {name: np.array([1.0 + place]) for place, name in enumerate(INDEX_NAMES)}
    rows |= {f"{name}_err": np.array([0.1]) for name in INDEX_NAMES}
    rows |= {f"mag_{band}": np.array([magnitude]) for band in BANDS}
    rows |= {f"mag_{band}_err": np.array([error]) for band in BANDS}
    return rows | {"sigma_star": np.array([80.0])}


@pytest.mark.parametrize(("side", "redshift"), [(1.0, 0.0), (0.5, 0.0), (2.0, 0.03)])
def test_a_magnitude_is_light_per_area_without_the_dimming_by_distance(side, redshift):
    """One source of magnitude 0 per pc2 has 5 log10(206265 / 10) = 21.572 mag/arcsec2; dimming goes as (1 + z)^4."""
    brightness = 20.0 + 2.5 * np.log10(side**2)
    at_zero = 5.0 * np.log10(206_264.806 / 10.0)
    found = observed_from(table(), redshift, side)
    assert found.flux == pytest.approx(10.0 ** (-0.4 * (brightness - at_zero)) * (1 + redshift) ** 4)


def test_an_error_in_magnitudes_is_that_part_of_the_flux():
    """First order of 10^(-0.4 m): 0.05 mag are 4.6 %."""
    found = observed_from(table(error=0.05), 0.01)
    assert found.flux_errors / found.flux == pytest.approx(0.05 * np.log(10) / 2.5)


def test_indices_stand_in_their_order_and_what_the_table_lacks_is_missing():
    rows = table()
    del rows["hbeta"], rows["mag_u"], rows["sigma_star"]
    found = observed_from(rows, 0.01)
    assert np.array_equal(found.indices[0], [1.0, np.nan, 3.0, 4.0, 5.0], equal_nan=True)
    assert np.isnan(found.flux[0, 0])
    assert np.isfinite(found.flux[0, 1:]).all()
    assert np.isnan(found.sigma_star[0])


def test_a_region_with_one_observable_has_some_and_one_without_any_has_none():
    rows = {name: np.array([np.nan, np.nan]) for name in NAMES}
    rows["mag_i"][1] = 20.0
    assert has_observables(rows).tolist() == [False, True]


def posterior(**changed):
    values = {"log_mu_star": 2.0, "log_age_wr": 9.5, "log_Z_wr": -0.2, "chi2": 9.0, "flags": 0} | changed
    errors = {f"{name}_err": 0.1 for name in ("log_mu_star", "log_age_wr", "log_Z_wr")}
    return Posterior(**{name: np.array([value]) for name, value in (values | errors).items()})


def test_a_density_that_no_region_can_have_is_left_empty_and_flagged_and_the_rest_kept():
    found = with_measurements({"flags": np.array([SpaxelFlag.SMOOTHED.value])}, posterior(log_mu_star=9.0))
    assert np.isnan(found["log_mu_star"][0])
    assert np.isnan(found["log_mu_star_err"][0])
    assert found["log_age_wr"][0] == 9.5
    assert found["flags"][0] == SpaxelFlag.SMOOTHED.value | SpaxelFlag.NOT_MEASURED.value


def test_new_estimates_replace_old_ones_with_their_flags():
    before = {
        "log_age_wr": np.array([8.0]),
        "flags": np.array([SpaxelFlag.SMOOTHED.value | SpaxelFlag.NO_GOOD_MODEL.value]),
    }
    found = with_measurements(before, posterior(flags=SpaxelFlag.FEW_MODELS.value))
    assert found["log_age_wr"][0] == 9.5
    assert found["flags"][0] == SpaxelFlag.SMOOTHED.value | SpaxelFlag.FEW_MODELS.value
