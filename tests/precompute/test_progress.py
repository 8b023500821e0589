"""Progress is a bar in a terminal and a few lines elsewhere."""

import io

from rich.console import Console

from precompute.progress import progress_bars, silent


def said(terminal: bool) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120)
    with progress_bars(console) as phases:
        report = phases("measuring regions")
        for done in (1, 5000, 10_000):
            report(done, 10_000)
    return text.getvalue()


def test_a_log_gets_one_line_at_the_end_of_a_short_phase():
    assert said(terminal=False) == "measuring regions: 10,000 of 10,000, 0 s left\n"


def test_a_terminal_gets_a_bar_with_the_time_left():
    bar = said(terminal=True)
    assert "measuring regions" in bar
    assert "100%" in bar
    assert "time left" in bar


def test_a_phase_nobody_watches_says_nothing(capsys):
    silent("anything")(1, 2)
    assert capsys.readouterr() == ("", "")
