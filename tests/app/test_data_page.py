"""Data and method: what a survey tells of itself, in words and small tables, never as code."""

import json
import re
from dataclasses import asdict, fields

import pytest

from app.pages.data_page import table_words
from app.pages.settings_words import cell, label, settings_words
from app.store import Survey
from engine.library.priors import PRIOR_SETS, Priors
from engine.mock.settings import MockSettings


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2022, "2022"),
        (500000, "500 000"),
        (578709.0, "578 709"),
        (0.36248961049508477, "0.36249"),
        (2e10, "2 × 10<sup>10</sup>"),
        (1e-9, "10<sup>−9</sup>"),
        (1.25e8, "1.25 × 10<sup>8</sup>"),
        ([10.66, -0.35], "10.66, −0.35"),
        (True, "yes"),
        (None, "–"),
        ("<b>", "&lt;b&gt;"),
        ("{not JSON", "{not JSON"),
    ],
)
def test_a_setting_is_told_in_words(value, words):
    assert cell(value).replace("\N{NARROW NO-BREAK SPACE}", " ") == words


def test_a_list_of_rows_is_a_table_of_its_own():
    rows = [{"quantity": "slope <mu>", "here": 0.5145560799, "paper": 0.55}, {"quantity": "share", "here": 0.35}]
    table = cell(rows)
    assert "2 rows" in table
    assert re.findall("<th[^>]*>([^<]*)", table) == ["quantity", "here", "paper"]
    assert re.findall("<td>([^<]*)", table) == ["slope &lt;mu&gt;", "0.514556", "0.55", "share", "0.35", "–"]


def test_settings_kept_as_json_are_a_table_with_words_and_units():
    """As a library keeps its priors: one row each, their own words, no bracket of code."""
    words = settings_words({"library": {"priors": json.dumps(asdict(PRIOR_SETS["gallazzi05"]))}})
    rows = dict(re.findall("<th scope='row'>([^<]*)</th><td>(.*?)</td>", words.partition("priors of the library")[2]))
    assert rows["onset, years ago, from and to [yr]"] == "1.5 × 10<sup>9</sup>, 1.35 × 10<sup>10</sup>"
    assert rows["mean metallicity, from and to [Z⊙]"] == "0.02, 2.5"
    assert "{" not in words


@pytest.mark.parametrize(("kept", "group"), [(Priors, "priors"), (MockSettings, "mock")])
def test_every_prior_and_every_ingredient_of_the_mock_has_words(kept, group):
    words = [label(field.name, group) for field in fields(kept)]
    assert not [found for found, field in zip(words, fields(kept), strict=True) if found == field.name]
    assert len(set(words)) == len(words)


def test_the_table_that_is_loaded_is_named_with_its_checksums(small_survey):
    words = table_words(Survey(small_survey))
    assert "mock: an invented survey" in words
    assert len(re.findall(r"SHA-256 [0-9a-f]{64}", words)) == 2
    assert "{" not in words
