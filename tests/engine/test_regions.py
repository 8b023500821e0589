"""Rows of the region table: numbers, areas, weights."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.regions import region_rows, stack_regions


def rows_of(galaxy_id, n):
    spaxels = {"x": np.arange(n), "y": np.zeros(n, int)}
    return region_rows(spaxels, galaxy_id=galaxy_id, pc_per_arcsec=300.0, spaxel_arcsec=1.0, inv_vmax=1e-6)


def test_the_weight_is_area_times_inverse_volume():
    rows = rows_of(7, 3)
    assert rows["area_pc2"] == pytest.approx(np.full(3, 9e4))
    assert rows["weight"] == pytest.approx(rows["area_pc2"] * 1e-6)


def test_galaxies_are_sorted_and_regions_numbered_whatever_the_order_of_arrival():
    table = stack_regions([rows_of(9, 2), rows_of(3, 4), rows_of(5, 0)])
    assert table["galaxy_id"].tolist() == [3, 3, 3, 3, 9, 9]
    assert table["region_id"].tolist() == list(range(6))


def test_columns_of_different_length_are_refused():
    with pytest.raises(ShapeError, match="galaxy 1"):
        region_rows(
            {"x": np.arange(3), "y": np.arange(2)}, galaxy_id=1, pc_per_arcsec=1.0, spaxel_arcsec=1.0, inv_vmax=1.0
        )
