"""A table of a few thousand regions with everything that a survey may lack here and there."""

import numpy as np
import pytest

from engine.figures.table import Table

N_REGIONS, N_GALAXIES = 4000, 9


def make_columns(seed: int = 4) -> tuple[dict, dict]:
    """Regions and galaxies as dicts of arrays; one value in fifty is missing, galaxy 3 has no mean density."""
    rng = np.random.default_rng(seed)
    galaxy_id = 10 * np.arange(1, N_GALAXIES + 1)
    galaxies = {
        "galaxy_id": galaxy_id, "log_M_star": np.linspace(9.2, 11.4, N_GALAXIES).astype(np.float32),
        "log_mu_e": rng.uniform(1.5, 3.5, N_GALAXIES).astype(np.float32),
        "hubble_type": np.array(["E", "S b", "I"] * 3), "x_centre": np.full(N_GALAXIES, 30.0),
        "y_centre": np.full(N_GALAXIES, 32.0), "position_angle": np.linspace(0.0, 160.0, N_GALAXIES),
        "axis_ratio": np.linspace(0.3, 1.0, N_GALAXIES), "half_light_radius": np.full(N_GALAXIES, 11.0),
        "spaxel_arcsec": np.full(N_GALAXIES, 1.0),
    }  # fmt: skip
    galaxies["log_mu_e"][3] = np.nan
    log_mu_star = rng.normal(2.2, 0.7, N_REGIONS)
    is_old = rng.random(N_REGIONS) < 0.5
    regions = {
        "galaxy_id": np.sort(rng.choice(galaxy_id[:-1], N_REGIONS)),  # the last galaxy has no region
        "x": rng.integers(0, 70, N_REGIONS), "y": rng.integers(0, 70, N_REGIONS), "log_mu_star": log_mu_star,
        "log_age_wr": np.where(is_old, 9.85, 8.9 + 0.15 * log_mu_star) + 0.08 * rng.standard_normal(N_REGIONS),
        "log_Z_wr": -0.8 + 0.2 * log_mu_star + 0.2 * rng.standard_normal(N_REGIONS),
        "log_mu_star_err": rng.uniform(0.05, 0.2, N_REGIONS), "log_age_wr_err": rng.uniform(0.05, 0.4, N_REGIONS),
        "log_Z_wr_err": rng.uniform(0.05, 0.4, N_REGIONS), "sb_r": 24.0 - 1.2 * log_mu_star,
        "smoothing_level": rng.integers(1, 6, N_REGIONS), "weight": rng.lognormal(0, 1, N_REGIONS),
        "area_pc2": rng.uniform(1e4, 1e5, N_REGIONS),
    }  # fmt: skip
    for name in ("log_age_wr", "log_Z_wr", "log_mu_star"):
        regions[name][rng.random(N_REGIONS) < 0.02] = np.nan
    floats = {name: values.astype(np.float32) for name, values in regions.items() if values.dtype == float}
    return regions | floats, galaxies


@pytest.fixture(scope="session")
def table() -> Table:
    return Table(*make_columns())
