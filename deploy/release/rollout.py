"""Runs a release: migrations, new revisions without traffic, then 10, 50 and 100 %, looking at errors each time.

When a step fails, traffic goes back to the revisions that had it before.
"""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deploy.release import commands
from deploy.release.commands import ORDER, Command, Place


class ReleaseError(Exception):
    """A step failed; everything that could be taken back has been."""


class Shell:
    """Runs commands, printing each before it does."""

    def run(self, command: Command) -> str:
        """What the command printed; raises :class:`ReleaseError` when it fails."""
        _say(shlex.join(command))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise ReleaseError(f"exit code {done.returncode}: {shlex.join(command)}")
        return done.stdout

    def succeeds(self, command: Command) -> bool:
        """Whether a command that only asks succeeds."""
        _say(shlex.join(command))
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def wait(self, seconds: int) -> None:
        """Lets a release run for a while."""
        _say(f"sleep {seconds}")
        time.sleep(seconds)


class DryShell(Shell):
    """Prints what would be run, as a script that a shell would take; what would be asked is answered "not yet"."""

    def run(self, command: Command) -> str:
        """See :meth:`Shell.run`."""
        _say(shlex.join(command))
        return ""

    def succeeds(self, command: Command) -> bool:
        """See :meth:`Shell.succeeds`."""
        _say(f"{shlex.join(command)} ||")
        return False

    def wait(self, seconds: int) -> None:
        """See :meth:`Shell.wait`."""
        _say(f"sleep {seconds}")


@dataclass(frozen=True)
class Rollout:
    """One release: its place and version, how long each share is watched, how many errors end it, which stages pull."""

    place: Place
    version: str
    soak_s: int = 300
    most_errors: int = 5
    workers: Sequence[str] = ()
    shell: Shell = field(default_factory=Shell)

    def run(self) -> None:
        """All of it. Raises :class:`ReleaseError`, after taking traffic back if any had moved."""
        self._all("# the images are there", commands.images_exist(self.place, self.version))
        self._all("# the schemas first", commands.migrate(self.place, self.version))
        before = self._serving()
        _say("# new revisions, without traffic")
        for service in ORDER:
            if not self.shell.succeeds(commands.revision_exists(self.place, service, self.version)):
                self.shell.run(commands.start(self.place, service, self.version))
        try:
            for share in commands.SHARES:
                self._shift(share)
            self._all("# the workers", commands.update_workers(self.place, self.version, self.workers))
        except ReleaseError as failure:
            _say(f"# {failure}: back to what ran before")
            self._all(
                "# taking back", [commands.send(self.place, s, r, 100) for s, r in reversed(list(before.items()))]
            )
            raise

    def _shift(self, share: int) -> None:
        _say(f"# {share} % of the traffic")
        for service in ORDER:
            self.shell.run(commands.send(self.place, service, commands.revision(service, self.version), share))
        self.shell.wait(self.soak_s)
        minutes = -(-self.soak_s // 60)
        found = self.shell.run(commands.errors(self.place, self.version, max(minutes, 1), self.most_errors))
        if len(found.split()) > self.most_errors:
            raise ReleaseError(f"more than {self.most_errors} errors at {share} %")

    def _serving(self) -> Mapping[str, str]:
        """The revision of each service that has most of the traffic, before anything moves."""
        _say("# what serves now, to go back to")
        return {service: self._most(service) for service in ORDER}

    def _most(self, service: str) -> str:
        answer = self.shell.run(commands.serving(self.place, service))
        traffic = json.loads(answer)["status"]["traffic"] if answer.strip() else []
        busiest = max(traffic, key=lambda entry: entry.get("percent", 0), default={})
        return busiest.get("revisionName", f"{service}-PREVIOUS")

    def _all(self, title: str, wanted: Sequence[Command]) -> None:
        _say(title)
        for command in wanted:
            self.shell.run(command)


def take_back(place: Place, version: str, shell: Shell, workers: Sequence[str]) -> None:
    """Sends all traffic to the revisions of an earlier version, producers first; the schema stays as it is."""
    _say(f"# all traffic to {version}")
    for service in reversed(ORDER):
        shell.run(commands.send(place, service, commands.revision(service, version), 100))
    for command in reversed(commands.update_workers(place, version, workers)):
        shell.run(command)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
