"""``mmsearch reembed``: a second index of another embedding model, from its estimate to dropping the first one."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mmsearch import settings
from mmsearch.cli_output import OPERATORS, AsJson, DataDir, err, hint, out, pause, print_json, say
from mmsearch.errors import MmsearchError
from mmsearch.operator_models import Comparison, ModelState, Switched
from mmsearch.reembedding import ReembeddingClient

_LONGEST_QUERY = 60
_POLL_S = 2.0
_STANDSTILL_S = 300.0
_STANDSTILL = """{count} files are still missing and nothing has come for five minutes: see the embedder's log and
`mmsearch dlq list --subscription embedder.upload.reembed.v1`. Starting again pays for nothing twice."""

_PART = """Warning: {missing_files} of your {expected} files have no vectors of {other_model_id} yet and are left out of
both answers: compared is what both models have. `mmsearch reembed start --model {other_model_id}` goes on."""

ModelId = Annotated[str, typer.Option("--model", help="The model, by the id that `mmsearch reembed status` shows.")]
User = Annotated[str | None, typer.Option("--user", help="Another user, by their id (operators).")]
All = Annotated[bool, typer.Option("--all", help="Everyone (operators); ends all users' own choices.")]
Force = Annotated[bool, typer.Option("--force", help="Even if some files would be found by their words alone.")]

reembed = typer.Typer(
    no_args_is_help=True,
    help="Change the embedding model: fill a second index, compare, switch, roll back, drop the old one.",
)


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.add_typer(reembed, name="reembed", rich_help_panel=OPERATORS)


@reembed.command()
def start(
    model_id: ModelId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until the index is full.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Fill a model's index from the stored texts of everyone's files (operators); what is there is not paid again."""
    with _connected(data_dir) as client:
        missing = _model(client.models(everyone=True), model_id)
        files = client.files_to_embed(model_id)
        say(
            f"{missing.missing_files} of {files} files, {missing.missing_passages} passages, "
            f"about {missing.missing_tokens:,} tokens: about {missing.missing_cost_usd:.4f} USD."
        )
        if not yes:
            typer.confirm("The files stay searchable as they are. Go on?", abort=True)
        handed = sum(client.fill(model_id))
        say(f"{handed} files handed to the embedder.")
        if wait:
            _watch(client, model_id)


@reembed.command()
def status(
    everyone: Annotated[bool, typer.Option("--all", help="Over everyone's files (operators).")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show each model's index: what it holds, what it lacks and what that would cost, whom it answers."""
    with _connected(data_dir) as client:
        models = client.models(everyone=everyone)
    if as_json:
        return print_json([model.model_dump(mode="json") for model in models])
    columns = ("model", "configured", "answers", "files", "covered", "missing", "tokens", "USD")
    table = Table(*columns, box=None)
    for one in models:
        table.add_row(*(escape(str(cell)) for cell in _row(one)))
    out.print(table)
    return None


@reembed.command()
def compare(
    model_id: ModelId,
    queries: Annotated[int, typer.Option(min=1, max=50, help="How many of your latest queries.")] = 20,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask your own past queries of the answering model and of another, and show what would change."""
    with _connected(data_dir) as client:
        found = client.comparison(model_id, queries)
    if found.missing_files:
        hint(
            _PART.format(
                missing_files=found.missing_files, expected=found.expected, other_model_id=found.other_model_id
            )
        )
    if as_json:
        return print_json(found.model_dump(mode="json"))
    table = Table("query", "overlap@20", "first three before", "and after", box=None)
    for one in found.queries:
        query = one.query if len(one.query) <= _LONGEST_QUERY else f"{one.query[: _LONGEST_QUERY - 1]}…"
        share = f"{one.overlap:.0%}" if one.before or one.after else "nothing"
        names = (", ".join(one.before), ", ".join(one.after) if one.first_changed else "the same")
        table.add_row(*map(escape, (query, share, *names)))
    out.print(table)
    _say_compared(found)
    return None


@reembed.command()
def switch(
    model_id: ModelId,
    user: User = None,
    everyone: All = False,
    force: Force = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Have yourself, another user or everyone answered by a model, from the next search on."""
    with _connected(data_dir) as client:
        _say_switched(client.switch(model_id, user_id=user, everyone=everyone, force=force), as_json=as_json)


@reembed.command()
def rollback(
    user: User = None, everyone: All = False, force: Force = False, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Go back to the model that answered before."""
    with _connected(data_dir) as client:
        _say_switched(client.rollback(user_id=user, everyone=everyone, force=force), as_json=as_json)


@reembed.command()
def drop(
    model_id: ModelId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove the index of a model that answers nobody (operators)."""
    if not yes:
        question = f"All vectors of {model_id} are removed; to have them again is paid again. Go on?"
        typer.confirm(question, abort=True, err=as_json)
    removed = 0
    with _connected(data_dir) as client:
        for done in client.drop(model_id):
            removed += done.removed_files
            if done.wait_s:
                hint(f"Searches begun before the last switch are given {done.wait_s} s.")
    if as_json:
        print_json({"model_id": model_id, "removed_files": removed})
    else:
        say(f"The index of {model_id} is gone: {removed} files.")


@contextmanager
def _connected(data_dir: Path | None) -> Generator[ReembeddingClient]:
    connection = settings.connection(data_dir)
    client = ReembeddingClient(connection.url, connection.api_key)
    with client:
        yield client.pausing(pause)


def _model(models: Sequence[ModelState], model_id: str) -> ModelState:
    for one in models:
        if one.model_id == model_id and one.configured:
            return one
    known = ", ".join(one.model_id for one in models if one.configured)
    raise MmsearchError(
        f"{model_id} is not configured (EMBEDDING_NEXT_BACKEND, docs/reembedding.md); there is {known}."
    )


def _watch(client: ReembeddingClient, model_id: str) -> None:
    bar = Progress(
        TextColumn("embedding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeRemainingColumn(),
        console=err,
    )
    before, since = -1, time.monotonic()
    with bar as progress:
        task = progress.add_task("embedding", total=None)
        while (state := _model(client.models_meanwhile(), model_id)).missing_files:
            covered = state.expected - state.missing_files
            progress.update(task, total=state.expected, completed=covered)
            if covered != before:
                before, since = covered, time.monotonic()
            elif time.monotonic() - since > _STANDSTILL_S:
                raise MmsearchError(_STANDSTILL.format(count=state.missing_files))
            time.sleep(_POLL_S)
        progress.update(task, total=state.expected, completed=state.expected)
    say(f"{model_id} covers all {state.expected} files. Next: mmsearch reembed compare --model {model_id}")


def _say_compared(found: Comparison) -> None:
    say(f"{found.other_model_id} covers {found.expected - found.missing_files} of {found.expected} files.")
    if not found.queries:
        return say("You have searched for nothing yet that could be compared.")
    asked = len(found.queries)
    if found.unanswered == asked:
        return say("Neither model finds anything for what you have searched for.")
    nothing = f", for {found.unanswered} neither finds anything" if found.unanswered else ""
    changed = f"of {asked} queries {found.first_changed} had their first three changed{nothing}."
    return say(f"overlap@20 {found.overlap:.0%}; {changed}")


def _say_switched(done: Switched, *, as_json: bool) -> None:
    if as_json:
        return print_json(done.model_dump(mode="json"))
    say(f"{done.model_id} answers now; before: {done.previous_model_id}.")
    if done.missing_files:
        say(f"{done.missing_files} files have no vectors of it yet and are found by their words alone.")
    return None


def _row(one: ModelState) -> tuple[Any, ...]:
    answers = "yes" if one.answering else "dropped" if one.dropped else ""
    answers += f" +{one.users} users" if one.users else ""
    covered = f"{one.expected - one.missing_files}/{one.expected}"
    cost = f"{one.missing_cost_usd:.4f}"
    configured = one.configured or ""
    return (
        one.model_id,
        configured,
        answers,
        one.files,
        covered,
        one.missing_files,
        one.missing_tokens,
        cost,
    )
