"""A first look at the whole system: starts it, feeds it sample files through both ways in, and searches for them."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from mmsearch import local_system, rendering, settings
from mmsearch.client import Client
from mmsearch.errors import ApiError, MmsearchError

_SEARCHES = 3
_PATIENCE_S = 180.0


@dataclass(frozen=True)
class Sample:
    """A made file and a search that should find it."""

    path: Path
    query: str


def run(data_dir: Path, port: int, console: Console) -> int:
    """Stays up until Ctrl-C; the exit code of the system."""
    console.print("Starting five services and their cloud on this machine …", style="dim")
    system = local_system.start(["up", "--quiet", "--data-dir", str(data_dir), "--port", str(port)])
    try:
        if _until_ready(system, data_dir):
            _show(data_dir, console)
        return system.wait()
    except KeyboardInterrupt:
        return system.wait()  # Ctrl-C reached it too: it is stopping by itself
    finally:
        if system.poll() is None:
            system.terminate()
            system.wait()


def _show(data_dir: Path, console: Console) -> None:
    try:
        samples = _samples(data_dir / "samples")
        connection = settings.connection(data_dir)
        with Client(connection.url, connection.api_key) as client:
            _feed(client, samples, data_dir, console)
            _search(client, samples, console)
    except (MmsearchError, TimeoutError, subprocess.CalledProcessError) as error:
        rendering.problem(console, f"The demonstration stopped: {error}")
        return
    console.print(
        f"\n[bold]Your turn:[/bold] open [link={connection.url}]{connection.url}[/link], drop files into the page, or\n"
        f"  {_command()} upload PATHS… --data-dir {data_dir}\n"
        f'  {_command()} search "…" --data-dir {data_dir}\n'
        "Ctrl-C stops everything; what was fed stays."
    )


def _command() -> str:
    """As it can be typed in this terminal."""
    return "mmsearch" if shutil.which("mmsearch") else sys.argv[0]


def _feed(client: Client, samples: list[Sample], data_dir: Path, console: Console) -> None:
    posted, dropped = samples[::2], samples[1::2]
    console.print(f"Sending {len(posted)} files to the API and dropping {len(dropped)} into the bucket …", style="dim")
    began = time.monotonic()
    for sample in posted:
        try:
            client.upload(sample.path)
        except ApiError as error:
            if error.code != "duplicate":  # from an earlier run on the same data directory
                raise
    local_system.drop(data_dir, [sample.path for sample in dropped])
    wanted = {sample.path.name for sample in samples}
    _wait(lambda: _finished(client, wanted))
    console.print(f"{len(samples)} files findable after {time.monotonic() - began:.1f} s.", style="green")


def _search(client: Client, samples: list[Sample], console: Console) -> None:
    for sample in samples[:: max(len(samples) // _SEARCHES, 1)][:_SEARCHES]:
        console.print(f"\n[bold]? {sample.query}[/bold]", highlight=False)
        console.print(rendering.search_results(client.search(sample.query, limit=1)))


def _finished(client: Client, wanted: set[str]) -> bool:
    uploads = [upload for upload in client.uploads(limit=100).uploads if upload.filename in wanted]
    final = {upload.filename for upload in uploads if upload.status in ("completed", "failed")}
    return final == wanted


def _samples(directory: Path) -> list[Sample]:
    made = local_system.output_of("localcloud.samples", "--json", str(directory))
    return [Sample(Path(line["path"]), line["query"]) for line in json.loads(made)]


def _until_ready(system: subprocess.Popen[bytes], data_dir: Path) -> bool:
    _wait(lambda: (data_dir / "env").exists() or system.poll() is not None)
    return system.poll() is None


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done after {_PATIENCE_S:g} s; see `mmsearch status` and the logs")
        time.sleep(0.2)
