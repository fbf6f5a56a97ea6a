"""The command ``trace``: an upload into the tree of what was done with it, or a file for Jaeger's page."""

from pathlib import Path
from typing import Annotated

import typer

from mmsearch import settings
from mmsearch import trace as traces
from mmsearch.cli_output import AsJson, DataDir, connected, out, print_json


def register(app: typer.Typer) -> None:
    """Adds the command to the command line."""
    app.command(rich_help_panel="A system on this machine")(trace)


def trace(
    upload_id: Annotated[str, typer.Argument(help="An upload, or a trace by its id.")],
    jaeger: Annotated[Path | None, typer.Option("--jaeger", help="Save it as JSON for Jaeger's page.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Show database statements too.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show where the time of an upload went, service by service."""
    trace_id: str | None = upload_id
    if not traces.is_trace_id(upload_id):
        with connected(data_dir) as client:
            trace_id = client.status(upload_id).trace_id
    document = traces.fetch(settings.connection(data_dir).url, trace_id or "unknown")
    if jaeger is not None:
        traces.save(document, jaeger)
    if as_json:
        print_json(document)
    else:
        out.print(traces.tree(traces.parsed(document), statements=sql, fill=out.is_terminal))
