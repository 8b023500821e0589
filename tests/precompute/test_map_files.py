"""Maps as FITS: every quantity in its own HDU and plane, at its own spaxel, from the galaxy's own velocity."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from engine.flags import SpaxelFlag
from engine.spectrum.lines import LINE_NAMES
from precompute.io.map_files import write_maps
from tests.engine.cube.scenes import tangent_wcs

SHAPE = (3, 4)
N_LINE = len(LINE_NAMES)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Two kept spaxels of twelve, of a galaxy at 100 km/s from its catalogue's redshift."""
    kept = np.zeros(SHAPE, bool)
    kept[0, 3] = kept[2, 1] = True
    stars = SimpleNamespace(v_star_err=np.array([3.0, 4.0]), sigma_star_err=np.array([5.0, 6.0]), v_systemic=100.0)
    numbers = np.arange(2 * N_LINE, dtype=float).reshape(2, N_LINE)
    gas = SimpleNamespace(
        v_gas=np.array([[130.0, 150.0], [90.0, np.nan]]), v_gas_err=np.array([[1.0, 2.0], [3.0, np.nan]]),
        sigma_gas=np.array([[40.0, 50.0], [60.0, np.nan]]), sigma_gas_err=np.array([[7.0, 8.0], [9.0, np.nan]]),
        flux=numbers, flux_err=100.0 + numbers, amplitude_to_noise=200.0 + numbers,
    )  # fmt: skip
    flags = np.full(SHAPE, SpaxelFlag.BELOW_BRIGHTNESS_CUT.value)
    flags[kept] = 0
    smoothing = SimpleNamespace(level=np.where(kept, 2, 0))
    found = SimpleNamespace(
        binned=SimpleNamespace(kept=kept, smoothing=smoothing, flags=flags), wcs=tangent_wcs(SHAPE, 1.0),
        measured=SimpleNamespace(stars=stars, gas=gas),
        spaxels={"x": np.array([3, 1]), "y": np.array([0, 2]), "v_star": np.array([-20.0, 30.0]),
                 "flags": np.array([1, 1 | SpaxelFlag.LINES_REMOVED.value])},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("maps") / "mock.fits"
    write_maps(found, {"galaxy": "mock", "origin": "mock"}, path)
    with fits.open(path) as hdus:
        return {hdu.name: (hdu.header, np.array(hdu.data)) for hdu in hdus[1:]}


def at_kept(maps, name):
    """Values of the two kept spaxels; the others have none."""
    values = maps[name][1]
    assert np.isnan(values).sum() >= values.size - 2
    return values[0, 3], values[2, 1]


def test_gas_and_stars_move_from_the_same_velocity_the_galaxy_s_own(maps):
    assert at_kept(maps, "V_STAR") == (-20.0, 30.0)
    assert at_kept(maps, "V_GAS_BALMER") == (30.0, -10.0)
    assert at_kept(maps, "V_GAS_FORBIDDEN")[0] == 50.0
    assert maps["V_GAS_BALMER"][0]["BUNIT"] == maps["V_STAR"][0]["BUNIT"] == "km / s"


def test_errors_and_dispersions_have_no_zero_to_be_moved(maps):
    assert at_kept(maps, "V_GAS_BALMER_ERR") == (1.0, 3.0)
    assert at_kept(maps, "SIGMA_GAS_BALMER") == (40.0, 60.0)
    assert at_kept(maps, "SIGMA_GAS_BALMER_ERR") == (7.0, 9.0)
    assert at_kept(maps, "SIGMA_GAS_FORBIDDEN")[0] == 50.0
    assert at_kept(maps, "V_STAR_ERR") == (3.0, 4.0)
    assert at_kept(maps, "SIGMA_STAR_ERR") == (5.0, 6.0)


@pytest.mark.parametrize(
    ("name", "start"), [("LINE_FLUX", 0), ("LINE_FLUX_ERR", 100), ("LINE_AMPLITUDE_TO_NOISE", 200)]
)
def test_every_line_has_the_plane_that_the_header_names(maps, name, start):
    header, planes = maps[name]
    for place, line in enumerate(LINE_NAMES):
        assert header[f"LINE{place + 1}"] == line
        assert (planes[place, 0, 3], planes[place, 2, 1]) == (start + place, start + N_LINE + place)


def test_flags_are_those_of_the_regions_and_of_what_was_not_kept(maps):
    flags = maps["FLAGS"][1]
    assert (flags[0, 3], flags[2, 1]) == (1, 1 | SpaxelFlag.LINES_REMOVED.value)
    assert flags[1, 1] == SpaxelFlag.BELOW_BRIGHTNESS_CUT.value
    assert np.array_equal(maps["SMOOTHING_LEVEL"][1] == 2, np.isin(np.arange(12).reshape(SHAPE), (3, 9)))
