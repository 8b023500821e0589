"""What sits where a plane was clicked: galaxies, counts and medians, against a plain loop over all regions."""

import numpy as np
import pytest

from app.pages.place import MOST, Place, galaxies_at, place_at, words_of
from app.selection import Selection
from app.shell import Shell
from app.store import open_survey
from engine.figures.axes import MEDIAN_CELL_DEX
from engine.figures.catalogue import FIGURES
from engine.figures.cut import Range
from engine.figures.sample import select
from engine.figures.words import parse_cut

pytestmark = pytest.mark.usefixtures("as_served")
AGES = FIGURES["3"].panels[0]  # log age against log mu*
MEDIANS = FIGURES["5"].panels[0]


@pytest.fixture(scope="module")
def survey(small_survey):
    return open_survey(small_survey)


def plainly(survey, cut, place: Place) -> dict[int, list[float]]:
    """Ages of the selected regions in a place, by galaxy."""
    mask = select(survey, cut).mask
    found: dict[int, list[float]] = {}
    for i in range(survey.n_regions):
        mu, age = float(survey["log_mu_star"][i]), float(survey["log_age_wr"][i])
        inside = place.x[0] <= mu < place.x[1] and place.y[0] <= age < place.y[1]
        if inside and (mask is None or mask[i]):
            found.setdefault(int(survey["galaxy_id"][i]), []).append(age)
    return found


@pytest.mark.parametrize("words", [[], ["log_M_star>10.0"], ["sequence=old ridge"]])
def test_galaxies_counts_and_medians_are_those_of_the_selected_regions_there(survey, words):
    cut, place = parse_cut(words), Place((1.5, 1.9), (9.3, 9.9))
    found = galaxies_at(select(survey, cut), AGES, place)
    expected = plainly(survey, cut, place)
    ids = survey.galaxies["galaxy_id"].to_numpy()[found.row]
    assert expected
    assert dict(zip(ids.tolist(), found.n_regions.tolist(), strict=True)) == {k: len(v) for k, v in expected.items()}
    assert (np.diff(found.n_regions) <= 0).all()
    medians = [np.median(expected[i]) for i in ids.tolist()]
    np.testing.assert_allclose(found.medians["log_age_wr"], medians, rtol=1e-6)


def test_a_place_is_a_cell_of_medians_or_a_small_part_of_the_axes_as_zoomed(survey):
    place = place_at(MEDIANS, survey, (10.34, 2.07), Place((9, 11), (1, 4)))
    assert place.x == pytest.approx((10.3, 10.4))
    assert place.y == pytest.approx((2.0, 2.0 + MEDIAN_CELL_DEX))
    place = place_at(AGES, survey, (2.0, 9.5), Place((1.0, 3.0), (9.0, 10.0)))
    assert place.x == pytest.approx((1.96, 2.04))
    assert place.y == pytest.approx((9.48, 9.52))


def test_a_panel_of_a_part_lists_its_part_only(survey):
    part = next(panel for panel in FIGURES["6"].panels if panel.part.ranges)
    wide = Place((0.0, 9.0), (0.0, 20.0))
    found = galaxies_at(select(survey), part, wide)
    masses = survey.galaxies["log_M_star"].to_numpy()[found.row]
    limits = part.part.ranges["log_M_star"]
    assert ((masses >= (limits.low or 0)) & (masses < (limits.high or 99))).all()
    assert len(found.row) < len(survey.galaxies)


def test_the_list_says_what_it_shows_and_how_many_it_leaves_out(survey):
    place = Place((0.0, 9.0), (0.0, 20.0))
    found = galaxies_at(select(survey), AGES, place)
    many = found._replace(
        row=np.zeros(MOST + 3, int), n_regions=np.full(MOST + 3, 1200),
        medians={name: np.full(MOST + 3, np.nan) for name in found.medians},
    )  # fmt: skip
    words = words_of(many, AGES, place, survey)
    assert len(words["rows"]) == MOST
    assert words["more"] == "and 3 more"
    assert words["rows"][0]["numbers"] == ["1\N{NARROW NO-BREAK SPACE}200", "–", "–", "–"]
    assert len(words["ids"]) == MOST + 3


def test_a_column_that_the_table_lacks_lists_nothing(survey, monkeypatch):
    sample = select(survey, parse_cut(["log_M_star>10.0"]))
    of_table = sample._of_table
    monkeypatch.setattr(sample, "_of_table", lambda name: None if name == "log_age_wr" else of_table(name))
    found = galaxies_at(sample, AGES, Place((0.0, 9.0), (0.0, 20.0)))
    assert len(found.row) == 0


def test_a_click_tells_the_browser_and_a_choice_of_its_galaxies_is_a_cut(small_survey):
    shell = Shell(open_survey(small_survey), Selection(log_M_star=Range(9.5, None)))
    told = []
    page = shell.page()
    page.tell = lambda **words: told.append(words["place"])
    panel = page.board.panels[0].panel
    page._tap(panel, 1.7, 9.8)
    assert told[0]["rows"]
    assert told[0]["counted"].endswith("galaxies; their medians:")
    shell.wire.hear("1 only " + ",".join(map(str, told[0]["ids"][:2])))
    assert shell.selection.galaxies == tuple(told[0]["ids"][:2])
    shell.wire.hear(f"2 galaxy {told[0]['ids'][0]}")
    assert (shell.selection.page, shell.selection.galaxy_id) == ("galaxy", told[0]["ids"][0])
