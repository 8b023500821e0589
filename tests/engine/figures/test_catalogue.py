"""Every figure is told in words and styles that exist."""

from pathlib import Path

import pytest

from engine.columns import GALAXY, REGION
from engine.errors import SettingsError
from engine.figures.catalogue import FIGURES, figure
from engine.figures.marks import MedianMap
from engine.figures.styles import key_entries, n_bins, ramp, read_styles, style_names

STYLES = read_styles((Path(__file__).parents[3] / "assets" / "style" / "marks.toml").read_text(encoding="utf-8"))
MARKS = [(key, panel, mark) for key, shown in FIGURES.items() for panel in shown.panels for mark in panel.marks]


@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_asks_a_question_or_states_one_and_says_what_to_see(key):
    shown = FIGURES[key]
    assert shown.key == key
    assert len(shown.title) > 10
    assert shown.caption.endswith(".")
    assert shown.paper.startswith(f"Fig. {key}")


@pytest.mark.parametrize("key", FIGURES)
def test_panels_have_names_of_their_own_and_columns_that_exist(key):
    panels = FIGURES[key].panels
    assert len({panel.name for panel in panels}) == len(panels)
    assert all(name in REGION | GALAXY for panel in panels for name in (panel.x, panel.y))
    assert all(panel.name.isascii() for panel in panels)


@pytest.mark.parametrize(("key", "panel", "mark"), MARKS)
def test_every_line_has_a_look(key, panel, mark):
    if mark.style not in ("density", "per column", "median map"):
        for name in style_names(mark):
            assert STYLES.of(name, 4).colour.startswith("#")
    if isinstance(mark, MedianMap):
        assert mark.z in STYLES.maps


@pytest.mark.parametrize("key", FIGURES)
def test_the_key_names_each_line_once(key):
    labels = [entry.label for entry in key_entries(FIGURES[key], STYLES)]
    assert labels
    assert len(labels) == len(set(labels))


def test_bins_differ_by_colour_and_marker_and_darken_with_mass():
    looks = [STYLES.of(f"bin {i}", 4) for i in range(1, 5)]
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == 4
    assert STYLES.of("bin 2, young sequence").dash
    assert not STYLES.of("bin 2, old ridge").dash
    brightness = [
        sum(int(look.colour[i : i + 2], 16) * w for i, w in ((1, 0.3), (3, 0.59), (5, 0.11))) for look in looks
    ]
    assert brightness == sorted(brightness, reverse=True)


def test_as_many_bins_as_there_are_edges_have_looks():
    shown = figure("7", (9.4, 9.8, 10.2, 10.6, 11.0))
    assert n_bins(shown) == 6
    assert len({STYLES.of(f"bin {i}", 6).colour for i in range(1, 7)}) == 6


def test_a_ramp_begins_and_ends_in_its_stops():
    assert ramp(("#000000", "#ffffff", "#ff0000"), 5) == ("#000000", "#808080", "#ffffff", "#ff8080", "#ff0000")


def test_an_unknown_style_is_refused_by_name():
    with pytest.raises(SettingsError, match="squiggle"):
        STYLES.of("squiggle")
