"""Mock galaxies after real ones keep the facts they were given."""

import numpy as np
import pytest

from engine.errors import SampleError
from engine.mock.galaxies import light_radii
from engine.mock.populations import fit_light_per_mass
from engine.mock.real import RealGalaxies, mock_after

REAL = RealGalaxies(
    galaxy_id=np.array([2, 5]),
    name=np.array(["UGC00005", "NGC7819"]),
    ra=np.array([0.8, 1.1]),
    dec=np.array([-1.9, 31.5]),
    redshift=np.array([0.024, 0.017]),
    log_M_star=np.array([10.8, 10.3]),
    spheroid=np.array([False, True]),
    axis_ratio=np.array([0.5, 0.7]),
    position_angle=np.array([45.0, 90.0]),
    half_light_radius=np.array([16.6, 12.0]),
    iso_diameter=np.array([48.3, 55.0]),
    vmax=np.array([1.2e6, 6e5]),
)


def test_real_facts_are_kept_and_the_names_say_mock(truth, settings):
    mock = mock_after(REAL, fit_light_per_mass(truth.library), settings, np.random.default_rng(1))
    assert mock.name.tolist() == ["mock UGC00005", "mock NGC7819"]
    for field in ("galaxy_id", "redshift", "log_M_star", "half_light_radius", "ra"):
        assert np.array_equal(getattr(mock, field), getattr(REAL, field))
    assert mock.inv_vmax == pytest.approx(1 / REAL.vmax)


def test_the_profile_has_half_its_light_inside_the_real_half_light_axis(truth, settings):
    light = fit_light_per_mass(truth.library)
    mock = mock_after(REAL, light, settings, np.random.default_rng(1))
    sizes = light_radii(mock.log_M_star, mock.spheroid, mock.redshift, mock.profile, light, settings)
    assert sizes.half_light == pytest.approx(REAL.half_light_radius, rel=0.01)


def test_a_missing_size_is_refused_with_the_name_of_the_galaxy(truth, settings):
    broken = REAL._replace(half_light_radius=np.array([16.6, np.nan]))
    with pytest.raises(SampleError, match="NGC7819"):
        mock_after(broken, fit_light_per_mass(truth.library), settings, np.random.default_rng(1))
