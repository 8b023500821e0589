"""Maps of one galaxy as arrays and as figures that are patched."""

import numpy as np
import pytest

from app.screen import map_data as md
from app.screen.maps import LEVEL_GREYS, REASONS, MapPanel, SkyWindow, colours_of
from app.screen.parts import Parts
from engine.columns import REGION
from engine.flags import SpaxelFlag
from engine.galaxy.structure import Ellipse, elliptical_radius

X, Y = np.array([3, 5, 4]), np.array([10, 10, 12])


@pytest.fixture
def columns() -> dict:
    """Three spaxels; the last was not measured."""
    return {
        "x": X, "y": Y, "log_mu_star": np.array([1.0, 2.0, np.nan], np.float32),
        "log_mu_star_err": np.array([0.1, 0.2, np.nan], np.float32), "log_Z_wr": np.full(3, np.nan, np.float32),
        "true_log_mu_star": np.array([1.5, 1.5, 1.5], np.float32), "smoothing_level": np.zeros(3, np.int8),
        "flags": np.array([0, 0, SpaxelFlag.NOT_MEASURED], np.int16),
    }  # fmt: skip


def test_every_value_lands_in_its_own_spaxel_and_nowhere_else(columns):
    frame = md.frame_of(X, Y)
    sky = md.to_map(columns["log_mu_star"], frame)
    assert sky[10 - frame.y0, 3 - frame.x0] == 1.0
    assert sky[10 - frame.y0, 5 - frame.x0] == 2.0
    assert np.isfinite(sky).sum() == 2
    assert sky.shape == (5, 5)


def test_a_click_finds_the_region_whose_square_it_hits():
    frame = md.frame_of(X, Y)
    assert [md.region_at(frame, x, y) for x, y in zip(X, Y, strict=True)] == [0, 1, 2]
    assert md.region_at(frame, 3.49, 9.51) == 0
    assert md.region_at(frame, 4.0, 10.0) is None
    assert md.region_at(frame, -500, 1e6) is None


def test_a_galaxy_without_regions_has_one_empty_spaxel():
    nothing = np.empty(0, np.float32)
    frame = md.frame_of(nothing, nothing)
    assert np.isnan(md.to_map(nothing, frame)).all()
    assert md.region_at(frame, 0, 0) is None
    left, right, *_ = md.square_window(frame)
    assert right > left


def test_a_grey_spaxel_knows_why(columns):
    frame = md.frame_of(X, Y)
    there = md.what_is_there(columns, columns["log_mu_star"], frame)
    at = [there[y - frame.y0, x - frame.x0] for x, y in ((3, 10), (4, 12), (4, 10))]
    assert at == [md.VALUE, md.NOT_MEASURED, md.NO_REGION]
    no_value = md.what_is_there(columns, columns["log_Z_wr"], frame)
    assert no_value[10 - frame.y0, 3 - frame.x0] == md.NO_VALUE


def test_the_words_for_a_grey_spaxel_stand_in_the_order_of_their_codes():
    assert REASONS[md.VALUE] == ""
    assert REASONS[md.NO_REGION].startswith("not kept")
    assert "no model fits" in REASONS[md.NOT_MEASURED]
    assert REASONS[md.NO_VALUE] == "no value in the table"


def test_only_quantities_with_values_are_offered(columns):
    assert [q.name for q in md.quantities(columns)] == [
        "log_mu_star", "log_mu_star_err", "true_log_mu_star", "log_mu_star_minus_true",
    ]  # fmt: skip


def test_measured_minus_truth_is_their_difference(columns):
    np.testing.assert_allclose(md.values_of(columns, "log_mu_star_minus_true"), [-0.5, 0.5, np.nan])


def test_labels_come_from_the_columns(columns):
    for quantity in md.quantities(columns):
        if not quantity.name.endswith(md.MINUS_TRUE):
            assert quantity.axis == REGION[quantity.name].axis
            assert quantity.tex_axis == REGION[quantity.name].tex_axis


def test_colour_limits_hold_nearly_all_values_and_centre_velocities():
    values = np.random.default_rng(1).normal(30, 10, 20_000)
    low, high = md.colour_limits(values, "log_mu_star")
    assert 0.97 < np.mean((values >= low) & (values <= high)) < 1.0
    assert md.colour_limits(values, "v_star")[0] == -md.colour_limits(values, "v_star")[1]
    assert md.colour_limits(np.full(4, np.nan), "sb_r") == (0.0, 1.0)
    assert md.colour_limits(np.full(4, 2.0), "sb_r") == (1.5, 2.5)


def test_the_scale_bar_has_the_length_it_says():
    kpc, length = md.scale_bar(pc_per_spaxel=250.0, width=80)
    assert kpc * 1000 / 250.0 == pytest.approx(length)
    assert 8 < length < 32


def test_the_half_light_ellipse_lies_at_its_elliptical_radius():
    facts = {"x_centre": 30.0, "y_centre": 20.0, "half_light_radius": 12.0, "axis_ratio": 0.5,
             "position_angle": 65.0, "spaxel_arcsec": 0.8}  # fmt: skip
    x, y = md.half_light_ellipse(facts)
    radius = elliptical_radius(x, y, Ellipse(30.0, 20.0, 12.0, 0.5, 65.0), 0.8)
    np.testing.assert_allclose(radius, 12.0, rtol=1e-12)
    assert md.half_light_ellipse(facts | {"axis_ratio": np.nan}) is None


def test_position_angle_45_points_to_the_north_east():
    facts = {"x_centre": 0.0, "y_centre": 0.0, "half_light_radius": 10.0, "axis_ratio": 0.1,
             "position_angle": 45.0, "spaxel_arcsec": 1.0}  # fmt: skip
    x, y = md.half_light_ellipse(facts)
    assert x[0] == pytest.approx(-10 / np.sqrt(2))  # east is left
    assert y[0] == pytest.approx(10 / np.sqrt(2))


def test_the_window_shows_the_whole_galaxy_as_a_square():
    frame = md.frame_of(np.array([0, 100]), np.array([0, 20]))
    left, right, bottom, top = md.square_window(frame)
    assert right - left == pytest.approx(top - bottom)
    assert left <= -0.5
    assert right >= 100.5
    assert bottom <= -0.5
    assert top >= 20.5


def test_marks_stay_within_any_window():
    window = (10.0, 15.0, -3.0, 2.0)
    marks = md.sky_marks(window, pc_per_spaxel=300.0)
    for x, y in (marks.corner, marks.north, marks.east, *zip(*marks.bar, strict=True)):
        assert window[0] < x < window[1]
        assert window[2] < y < window[3]
    assert marks.north[1] > marks.corner[1]
    assert marks.east[0] < marks.corner[0]


def test_a_panel_shows_another_map_without_a_new_figure(columns):
    panel = MapPanel(SkyWindow(Parts()), lambda x, y: None)
    frame, models = md.frame_of(X, Y), set(panel.figure.references())
    panel.show(md.picture(columns, frame, "log_mu_star", (0.0, 3.0)))
    np.testing.assert_array_equal(panel.source.data["values"][0], md.to_map(columns["log_mu_star"], frame))
    assert (panel.mapper.low, panel.mapper.high) == (0.0, 3.0)
    panel.show(md.picture(columns, frame, "log_mu_star_minus_true", (-1.0, 1.0)))
    assert (panel.mapper.low, panel.mapper.high) == (-1.0, 1.0)
    assert {m.id for m in panel.figure.references()} == {m.id for m in models}


def test_scale_bar_and_compass_follow_the_zoom_and_come_home():
    sky = SkyWindow(Parts())
    sky.look_at((0.0, 80.0, 0.0, 80.0), 250.0)
    whole = sky.words.data["text"][0]
    sky.x_range.update(start=30.0, end=40.0)
    sky.y_range.update(start=30.0, end=40.0)
    sky.draw_marks()
    assert 30 < sky.lines.data["xs"][0][0] < sky.lines.data["xs"][0][1] < 40
    assert sky.words.data["text"][0] != whole
    for axis in (sky.x_range, sky.y_range):  # as Bokeh's reset does
        axis.update(start=axis.reset_start, end=axis.reset_end)
    sky.draw_marks()
    assert sky.window == (0.0, 80.0, 0.0, 80.0)
    assert sky.words.data["text"][0] == whole


def test_the_error_stands_beside_its_value(columns):
    picture = md.picture(columns, md.frame_of(X, Y), "log_mu_star", (0.0, 3.0))
    assert np.nanmax(picture.errors) == pytest.approx(0.2)
    assert np.isnan(md.picture(columns, md.frame_of(X, Y), "true_log_mu_star", (0.0, 3.0)).errors).all()


def test_levels_are_five_greys_and_differences_diverge():
    assert colours_of("smoothing_level") == LEVEL_GREYS
    diverging = colours_of("log_Z_wr_minus_true", centred=True)
    assert diverging[0] != diverging[-1]
    assert len(set(diverging)) > 200


def test_what_recedes_is_red_and_what_is_bright_is_white():
    approaching, receding = (colours_of("v_star", centred=True)[place] for place in (0, -1))
    assert int(approaching[5:], 16) > int(approaching[1:3], 16)  # more blue than red
    assert int(receding[1:3], 16) > int(receding[5:], 16)
    for name in ("sb_r", "mag_u"):  # few magnitudes are much light
        assert (colours_of(name)[0], colours_of(name)[-1]) == ("#ffffff", "#000000")


TURNED = {"x_axis_angle": 0.0, "y_axis_angle": 90.0}  # x grows to the north, y to the east


def test_in_a_map_that_is_turned_the_ellipse_points_to_its_place_on_the_sky():
    facts = {"x_centre": 0.0, "y_centre": 0.0, "half_light_radius": 10.0, "axis_ratio": 0.1,
             "position_angle": 30.0, "spaxel_arcsec": 1.0}  # fmt: skip
    x, y = md.half_light_ellipse(facts | TURNED)
    assert (x[0], y[0]) == pytest.approx((10 * np.cos(np.pi / 6), 10 * np.sin(np.pi / 6)))
    mirrored, _ = md.half_light_ellipse(facts | {"x_axis_angle": 90.0, "y_axis_angle": 0.0})
    assert mirrored[0] == pytest.approx(5.0)  # east is right


def test_the_compass_of_a_map_that_is_turned_shows_how_it_lies():
    window = (10.0, 15.0, -3.0, 2.0)
    marks = md.sky_marks(window, 300.0, md.map_axes(TURNED))
    assert marks.north[0] - marks.corner[0] == pytest.approx(0.3)
    assert marks.north[1] == pytest.approx(marks.corner[1])
    assert marks.east[1] - marks.corner[1] == pytest.approx(0.3)
    upside_down = md.sky_marks(window, 300.0, md.map_axes({"x_axis_angle": 90.0, "y_axis_angle": 180.0}))
    assert window[2] < upside_down.north[1] < upside_down.corner[1]
