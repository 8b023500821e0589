"""What the suite says of the tests it did not run."""

from tests.conftest import skip_lines


def test_skipped_tests_are_summed_up_in_one_line_per_reason():
    reasons = ["Skipped: no data", "Skipped: no browser", "Skipped: no data"]
    assert skip_lines(reasons) == ["2 tests skipped: no data", "1 test skipped: no browser"]
    assert skip_lines([]) == []
