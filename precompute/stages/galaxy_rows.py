"""The row of one galaxy in the galaxy table, from facts about it: what is needed, and what follows."""

import numpy as np

from engine.columns import GALAXY
from engine.cosmology import pc_per_arcsec
from engine.errors import TableError
from engine.galaxy.sample import density_correction, vmax
from engine.table_checks import check_column
from precompute.io.galaxy_facts import VMAX, Facts

NEEDED = ("name", "redshift", "log_M_star", "spaxel_arcsec")


def galaxy_row(facts: Facts, *, origin: str, spaxel_arcsec: float | None, label: str, advice: str) -> Facts:
    """Facts with scale and 1/V'max. ``advice`` says how to give a fact that is missing. Raises TableError."""
    row = {"galaxy_id": 0, "spaxel_arcsec": spaxel_arcsec, "log_mu_e": np.nan, "origin": origin, **facts}
    for name in NEEDED:
        if row.get(name) in (None, ""):
            raise TableError(f"{label}: the galaxy's {name} is not known; {advice.format(name=name)}")
    if "pc_per_arcsec" not in row:
        row["pc_per_arcsec"] = float(pc_per_arcsec(_positive(row, "redshift", label)))
    if "inv_vmax" not in row:
        row["inv_vmax"] = _inverse_volume(row, label)
    _positive(row, "inv_vmax", label)
    if row["galaxy_id"] != int(row["galaxy_id"]):
        raise TableError(f"{label}: galaxy_id must be a whole number, not {row['galaxy_id']:g}")
    row.pop(VMAX, None)
    if "position_angle" in row:
        row["position_angle"] = row["position_angle"] % 180.0  # an axis has no direction; DR3 has one of 380 deg
    for name, value in row.items():
        check_column(np.array([value]), GALAXY[name], label)
    return row


def _positive(row: Facts, name: str, label: str) -> float:
    if not 0 < row[name] < np.inf:
        raise TableError(f"{label}: the galaxy's {name} must be positive, not {row[name]:g}")
    return row[name]


def _inverse_volume(row: Facts, label: str) -> float:
    if VMAX in row:
        return 1.0 / _positive(row, VMAX, label)
    if "iso_diameter" in row:
        return 1.0 / float(vmax(row["iso_diameter"], row["redshift"], density_correction(row["redshift"])))
    raise TableError(f"{label}: the galaxy needs vmax (or inv_vmax, or iso_diameter) for the weights of its regions")
