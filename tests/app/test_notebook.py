"""Figures as HoloViews elements: every mark, units on every axis, both backends; the notebook of the docs runs."""

import json
from pathlib import Path

import holoviews as hv
import numpy as np
import pytest
from hypothesis import given, settings

from app.notebook import MADE, figure, read_cut
from app.reference import published_curve
from app.store import open_survey
from engine.columns import column
from engine.errors import SettingsError, TableError
from engine.figures.catalogue import FIGURES
from engine.figures.compute import Tools, compute
from engine.figures.marks import MARKS
from engine.figures.words import cut_code, parse_cut
from tests.strategies import cuts

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "figures.ipynb"


@pytest.fixture(scope="module")
def survey(small_survey):
    return open_survey(small_survey)


@pytest.fixture(scope="module", autouse=True)
def backends():
    hv.extension("matplotlib")
    hv.extension("bokeh")


def test_the_notebook_knows_every_mark():
    assert set(MADE) == set(MARKS)


@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_is_a_panel_per_plane_with_labels_and_units(survey, key):
    shown = figure(key, survey)
    assert len(shown) == len(FIGURES[key].panels)
    for overlay, panel in zip(shown, FIGURES[key].panels, strict=True):
        x, y = overlay.kdims or next(iter(overlay)).kdims
        if not isinstance(next(iter(overlay)), hv.Curve):
            assert (x.name, y.name) == (panel.x, panel.y)
        assert x.label == column(panel.x).label
        assert x.unit == (column(panel.x).bracket or None)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_either_backend_draws_what_composes_with_other_elements(survey, backend):
    composed = figure("7", survey)[0] * hv.HLine(0.0) + figure("2", survey)[2].opts(title="galaxies")
    assert hv.renderer(backend).get_plot(composed) is not None


def test_elements_hold_the_arrays_of_the_selection(survey):
    cut = parse_cut(["log_M_star>10"])
    arrays = compute(FIGURES["3"], survey, cut, tools=Tools(curves=published_curve))
    drawn = figure("3", survey, log_M_star=(10.0, None))[3]
    median = arrays["log_Z_wr-log_mu_star", 3]
    curves = [element for element in drawn if isinstance(element, hv.Curve)]
    np.testing.assert_array_equal(curves[-1]["log_mu_star"], median.x)
    np.testing.assert_array_equal(curves[-1]["log_Z_wr"], median.median)
    shades = next(element for element in drawn if isinstance(element, hv.Image))
    value = arrays["log_Z_wr-log_mu_star", 0].value
    np.testing.assert_allclose(np.nan_to_num(shades.dimension_values("density", flat=False)), value)


def test_insets_follow_on_request(survey):
    assert len(figure("3", survey, insets=True)) == 12


@given(cuts())
@settings(deadline=None)
def test_a_cut_survives_its_code(cut):
    assert eval(f"read_cut({cut_code(cut)})", {"read_cut": read_cut}) == cut


def test_what_does_not_exist_is_refused_by_name(survey, tmp_path):
    with pytest.raises(SettingsError, match="'9'"):
        figure("9", survey)
    with pytest.raises(SettingsError, match="log_mass"):
        figure("3", survey, log_mass=(10, 11))
    with pytest.raises(TableError, match="no survey"):
        figure("3", tmp_path)


def test_the_notebook_of_the_docs_runs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}", "exec"), names)
    assert isinstance(names["ages_and_metals"], hv.Layout)
