"""A selection is a value: it means a cut, and a link carries it whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import registry
from app.forms import RANGE
from app.selection import Selection
from app.store import open_survey
from app.values import DETAILS, EXTRA_CUTS, MAP_RANGES, OVERLAYS, RANGES, VALLEYS, VALUES, WEIGHTINGS
from engine.figures.cut import FITTED, SEQUENCES, SMOOTHINGS, Cut, Range
from engine.figures.sample import select
from engine.relations.green_valley import EQUATION_3, ValleyLine


@pytest.fixture(scope="module")
def survey(small_survey):
    return open_survey(small_survey)


def test_an_untouched_selection_cuts_nothing():
    assert Selection().cut() == Cut()
    assert Selection().cut().keeps_all


def test_a_selection_means_its_cut():
    chosen = Selection(
        log_M_star=Range(9.8, None), snr_per_angstrom=Range(20.0), sequence="old ridge", smoothing="unsmoothed",
        galaxies=(3, 1), types=("disc",), valley="hand", valley_slope=0.1, valley_intercept=9.3,
    )  # fmt: skip
    assert chosen.cut() == Cut(
        ranges={"log_M_star": Range(9.8, None), "snr_per_angstrom": Range(20.0)}, sequence="old ridge",
        smoothing="unsmoothed", galaxies=(3, 1), types=("disc",), valley=ValleyLine(0.1, 9.3),
    )  # fmt: skip


def test_the_green_valley_is_the_one_asked_for():
    assert [Selection(valley=name).cut().valley for name in VALLEYS] == [
        EQUATION_3,
        FITTED,
        ValleyLine(*EQUATION_3),
    ]


ends = st.none() | st.floats(-98, 98)
ranges = st.none() | st.tuples(ends, ends).filter(any).filter(lambda pair: None in pair or pair[0] <= pair[1]).map(
    lambda pair: Range(*pair)
)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9/ ]{0,8}", fullmatch=True).filter(lambda word: word != "all")
windows = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6)).map(lambda p: (p[0], p[0] + p[1]))
STRATEGIES = {name: ranges for name in RANGES} | {
    "page": st.sampled_from(registry.NAMES),
    "figures": st.sets(st.sampled_from(registry.SWITCHED)).map(
        lambda keys: [key for key in registry.SWITCHED if key in keys]
    ),
    "sequence": st.sampled_from(SEQUENCES),
    "valley": st.sampled_from(VALLEYS),
    "valley_slope": st.floats(-2, 2),
    "valley_intercept": st.floats(0, 20),
    "smoothing": st.sampled_from(SMOOTHINGS),
    "weighting": st.sampled_from(WEIGHTINGS),
    "galaxies": st.none() | st.lists(st.integers(0, 999), unique=True).map(tuple),
    "types": st.none() | st.lists(names, unique=True).map(tuple),
    "edges": st.lists(st.floats(6, 13), min_size=3, max_size=3, unique=True).map(lambda e: tuple(sorted(e))),
    "min_count": st.integers(1, 10_000),
    "shows": st.sampled_from(("median", "scatter")),
    "normalised": st.booleans(),
    "show": st.sets(st.sampled_from(OVERLAYS)).map(lambda on: [name for name in OVERLAYS if name in on]),
    "plane": st.sampled_from(("", "log_age_wr-log_mu_star")),
    "zoom": st.dictionaries(
        st.tuples(st.sampled_from(registry.NAMES), st.sampled_from(("log_mu_star", "wave"))).map(".".join),
        windows.filter(lambda w: w[0] < w[1]),
    ),
    "galaxy_id": st.none() | st.integers(0, 999),
    "maps": st.just(["sb_r", "v_star", "chi2", "flags"]),
    "map_range": st.sampled_from(MAP_RANGES),
    "detail": st.sampled_from(DETAILS),
    "spaxel": st.none() | st.tuples(st.integers(-5, 99), st.integers(-5, 99)),
}


def test_every_value_takes_part_in_the_round_trip():
    assert set(STRATEGIES) == {value.name for value in VALUES}


@given(st.fixed_dictionaries(STRATEGIES))
@settings(deadline=None)
def test_a_link_restores_every_value(values):
    selection = Selection(**values)
    restored, dropped = Selection.from_query(selection.to_query())
    assert dropped == []
    for value in VALUES:
        assert getattr(restored, value.name) == getattr(selection, value.name), value.name


def test_a_link_names_also_what_was_left_alone():
    assert set(Selection().to_query()) == {value.name for value in VALUES}


@given(st.dictionaries(st.sampled_from([*Selection().to_query(), "what", "<b>"]), st.text(max_size=12), max_size=5))
@settings(deadline=None)
def test_no_link_raises_and_every_word_dropped_is_told(query):
    restored, dropped = Selection.from_query(query)
    assert len(dropped) <= len(query)
    assert all(sentence.endswith(".") for sentence in dropped)
    again, none = Selection.from_query(restored.to_query())
    assert none == []
    assert again.to_query() == restored.to_query()


@pytest.mark.parametrize(
    ("name", "word"),
    [("log_M_star", "11..10"), ("log_M_star", "nan..11"), ("page", "elsewhere"), ("show", "everything"),
     ("valley_slope", "1e9"), ("zoom", "log_mu_star:2..1"), ("spaxel", "3"), ("normalised", "perhaps"),
     ("edges", "10,9,11"), ("edges", "10"), ("min_count", "0"), ("galaxies", "NGC"), ("figures", "99")],
)  # fmt: skip
def test_an_impossible_word_is_dropped_with_a_sentence_and_the_rest_kept(name, word):
    restored, dropped = Selection.from_query({name: word, "smoothing": "unsmoothed"})
    assert len(dropped) == 1
    assert name in dropped[0]
    assert restored.smoothing == "unsmoothed"
    assert getattr(restored, name) == getattr(Selection(), name)


@pytest.mark.parametrize(
    ("word", "limits"),
    [("-99..9.8", (None, 9.8)), ("10.8..99", (10.8, None)), ("9.8..10.3", (9.8, 10.3)), ("all", None),
     ("..9.8", (None, 9.8)), ("10.8..", (10.8, None)), ("9.8..9.8", (9.8, 9.8))],
)  # fmt: skip
def test_ranges_of_older_links_are_read_and_open_ends_stay_open(word, limits):
    assert RANGE.read(word) == limits


def test_a_link_of_glocal_0_1_restores_the_view():
    query = {
        "page": "relations", "log_M_star": "10.8..99", "log_mu_e": "all", "sequence": "old ridge", "valley": "hand",
        "valley_slope": "0.1", "valley_intercept": "9.3", "smoothing": "unsmoothed", "weighting": "area/V'max",
        "normalised": "yes", "show": "median,contours", "plane": "log_age_wr-log_mu_star",
        "zoom": "log_age_wr:9..10;log_mu_star:1..2", "galaxy_id": "7", "spaxel": "30,31", "detail": "sample",
        "maps": "log_mu_star,v_star,log_Z_wr,smoothing_level", "map_range": "galaxy",
    }  # fmt: skip
    chosen_, dropped = Selection.from_query(query)
    assert dropped == []
    assert chosen_.log_M_star == (10.8, None)
    assert chosen_.zoom == {"relations.log_age_wr": (9.0, 10.0), "relations.log_mu_star": (1.0, 2.0)}
    assert (chosen_.plane, chosen_.galaxy_id, chosen_.spaxel) == ("log_age_wr-log_mu_star", 7, (30, 31))
    assert chosen_.show == ["median", "contours"]


@pytest.mark.parametrize("value", EXTRA_CUTS, ids=lambda value: value.name)
def test_a_cut_by_a_column_keeps_the_regions_inside_and_says_so(survey, value):
    values = survey[value.name]
    middle = float(np.nanmedian(values))
    sample = select(survey, Selection(**{value.name: Range(middle, None)}).cut())
    assert sample.n_regions == np.count_nonzero(values >= np.float32(middle))


@pytest.mark.parametrize(
    "harm", ["../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd\0", "file:///etc/passwd"]
)
def test_paths_in_a_link_are_words_that_mean_nothing(harm):
    """Two values are free words, which are only compared with what the table and the page have."""
    free = {"types", "plane"}
    selection, sentences = Selection.from_query(dict.fromkeys([value.name for value in VALUES], harm))
    assert set(selection.to_query()) - set(Selection().to_query()) <= free
    assert len(sentences) >= len(VALUES) - len(free)
