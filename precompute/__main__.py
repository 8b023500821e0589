"""The ``glocal`` command: build a survey, bring one in, look at it."""

from typing import Annotated

import typer

from engine.errors import GlocalError
from precompute.commands import bench, check, look, make
from precompute.commands.console import LOOK, out, refuse

COMPUTING_LIBRARIES = {
    "speclite", "ppxf", "bagpipes", "h5py", "distributed", "reproject", "photutils", "regions", "vorbin",
    "threadpoolctl",
}  # fmt: skip

cli = typer.Typer(
    name="glocal",
    help="Local and global drivers of stellar populations: build a survey of galaxy regions and explore it in the "
    "browser.\n\nStart with `glocal demo`, then `glocal serve`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (make, check, look):
    cli.add_typer(group.commands)
cli.add_typer(bench.commands, name="bench", rich_help_panel=LOOK)


def main() -> None:
    """Run the command; what Glocal refuses is reported in one sentence, with exit code 2."""
    try:
        cli()
    except GlocalError as refusal:
        refuse(str(refusal))
    except OSError as trouble:  # a full disk, a folder that may not be written
        if trouble.strerror is None:
            raise
        refuse(f"{trouble.strerror}: {trouble.filename}" if trouble.filename else trouble.strerror)
    except ModuleNotFoundError as error:
        if error.name not in COMPUTING_LIBRARIES:
            raise
        refuse(f"{error.name} is not installed: pip install 'glocal[engine]', or pip install '.[engine]' in a checkout")


def _show_version(wanted: bool) -> None:
    if wanted:
        from precompute.io.products import software_version

        out.print(software_version())
        raise typer.Exit


@cli.callback()
def glocal(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options that belong to no command."""


if __name__ == "__main__":
    main()
