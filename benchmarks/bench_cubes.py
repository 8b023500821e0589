"""What one galaxy costs from its cube to its maps, step by step, files and posterior included, on one core.

python benchmarks/bench_cubes.py [--models N] [--library FILE] [--survey FILE] [--small] [--json FILE]

Without --survey one mock galaxy of CALIFA's size is invented. A cut-out goes first, so that compiling does not count.
The steps are told by the wall clock, the whole by the processor's, which other work on the machine does not lengthen.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.adopted import N_REGIONS
from engine.errors import CubeError, GlocalError
from precompute.io.survey_file import SurveyPlan, read_survey_file
from precompute.settings import N_MODEL_LIBRARY, SEED
from precompute.stages.mock_cubes import SURVEY_FILE, make_mock_cubes
from precompute.stages.one_galaxy import Outcome, run_galaxy
from precompute.stages.run import chosen_galaxies, library_of, make_jobs, make_materials

CORES = 2  # of the machine that the projected time is for


def analysed(plan: SurveyPlan, materials, library, out: Path) -> list[Outcome]:
    """Every galaxy of a survey, one after the other in this process; raises CubeError if one fails."""
    plan = plan._replace(out=out)
    outcomes = [run_galaxy(materials, job) for job in make_jobs(plan, chosen_galaxies(plan).galaxies, library)]
    for outcome in outcomes:
        if not outcome.done:
            raise CubeError(f"{outcome.name}: {outcome.sentence}")
    return outcomes


def measure(survey: Path | None, library_file: Path | None, n_model: int, small: bool) -> dict:
    """The figures of one run."""
    with tempfile.TemporaryDirectory(prefix="glocal-") as folder:
        scratch = Path(folder)
        say(f"inventing {'a cut-out' if survey or small else 'a galaxy and a cut-out'} ...")
        make_mock_cubes(scratch / "first", 1, seed=SEED, n_model=n_model, small=True)
        first = read_survey_file(scratch / "first" / SURVEY_FILE)
        if survey is None:
            make_mock_cubes(scratch / "then", 1, seed=SEED, n_model=n_model, small=small)
            survey = scratch / "then" / SURVEY_FILE
        say(f"reading the library {library_file}" if library_file else f"building {n_model:,} models ...")
        library = library_of(first._replace(library=library_file, n_model=n_model))
        materials = make_materials(library)
        say("analysing ...")
        analysed(first, materials, library, scratch / "warm")
        outcomes = analysed(read_survey_file(survey), materials, library, scratch / "out")
    return figures_of([outcome.numbers for outcome in outcomes], library.log_age_wr.size)


def say(words: str) -> None:
    """To who waits, not into the figures."""
    print(words, file=sys.stderr)


def figures_of(numbers: list[dict], n_model: int) -> dict:
    """Costs per kept spaxel over all galaxies; steps by the wall clock of one thread, the whole by the processor."""
    n = sum(one["n_spaxels"] for one in numbers)
    core = sum(one["core_seconds"] for one in numbers) / n
    steps = {step: 1e3 * sum(one["steps_s"][step] for one in numbers) / n for step in numbers[0]["steps_s"]}
    return {
        "galaxies": len(numbers), "spaxels": n, "models": n_model,
        "ms_per_spaxel_of_step": {step: round(ms, 3) for step, ms in steps.items()},
        "core_seconds_per_spaxel": core, "survey_hours": core * N_REGIONS / CORES / 3600.0,
    }  # fmt: skip


def show(figures: dict) -> None:
    """The same in words."""
    print(f"{figures['galaxies']} galaxies, {figures['spaxels']:,} spaxels kept, {figures['models']:,} models")
    for step, ms in figures["ms_per_spaxel_of_step"].items():
        print(f"  {step:22s} {ms:9.2f} ms per spaxel")
    print(f"  {'in all':22s} {1e3 * figures['core_seconds_per_spaxel']:9.2f} ms of a core per spaxel")
    print(f"  {N_REGIONS:,} spaxels on {CORES} cores: {figures['survey_hours']:.1f} hours")


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=N_MODEL_LIBRARY)
    parser.add_argument("--library", type=Path, help="library to measure with, instead of building one")
    parser.add_argument("--survey", type=Path, help="survey file whose galaxies are analysed, instead of a mock galaxy")
    parser.add_argument("--small", action="store_true", help="a cut-out only, for a trial")
    parser.add_argument("--json", type=Path, help="write the figures into this file too")
    options = parser.parse_args()
    try:
        figures = measure(options.survey, options.library, options.models, options.small)
    except GlocalError as refusal:
        sys.exit(f"glocal: {refusal}")
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
