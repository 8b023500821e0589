"""From the kept spaxels of galaxies to rows of the region table: numbers, areas and weights."""

from collections.abc import Sequence

import numpy as np

from engine.errors import ShapeError
from engine.galaxy.sample import region_weight, spaxel_area_pc2

Rows = dict[str, np.ndarray]


def region_rows(spaxels: Rows, *, galaxy_id: int, pc_per_arcsec: float, spaxel_arcsec: float, inv_vmax: float) -> Rows:
    """The spaxels of one galaxy with its number, their area [pc2] and their weight (area times 1/V'max).

    spaxels: columns of the region table, (spaxel,) each. Raises ShapeError if they differ in length.
    """
    lengths = {name: len(values) for name, values in spaxels.items()}
    if len(set(lengths.values())) != 1:
        raise ShapeError(f"the spaxel columns of galaxy {galaxy_id} differ in length: {lengths}")
    n = next(iter(lengths.values()))
    area = np.full(n, spaxel_area_pc2(pc_per_arcsec, spaxel_arcsec))
    added = {"galaxy_id": np.full(n, galaxy_id), "area_pc2": area, "weight": region_weight(area, inv_vmax)}
    return {**added, **spaxels}


def stack_regions(galaxies: Sequence[Rows]) -> Rows:
    """One table of all galaxies, sorted by galaxy, rows numbered from 0."""
    galaxies = sorted((rows for rows in galaxies if len(rows["galaxy_id"])), key=lambda rows: rows["galaxy_id"][0])
    table = {name: np.concatenate([rows[name] for rows in galaxies]) for name in galaxies[0]}
    return {"region_id": np.arange(len(table["galaxy_id"])), **table}
