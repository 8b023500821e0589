"""A small picture of a view: where its regions lie in age and density, or the map of its galaxy."""

from io import BytesIO

import numpy as np
from PIL import Image

from app import theme
from app.selection import Selection
from app.store import Survey
from engine.figures.sample import select
from engine.relations.density import normalise_peak, weighted_density

WIDTH, HEIGHT = 168, 126  # pixels
DECADES = 3.0  # of density below the peak, as on the page
PLANE = {"log_mu_star": (0.8, 4.2), "log_age_wr": (8.4, 10.2)}


def thumbnail(survey: Survey, query: dict[str, str]) -> bytes:
    """The picture of the view that a link's words mean, as PNG; empty if the survey has nothing to draw it from."""
    selection, _ = Selection.from_query(query)
    if selection.page == "galaxy" and selection.galaxy_id is not None:
        shades = _galaxy_shades(survey, selection.galaxy_id)
    else:
        shades = _plane_shades(survey, selection)
    return b"" if shades is None else _png(shades)


def _plane_shades(survey: Survey, selection: Selection) -> np.ndarray | None:
    """Density of the selected regions over its peak, on a log scale, (y, x) from 0 to 1, highest age on top."""
    sample = select(survey, selection.cut(), selection.weighting)
    if not sample.has(*PLANE):
        return None
    edges = [np.linspace(*limits, n + 1) for limits, n in zip(PLANE.values(), (WIDTH // 2, HEIGHT // 2), strict=True)]
    x, y = (sample[name] for name in PLANE)
    density = normalise_peak(weighted_density(x, y, sample.weight, *edges))
    with np.errstate(divide="ignore"):
        return np.clip(1.0 + np.log10(density[::-1]) / DECADES, 0.0, 1.0)


def _galaxy_shades(survey: Survey, galaxy_id: int) -> np.ndarray | None:
    """Map of the ages of a galaxy, (y, x) from 0 to 1, north up."""
    columns = survey.galaxy_maps(galaxy_id)
    values = columns.get("log_age_wr")
    if values is None or not np.isfinite(values).any():
        return None
    x, y = columns["x"].astype(int), columns["y"].astype(int)
    low, high = np.nanpercentile(values, [2, 98])
    shades = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1))
    shades[y.max() - y, x - x.min()] = np.nan_to_num(0.15 + 0.85 * np.clip((values - low) / max(high - low, 0.1), 0, 1))
    return shades


def _png(shades: np.ndarray) -> bytes:
    """Shades in the ink of the page, in the size of all thumbnails."""
    picture = Image.fromarray(np.rint(255 * shades).astype(np.uint8), mode="P")
    ink = [int(colour[i : i + 2], 16) for colour in ("#ffffff", *theme.ink_palette()) for i in (1, 3, 5)]
    picture.putpalette(ink)
    scale = min(WIDTH / picture.width, HEIGHT / picture.height)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    file = BytesIO()
    picture.resize(size, Image.Resampling.NEAREST).save(file, "PNG", optimize=True)
    return file.getvalue()
