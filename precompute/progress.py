"""Progress bars with the time left, one per phase of a long computation."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Report = Callable[[int, int], None]  # progress(done, total)
Phases = Callable[[str], Report]  # phases("measuring regions")(done, total)
LOG_INTERVAL = 15.0  # s; where there is no terminal, say how far we are this often


def silent(_phase: str) -> Report:
    """Phases nobody watches."""
    return lambda _done, _total: None


@contextmanager
def progress_bars(console: Console) -> Iterator[Phases]:
    """Bars in a terminal, plain lines elsewhere (logs stay readable)."""
    if not console.is_terminal:
        yield lambda phase: _line_reporter(console, phase)
        return
    columns = (
        TextColumn("{task.description:<28}"), BarColumn(), TaskProgressColumn(),
        TextColumn("time left"), TimeRemainingColumn(), TextColumn("so far"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bars:
        yield lambda phase: _bar_reporter(bars, phase)


def _bar_reporter(bars: Progress, phase: str) -> Report:
    known = {task.description: task.id for task in bars.tasks}
    task = known[phase] if phase in known else bars.add_task(phase, total=None)
    return lambda done, total: bars.update(task, completed=done, total=total)


def _line_reporter(console: Console, phase: str) -> Report:
    last = time.monotonic()
    first = None  # when we began, and what an earlier run had done by then

    def report(done: int, total: int) -> None:
        nonlocal last, first
        now = time.monotonic()
        first = first or (now, done)
        if done >= total or now - last > LOG_INTERVAL:
            last = now
            left = (now - first[0]) * (total - done) / max(done - first[1], 1)
            console.print(f"{phase}: {done:,} of {total:,}, {left:.0f} s left", highlight=False)

    return report
