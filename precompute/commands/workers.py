"""Who works on galaxies, and what the terminal says of each."""

from typing import TYPE_CHECKING

import typer

from precompute.commands.console import err, out

if TYPE_CHECKING:  # --help must not wait for numerical libraries
    from precompute.cluster import Machines
    from precompute.stages.one_galaxy import Outcome


def machines(workers: int | None, scheduler: str) -> "Machines | None":
    """Processes or a cluster, as asked for; None: as many processes as there are cores."""
    from precompute.cluster import Machines

    return Machines(workers or 0, scheduler) if workers or scheduler else None


def tell_galaxy(outcome: "Outcome", new: bool) -> None:
    """One line for a galaxy that is done or failed, and its remarks below."""
    state = "done" if outcome.done and new else "done before" if outcome.done else "FAILED"
    out.print(f"  {outcome.name}: {state}, {outcome.sentence}", markup=False, style=None if outcome.done else "red")
    for remark in outcome.remarks:
        style = "yellow" if remark.startswith("suspicious") else "dim"
        out.print(f"    {remark}", markup=False, style=style)


def leave_if_failed(outcomes: "list[Outcome]") -> None:
    """Name the galaxies that failed, in whichever of their runs, and leave with exit code 1 if there are any."""
    galaxies = {outcome.name for outcome in outcomes}
    failed = dict.fromkeys(outcome.name for outcome in outcomes if not outcome.done)
    leave_if_any(list(failed), f"{len(failed)} of {len(galaxies)} galaxies failed")


def leave_if_any(failed: list[str], sentence: str) -> None:
    """Print the sentence with the names of galaxies that failed, and leave with exit code 1 if there are any."""
    if failed:
        err.print(f"glocal: {sentence}: {', '.join(failed)}", markup=False, style="red")
        raise typer.Exit(1)
