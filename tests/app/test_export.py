"""Figures for download: their size, their words, and the mock stamp."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from PIL import Image

from app import theme
from app.paper.galaxy import galaxy_figure
from app.paper.page import Note, page_file
from app.screen import map_data
from app.screen.seen import MapsView

MOCK_NOTE = Note(
    "Maps of mock 3", "Grey: no region.", "MOCK survey · seed 5", "http://here/app?galaxy_id=3", "glocal 1"
)


@pytest.fixture
def view() -> MapsView:
    """Two maps of a small square galaxy."""
    y, x = (axis.ravel() for axis in np.mgrid[0:9, 0:9])
    columns = {"log_mu_star": np.linspace(0, 3, 81), "smoothing_level": np.arange(81) % 5 + 1}
    frame = map_data.frame_of(x, y)
    window = map_data.square_window(frame)
    pictures = [map_data.picture(columns, frame, "log_mu_star", (0.0, 3.0)),
                map_data.picture(columns, frame, "smoothing_level", map_data.LEVEL_LIMITS)]  # fmt: skip
    return MapsView(pictures, window, map_data.sky_marks(window, 300.0), None, (4, 4))


def _opened(view: MapsView, note: Note) -> Image.Image:
    return Image.open(BytesIO(page_file(galaxy_figure(view, [], note), note)))


def test_a_figure_is_a_journal_page_wide_at_300_dpi(view):
    image = _opened(view, MOCK_NOTE)
    assert image.width == 2100
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_mock_says_so_in_the_file_and_in_the_picture(view):
    image = _opened(view, MOCK_NOTE)
    assert "MOCK" in image.info["Title"]
    assert "MOCK" in image.info["Description"]
    assert image.info["Software"] == "glocal 1"
    assert "http://here/app?galaxy_id=3" in image.info["Description"]
    assert _has_colour(image, theme.MOCK)


def test_measured_data_wear_no_stamp(view):
    image = _opened(view, MOCK_NOTE._replace(stamp=""))
    assert "MOCK" not in image.info["Title"] + image.info["Description"]
    assert not _has_colour(image, theme.MOCK)


def test_the_maps_carry_labels_with_units_and_the_window_of_the_screen(view):
    axes = galaxy_figure(view._replace(window=(1.0, 6.0, 2.0, 7.0)), [], MOCK_NOTE).axes[::2]
    assert axes[0].get_title() == view.pictures[0].quantity.tex_axis
    assert axes[0].get_xlim() == (1.0, 6.0)
    assert axes[1].get_ylim() == (2.0, 7.0)


def test_every_spaxel_of_a_map_on_paper_lies_where_it_is_in_the_table_in_the_colour_of_its_value(view):
    """log mu* rises with x from 0 and, nine times as fast, with y; north is up, so rows grow upwards."""
    figure = galaxy_figure(view, [], MOCK_NOTE)
    ax = figure.axes[0]
    for x, y in ((0, 0), (8, 0), (0, 8), (5, 3)):
        pixel = ax.transData.transform((x, y))
        under = MouseEvent("motion_notify_event", figure.canvas, *pixel)
        assert ax.images[0].get_cursor_data(under) == pytest.approx(3 * (9 * y + x) / 80, abs=1e-6)
    assert ax.images[0].get_clim() == (0.0, 3.0)


def test_the_same_figure_can_be_made_twice(view):
    first, second = (np.asarray(_opened(view, MOCK_NOTE)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def _has_colour(image: Image.Image, colour: str) -> bool:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return bool(np.any(np.all(np.asarray(image)[..., :3] == wanted, axis=-1)))
