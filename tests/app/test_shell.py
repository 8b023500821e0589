"""The page without a browser: widgets move the selection, the selection moves widgets, counts and pictures."""

import json

import numpy as np
import pytest
from bokeh.models import BasicTicker, LinearColorMapper, LinearScale, NoOverlap

from app import registry, theme
from app.forms import RANGE
from app.pages.figure_page import TOOLS
from app.rail import ALL, presets_of, range_of
from app.selection import Selection
from app.shell import Shell
from app.store import open_survey
from app.values import CHOICES, OVERLAYS
from engine.adopted import LOG_M_STAR_BINS
from engine.columns import GALAXY_COLUMNS, REGION_COLUMNS
from engine.figures.arrays import View
from engine.figures.catalogue import FIGURES
from engine.figures.compute import compute_mark
from engine.figures.cut import Range
from engine.figures.marks import MARKS, ColumnDensity
from engine.figures.sample import select
from engine.figures.shades import log_shades

pytestmark = pytest.mark.usefixtures("as_served")
FIGURE_PAGES = [entry for entry in registry.PAGES if entry.figures]


@pytest.fixture
def shell(small_survey):
    return Shell(open_survey(small_survey), Selection())


@pytest.fixture
def rail(shell):
    return shell.rail


@pytest.fixture
def selection(shell):
    return shell.selection


@pytest.fixture(scope="module")
def looked_through(small_survey):
    """A shell of which tests open one page and figure after the other, and change nothing else."""
    return Shell(open_survey(small_survey), Selection())


def show_figure(shell, page, key):
    shell.selection.param.update(page=page, figures=[key] if key in registry.SWITCHED else [])


def board(shell, page="relations"):
    return shell.pages[page].board


def picture(shell, place=0) -> np.ndarray:
    return board(shell).panels[place].image_source.data["image"][0]


def test_a_preset_of_mass_moves_range_slider_counts_and_pictures(shell, rail, selection):
    before, counts = picture(shell), rail.counts.object
    rail.panels["log_M_star_bins"].value = "9.8..10.3"
    assert selection.log_M_star == (9.8, 10.3)
    assert rail.panels["log_M_star_slider"].value == (9.8, 10.3)
    assert rail.counts.object != counts
    assert (picture(shell) != before).any()


def test_the_picture_is_the_density_of_the_selected_regions(shell, selection):
    selection.param.update(log_M_star=Range(10.3, None), sequence="young sequence", weighting="equal")
    panel = FIGURES["3"].panels[0]
    sample = select(shell.context.survey, selection.cut(), "equal")
    arrays = compute_mark(panel.marks[0], panel, sample, View(weighting="equal"))
    np.testing.assert_array_equal(picture(shell), log_shades(arrays.value))


def test_a_slider_let_go_at_both_ends_cuts_nothing(rail, selection):
    slider = rail.panels["log_mu_e_slider"]
    rail.panels["log_mu_e_bins"].value = "2.2..2.5"
    slider._process_events({"value_throttled": (slider.start, slider.end)})  # as the browser tells it
    assert selection.log_mu_e is None
    assert rail.panels["log_mu_e_bins"].value == ALL


def test_an_end_of_a_slider_that_was_not_moved_stays_open():
    assert range_of((9.8, 11.5), (9.0, 11.5)) == (9.8, None)
    assert range_of((9.0, 10.0), (9.0, 11.5)) == (None, 10.0)
    assert range_of((9.0, 11.5), (9.0, 11.5)) is None


def test_presets_share_no_galaxy_and_lose_none(small_survey):
    survey = open_survey(small_survey)
    cuts = [Selection(log_M_star=RANGE.read(words)) for words in list(presets_of(LOG_M_STAR_BINS).values())[1:]]
    counts = [select(survey, chosen.cut()).n_regions for chosen in cuts]
    assert sum(counts) == survey.n_regions
    assert all(counts)


def test_a_free_range_leaves_no_preset_down(rail, selection):
    selection.log_M_star = Range(9.65, 10.2)
    assert rail.panels["log_M_star_bins"].value is None
    assert rail.panels["log_M_star_slider"].value == (9.65, 10.2)


def test_an_empty_selection_says_so_where_the_figure_is_and_in_the_rail(shell, rail, selection):
    assert not any(board(shell).messages.values())
    selection.log_mu_e = Range(30.0, 31.0)
    assert set(board(shell).messages.values()) == {"No region lies in this selection. Widen a range or press Reset."}
    assert "No region" in rail.counts.object


def test_reset_restores_the_whole_survey_and_stays_where_one_is(shell, rail, selection):
    before = picture(shell)
    window = {"relations.log_mu_star": (1.0, 2.0)}
    selection.param.update(
        log_M_star=Range(9.8, 10.3), sequence="old ridge", weighting="equal", show=["median"], galaxy_id=3, zoom=window
    )
    rail.reset()
    assert all(selection.is_default(name) for name in CHOICES)
    assert (selection.galaxy_id, selection.zoom) == (3, window)
    selection.zoom = {}
    np.testing.assert_array_equal(picture(shell), before)


def test_undo_and_redo_step_through_what_was_chosen(rail, selection):
    assert rail.steps["undo"].disabled
    selection.sequence = "old ridge"
    selection.param.update(log_M_star=Range(9.8, 10.3), weighting="equal")
    rail.undo()
    assert (selection.sequence, selection.log_M_star, selection.weighting) == ("old ridge", None, "area/V'max")
    rail.undo()
    assert selection.sequence == "all"
    assert rail.steps["undo"].disabled
    rail.redo()
    rail.redo()
    assert selection.log_M_star == (9.8, 10.3)
    assert rail.steps["redo"].disabled


@pytest.mark.parametrize(("page", "key"), [(entry.name, key) for entry in FIGURE_PAGES for key in entry.keys])
def test_the_legend_has_what_the_figure_that_is_shown_draws_and_nothing_else(looked_through, page, key):
    show_figure(looked_through, page, key)
    rail, views = looked_through.rail, board(looked_through, page).panels
    drawn = {entry for view in views for mark in view.drawn.values() for entry in mark.glyphs}
    drawn |= {"insets"} if any(view.inset for view in views) else set()
    gone = {OVERLAYS[int(word.removeprefix("without-")) - 1] for word in rail.legend.buttons.css_classes[1:]}
    assert set(OVERLAYS) - gone == drawn & set(OVERLAYS)
    fills = {type(view.panel.marks[filling.place]) for view in views for filling in view.fillings}
    assert rail.panels["normalised"].visible == (ColumnDensity in fills)


def test_hiding_an_overlay_hides_it_in_every_plane(shell, selection):
    selection.show = [name for name in selection.show if name != "contours"]
    for view in board(shell).panels:
        lines = [r for r in view.figure.renderers if type(r.glyph).__name__ == "MultiLine"]
        assert lines
        assert not any(line.visible for line in lines)


@pytest.mark.parametrize("entry", FIGURE_PAGES, ids=lambda entry: entry.name)
def test_sources_are_replaced_and_not_made_again(shell, selection, entry):
    selection.page = entry.name
    views = board(shell, entry.name).panels
    sources = [[r.data_source.id for r in view.figure.renderers] for view in views]
    selection.param.update(smoothing="unsmoothed", log_M_star=Range(9.8, 10.3))
    assert sources == [[r.data_source.id for r in view.figure.renderers] for view in views]


@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_has_a_page_and_every_mark_is_drawn(looked_through, key):
    entry = next(entry for entry in registry.PAGES if key in entry.keys)
    show_figure(looked_through, entry.name, key)
    shown = board(looked_through, entry.name)
    assert shown.figure == FIGURES[key]
    for view in shown.panels:
        for place, mark in enumerate(view.panel.marks):
            assert place in view.drawn or any(filling.place == place for filling in view.fillings), mark
            if place in view.drawn:
                assert view.drawn[place]._arrays is not None
    assert FIGURES[key].caption in looked_through.pages[entry.name].words.object


def test_a_figure_that_is_shown_again_brings_its_caption_back(looked_through):
    show_figure(looked_through, "relations", "3")
    numbers_and_caption = looked_through.pages["relations"].words.object
    show_figure(looked_through, "relations", "4")
    assert FIGURES["4"].caption in looked_through.pages["relations"].words.object
    show_figure(looked_through, "relations", "3")
    assert looked_through.pages["relations"].words.object == numbers_and_caption


def test_every_kind_of_mark_is_known_to_the_screen():
    from app.screen.fills import fills
    from app.screen.lines import DRAWN

    assert all(kind in DRAWN or fills(kind()) for kind in MARKS)


def test_lines_of_the_full_sample_are_not_sent_again(shell, selection):
    heard = []
    contours = next(d for d in board(shell).panels[0].drawn.values() if type(d).__name__ == "DrawnContours")
    contours.source.on_change("data", lambda attr, old, new: heard.append(attr))
    selection.log_M_star = Range(9.8, 10.3)
    assert heard == []


def test_a_link_with_a_zoom_opens_zoomed_and_resets_to_the_full_view(small_survey):
    shell = Shell(open_survey(small_survey), Selection(zoom={"relations.log_mu_star": (1.5, 2.5)}))
    x_range = board(shell).panels[0].figure.x_range
    assert (x_range.start, x_range.end) == (1.5, 2.5)
    shell.wire.hear("1 unzoom ")
    assert (x_range.start, x_range.end) == (x_range.reset_start, x_range.reset_end)


def test_a_reset_of_the_zoom_leaves_that_of_other_pages(shell, selection):
    selection.zoom = {"relations.log_mu_star": (1.5, 2.5), "drivers.log_mu_star": (1.0, 2.0)}
    shell.wire.hear("1 unzoom ")
    assert selection.zoom == {"drivers.log_mu_star": (1.0, 2.0)}


def test_a_zoom_beside_the_data_says_so(shell, selection):
    selection.zoom = {"relations.log_age_wr": (5.0, 5.1)}
    messages = board(shell).messages
    assert messages["log_age_wr-log_mu_star"] == "Nothing lies in this part of the plane. Reset the zoom."
    assert messages["log_Z_wr-log_mu_star"] == ""


def test_an_unknown_plane_in_a_link_shows_all_six(small_survey):
    shell = Shell(open_survey(small_survey), Selection(plane="nothing"))
    assert len(board(shell).shown()) == 6


def test_one_plane_alone_hides_the_others_and_comes_back(shell, selection):
    selection.plane = "log_Z_wr-log_mu_e"
    assert [view.panel.name for view in board(shell).panels if view.figure.visible] == ["log_Z_wr-log_mu_e"]
    selection.plane = ""
    assert all(view.figure.visible for view in board(shell).panels)


@pytest.mark.parametrize("entry", registry.PAGES, ids=lambda entry: entry.name)
def test_a_page_is_made_when_it_is_first_opened_and_kept(small_survey, entry):
    other = next(page for page in registry.NAMES if page != entry.name)
    shell = Shell(open_survey(small_survey), Selection(page=other))
    assert entry.name not in shell.pages
    shell.wire.hear(f"1 page {entry.name}")
    made = shell.pages[entry.name]
    assert shell.selection.page == entry.name
    shell.wire.hear(f"2 page {other}")
    shell.wire.hear(f"3 page {entry.name}")
    assert shell.pages[entry.name] is made


def test_a_page_that_is_not_seen_draws_when_it_is_seen_again(shell, selection):
    selection.page = "errors"
    before = picture(shell)
    selection.log_M_star = Range(9.8, 10.3)
    np.testing.assert_array_equal(picture(shell), before)
    selection.page = "relations"
    assert (picture(shell) != before).any()


def test_nonsense_that_the_page_asks_for_is_ignored(shell, selection):
    for words in ("", "1", "2 page nowhere", "3 nothing at all", "page"):
        shell.wire.hear(words)
    assert selection.page == "relations"


def test_what_stands_is_told_with_every_message(shell, selection):
    """Of messages that leave in one go the browser gets the last one only."""
    told = []
    shell.wire._tell.param.watch(lambda event: told.append(json.loads(event.new)), "value")
    selection.galaxies = (3, 4)
    shell.wire.tell(sentence="Something else.")
    assert told[0]["cuts"] == 1
    assert (told[-1]["cuts"], told[-1]["sentence"], told[-1]["zoomed"]) == (1, "Something else.", False)
    shell.rail.reset()
    assert told[-1]["cuts"] == 0


def test_the_last_message_of_a_turn_names_the_page(shell):
    """The browser gets no other, and shows that it waits until it knows the page is made."""
    told = []
    shell.wire._tell.param.watch(lambda event: told.append(json.loads(event.new)), "value")
    shell.wire.hear("1 page errors")
    assert (told[-1]["page"], told[-1]["zoomed"]) == ("errors", False)


def test_figures_of_a_page_share_their_parts(shell):
    models = set().union(*(view.figure.references() for view in board(shell).panels))
    assert len(models) < 360  # 780 when each figure and each glyph had its own
    for kind in (NoOverlap, BasicTicker, LinearScale, LinearColorMapper):
        assert sum(isinstance(model, kind) for model in models) == 1


def test_two_visitors_share_the_survey_and_nothing_else(small_survey):
    survey = open_survey(small_survey)
    first, second = Shell(survey, Selection()), Shell(survey, Selection())
    before = picture(second)
    first.selection.param.update(log_M_star=Range(9.8, 10.3), show=[])
    assert second.selection.log_M_star is None
    np.testing.assert_array_equal(picture(second), before)


def test_published_relations_are_found_for_ages_and_metallicities():
    for y in ("log_age_wr", "log_Z_wr"):
        curve = TOOLS.curves("Gallazzi+05", "log_M_star", y)
        assert (np.diff(curve.x) > 0).all()
        assert (curve.low < curve.median).all()
        assert (curve.median < curve.high).all()
    assert TOOLS.curves("Gallazzi+05", "log_mu_star", "log_age_wr") is None


@pytest.mark.paper
def test_gallazzi_s_oldest_and_youngest_medians_are_the_published_ones():
    ages = TOOLS.curves("Gallazzi+05", "log_M_star", "log_age_wr").median
    assert (ages[0], ages[-1], len(ages)) == (9.06, 9.96, 16)


@pytest.mark.parametrize("name", [c.name for c in REGION_COLUMNS + GALAXY_COLUMNS])
def test_every_column_has_words_without_a_trace_of_tex(name):
    assert not set("\\${}^_") & set(theme.html_axis(name).replace("_err", ""))


def test_thousands_are_parted_by_a_thin_space():
    assert theme.thousands(601282) == "601\N{NARROW NO-BREAK SPACE}282"


def test_the_ink_ramp_darkens_at_every_step():
    light = [sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in theme.ink_palette()]
    assert len(light) == 255
    assert (np.diff(light) <= 0).all()
