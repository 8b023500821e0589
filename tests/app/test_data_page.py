"""Data and method: what a survey tells of itself, in words and small tables, never as code."""

import re

import pytest

from app.pages.data_page import _cell, table_words
from app.store import Survey


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2022, "2022"),
        (0.36248961049508477, "0.36249"),
        ([10.66, 0.00396], "10.66, 0.00396"),
        ({"imf": "Kroupa", "models": 500000}, "imf Kroupa, models 500000"),
        (None, "–"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_a_setting_is_told_in_words(value, words):
    assert _cell(value) == words


def test_a_list_of_rows_is_a_table_of_its_own():
    rows = [{"quantity": "slope <mu>", "here": 0.5145560799, "paper": 0.55}, {"quantity": "share", "here": 0.35}]
    cell = _cell(rows)
    assert "2 rows" in cell
    assert re.findall("<th[^>]*>([^<]*)", cell) == ["quantity", "here", "paper"]
    assert re.findall("<td>([^<]*)", cell) == ["slope &lt;mu&gt;", "0.514556", "0.55", "share", "0.35", "–"]


def test_the_table_that_is_loaded_is_named_with_its_checksums(small_survey):
    words = table_words(Survey(small_survey))
    assert "mock: an invented survey" in words
    assert len(re.findall(r"SHA-256 [0-9a-f]{64}", words)) == 2
    assert "{'" not in words
