"""A selection is a value: it means a mask, and a link carries it whole."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.selection import MAP_RANGES, OVERLAYS, PAGES, SEQUENCES, SMOOTHINGS, VALLEYS, ZOOMABLE, Selection
from app.store import WEIGHTINGS, open_survey
from engine.adopted import GREEN_VALLEY_INTERCEPT, GREEN_VALLEY_SLOPE


@pytest.fixture(scope="module")
def survey(small_survey):
    return open_survey(small_survey)


def test_an_untouched_selection_cuts_nothing(survey):
    assert Selection().region_mask(survey) is None
    assert Selection().galaxy_mask(survey).all()


def test_neighbouring_ranges_share_no_galaxy_and_lose_none(survey):
    edges = [8.0, 9.8, 10.3, 10.8, 12.0]
    masks = [Selection(log_M_star=pair).galaxy_mask(survey) for pair in pairwise(edges)]
    assert (np.sum(masks, axis=0) == 1).all()


def test_regions_follow_their_galaxy(survey):
    mask = Selection(log_M_star=(10.3, 13.0)).region_mask(survey)
    np.testing.assert_array_equal(mask, survey["log_M_star"] >= np.float32(10.3))


def test_the_two_sequences_divide_all_measured_regions(survey):
    old, young = (Selection(sequence=name).region_mask(survey) for name in SEQUENCES[1:])
    known = np.isfinite(survey["log_mu_star"]) & np.isfinite(survey["log_age_wr"])
    np.testing.assert_array_equal(old ^ young, known)
    line = GREEN_VALLEY_SLOPE * survey["log_mu_star"] + GREEN_VALLEY_INTERCEPT
    assert (survey["log_age_wr"][old] > line[old]).all()
    assert (survey["log_age_wr"][young] <= line[young]).all()


def test_a_valley_moved_by_hand_above_all_ages_leaves_no_old_ridge(survey):
    by_hand = Selection(valley="hand", valley_slope=0.0, valley_intercept=15.0, sequence="old ridge")
    assert not by_hand.region_mask(survey).any()


def test_unsmoothed_keeps_spaxels_as_observed(survey):
    np.testing.assert_array_equal(Selection(smoothing="unsmoothed").region_mask(survey), survey["smoothing_level"] == 1)


def test_cuts_combine_by_and(survey):
    both = Selection(log_M_star=(10.3, 13.0), smoothing="unsmoothed").region_mask(survey)
    parts = [Selection(log_M_star=(10.3, 13.0)), Selection(smoothing="unsmoothed")]
    np.testing.assert_array_equal(both, parts[0].region_mask(survey) & parts[1].region_mask(survey))


ranges = st.none() | st.tuples(st.integers(-300, 300), st.integers(1, 600)).map(
    lambda pair: (pair[0] / 100, (pair[0] + pair[1]) / 100)
)
chosen = st.fixed_dictionaries(
    {
        "page": st.sampled_from(PAGES), "log_M_star": ranges, "log_mu_e": ranges,
        "sequence": st.sampled_from(SEQUENCES), "valley": st.sampled_from(VALLEYS),
        "valley_slope": st.integers(-200, 200).map(lambda n: n / 100),
        "valley_intercept": st.integers(0, 2000).map(lambda n: n / 100),
        "smoothing": st.sampled_from(SMOOTHINGS), "weighting": st.sampled_from(list(WEIGHTINGS)),
        "normalised": st.booleans(), "show": st.lists(st.sampled_from(OVERLAYS), unique=True),
        "zoom": st.dictionaries(st.sampled_from(ZOOMABLE), ranges.filter(bool)),
        "galaxy_id": st.none() | st.integers(0, 999), "map_range": st.sampled_from(MAP_RANGES),
        "spaxel": st.none() | st.tuples(st.integers(-5, 99), st.integers(-5, 99)),
    }
)  # fmt: skip


@given(chosen)
@settings(max_examples=60, deadline=None)
def test_a_link_restores_every_value(values):
    selection = Selection(**values)
    restored, dropped = Selection.from_query(selection.to_query())
    assert dropped == []
    for name, value in selection.param.values().items():
        if name != "name":
            assert getattr(restored, name) == value, name


def test_a_link_names_also_what_was_left_alone():
    names = {name for name in Selection.param if name != "name"}
    assert set(Selection().to_query()) == names


@given(st.dictionaries(st.sampled_from([*Selection().to_query(), "what", "<b>"]), st.text(max_size=12), max_size=5))
@settings(max_examples=120, deadline=None)
def test_no_link_raises_and_every_word_dropped_is_told(query):
    restored, dropped = Selection.from_query(query)
    kept = [name for name, word in query.items() if restored.to_query().get(name) == word]
    assert len(kept) + len(dropped) <= len(query)
    assert all(sentence.endswith(".") for sentence in dropped)


@pytest.mark.parametrize(
    ("name", "word"),
    [("log_M_star", "11..10"), ("log_M_star", "nan..11"), ("page", "elsewhere"), ("show", "everything"),
     ("valley_slope", "1e9"), ("zoom", "no_column:1..2"), ("spaxel", "3"), ("normalised", "perhaps")],
)  # fmt: skip
def test_an_impossible_word_is_dropped_with_a_sentence_and_the_rest_kept(name, word):
    restored, dropped = Selection.from_query({name: word, "smoothing": "unsmoothed"})
    assert len(dropped) == 1
    assert name in dropped[0]
    assert restored.smoothing == "unsmoothed"
    assert getattr(restored, name) == getattr(Selection(), name)
