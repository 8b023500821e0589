"""``glocal validate --survey``: do the errors of a mock survey hold its truth, in every bin?"""

from itertools import groupby
from pathlib import Path

from astropy.table import Table

from engine.columns import column
from engine.errors import TableError
from engine.inference.validation import QUANTITIES
from engine.mock.coverage import ALL_REGIONS, EXPECTED, FEWEST_REGIONS, TOLERANCE, Coverage, coverage_of
from precompute.io.atomic import written_together
from precompute.io.products import read_survey

COVERAGE_TABLE = "coverage.ecsv"
BY = ("log_mu_star", "snr_per_angstrom", "smoothing_level")
NEEDED = (*BY, *(name.format(q) for q in QUANTITIES for name in ("{}_err", "true_{}")))


def validate_survey(folder: Path, out: Path, fewest: int = FEWEST_REGIONS) -> list[str]:
    """Write the coverage of every bin with enough regions, and return what the user should read.

    Raises TableError if the survey has no truth.
    """
    regions, _, _ = read_survey(folder)
    lacking = [name for name in NEEDED if name not in regions]
    if lacking:
        raise TableError(f"{folder} is not a mock survey whose truth is known: it lacks {', '.join(lacking)}")
    lines = coverage_of(regions, fewest)
    if not lines:
        n_region = len(regions["log_mu_star"])
        raise TableError(f"{folder} has {n_region:,} regions; a bin is judged by {fewest:,} or more")
    out.mkdir(parents=True, exist_ok=True)
    path = out / COVERAGE_TABLE
    with written_together(path) as (fresh,):
        coverage_table(lines).write(fresh, format="ascii.ecsv")
    return [*coverage_in_words(lines), "", f"Written: {path}"]


def coverage_table(lines: list[Coverage]) -> Table:
    """The lines as an astropy table."""
    table = Table([{**line._asdict(), "as_expected": line.as_expected} for line in lines])
    for name in ("offset", "error"):
        table[name].unit = "dex"
    return table


def coverage_in_words(lines: list[Coverage]) -> list[str]:
    """One block per quantity and sequence; bins whose coverage is not as expected are marked."""
    words = [
        "Share of the regions whose truth lies within the stated error of the median.",
        f"A Gaussian has {EXPECTED:g}; bins off by more than {TOLERANCE:g} are marked with *.",
    ]
    for (quantity, sequence), block in groupby(lines, lambda line: (line.quantity, line.sequence)):
        words += ["", f"{column(quantity).axis}, {sequence}"]
        words.append(f"  {'bin':<34}{'regions':>9}{'median offset':>15}{'stated':>9}{'coverage':>10}")
        words += [_line_in_words(line) for line in block]
    kept = sum(line.as_expected for line in lines)
    words += ["", f"{kept} of {len(lines)} bins within {EXPECTED:g} ± {TOLERANCE:g}."]
    return words


def _line_in_words(line: Coverage) -> str:
    mark = "" if line.as_expected else " *"
    numbers = f"{line.n:>9,}{line.offset:>+15.3f}{line.error:>9.3f}{line.coverage:>10.3f}"
    return f"  {_bin_in_words(line):<34}{numbers}{mark}"


def _bin_in_words(line: Coverage) -> str:
    if line.by == ALL_REGIONS:
        return ALL_REGIONS
    label = column(line.by).label
    if line.low == line.high:
        return f"{label} {line.low:.0f}"
    return f"{label} {line.low:g} to {line.high:g}"
