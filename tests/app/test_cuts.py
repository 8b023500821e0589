"""The rail's further cuts: which side of a value they keep, how many regions, and which galaxies a list names."""

import numpy as np
import pandas as pd
import pytest

from app import theme
from app.current import Current
from app.cuts import ExtraCuts, read_galaxies
from app.pages.context import Context
from app.selection import Selection
from app.store import open_survey
from app.values import EXTRA_CUTS
from engine.figures.cut import Range


@pytest.fixture
def cuts(small_survey):
    survey, selection = open_survey(small_survey), Selection()
    made = ExtraCuts(Context(survey, selection, Current(survey, selection)))
    made.open()
    return made


def fields(cuts):
    """The field of each bound, by column."""
    return {value.name: row[1] for value, row in zip(EXTRA_CUTS, cuts.place, strict=False)}


def test_signal_to_noise_is_bounded_from_below_and_errors_and_radius_from_above(cuts):
    for field in fields(cuts).values():
        field.value = 0.2
    found = {name: getattr(cuts.selection, name) for name in fields(cuts)}
    assert found.pop("snr_per_angstrom") == Range(0.2, None)
    assert set(found) == {"log_mu_star_err", "log_age_wr_err", "log_Z_wr_err", "radius_re"}
    assert set(found.values()) == {Range(None, 0.2)}


def test_each_cut_counts_the_regions_that_it_keeps_by_itself(cuts):
    cuts.selection.snr_per_angstrom = Range(30.0, None)
    cuts.selection.radius_re = Range(None, 1.5)
    n = np.count_nonzero(cuts.survey["radius_re"] < 1.5)
    assert f"{theme.thousands(n)} regions" in cuts.counts["radius_re"].object


def test_a_field_shows_what_is_selected_elsewhere(cuts):
    cuts.selection.radius_re = Range(None, 1.5)
    assert fields(cuts)["radius_re"].value == 1.5
    cuts.selection.radius_re = None
    assert fields(cuts)["radius_re"].value is None


def test_a_pasted_list_selects_its_galaxies_and_names_what_is_not_there(cuts):
    area = cuts.place[len(EXTRA_CUTS)]
    area.value = "Mock003, 5; Andromeda"
    assert cuts.selection.galaxies == (3, 5)
    assert "Andromeda" in cuts.counts["galaxies"].object


@pytest.mark.parametrize(
    ("words", "found", "unknown"),
    [
        ("ngc0001; CALIFA 277,\n12, IC 5", (5, 277, 12, 9), []),
        ("NGC 0001, ngc-0001", (5,), []),
        ("M31", (), ["M31"]),  # none of the survey: nothing is selected
        (" ,\n", None, []),
        ("", None, []),
    ],
)
def test_galaxies_are_known_by_name_or_number_however_they_are_written(words, found, unknown):
    galaxies = pd.DataFrame({"galaxy_id": [5, 9, 12, 277], "name": ["NGC 0001", "IC_5", "UGC 3", "UGC 4"]})
    assert read_galaxies(galaxies, words) == (found, unknown)
