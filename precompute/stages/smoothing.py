"""``glocal compare-smoothing``: ZG22 app. A on the cubes of a survey, against unsmoothed spaxels and Voronoi bins."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from matplotlib.figure import Figure

from engine.adopted import GREEN_VALLEY_BIN_DEX
from engine.columns import MOCK, column
from engine.errors import SampleError, SettingsError
from engine.pipeline import ADAPTIVE, VORONOI
from engine.relations.density import contour_levels, normalise_peak, smooth_density, weighted_density
from engine.relations.running import RunningQuantiles, presort, running_quantiles
from engine.stats import PERCENTILES
from engine.table_checks import Columns
from engine.types import FloatArray
from precompute import layout
from precompute.cluster import Machines
from precompute.io.atomic import written_together
from precompute.io.map_files import read_map_hdus
from precompute.io.products import read_survey
from precompute.io.survey_file import SurveyPlan, read_survey_file
from precompute.layout import file_stem
from precompute.look import colour
from precompute.progress import Phases, silent
from precompute.stages.mock_cubes import TRUTH
from precompute.stages.one_galaxy import Outcome
from precompute.stages.run import Told, run_plan

FIGURE = "smoothing.png"
TABLE = "smoothing.csv"
ALL = "adaptive smoothing"
UNSMOOTHED = "unsmoothed spaxels"
TILES = "Voronoi bins"
TRUE = "true maps"
QUANTITIES = ("log_age_wr", "log_Z_wr")
COLUMNS = ("galaxy_id", "x", "y", "smoothing_level", "weight", "log_mu_star", *QUANTITIES)
EDGES = np.arange(0.5, 4.51, GREEN_VALLEY_BIN_DEX)  # log mu*
FEWEST = 50  # regions in a bin; choice
FAINTEST = 1e-3  # of the peak, in the figure
FIGURE_STEP = {"log_mu_star": 0.05, "log_age_wr": 0.04, "log_Z_wr": 0.05}  # dex, cells of the figure


class BinnedRelations(NamedTuple):
    """Regions measured in one way, and how their ages and metallicities follow mu*."""

    name: str
    regions: Columns
    lines: dict[str, RunningQuantiles]  # 16, 50, 84 % by quantity

    @property
    def n_values(self) -> int:
        """How many different measurements stand behind the regions."""
        return len(np.unique(np.stack([self.regions[name] for name in ("log_mu_star", *QUANTITIES)]), axis=1).T)


class SmoothingComparison(NamedTuple):
    """What the user should read, and what happened to every galaxy in both runs."""

    sentences: list[str]
    outcomes: list[Outcome]


def compare_smoothing(
    file: Path, machines: Machines | None = None, phases: Phases = silent, told: Told = lambda _outcome, _new: None
) -> SmoothingComparison:
    """Analyse a survey's cubes with both kinds of binning, and set relations to mu* side by side.

    Both runs are resumable; what is finished is not done again. Writes a figure and a table next to the survey;
    galaxies that failed are missing in them. Raises as run_survey does, and SettingsError for an unsmoothed survey.
    """
    plan = read_survey_file(file)
    if plan.settings.binning != ADAPTIVE:
        raise SettingsError(f"{plan.file}: the survey to compare with has binning {ADAPTIVE!r}")
    adaptive = run_plan(plan, machines, phases, told)
    tiles = voronoi_plan(plan)
    binned = run_plan(tiles, machines, phases, told)
    samples = gather(plan, tiles)
    with written_together(plan.out / FIGURE, plan.out / TABLE) as (figure, table):
        draw(samples, plan.origin).savefig(figure, dpi=150, format="png", metadata={"Title": f"{plan.origin} data"})
        as_table(samples).write(table, format="ascii.csv", overwrite=True)
    sentences = [*in_words(samples), "", f"Written: {plan.out / FIGURE}, {plan.out / TABLE}"]
    return SmoothingComparison(sentences, adaptive.outcomes + binned.outcomes)


def voronoi_plan(plan: SurveyPlan) -> SurveyPlan:
    """The same survey by Voronoi bins, in a folder of its own, with the same models."""
    return plan._replace(
        out=plan.out.with_name(f"{plan.out.name}-{VORONOI}"), settings=plan.settings._replace(binning=VORONOI),
        library=plan.library or layout.library_file(plan.out),
    )  # fmt: skip


def gather(plan: SurveyPlan, tiles: SurveyPlan) -> list[BinnedRelations]:
    """The samples to compare: all, the unsmoothed of them, Voronoi bins, and the truth where it is known."""
    regions, names = _regions(plan.out)
    binned, _ = _regions(tiles.out)
    first = regions["smoothing_level"] == 1
    if not first.any():
        raise SampleError(f"{plan.out}: every region is smoothed, so there is nothing to compare")
    samples = [
        sample(ALL, regions), sample(UNSMOOTHED, {key: values[first] for key, values in regions.items()}),
        sample(TILES, binned),
    ]  # fmt: skip
    truth = true_regions(plan, regions, names)
    return samples + ([sample(TRUE, truth)] if truth else [])


def _regions(folder: Path) -> tuple[Columns, dict[int, str]]:
    """Columns of the regions, and the galaxies' names by number."""
    regions, galaxies, _ = read_survey(folder)
    names = dict(zip(galaxies["galaxy_id"].tolist(), galaxies["name"].tolist(), strict=True))
    return {name: np.asarray(regions[name]) for name in COLUMNS}, names


def true_regions(plan: SurveyPlan, regions: Columns, names: dict[int, str]) -> Columns:
    """The same spaxels with what was put into mock cubes, at their point spread and unsmoothed; else nothing."""
    files = {number: plan.file.parent / TRUTH / f"{file_stem(name)}.fits" for number, name in names.items()}
    if plan.origin != MOCK or not all(path.is_file() for path in files.values()):
        return {}
    true = {name: np.array(values, copy=True) for name, values in regions.items()}
    for number, path in files.items():
        mine = regions["galaxy_id"] == number
        place = regions["y"][mine], regions["x"][mine]
        hdus = read_map_hdus(path)
        for name in ("log_mu_star", *QUANTITIES):
            true[name][mine] = hdus[name.upper()].data[place]
    return true


def sample(name: str, regions: Columns) -> BinnedRelations:
    """Regions with their running median and percentiles."""
    mu = regions["log_mu_star"]
    weight = regions["weight"]
    lines = {
        quantity: running_quantiles(mu, regions[quantity], weight, EDGES, np.array(PERCENTILES),
                                    presort(regions[quantity]), min_count=FEWEST)
        for quantity in QUANTITIES
    }  # fmt: skip
    return BinnedRelations(name, regions, lines)


def as_table(samples: list[BinnedRelations]) -> Table:
    """A row per sample, quantity and bin of log mu*."""
    rows = [
        {"sample": one.name, "quantity": quantity, "log_mu_star": centre, "regions": int(count),
         "median": round(middle, 4), "half_width": round((high - low) / 2, 4)}
        for one in samples for quantity, line in one.lines.items()
        for centre, count, (low, middle, high) in zip(line.centre, line.count, line.values.T, strict=True)
        if np.isfinite(middle)
    ]  # fmt: skip
    return Table(rows=rows)


def in_words(samples: list[BinnedRelations]) -> list[str]:
    """Medians and half widths (16-84 %) of each sample by bins of mu*, then how far they are apart."""
    words = [f"{one.name}: {len(one.regions['x']):,} regions, {one.n_values:,} different measurements"
             for one in samples if one.name != TRUE]  # fmt: skip
    for quantity in QUANTITIES:
        words += _medians_in_words(samples, quantity)
    return [*words, "", *(_distance_in_words(samples[0], one) for one in samples[1:])]


def _medians_in_words(samples: list[BinnedRelations], quantity: str) -> list[str]:
    """A line per bin of mu* in which any sample has a median."""
    title = f"{column(quantity).axis}: median ± half of 16-84 %, by {column('log_mu_star').label}"
    head = f"{'':6s}" + "".join(f"{one.name:>20s}" for one in samples)
    known = np.any([np.isfinite(one.lines[quantity].values[1]) for one in samples], axis=0)
    return ["", title, head, *(_bin_in_words(samples, quantity, k) for k in np.flatnonzero(known))]


def _bin_in_words(samples: list[BinnedRelations], quantity: str, k: int) -> str:
    cells = []
    for one in samples:
        low, middle, high = one.lines[quantity].values[:, k]
        cells.append(f"{middle:.2f} ± {(high - low) / 2:.2f}" if np.isfinite(middle) else "-")
    return f"{samples[0].lines[quantity].centre[k]:6.2f}" + "".join(f"{cell:>20s}" for cell in cells)


def _distance_in_words(reference: BinnedRelations, other: BinnedRelations) -> str:
    parts = []
    for quantity in QUANTITIES:
        shift, width = distance(reference.lines[quantity], other.lines[quantity])
        parts.append(f"{column(quantity).label} {shift:+.3f} dex, {width:.2f} times as wide")
    return f"{other.name} against {reference.name}, median over bins: " + "; ".join(parts)


def distance(reference: RunningQuantiles, other: RunningQuantiles) -> tuple[float, float]:
    """Median over the bins that both have: difference of the medians [dex], and ratio of the widths (16-84 %)."""
    difference, ratio = (
        other.values[1] - reference.values[1],
        np.subtract(*other.values[[2, 0]]) / np.subtract(*reference.values[[2, 0]]),
    )
    return tuple(float(np.median(part[np.isfinite(part)])) if np.isfinite(part).any() else np.nan
                 for part in (difference, ratio))  # fmt: skip


def draw(samples: list[BinnedRelations], origin: str) -> Figure:
    """As ZG22 Fig. A1: shades are a sample's density on the scale of all; contours and thin lines show all regions."""
    figure = Figure(figsize=(3.1 * len(samples), 5.6), layout="constrained")
    words = "the same cubes, smoothed in different ways"
    figure.suptitle(f"MOCK data: {words}" if origin == MOCK else words.capitalize())
    axes = figure.subplots(len(QUANTITIES), len(samples), sharex=True, sharey="row")
    for row, quantity in zip(axes, QUANTITIES, strict=True):
        _draw_row(row, samples, quantity)
    for axis, one in zip(axes[0], samples, strict=True):
        axis.set_title(one.name, fontsize="medium")
    for axis in axes[-1]:
        axis.set_xlabel(column("log_mu_star").tex_axis)
    return figure


def _draw_row(axes, samples: list[BinnedRelations], quantity: str) -> None:
    """One quantity in every sample."""
    ends = {"log_mu_star": (EDGES[0], EDGES[-1]), quantity: _range(samples[0].regions[quantity])}
    grid = [np.arange(low, high, FIGURE_STEP[name]) for name, (low, high) in ends.items()]
    full = _density(samples[0], quantity, grid)
    for axis, one in zip(axes, samples, strict=True):
        _draw_one(axis, one, quantity, grid, full)
        _draw_reference(axis, samples[0].lines[quantity], grid, full)
    axes[0].set_ylabel(column(quantity).tex_axis)


def _range(values: FloatArray) -> tuple[float, float]:
    low, high = np.nanpercentile(values, (0.2, 99.8))
    return float(low) - 0.1, float(high) + 0.1


def _density(one: BinnedRelations, quantity: str, grid: list[FloatArray]) -> FloatArray:
    return weighted_density(one.regions["log_mu_star"], one.regions[quantity], one.regions["weight"], *grid)


def _draw_one(axis, one: BinnedRelations, quantity: str, grid: list[FloatArray], full: FloatArray) -> None:
    shades = normalise_peak(smooth_density(_density(one, quantity, grid), 0.7), np.max(smooth_density(full, 0.7)))
    shades[shades < FAINTEST] = np.nan
    axis.pcolormesh(*grid, np.log10(shades), cmap="Greys", vmin=-2.5, vmax=0, rasterized=True)
    line = one.lines[quantity]
    axis.plot(line.centre, line.values[1], color=colour("old ridge"), lw=1.8)
    for edge in line.values[[0, 2]]:
        axis.plot(line.centre, edge, color=colour("old ridge"), lw=1.2, ls="--")


def _draw_reference(axis, line: RunningQuantiles, grid: list[FloatArray], full: FloatArray) -> None:
    middles = [(edges[1:] + edges[:-1]) / 2 for edges in grid]
    density = normalise_peak(smooth_density(full, 1.5))
    axis.contour(*middles, density, levels=contour_levels(4, 0.02), colors=colour("young sequence"), linewidths=0.6)
    axis.plot(line.centre, line.values[1], color=colour("young sequence"), lw=0.9)
