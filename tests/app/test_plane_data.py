"""A plane as arrays: totals, shades, lines and what they follow."""

import numpy as np
import pytest
from app.screen.plane_data import (
    FIGURE_3,
    LIMITS,
    column_shades,
    contours,
    full_peak,
    log_shades,
    plane_data,
    select_sample,
    valley_line,
)

from app.reference import gallazzi05
from app.selection import Selection
from app.store import open_survey
from engine.adopted import OLD_RIDGE_LOG_AGE
from engine.columns import column
from engine.relations.green_valley import EQUATION_3, Line

MU_AGE, _, M_AGE, MU_Z, *_ = FIGURE_3


@pytest.fixture(scope="module")
def survey(small_survey):
    return open_survey(small_survey)


@pytest.fixture(scope="module")
def everything(survey):
    return select_sample(survey, Selection())


def test_shades_are_zero_where_no_region_is_and_255_at_the_peak():
    np.testing.assert_array_equal(log_shades(np.array([0.0, 1e-9, 1e-3, 1.0, 5.0])), [0, 1, 1, 255, 255])


def test_a_factor_of_ten_in_density_is_the_same_step_of_shade_everywhere():
    shades = log_shades(np.array([1.0, 0.1, 0.01])).astype(int)
    assert abs(shades[0] - 2 * shades[1] + shades[2]) <= 1


def test_a_column_s_shades_do_not_depend_on_how_many_regions_it_has():
    density = np.array([[1.0, 100.0, 0.0], [3.0, 300.0, 0.0]])
    shades = column_shades(density)
    np.testing.assert_array_equal(shades[:, 0], shades[:, 1])
    assert (shades[:, 2] == 0).all()


@pytest.mark.parametrize("spec", FIGURE_3, ids=lambda spec: spec.name)
def test_the_picture_is_numpy_s_histogram_in_shades(survey, everything, spec):
    data = plane_data(survey, everything, spec)
    n_x, n_y = spec.cells
    x0, x1, y0, y1 = spec.limits
    x, y = survey[spec.x], survey[spec.y]
    known = np.isfinite(x) & np.isfinite(y)
    counted, _, _ = np.histogram2d(
        y[known], x[known], (n_y, n_x), ((y0, y1), (x0, x1)), weights=everything.column("weight")[known]
    )
    expected = log_shades(counted / counted.max()).astype(int)
    differ = np.abs(data.image.astype(int) - expected) > 1
    assert data.image.shape == (n_y, n_x)
    assert differ.mean() < 0.01  # regions on the edge of a cell may fall to either side in float32


def test_the_full_sample_reaches_full_ink_and_a_part_of_it_never_more(survey, everything):
    full = plane_data(survey, everything, MU_AGE).image
    part = plane_data(survey, select_sample(survey, Selection(log_M_star=(10.3, 13.0))), MU_AGE).image
    assert full.max() == 255
    assert (part <= full).all()
    assert 0 < np.count_nonzero(part) < np.count_nonzero(full)


def test_an_empty_selection_gives_a_white_plane_and_no_lines(survey):
    nobody = select_sample(survey, Selection(log_mu_e=(30.0, 31.0)))
    data = plane_data(survey, nobody, M_AGE)
    assert (nobody.n_regions, nobody.n_galaxies) == (0, 0)
    assert not data.image.any()
    assert not data.normalised.any()
    assert np.isnan(data.running.values).all()
    assert np.isnan(data.peaks.old).all()


def test_counts_are_those_of_the_mask(survey):
    selection = Selection(log_M_star=(10.3, 13.0), smoothing="unsmoothed")
    sample, mask = select_sample(survey, selection), selection.region_mask(survey)
    assert sample.n_regions == mask.sum()
    assert sample.n_galaxies == len(np.unique(survey["galaxy_id"][mask]))


def test_zooming_counts_the_cells_anew(survey, everything):
    view = (2.0, 2.5, 9.0, 9.5)
    data = plane_data(survey, everything, MU_AGE, view)
    assert data.view == view
    assert data.image.shape == plane_data(survey, everything, MU_AGE).image.shape
    inside = (survey["log_mu_star"] > 2.0) & (survey["log_mu_star"] < 2.5)
    inside &= (survey["log_age_wr"] > 9.0) & (survey["log_age_wr"] < 9.5)
    assert 0 < np.count_nonzero(data.image) <= inside.sum()


def test_the_old_ridge_lies_where_the_survey_put_it(survey, everything):
    old = plane_data(survey, everything, MU_AGE).peaks.old
    assert np.nanmax(np.abs(old - OLD_RIDGE_LOG_AGE)) < 0.05


def test_the_median_is_that_of_the_selected_regions_only(survey):
    sample = select_sample(survey, Selection(weighting="equal", log_M_star=(10.3, 13.0)))
    running = plane_data(survey, sample, MU_Z).running
    best = int(np.argmax(running.count))
    centre = running.centre[best]
    x, y = survey["log_mu_star"], survey["log_Z_wr"]
    here = sample.mask & (x >= centre - 0.1) & (x < centre + 0.1) & np.isfinite(y)
    assert running.values[1, best] == pytest.approx(np.median(y[here]), abs=0.01)


def test_contours_belong_to_the_full_sample_and_stay_in_the_frame(survey):
    xs, ys = contours(survey, MU_AGE, "area/V'max")
    x0, x1, y0, y1 = MU_AGE.limits
    assert len(xs) > 0
    assert all(x0 <= x.min() and x.max() <= x1 for x in xs)
    assert all(y0 <= y.min() and y.max() <= y1 for y in ys)


def test_equation_3_ends_where_the_paper_s_numbers_say():
    x, y = valley_line(EQUATION_3)
    assert y[0] == pytest.approx(9.40 + 0.095 * x[0])
    assert valley_line(Line(np.nan, np.nan)) == ([], [])


def test_weightings_differ_in_their_peaks(survey):
    peaks = {full_peak(survey, MU_AGE, name) for name in ("area/V'max", "area", "equal")}
    assert len(peaks) == 3


def test_gallazzi_s_masses_rise_and_percentiles_enclose_the_median():
    for name in ("log_age_wr", "log_Z_wr"):
        curve = gallazzi05(name)
        assert (np.diff(curve.x) > 0).all()
        assert (curve.low < curve.median).all()
        assert (curve.median < curve.high).all()


@pytest.mark.paper
def test_gallazzi_s_oldest_and_youngest_medians_are_the_published_ones():
    ages = gallazzi05("log_age_wr").median
    assert (ages[0], ages[-1], len(ages)) == (9.06, 9.96, 16)


def test_every_axis_is_a_column_and_has_limits():
    for spec in FIGURE_3:
        assert column(spec.x).axis
        assert column(spec.y).axis
        assert LIMITS[spec.x][0] < LIMITS[spec.x][1]
