"""``mmsearch key``: the caller's API keys."""

from typing import Annotated

import typer

from mmsearch import rendering
from mmsearch.cli_output import AsJson, DataDir, connected, hint, out, print_json, say

key = typer.Typer(no_args_is_help=True, help="API keys: make one for each program, revoke it when it is lost.")


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.add_typer(key, name="key")


@key.command(name="list")
def list_keys(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List your keys; a key itself is shown only when it is made."""
    with connected(data_dir) as client:
        keys = client.api_keys()
    if as_json:
        print_json([found.model_dump(mode="json", exclude={"key"}) for found in keys])
    else:
        out.print(rendering.keys_table(keys))


@key.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")], data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Make a key and show it, this once."""
    with connected(data_dir) as client:
        made = client.create_api_key(name)
    if as_json:
        print_json(made.model_dump(mode="json", exclude_none=True))
    else:
        say(made.key or "")
        hint("It is not shown again. Programs send it as X-API-Key, the command line reads it from MMSEARCH_API_KEY.")


@key.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="As “key list” shows it.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing any more."""
    with connected(data_dir) as client:
        client.delete_api_key(key_id)
    if as_json:
        print_json({"key_id": key_id, "revoked": True})
    else:
        say(f"Revoked {key_id}.")
