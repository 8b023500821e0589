"""Densities as shades: a logarithmic ramp below the peak, and columns in ink where half of their weight crowds."""

import numpy as np

from engine.figures.shades import column_shades, log_shades


def test_three_decades_below_the_peak_span_all_shades_evenly_in_the_log():
    density = np.array([[0.0, 1e-9, 1e-3, 10**-1.5, 0.1, 1.0]])
    assert log_shades(density).tolist() == [[0, 1, 1, 128, 170, 255]]  # 1 + 254 (1 + log10 / 3); nothing is 0


def test_a_column_is_full_ink_from_nine_tenths_of_its_highest_cell_on_whatever_its_neighbours_hold():
    share = np.array([[0.5, 0.0, 0.02], [0.45, 0.0, 0.01], [0.09, 0.0, 0.0099]])
    assert column_shades(share).T.tolist() == [[255, 255, 51], [0, 0, 0], [255, 142, 140]]
