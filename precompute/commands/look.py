"""Commands that show a survey."""

import os
import sys
from pathlib import Path

import typer

from precompute import layout, settings
from precompute.commands.console import LOOK, out, refuse
from precompute.commands.make import build_demo
from precompute.options import (
    Address,
    BinEdges,
    Cuts,
    DemoIfMissing,
    FigureFolder,
    FigureKeys,
    Folder,
    MinCount,
    NumberKinds,
    Origins,
    PageWidth,
    PictureKinds,
    Port,
    RegionKind,
    UserName,
    UserRemoved,
    UsersFile,
    Weighting,
)

commands = typer.Typer()


@commands.command(rich_help_panel=LOOK)
def serve(
    folder: Folder = None,
    port: Port = settings.PORT,
    address: Address = settings.ADDRESS,
    allow_origin: Origins = None,
    demo_if_missing: DemoIfMissing = False,
) -> None:
    """Show a survey in the **browser**; Ctrl-C ends it.

    Everything else that can be set is a variable GLOCAL_...; docs/hosting.md lists them and shows how to host a page.

    Examples: `glocal serve` | `glocal serve my-survey --port 5007`
    """
    data = layout.data_folder(folder)
    if not layout.has_survey(data):
        if not demo_if_missing:
            refuse(f"there is no survey in {data}; make one with: glocal demo --out {data}")
        out.print(f"There is no survey in {data} yet: building the mock survey once.", markup=False)
        build_demo(data, settings.N_MODEL_DEMO, settings.SEED, None)
    sys.exit(_serve(data, address, port, allow_origin or []))


def _serve(data: Path, address: str, wanted: int, origins: list[str]) -> int:
    from precompute.io.products import read_pair_meta
    from precompute.stages import serve as stage

    meta = read_pair_meta(data)
    port = wanted if "GLOCAL_PORT" in os.environ else stage.free_port(address, wanted)  # a proxy looks for it there
    if port != wanted:
        out.print(f"Port {wanted} is busy; taking {port}.", markup=False)
    out.print(f"Starting with the {meta['origin']} survey in {data}: {stage.size_in_words(data)} ...", markup=False)
    return stage.become_server(stage.server_environment(data, address, port, origins))


@commands.command(rich_help_panel=LOOK)
def figures(  # noqa: PLR0913, PLR0917 - one per option
    folder: Folder = None,
    out: FigureFolder = Path("figures"),
    fig: FigureKeys = None,
    format: PictureKinds = None,
    width: PageWidth = "two",
    cut: Cuts = None,
    weight: Weighting = "area/V'max",
    min_count: MinCount = None,
    edges: BinEdges = "",
    data: NumberKinds = None,
    regions: RegionKind = "",
) -> None:
    """Write the **figures of the paper** for print, with captions, and every number next to the paper's (figures.json).

    Examples: `glocal figures survey --out figures` | `glocal figures survey --fig 3 --cut "log_M_star>10.5"`
    """
    from precompute.stages.figures import FigureRequest, write_figures

    survey = layout.data_folder(folder)
    if not layout.has_survey(survey):
        refuse(f"there is no survey in {survey}; make one with: glocal demo --out {survey}")
    request = FigureRequest(
        survey, out, fig or (), format or (), width, cut or (), weight, min_count, edges, data or (), regions
    )
    sys.exit(write_figures(request))


@commands.command(rich_help_panel=LOOK)
def password(name: UserName, users: UsersFile = None, remove: UserRemoved = False) -> None:
    """Add a **user** of a hosted page, or change their password; it is asked for, or read from a pipe.

    Without --users the line is printed, for the variable GLOCAL_USERS. Servers that are up notice the change.

    Examples: `glocal password ada --users users` | `glocal password ada --users users --remove`
    """
    from precompute.stages import password as stage

    if remove:
        if users is None:
            refuse("say with --users from which file")
        stage.remove_user(users, name)
        out.print(f"{name} was removed from {users}.", markup=False)
        return
    word = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if sys.stdin.isatty() else input()
    line = stage.user_line(name, word)
    if users is None:
        out.print(line, markup=False)
        return
    known = stage.set_user(users, line)
    out.print(f"{name}'s password was changed." if known else f"{name} was added to {users}.", markup=False)
