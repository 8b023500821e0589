"""The robust line against analytic truth and against plain least squares."""

import numpy as np
import pytest

from engine.relations.robust import robust_line


@pytest.fixture
def pairs():
    rng = np.random.default_rng(3)
    x = rng.uniform(9.0, 11.5, 20_000)
    return x, 0.55 * x - 3.0 + 0.34 * rng.standard_normal(x.size)


def test_a_gaussian_cloud_gives_the_line_and_the_scatter_it_was_drawn_from(pairs):
    line = robust_line(*pairs)
    assert line.slope == pytest.approx(0.55, abs=0.015)
    assert line.intercept + 10 * line.slope == pytest.approx(2.5, abs=0.01)
    assert line.scatter == pytest.approx(0.34, abs=0.01)


def test_outliers_drag_least_squares_but_not_the_robust_line(pairs):
    x, y = pairs
    y = np.where((x > 11.0) & (np.arange(x.size) % 3 == 0), y - 3.0, y)
    assert abs(np.polyfit(x, y, 1)[0] - 0.55) > 0.2
    assert robust_line(x, y).slope == pytest.approx(0.55, abs=0.12)


def test_points_on_a_line_give_it_exactly():
    line = robust_line(np.arange(5.0), 2.0 - 0.5 * np.arange(5.0))
    assert tuple(line) == pytest.approx((-0.5, 2.0, 0.0), abs=1e-12)


def test_a_multiplicity_counts_like_rows_written_twice():
    rng = np.random.default_rng(1)
    x, y, times = rng.normal(size=200), rng.normal(size=200), rng.integers(0, 4, 200)
    assert tuple(robust_line(x, y, times)) == pytest.approx(
        tuple(robust_line(np.repeat(x, times), np.repeat(y, times)))
    )


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0], [np.nan, 1.0]])
def test_no_line_without_two_places(x):
    assert np.isnan(robust_line(np.array(x), np.zeros(len(x)))).all()
