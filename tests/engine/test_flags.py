"""The table of flags: whole, without doubles, and the same in the documentation and in files."""

import re
from pathlib import Path

import numpy as np
import pytest

from engine.columns import REGION
from engine.flags import SpaxelFlag, flags_in, legend

FLAGS = [flag for flag in SpaxelFlag if flag.value]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "run.md"


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_flag_has_words_and_a_sentence(flag):
    assert flag.words
    assert flag.words[-1] != "."
    assert re.fullmatch(r"[A-Z].*\.", flag.sentence)


def test_bits_do_not_overlap_and_fit_the_column():
    assert sum(flag.value for flag in FLAGS) == 2 ** len(FLAGS) - 1
    assert np.iinfo(REGION["flags"].dtype).max >= 2 ** len(FLAGS) - 1
    assert REGION["flags"].limits[1] >= 2 ** len(FLAGS) - 1


def test_words_tell_flags_apart():
    assert len({flag.words for flag in FLAGS}) == len(FLAGS)


def test_flags_come_apart_into_single_ones():
    assert flags_in(SpaxelFlag.SMOOTHED | SpaxelFlag.LIBRARY_EDGE) == [SpaxelFlag.SMOOTHED, SpaxelFlag.LIBRARY_EDGE]
    assert flags_in(np.int32(0)) == []


def test_files_and_documentation_list_every_bit():
    assert legend() in REGION["flags"].description
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert rows == {str(flag.value): flag.sentence for flag in FLAGS}
