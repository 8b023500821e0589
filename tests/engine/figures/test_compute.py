"""The arrays of every mark against a walk over single regions, and what they follow."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from engine.adopted import GREEN_VALLEY_BIN_DEX
from engine.figures import axes
from engine.figures.arrays import View
from engine.figures.catalogue import FIGURES, Panel, figure
from engine.figures.compute import _MAKERS, Tools, compute, compute_mark
from engine.figures.cut import FITTED, OLD_RIDGE, YOUNG_SEQUENCE, Cut, Range
from engine.figures.marks import (
    FULL,
    MARKS,
    SCATTER,
    ColumnDensity,
    Contours,
    Density,
    Fit,
    Limits,
    MedianMap,
    Peaks,
    Points,
    Published,
    Running,
    Valley,
)
from engine.figures.planes import weighted_count
from engine.figures.sample import LATELY, full_sample, select
from engine.figures.table import Table
from engine.relations.completeness import completeness_limits
from engine.relations.green_valley import EQUATION_3, ValleyLine, age_peaks
from tests.engine.figures.conftest import make_columns
from tests.reference import figures_plain, relations_plain

MASSIVE = Cut(ranges={"log_M_star": Range(10.0, None)})
PLANE = Panel("log_mu_star", "log_Z_wr", ())
AGES = Panel("log_mu_star", "log_age_wr", ())
VIEW = View(min_count=20)


def made(table, mark, panel=PLANE, cut=MASSIVE, view=VIEW):
    return compute_mark(mark, panel, select(table, cut, view.weighting), view)


def selected(table, *names, cut=MASSIVE, weighting=VIEW.weighting):
    keep = table["log_M_star"] >= 10.0 if cut is MASSIVE else np.ones(table.n_regions, bool)
    return [table[name][keep] for name in names] + [table.weight(weighting)[keep]]


def test_every_mark_has_arrays():
    assert set(_MAKERS) == set(MARKS)


@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_can_be_computed(table, key):
    arrays = compute(FIGURES[key], table, MASSIVE)
    assert set(arrays) == {(panel.name, i) for panel in FIGURES[key].panels for i in range(len(panel.marks))}


@pytest.mark.parametrize("key", FIGURES)
def test_a_figure_of_no_region_and_of_a_bare_table_is_empty_not_an_error(key):
    regions, galaxies = make_columns()
    bare = {"log_Z_wr", "log_mu_star_err", "log_age_wr_err", "log_Z_wr_err", "sb_r", "smoothing_level"}
    table = Table({name: values for name, values in regions.items() if name not in bare}, galaxies)
    compute(FIGURES[key], table)
    nothing = compute(FIGURES[key], Table(*make_columns()), Cut(galaxies=()))
    densities = [
        nothing[panel.name, i].value
        for panel in FIGURES[key].panels
        for i, mark in enumerate(panel.marks)
        if isinstance(mark, Density)
    ]
    assert all((value == 0).all() for value in densities)


def test_density_is_weight_per_area_over_the_peak_of_all_regions(table):
    found = made(table, Density())
    here = figures_plain.density(*selected(table, "log_mu_star", "log_Z_wr"), found.limits, (150, 126))
    everything = table["log_mu_star"], table["log_Z_wr"], table.weight("area/V'max")
    peak = figures_plain.density(*everything, found.limits, (150, 126)).max()
    np.testing.assert_allclose(found.value, here / peak, rtol=1e-5, atol=1e-7)
    assert made(table, Density(), cut=Cut()).value.max() == pytest.approx(1.0)


def test_a_zoomed_density_keeps_its_scale_and_counts_the_cells_of_the_view(table):
    zoom = {"log_mu_star": Range(2.0, 3.0), "log_Z_wr": Range(-0.6, None)}
    found = made(table, Density(), view=View(zoom=zoom, fineness=2))
    assert found.limits == (2.0, 3.0, -0.6, axes.limits("log_Z_wr", table)[1])
    assert found.value.shape == (252, 300)
    here = figures_plain.density(*selected(table, "log_mu_star", "log_Z_wr"), found.limits, (300, 252))
    full = made(table, Density(), cut=Cut())
    cell_areas = [
        (x1 - x0) * (y1 - y0) / n for (x0, x1, y0, y1), n in ((found.limits, 300 * 252), (full.limits, 150 * 126))
    ]
    everything = table["log_mu_star"], table["log_Z_wr"], table.weight("area/V'max")
    peak = figures_plain.density(*everything, full.limits, (150, 126)).max()
    np.testing.assert_allclose(found.value, (here / cell_areas[0]) / (peak / cell_areas[1]), rtol=1e-4, atol=1e-6)


def test_a_zoomed_view_of_all_regions_is_counted_once_for_both_densities_and_not_kept_for_long(table):
    counted = []

    def count(x, y, weight, limits, cells):
        counted.append(limits)
        return weighted_count(x, y, weight, limits, cells)

    def look(start, mark):
        view = View(zoom={"log_mu_star": Range(start, 3.0)})
        return compute_mark(mark, PLANE, select(table), view, Tools(count=count))

    look(1.0, Density())
    n_first = len(counted)  # one of them for the peak
    by_column = look(1.0, ColumnDensity())
    assert len(counted) == n_first
    assert by_column.limits[:2] == (1.0, 3.0)
    for start in np.linspace(1.1, 2.0, LATELY):
        look(start, Density())
    look(1.0, Density())
    assert len(counted) == n_first + LATELY + 1
    everything = table["log_mu_star"], table["log_Z_wr"], table.weight("area/V'max")
    here = figures_plain.density(*everything, by_column.limits, (75, 63))
    total = here.sum(axis=0)
    np.testing.assert_allclose(by_column.value[:, total > 0], (here / total)[:, total > 0], rtol=1e-5)


def test_columns_are_shares_that_sum_to_one(table):
    found = made(table, ColumnDensity())
    here = figures_plain.density(*selected(table, "log_mu_star", "log_Z_wr"), found.limits, (75, 63))
    total = here.sum(axis=0)
    np.testing.assert_allclose(found.value.sum(axis=0)[total > 0], 1.0)
    np.testing.assert_allclose(found.value[:, total > 0], (here / np.where(total, total, 1))[:, total > 0], atol=1e-5)


def test_contours_run_where_the_blurred_density_has_five_levels_evenly_spaced_in_the_log(table):
    found = made(table, Contours())
    x0, x1, y0, y1 = axes.plane_limits("log_mu_star", "log_Z_wr", table)
    everything = table["log_mu_star"], table["log_Z_wr"], table.weight("area/V'max")
    raw = figures_plain.density(*everything, (x0, x1, y0, y1), (120, 100))
    smooth = gaussian_filter(raw, 1.6, mode="reflect")
    along_x, along_y = np.concatenate(found.xs), np.concatenate(found.ys)
    places = (along_y - y0) / (y1 - y0) * 100 - 0.5, (along_x - x0) / (x1 - x0) * 120 - 0.5
    there = map_coordinates(smooth, places, order=1) / smooth.max()
    levels = 10.0 ** np.arange(-2.0, 0.0, 0.4)
    nearest = np.abs(np.log10(there)[:, None] - np.log10(levels)).argmin(axis=1)
    assert set(nearest) == set(range(5))
    np.testing.assert_allclose(there, levels[nearest], rtol=1e-3)


def test_contours_stay_those_of_all_regions_within_the_view(table):
    everything, massive = made(table, Contours(), cut=Cut()), made(table, Contours())
    for here, there in zip(everything.xs, massive.xs, strict=True):
        np.testing.assert_array_equal(here, there)
    x0, x1, y0, y1 = axes.plane_limits("log_mu_star", "log_Z_wr", table)
    assert all(x0 <= x.min() and x.max() <= x1 for x in everything.xs)
    assert all(y0 <= y.min() and y.max() <= y1 for y in everything.ys)


@pytest.mark.parametrize("weighting", ["area/V'max", "area", "equal"])
def test_running_medians_are_those_of_a_mask_per_bin(table, weighting):
    found = made(table, Running(), view=View(weighting=weighting, min_count=20))
    columns = selected(table, "log_mu_star", "log_Z_wr", weighting=weighting)
    edges = axes.bin_edges("log_mu_star", table)
    expected = figures_plain.running(*columns, edges, 20)
    np.testing.assert_array_equal([found.low, found.median, found.high], expected)
    np.testing.assert_allclose(found.x, (edges[1:] + edges[:-1]) / 2)
    assert np.isfinite(found.median).sum() > 5


def test_marks_of_the_full_sample_do_not_follow_the_selection_nor_the_part_of_their_panel(table):
    panel = Panel("log_mu_star", "log_Z_wr", (), Cut(sequence=OLD_RIDGE))
    np.testing.assert_array_equal(made(table, Running(of=FULL), panel).median, made(table, Running(), cut=Cut()).median)


def test_parts_of_panel_and_mark_narrow_the_selection(table):
    young = Cut(sequence=YOUNG_SEQUENCE)
    panel = Panel("log_mu_star", "log_Z_wr", (), young)
    both = select(table, MASSIVE & young)
    edges = axes.bin_edges("log_mu_star", table)
    expected = figures_plain.running(both["log_mu_star"], both["log_Z_wr"], both.weight, edges, 20)[1]
    np.testing.assert_array_equal(made(table, Running(), panel).median, expected)
    np.testing.assert_array_equal(made(table, Running(part=young)).median, expected)
    np.testing.assert_array_equal(made(table, Running(of=FULL, part=young), cut=MASSIVE).median,
                                  made(table, Running(part=young), cut=Cut()).median)  # fmt: skip


def test_peaks_are_those_of_the_selected_columns(table):
    found = made(table, Peaks(), AGES, cut=Cut())
    edges = axes.bin_edges("log_mu_star", table, GREEN_VALLEY_BIN_DEX)
    expected = age_peaks(*selected(table, "log_mu_star", "log_age_wr", cut=Cut()), edges)
    np.testing.assert_array_equal(found.x, expected.centre)
    np.testing.assert_allclose(found.old, expected.old, rtol=1e-12)
    np.testing.assert_allclose(found.young, expected.young, rtol=1e-12)


@pytest.mark.parametrize(("valley", "line"), [(EQUATION_3, EQUATION_3), (ValleyLine(0.3, 9.0), ValleyLine(0.3, 9.0))])
def test_the_valley_is_the_line_in_force_from_end_to_end(table, valley, line):
    found = made(table, Valley(), AGES, cut=Cut(valley=valley))
    np.testing.assert_allclose(found.y, line.slope * found.x + line.intercept)
    assert tuple(found.x) == axes.limits("log_mu_star", table)
    assert found.line == line


def test_a_valley_that_cannot_be_fitted_has_no_ends():
    regions, galaxies = make_columns()
    regions["log_age_wr"] = np.full_like(regions["log_age_wr"], 9.0)
    found = made(Table(regions, galaxies), Valley(), AGES, cut=Cut(valley=FITTED))
    assert found.x.size == found.y.size == 0


@pytest.mark.parametrize("shows", ["median", SCATTER])
def test_median_maps_are_those_of_a_mask_per_cell(table, shows):
    panel = Panel("log_M_star", "log_mu_star", ())
    found = made(table, MedianMap(z="log_age_wr", shows=shows), panel)
    edges = [axes.bin_edges(name, table, axes.MEDIAN_CELL_DEX) for name in ("log_M_star", "log_mu_star")]
    columns = selected(table, "log_M_star", "log_mu_star", "log_age_wr")
    median, half_width, count = relations_plain.median_map(*columns, *edges)
    expected = np.where(count >= 20, median if shows == "median" else half_width, np.nan)
    np.testing.assert_allclose(found.value, expected, rtol=1e-6)
    np.testing.assert_array_equal(found.count, count)
    assert found.limits == tuple(end for along in edges for end in (along[0], along[-1]))
    assert np.isfinite(found.value).sum() > 20
    assert found.z_limits == ((8.8, 10.0) if shows == "median" else (0.0, 0.4))  # log yr, dex


def test_points_are_galaxies_with_selected_regions_and_both_values(table):
    found = made(table, Points(), Panel("log_M_star", "log_mu_e", ()), Cut())
    assert found.galaxy_id.tolist() == [10, 20, 30, 50, 60, 70, 80]  # 40 has no density, 90 no region
    np.testing.assert_array_equal(found.x, table.galaxy("log_M_star")[found.galaxy_id // 10 - 1])


def test_the_fit_is_a_line_with_its_scatter_on_either_side(table):
    found = made(table, Fit(), Panel("log_M_star", "log_mu_e", ()), Cut())
    np.testing.assert_allclose(found.high - found.median, found.median - found.low)
    assert (found.high > found.median).all()
    assert tuple(found.x) == axes.limits("log_M_star", table)


def test_completeness_follows_the_line_but_not_the_selection(table):
    columns = [table[name] for name in ("log_mu_star", "sb_r", "log_age_wr")]
    for line in (EQUATION_3, ValleyLine(0.0, 9.6)):
        expected = completeness_limits(*columns, table.weight("area/V'max"), line)
        np.testing.assert_allclose(made(table, Limits(), cut=MASSIVE & Cut()).old, made(table, Limits(), cut=Cut()).old)
        np.testing.assert_allclose(made(table, Limits(), cut=Cut(MASSIVE.ranges, valley=line)), expected)


def test_a_published_relation_is_what_the_tools_know(table):
    band = made(table, Running(), cut=Cut())
    tools = Tools(
        curves=lambda source, x, y: band if (source, x, y) == ("Gallazzi+05", "log_M_star", "log_Z_wr") else None
    )
    sample = select(table)
    assert compute_mark(Published(), Panel("log_M_star", "log_Z_wr", ()), sample, VIEW, tools) is band
    assert compute_mark(Published(), PLANE, sample, VIEW, tools).x.size == 0


def test_bins_of_mass_share_the_scale_of_the_full_sample_and_all_its_weight(table):
    arrays = compute(FIGURES["6"], table)
    bins = [arrays[panel.name, 0].value for panel in FIGURES["6"].panels]
    whole = compute(FIGURES["3"], table)["log_age_wr-log_mu_star", 0].value
    np.testing.assert_allclose(sum(bins), whole, atol=1e-6)


def test_edges_of_mass_bins_can_be_moved(table):
    moved = figure("7", (10.0,))
    assert [mark.part.ranges["log_M_star"] for mark in moved.panels[0].marks[1:]] == [
        Range(None, 10.0),
        Range(10.0, None),
    ]


def test_what_follows_from_all_regions_is_computed_once(table):
    first, again = (compute_mark(Running(of=FULL), PLANE, select(table, cut), VIEW) for cut in (Cut(), MASSIVE))
    assert first is again
    assert full_sample(table, "area/V'max").once(("running", "log_mu_star", "log_Z_wr", 20), lambda: None) is first


def test_an_axis_is_widened_only_where_regions_would_be_left_out():
    regions, galaxies = make_columns()
    regions["log_mu_star"] = np.linspace(0.79, 4.2, len(regions["x"]))  # three regions in a thousand lie outside
    assert axes.limits("log_mu_star", Table(regions, galaxies)) == axes.LIMITS["log_mu_star"]
    regions["log_mu_star"] = regions["log_mu_star"] + 2.0
    low, high = axes.limits("log_mu_star", Table(regions, galaxies))
    assert low == axes.LIMITS["log_mu_star"][0]
    assert np.mean(regions["log_mu_star"] > high) < 0.003
    assert high > 5.5


def test_an_axis_of_galaxies_counts_each_of_them_once_however_few_regions_it_has():
    regions, galaxies = make_columns()
    galaxies["log_M_star"][-1] = 12.5  # has no region
    assert axes.limits("log_M_star", Table(regions, galaxies)) == (axes.LIMITS["log_M_star"][0], 12.6)
