"""The commands of the local system: up, demo, down, and status of the system or of one upload."""

from pathlib import Path
from typing import Annotated

import typer

from mmsearch import demo as demonstration
from mmsearch import local_system, rendering, settings
from mmsearch.cli_output import FAILED, AsJson, DataDir, connected, directory, out, show

Port = Annotated[int, typer.Option(min=1, max=65535, help="The public port on 127.0.0.1.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.command()(status)
    for command in (up, demo, down):
        app.command(rich_help_panel="A system on this machine")(command)


def up(
    data_dir: DataDir = None,
    port: Port = 8080,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log lines go to files only.")] = False,
) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    flags = [flag for flag, given in (("--detach", detach), ("--quiet", quiet)) if given]
    local_system.become(["up", "--data-dir", directory(data_dir), "--port", str(port), *flags])


def demo(data_dir: DataDir = None, port: Port = 8080) -> None:
    """Run the whole system, feed it sample files, show searches that find them; stays up until Ctrl-C."""
    raise typer.Exit(demonstration.run(Path(directory(data_dir)), port, out))


def down(data_dir: DataDir = None) -> None:
    """Stop the local system."""
    raise typer.Exit(local_system.ask(["down", "--data-dir", directory(data_dir)]))


def status(
    upload_id: Annotated[
        str | None, typer.Argument(help="An upload; without it, the system on this machine or that of MMSEARCH_URL.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say how an upload is, or how the system is."""
    if upload_id is None and data_dir is None and settings.names_another_system():
        with connected(None) as client:
            deployment = client.deployment()
        show(deployment, as_json, rendering.deployment)
        raise typer.Exit(FAILED if deployment.stats is None else 0)
    if upload_id is None:
        flags = ["--json"] if as_json else []
        raise typer.Exit(local_system.ask(["status", "--data-dir", directory(data_dir), *flags]))
    with connected(data_dir) as client:
        found = client.status(upload_id)
    show(found, as_json, rendering.status_lines)
