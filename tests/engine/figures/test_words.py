"""Cuts survive their way through words; what is not a cut is refused in a sentence."""

import pytest
from hypothesis import given, settings

from engine.errors import SettingsError
from engine.figures.cut import FITTED, UNSMOOTHED, Cut, Range
from engine.figures.words import cut_conditions, cut_words, line_words, parse_cut
from engine.relations.green_valley import EQUATION_3, ValleyLine
from tests.strategies import cuts


@given(cuts())
@settings(deadline=None)
def test_a_cut_survives_its_conditions(cut):
    assert parse_cut(cut_conditions(cut)) == cut


@pytest.mark.parametrize(
    ("words", "cut"),
    [
        (["log_M_star>10.5"], Cut(ranges={"log_M_star": Range(10.5, None)})),
        (["log_M_star >= 10.5 & log_M_star < 11"], Cut(ranges={"log_M_star": Range(10.5, 11.0)})),
        (["10.3 < log_M_star < 10.8"], Cut(ranges={"log_M_star": Range(10.3, 10.8)})),
        (["log_M_star>10", "log_M_star>10.5"], Cut(ranges={"log_M_star": Range(10.5, None)})),
        (["log_Z_wr>-0.5"], Cut(ranges={"log_Z_wr": Range(-0.5, None)})),
        (["smoothing=unsmoothed", "sequence = old ridge"], Cut(sequence="old ridge", smoothing=UNSMOOTHED)),
        (["galaxies=3,5"], Cut(galaxies=(3, 5))),
        (
            ["valley=0.1,9.5", "log_M_star<10"],
            Cut(ranges={"log_M_star": Range(None, 10.0)}, valley=ValleyLine(0.1, 9.5)),
        ),
        ([], Cut()),
    ],
)
def test_conditions_mean_what_they_say(words, cut):
    assert parse_cut(words) == cut


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("log_M>10", "log_M"), ("hubble_type>3", "hubble_type"), ("log_M_star", "log_M_star"), ("sequence=red", "red"),
        ("galaxies=a", "a"), ("valley=1", "valley"), ("colour=red", "colour"), ("log_M_star>ten", "ten"), (">3", ">3"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_by_name(words, named):
    with pytest.raises(SettingsError, match=named):
        parse_cut([words])


def test_a_caption_names_what_is_kept_and_the_line_in_force():
    cut = parse_cut(["log_M_star>10.5", "log_mu_star<3", "sequence=old ridge", "galaxies=1,2,3,4"])
    assert cut_words(cut) == "log M∗ from 10.5; log μ∗ below 3; old ridge; 4 galaxies"
    assert cut_words(Cut()) == ""
    assert line_words(EQUATION_3, EQUATION_3) == "Green valley: log Age_wr = 0.095 log μ∗ + 9.40 (ZG22 eq. 3)."
    assert "set by hand" in line_words(ValleyLine(0.1, -1.0), ValleyLine(0.1, -1.0))
    assert "− 1.00" in line_words(ValleyLine(0.1, -1.0), ValleyLine(0.1, -1.0))
    assert "No green valley" in line_words(ValleyLine(float("nan"), float("nan")), FITTED)
