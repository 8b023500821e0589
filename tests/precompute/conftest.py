"""A small sound survey, and a small table such as other groups have."""

import numpy as np
import pytest
from astropy.table import Table


@pytest.fixture
def regions() -> dict:
    """Six regions of two galaxies, on purpose not in order."""
    return {
        "region_id": np.arange(6),
        "galaxy_id": np.array([7, 7, 3, 3, 3, 7]),
        "x": np.array([1, 0, 1, 0, 0, 0]),
        "y": np.array([0, 1, 1, 1, 0, 0]),
        "log_mu_star": np.array([2.0, 2.1, 1.5, np.nan, 1.7, 3.0]),
        "log_mu_star_err": np.full(6, 0.1),
        "log_age_wr": np.array([9.1, 9.2, 9.3, np.nan, 9.8, 9.9]),
        "log_age_wr_err": np.full(6, 0.2),
        "log_Z_wr": np.linspace(-0.5, 0.2, 6),
        "log_Z_wr_err": np.full(6, 0.15),
        "area_pc2": np.full(6, 9e4),
        "weight": np.full(6, 0.9),
        "smoothing_level": np.array([1, 2, 3, 4, 5, 1]),
    }


@pytest.fixture
def galaxies() -> dict:
    """The two galaxies of those regions."""
    return {
        "galaxy_id": np.array([7, 3]),
        "name": np.array(["mock 7", "mock 3"]),
        "origin": np.array(["mock", "mock"]),
        "redshift": np.array([0.01, 0.02]),
        "log_M_star": np.array([10.0, 11.0]),
        "log_mu_e": np.array([2.0, np.nan]),
        "inv_vmax": np.array([1e-5, 2e-5]),
        "pc_per_arcsec": np.array([300.0, 400.0]),
        "spaxel_arcsec": np.array([1.0, 1.0]),
        "n_regions": np.array([3, 3]),
        "n_spaxels_above_cut": np.array([4, 3]),
    }


@pytest.fixture
def their_table() -> Table:
    """Nine spaxels of one galaxy in another group's words: linear densities, ages in log Gyr, one gap."""
    y, x = np.mgrid[1:4, 1:4]
    table = Table({"col": x.ravel(), "row": y.ravel()})
    table["Sigma"] = np.array([10.0, 20, 10, 20, 1000, 20, 10, 20, np.nan])
    table["Sigma"].unit = "solMass / pc2"
    table["age"] = np.linspace(-1, 1, 9)
    table["age"].unit = "dex(Gyr)"
    table["met"] = np.full(9, -0.1)
    table["met_err"] = np.full(9, 0.2)
    table["vel"] = np.linspace(3000, 3080, 9)
    table["vel"].unit = "km / s"
    return table


@pytest.fixture
def their_mapping() -> str:
    """The mapping of that table, as a user would write it."""
    return """
title = "a made-up group"
x = "col"
y = "row"
first_pixel = 1
spaxel_arcsec = 1.0
no_value = [-99.0]

[columns.log_mu_star]
column = "Sigma"
unit = "solMass / pc2"
imf_offset_dex = -0.2

[columns.log_age_wr]
column = "age"
unit = "dex(Gyr)"

[columns.log_Z_wr]
column = "met"
unit = "dex"

[columns.log_Z_wr_err]
column = "met_err"
unit = "fraction"

[columns.v_star]
column = "vel"
unit = "km / s"
subtract = "median"
"""


@pytest.fixture
def facts() -> tuple[str, ...]:
    """What the user knows about that galaxy."""
    return ("name=NGC 1", "galaxy_id=3", "redshift=0.01", "log_M_star=10.5", "vmax=1e5")
