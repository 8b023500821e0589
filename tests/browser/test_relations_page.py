"""The relations page in a browser: counts, pictures, links and files follow what a visitor chooses."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.store import Survey
from engine.relations.green_valley import EQUATION_3, is_old_ridge
from tests.browser.driver import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def survey(small_survey) -> Survey:
    """The survey the app serves, read here too."""
    return Survey(small_survey)


def _count(page):
    return page.locator("aside[data-rail=selection] .count")


def _words(n: int) -> re.Pattern:
    return re.compile(rf"^{n:,} regions$".replace(",", r"\s?"))


def _picture(page) -> bytes:
    return page.locator(".page.relations .body").screenshot()


def _wait_for_another_picture(page, before: bytes) -> None:
    for _ in range(100):
        if _picture(page) != before:
            return
    pytest.fail("the planes did not change")


def _press(page, group: str, label: str) -> None:
    page.locator(f"aside[data-rail=selection] {group}").get_by_text(label, exact=True).first.click()


def test_the_page_says_what_it_shows_and_that_it_is_a_mock(home, survey):
    page = home
    expect(page.locator("main .heading [data-page=relations] h1")).to_have_text(
        "Local age and metallicity against mass"
    )
    expect(page.locator(".stamp")).to_contain_text("MOCK")
    expect(_count(page)).to_have_text(_words(survey.n_regions))
    assert page.locator(".page.relations .bk-Figure").count() == 6


def test_a_bin_of_mass_changes_the_count_and_the_picture(home, survey):
    page = home
    expect(_count(page)).to_have_text(_words(survey.n_regions))
    before = _picture(page)
    _press(page, "[aria-label='Galaxy mass']", "<9.8")
    expect(_count(page)).to_have_text(_words(np.count_nonzero(survey["log_M_star"] < 9.8)))
    _wait_for_another_picture(page, before)


def test_the_mass_slider_changes_the_count(home, survey):
    page = home
    expect(_count(page)).to_have_text(_words(survey.n_regions))
    handle = page.locator("[aria-label='Galaxy mass'] .noUi-handle").first
    handle.focus()
    handle.press("PageUp")
    expect(_count(page)).not_to_have_text(_words(survey.n_regions))


def test_the_old_ridge_has_the_regions_above_the_green_valley(home, survey):
    page = home
    _press(page, "", "old ridge")
    old = is_old_ridge(survey["log_mu_star"], survey["log_age_wr"], EQUATION_3)
    expect(_count(page)).to_have_text(_words(np.count_nonzero(old)))


def test_the_link_restores_the_view(home, visit):
    page = home
    _press(page, "[aria-label='Galaxy mass']", ">10.8")
    _press(page, "", "young")
    expect(page).to_have_url(re.compile("sequence=young"))
    expect(page).to_have_url(re.compile("log_M_star=10.8"))
    count = _count(page).inner_text()
    again = visit(page.url)
    expect(_count(again)).to_have_text(count)
    young = again.locator("aside[data-rail=selection]").get_by_role("button", name="young", exact=True)
    expect(young).to_have_class(re.compile("bk-active"))


def test_a_strange_link_is_told_and_the_page_opens(app, visit, survey):
    page = visit(f"{app}?log_M_star=11..9&nonsense=1")
    expect(_count(page)).to_have_text(_words(survey.n_regions))
    expect(page.get_by_text("nonsense").first).to_be_visible()


def test_a_png_of_the_six_planes_is_a_journal_page_wide_and_says_mock_also_the_second_time(home):
    page = home
    for _ in range(2):
        with page.expect_download() as download:
            page.get_by_text("Export").click()
            page.get_by_role("button", name="Figure: PNG", exact=True).click()
        image = Image.open(BytesIO(download.value.path().read_bytes()))
        assert image.width == 2100
        assert 1000 < image.height < 2400
        assert "MOCK" in image.info["Description"]
        assert download.value.suggested_filename == "glocal-figure-3-mock.png"


def test_a_missing_data_folder_is_one_plain_sentence(serve, visit, tmp_path):
    page = visit(serve(tmp_path / "nowhere"), ready="body")
    expect(page.locator("body")).to_contain_text("regions.parquet")
    expect(page.locator("body")).to_contain_text("glocal demo")
    assert "Traceback" not in page.locator("body").inner_text()


def test_a_folder_of_something_else_is_one_plain_sentence(serve, visit, tmp_path):
    for name in ("regions.parquet", "galaxies.parquet"):
        (tmp_path / name).write_bytes(b"not a table")
    page = visit(serve(tmp_path), ready="body")
    expect(page.locator("body")).to_contain_text("not a readable Parquet file")
