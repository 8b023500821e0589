"""Time of the relations on a survey-sized table, beside the plain way in the same run.

python benchmarks/bench_relations.py [rows]
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.relations.bivariate import median_map
from engine.relations.density import weighted_density
from engine.relations.green_valley import age_peaks, fit_green_valley
from engine.relations.running import presort, running_quantiles
from tests.reference import relations_plain

Q = (0.16, 0.50, 0.84)


def median_ms(work, repeats: int) -> float:
    """Median wall time in ms after one call that may compile."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def table(n: int) -> dict[str, np.ndarray]:
    """Columns as a survey holds them: float32 values that cannot be written to, float64 weights."""
    rng = np.random.default_rng(1)
    log_mu_star = rng.normal(2.3, 0.6, n)
    log_age = 9.4 + 0.1 * log_mu_star + rng.choice([-0.25, 0.25], n) + rng.normal(0, 0.1, n)
    columns = {"x": log_mu_star, "y": log_age, "z": rng.normal(-0.1, 0.2, n)}
    columns = {name: column.astype(np.float32) for name, column in columns.items()} | {"weight": rng.lognormal(0, 1, n)}
    for column in columns.values():
        column.flags.writeable = False
    return columns


def main(n: int = 600_000, repeats: int = 21) -> None:
    """Print one line per relation: ours, the plain way, their ratio."""
    x, y, z, weight = table(n).values()
    mask = np.random.default_rng(2).random(n) < 0.7
    order, order_of_z = presort(y), presort(z)
    lines, x_edges, y_edges = np.linspace(0.5, 4.5, 41), np.linspace(0.5, 4.5, 61), np.linspace(8.5, 10.5, 61)
    median = lambda mask=None: running_quantiles(x, y, weight, lines, Q, order, mask)  # noqa: E731
    maps = lambda mask=None: median_map(x, y, z, weight, x_edges, y_edges, order_of_z, mask)  # noqa: E731
    density = lambda mask=None: weighted_density(x, y, weight, x_edges, y_edges, mask)  # noqa: E731
    cases = (
        ("median line, 16/50/84, 40 bins", median, lambda: relations_plain.running_quantiles(x, y, weight, lines, Q)),
        ("median map, 60 x 60", maps, lambda: relations_plain.median_map(x, y, z, weight, x_edges, y_edges)),
        ("density, 60 x 60", density, lambda: np.histogram2d(y, x, (y_edges, x_edges), weights=weight)),
    )
    print(f"{n} rows, median of {repeats}: all rows / 70 % by mask / plain / plain over ours")
    for name, fast, slow in cases:
        ours, masked, plain = median_ms(fast, repeats), median_ms(lambda f=fast: f(mask), repeats), median_ms(slow, 3)
        print(f"{name:32s} {ours:8.2f} ms {masked:8.2f} ms {plain:9.1f} ms {plain / ours:6.0f} x")
    print(f"{'presort (once per column)':32s} {median_ms(lambda: presort(y), 5):8.2f} ms")
    print(f"{'age peaks, 12 bins':32s} {median_ms(lambda: age_peaks(x, y, weight, lines[::3]), 5):8.2f} ms")
    print(f"{'green-valley fit':32s} {median_ms(lambda: fit_green_valley(x, y, weight), 5):8.2f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
