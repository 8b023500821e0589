"""Where commands write, and how they refuse."""

import sys
from typing import NoReturn

from rich.console import Console

MAKE, CHECK, LOOK = "Make a survey", "Check the results", "Look at it"  # headings of ``glocal --help``

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def refuse(sentence: str) -> NoReturn:
    """Print one sentence and leave with exit code 2."""
    err.print(f"glocal: {sentence}", markup=False, style="red")
    sys.exit(2)
