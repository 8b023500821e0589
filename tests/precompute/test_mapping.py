"""Conversions agree with astropy's quantities, whatever the unit and whether linear or logarithmic."""

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from engine.columns import REGION
from engine.errors import TableError
from precompute.io.mapping import ColumnRule, convert, mapping_file, read_mapping
from precompute.layout import shipped_mappings

DENSITIES = st.floats(1e-3, 1e5)
AREA = 9e4  # pc2


@given(DENSITIES, st.sampled_from(["solMass / pc2", "solMass / kpc2", "kg / m2", "g / cm2"]), st.floats(-1, 1))
def test_linear_and_logarithmic_columns_give_the_same_density(density, unit, offset):
    theirs = (density * u.solMass / u.pc**2).to_value(unit)
    linear = ColumnRule(column="a", unit=unit, imf_offset_dex=offset)
    logs = ColumnRule(column="a", unit=f"dex({unit})", imf_offset_dex=offset)
    unsaid = ColumnRule(column="a", unit=unit, log=True, imf_offset_dex=offset)
    expected = np.log10(density) + offset
    for rule, value in ((linear, theirs), (logs, np.log10(theirs)), (unsaid, np.log10(theirs))):
        assert convert(np.array([value]), rule, REGION["log_mu_star"], AREA, "t")[0] == pytest.approx(
            expected, abs=1e-9
        )


@given(DENSITIES, st.sampled_from(["solMass", "solMass / pix2"]))
def test_a_mass_per_spaxel_becomes_a_density(density, unit):
    rule = ColumnRule(column="a", unit=unit, per_spaxel=True)
    got = convert(np.array([density * AREA]), rule, REGION["log_mu_star"], AREA, "t")
    assert got[0] == pytest.approx(np.log10(density), abs=1e-9)


@given(st.floats(1e6, 1.4e10), st.sampled_from(["yr", "Gyr", "Myr", "s"]))
def test_ages_in_any_unit_become_log_years(age, unit):
    rule = ColumnRule(column="a", unit=unit)
    got = convert(np.array([(age * u.yr).to_value(unit)]), rule, REGION["log_age_wr"], AREA, "t")
    assert got[0] == pytest.approx(np.log10(age), abs=1e-9)


@given(st.floats(-500, 500))
def test_velocities_in_m_per_s_become_km_per_s(velocity):
    got = convert(np.array([velocity * 1e3]), ColumnRule(column="a", unit="m / s"), REGION["v_star"], AREA, "t")
    assert got[0] == pytest.approx(velocity)


def test_errors_in_dex_stay_and_relative_errors_are_propagated():
    ours = REGION["log_mu_star_err"]
    assert convert(np.array([0.1]), ColumnRule(column="a", unit="dex"), ours, AREA, "t")[0] == 0.1
    small = 1e-6
    got = convert(np.array([small]), ColumnRule(column="a", unit="fraction"), ours, AREA, "t")[0]
    assert got == pytest.approx(np.log10(1 + small), rel=1e-5)


@pytest.mark.parametrize(
    ("ours", "unit"),
    [("log_age_wr", "solMass"), ("log_age_wr", "dex"), ("log_mu_star", "solMass"), ("v_star", "dex(km / s)"),
     ("log_Z_wr", "yr"), ("log_age_wr_err", "yr"), ("sb_r", "km")],
)  # fmt: skip
def test_a_unit_of_another_kind_is_refused(ours, unit):
    with pytest.raises(TableError, match=f"column a in .* cannot become {ours}"):
        convert(np.array([1.0]), ColumnRule(column="a", unit=unit), REGION[ours], AREA, "t")


def test_values_that_have_no_log_become_nan_without_a_warning():
    got = convert(np.array([0.0, -1.0, np.nan]), ColumnRule(column="a", unit="Gyr"), REGION["log_age_wr"], AREA, "t")
    assert np.isnan(got).all()


@pytest.mark.parametrize("name", shipped_mappings())
def test_every_shipped_mapping_is_sound_and_says_what_it_is(name):
    mapping = read_mapping(mapping_file(name))
    assert mapping.title
    assert mapping.notes
