"""The selected regions and their galaxies, with every column of the survey's own tables."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.paper.shown import Shown
from app.paper.tables import Columns, Descriptions
from engine.columns import GALAXIES_FILE, GALAXY, REGION, REGIONS_FILE
from engine.figures.table import RADIUS_RE
from engine.figures.words import quantity


def region_table(shown: Shown) -> tuple[Columns, Descriptions]:
    """All columns of the selected regions, read from the survey's file, and their radius; what each is."""
    table = pq.read_table(shown.survey.folder / REGIONS_FILE)
    rows = shown.sample.rows
    columns = _arrays(table if rows is None else table.take(rows))
    radius = shown.sample[RADIUS_RE]
    if radius is not None:
        columns[RADIUS_RE] = radius
    return columns, {name: REGION.get(name) or quantity(name) for name in columns}


def galaxy_table(shown: Shown) -> tuple[Columns, Descriptions]:
    """All columns of the galaxies that have selected regions; n_regions counts those of the whole survey."""
    table = pq.read_table(shown.survey.folder / GALAXIES_FILE)
    columns = _arrays(table.filter(pa.array(shown.sample.has_galaxy)))
    return columns, {name: GALAXY[name] for name in columns}


def _arrays(table: pa.Table) -> dict[str, np.ndarray]:
    return {name: table.column(name).to_numpy() for name in table.column_names}
