"""The page without a browser: widgets move the selection, the selection moves widgets, counts and pictures."""

import numpy as np
import pytest
from bokeh.models import AllLabels, BasicTicker, LinearColorMapper, LinearScale

from app import theme
from app.pages.relations import RelationsPage
from app.rail import ALL, Rail
from app.selection import Selection
from app.shell import Shell
from app.store import open_survey
from app.words import selection_words
from engine.columns import GALAXY_COLUMNS, REGION_COLUMNS


@pytest.fixture
def page(small_survey):
    survey, selection = open_survey(small_survey), Selection()
    relations = RelationsPage(survey, selection)
    return selection, relations, Rail(survey, selection, relations)


def picture(relations) -> np.ndarray:
    return relations.planes[0].figure.select_one({"name": "image"}).data_source.data["image"][0]


def test_a_preset_of_mass_moves_range_slider_counts_and_pictures(page):
    selection, relations, rail = page
    before, counts = picture(relations), rail.counts.object
    rail.panels["log_M_star_bins"].value = (9.8, 10.3)
    assert selection.log_M_star == (9.8, 10.3)
    assert rail.panels["log_M_star_slider"].value == (9.8, 10.3)
    assert rail.counts.object != counts
    assert (picture(relations) != before).any()


def test_a_slider_let_go_at_both_ends_cuts_nothing(page):
    selection, _, rail = page
    slider = rail.panels["log_mu_e_slider"]
    rail.panels["log_mu_e_bins"].value = (2.2, 2.5)
    slider._process_events({"value_throttled": (slider.start, slider.end)})  # as the browser tells it
    assert selection.log_mu_e is None
    assert rail.panels["log_mu_e_bins"].value == ALL


def test_a_free_range_leaves_no_preset_down(page):
    selection, _, rail = page
    selection.log_M_star = (9.65, 10.2)
    assert rail.panels["log_M_star_bins"].value is None
    assert rail.panels["log_M_star_slider"].value == (9.65, 10.2)


def test_an_empty_selection_says_so_where_the_figure_is(page):
    selection, _, rail = page
    assert not rail.notice.visible
    selection.log_mu_e = (30.0, 31.0)
    assert rail.notice.visible
    assert "No region" in rail.notice.object


def test_reset_restores_the_whole_survey_and_stays_on_the_page(page):
    selection, relations, rail = page
    before = picture(relations)
    selection.param.update(
        log_M_star=(9.8, 10.3), sequence="old ridge", weighting="equal", show=["median"], page="galaxy", zoom={}
    )
    rail.reset()
    assert selection.page == "galaxy"
    assert selection.region_mask(relations.survey) is None
    assert (selection.weighting, selection.show) == (Selection().weighting, Selection().show)
    np.testing.assert_array_equal(picture(relations), before)


def test_hiding_an_overlay_hides_it_in_every_plane(page):
    selection, relations, _ = page
    selection.show = [name for name in selection.show if name != "contours"]
    for plane in relations.planes:
        lines = [r for r in plane.figure.renderers if type(r.glyph).__name__ == "MultiLine"]
        assert lines
        assert not any(line.visible for line in lines)


def test_sources_are_replaced_and_not_made_again(page):
    selection, relations, _ = page
    sources = [[r.data_source.id for r in plane.figure.renderers] for plane in relations.planes]
    selection.param.update(smoothing="unsmoothed", log_M_star=(9.8, 10.3))
    assert sources == [[r.data_source.id for r in plane.figure.renderers] for plane in relations.planes]


def test_a_link_with_a_zoom_opens_zoomed_and_resets_to_the_full_view(small_survey):
    selection = Selection(zoom={"log_mu_star": (1.5, 2.5)})
    relations = RelationsPage(open_survey(small_survey), selection)
    x_range = relations.planes[0].figure.x_range
    assert (x_range.start, x_range.end) == (1.5, 2.5)
    selection.zoom = {}
    assert (x_range.start, x_range.end) == (x_range.reset_start, x_range.reset_end)


def test_an_unknown_plane_in_a_link_shows_all_six(small_survey):
    relations = RelationsPage(open_survey(small_survey), Selection(plane="nothing"))
    assert len(relations.shown()) == 6


def test_the_planes_are_made_when_their_page_is_first_opened_and_show_the_selection(small_survey):
    shell = Shell(open_survey(small_survey), Selection(page="galaxy"))
    assert shell.relations.planes == []
    before = shell.rail.counts.object
    shell.selection.param.update(log_M_star=(9.8, 10.3), normalised=True)
    assert shell.rail.counts.object != before
    shell.selection.page = "relations"
    expected = RelationsPage(shell.survey, Selection(log_M_star=(9.8, 10.3), normalised=True))
    np.testing.assert_array_equal(picture(shell.relations), picture(expected))
    assert all(len(place) == 1 for place in shell.relations.places.values())
    planes = shell.relations.planes
    shell.selection.page = "galaxy"
    shell.selection.page = "relations"
    assert shell.relations.planes is planes


def test_figures_of_a_page_share_their_parts(page):
    _, relations, _ = page
    models = set().union(*(plane.figure.references() for plane in relations.planes))
    assert len(models) < 350  # 780 when each figure and each glyph had its own
    for kind in (AllLabels, BasicTicker, LinearScale, LinearColorMapper):
        assert sum(isinstance(model, kind) for model in models) == 1


def test_two_visitors_share_the_survey_and_nothing_else(small_survey):
    survey = open_survey(small_survey)
    first, second = Shell(survey, Selection()), Shell(survey, Selection())
    before = picture(second.relations)
    first.selection.param.update(log_M_star=(9.8, 10.3), show=[])
    assert first.survey is second.survey
    assert second.selection.log_M_star is None
    np.testing.assert_array_equal(picture(second.relations), before)


def test_captions_tell_counts_weights_and_cuts(page):
    selection, relations, _ = page
    selection.param.update(log_M_star=(10.8, 99.0), smoothing="unsmoothed", weighting="area")
    words = selection_words(selection, relations.sample)
    assert theme.thousands(relations.sample.n_regions) in words
    assert "from 10.8" in words
    assert "unsmoothed" in words
    assert "by projected area." in words


@pytest.mark.parametrize("name", [c.name for c in REGION_COLUMNS + GALAXY_COLUMNS])
def test_every_column_has_words_without_a_trace_of_tex(name):
    assert not set("\\${}^_") & set(theme.html_axis(name).replace("_err", ""))


def test_thousands_are_parted_by_a_thin_space():
    assert theme.thousands(601282) == "601\N{NARROW NO-BREAK SPACE}282"


def test_the_ink_ramp_darkens_at_every_step():
    light = [sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in theme.ink_palette()]
    assert len(light) == 255
    assert (np.diff(light) <= 0).all()
