"""The commands of the person on call: dead letters, failures, running again, bucket against index, users."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from contracts.artifacts import Kind
from mmsearch import settings
from mmsearch.cli_output import OPERATORS, out, print_json
from mmsearch.operations import OperatorClient
from mmsearch.operator_models import DeadLetter, DeathCause, Finding
from mmsearch.rendering import counted

_out = out
_NEXT = "Which files: mmsearch list --status failed. Once the cause is gone: mmsearch reprocess --code CODE."
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BATCH = 100

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the local system keeps everything.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
LetterSubscription = Annotated[str | None, typer.Option("--subscription", help="Only those that died there.")]
Code = Annotated[str | None, typer.Option("--code", help="Only those of this cause, say timeout or internal.")]
Age = Annotated[str | None, typer.Option("--older-than", help="Only those dead for longer: 90s, 15m, 2h or 3d.")]
Rate = Annotated[float | None, typer.Option("--rate", min=0.01, help="At most so many a second.")]
FileKind = Annotated[Kind | None, typer.Option("--kind", help="Only such files.")]
Since = Annotated[str | None, typer.Option("--since", help="2h or 3d ago, or a time such as 2026-11-21T08:00Z.")]
Mine = Annotated[bool, typer.Option("--mine", help="Your own uploads only, even if you are an operator.")]

dlq = typer.Typer(no_args_is_help=True, help="Dead letters: what no one could process (operators).")
users = typer.Typer(no_args_is_help=True, help="Suspend and resume users (operators).")


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.command()(failures)
    app.command()(reprocess)
    app.add_typer(dlq, name="dlq", rich_help_panel=OPERATORS)
    app.add_typer(users, name="users", rich_help_panel=OPERATORS)
    app.command(rich_help_panel=OPERATORS)(reconcile)


@dlq.command(name="list")
def list_letters(
    subscription: LetterSubscription = None,
    code: Code = None,
    older_than: Age = None,
    status: Annotated[
        Literal["waiting", "redriven", "discarded", "all"],
        typer.Option(help="Only those, or all."),
    ] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first, and how many there are of each cause."""
    filters = {"subscription": subscription, "code": code, "older_than_s": _seconds(older_than), "status": status}
    with _operator(data_dir) as client:
        found = client.dead_letters(limit, **filters)
    if as_json:
        return print_json(found.model_dump(mode="json"))
    _table(("where", "code", "letters", "oldest", "a reason"), [_cause(cause) for cause in found.causes])
    _table(("id", "where", "code", "upload", "deaths", "since"), [_letter(letter) for letter in found.letters])
    none = f"No dead letter is {status}." if status != "all" else "There are no dead letters."
    _out.print(f"{len(found.letters)} of {found.total}" if found.total else none, style="dim")
    return None


@dlq.command()
def show(letter_id: str, data_dir: DataDir = None) -> None:
    """Print a dead letter whole, as JSON."""
    with _operator(data_dir) as client:
        print_json(client.dead_letter(letter_id).model_dump(mode="json"))


@dlq.command()
def redrive(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="These; without any, all that fit.")] = None,
    subscription: LetterSubscription = None,
    code: Code = None,
    older_than: Age = None,
    rate: Rate = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters again, each to the subscription that gave up on it; what was sent is not sent twice."""
    wish = _letters_wish(letter_ids, subscription, code, older_than)
    if rate is not None:
        wish["limit"] = max(1, min(_BATCH, round(rate)))
    redriven: list[str] = []
    skipped: dict[str, str] = {}
    with _operator(data_dir) as client:
        for done in client.redrive(rate, **wish):
            redriven += done.redriven
            skipped |= done.skipped
    if as_json:
        print_json({"redriven": redriven, "skipped": skipped})
    else:
        _say_settled(skipped, "sent", f"{len(redriven)} sent again, {len(skipped)} not.")
    _fail_if_named(letter_ids, skipped)


@dlq.command()
def discard(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="These; without any, all that fit.")] = None,
    subscription: LetterSubscription = None,
    code: Code = None,
    older_than: Age = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let dead letters go for good."""
    if not yes:
        typer.confirm("They cannot be sent again afterwards. Go on?", abort=True, err=as_json)
    discarded: list[str] = []
    skipped: dict[str, str] = {}
    with _operator(data_dir) as client:
        for done in client.discard(**_letters_wish(letter_ids, subscription, code, older_than)):
            discarded += done.discarded
            skipped |= done.skipped
    if as_json:
        print_json({"discarded": discarded, "skipped": skipped})
    else:
        _say_settled(skipped, "discarded", f"{len(discarded)} discarded.")
    _fail_if_named(letter_ids, skipped)


def _say_settled(skipped: dict[str, str], wish: str, summary: str) -> None:
    for letter_id, why in skipped.items():
        _out.print(f"{letter_id} not {wish}: {why}", highlight=False)
    _out.print(summary, highlight=False)


def _fail_if_named(letter_ids: list[str] | None, skipped: dict[str, str]) -> None:
    """Who asks for a letter by its id is told by the exit code, too, that it was not done."""
    if letter_ids and skipped:
        raise typer.Exit(1)


def failures(
    kind: FileKind = None, since: Since = None, mine: Mine = False, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Say why uploads failed, by cause, and what can be done."""
    with _operator(data_dir) as client:
        groups = client.failures(mine=mine, kind=kind, since=_moment(since))
    if as_json:
        return print_json([group.model_dump(mode="json") for group in groups])
    columns = ("uploads", "code", "stage", "kind", "latest")
    _table(columns, [(g.uploads, g.code, g.stage, g.kind or "?", _short(g.latest)) for g in groups])
    for code, advice in {group.code: group.advice for group in groups}.items():
        _out.print(f"{code}: {advice}", highlight=False, markup=False)
    _out.print(_NEXT if groups else "Nothing has failed.", highlight=False, style="dim" if groups else "")
    return None


def reprocess(
    kind: FileKind = None,
    code: Code = None,
    stage: Annotated[
        Literal["media-processor", "analyzer", "embedder", "search"] | None,
        typer.Option("--stage", help="Where to start; search only tells search again."),
    ] = None,
    since: Since = None,
    status: Annotated[Literal["failed", "all"], typer.Option("--status", help="Which uploads.")] = "failed",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    rate: Rate = None,
    mine: Mine = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Run many uploads again: those that failed where they failed, or a stage of your choice."""
    moment = _moment(since)
    wish = {"kind": kind, "code": code, "stage": stage, "status": status, "dry_run": dry_run}
    wish |= {"since": moment and moment.isoformat(), "limit": max(1, min(_BATCH, round(rate))) if rate else None}
    matched: int | None = None
    started: list[str] = []
    skipped: dict[str, str] = {}
    with _operator(data_dir) as client:
        for batch in client.reprocess(mine=mine, per_second=rate, **wish):
            matched = batch.matched if matched is None else matched
            started += batch.started
            skipped |= batch.skipped
    if as_json:
        return print_json({"matched": matched, "started": started, "skipped": skipped})
    for upload_id, why in skipped.items():
        _out.print(f"{upload_id} not started: {why}", highlight=False)
    done = "none was started: a dry run" if dry_run else f"{len(started)} started, {len(skipped)} not"
    _out.print(f"{matched} fit, {done}.", highlight=False)
    return None


def reconcile(
    fix: Annotated[bool, typer.Option("--fix", help="Repair what differs.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare bucket and index: missing, orphaned, changed, deleted, artifacts left behind (operators)."""
    findings: list[Finding] = []
    examined = announced = 0
    with _operator(data_dir) as client:
        for stretch in client.reconcile(fix=fix):
            examined += stretch.examined
            announced += stretch.announced
            findings += stretch.findings
    if as_json:
        shown = [finding.model_dump(mode="json") for finding in findings]
        return print_json({"examined": examined, "announced": announced, "findings": shown})
    rows = [(f.problem, f.upload_id or "", f.name) for f in findings]
    _table(("problem", "upload", "name"), rows)
    _out.print(
        f"{examined} names examined, {len(findings)} differ, {counted(announced, 'event')} published.", highlight=False
    )
    return None


@users.command()
def suspend(user_id: str, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Let no credential of the user in."""
    _set_suspended(user_id, data_dir, suspended=True, as_json=as_json)


@users.command()
def resume(user_id: str, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Undo a suspension."""
    _set_suspended(user_id, data_dir, suspended=False, as_json=as_json)


def _set_suspended(user_id: str, data_dir: Path | None, *, suspended: bool, as_json: bool) -> None:
    with _operator(data_dir) as client:
        user = client.set_suspended(user_id, suspended=suspended)
    if as_json:
        print_json(user.model_dump(mode="json"))
    else:
        _out.print(f"{user.user_id} is {user.status}.", highlight=False)


@contextmanager
def _operator(data_dir: Path | None) -> Generator[OperatorClient]:
    connection = settings.connection(data_dir)
    client = OperatorClient(connection.url, connection.api_key)
    with client:
        yield client


def _letters_wish(
    letter_ids: list[str] | None, subscription: str | None, code: str | None, older_than: str | None
) -> dict[str, Any]:
    wish = {"subscription": subscription, "code": code, "older_than_s": _seconds(older_than)}
    return {**wish, "ids": letter_ids or []}


def _seconds(age: str | None) -> float | None:
    if age is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", age.strip())
    if found is None:
        raise typer.BadParameter(f"{age} is no duration such as 90s, 15m, 2h or 3d")
    return float(found[1]) * _UNITS[found[2]]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if re.fullmatch(r"[\d.]+[smhd]", text):
            return datetime.now(UTC) - timedelta(seconds=_seconds(text) or 0)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text} is no time such as 2026-11-21T08:00Z and no duration such as 2h") from None


def _cause(cause: DeathCause) -> tuple[Any, ...]:
    return (cause.subscription, cause.code, cause.letters, _short(cause.oldest), cause.reason)


def _letter(letter: DeadLetter) -> tuple[Any, ...]:
    upload = letter.upload_id or ""
    return (letter.letter_id, letter.subscription, letter.code, upload, letter.deaths, _short(letter.died_at))


def _short(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    _out.print(table)
