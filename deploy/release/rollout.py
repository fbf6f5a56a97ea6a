"""Runs a release: migrations, new revisions without traffic, then service after service gets 10, 50 and 100 %.

After each step errors are looked at. When one fails, what was done is taken back, the last step first.
"""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

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
class _Step:
    """What is done at once and then watched, and what takes it back."""

    title: str
    forth: tuple[Command, ...]
    back: tuple[Command, ...]


@dataclass(frozen=True)
class Rollout:
    """One release: its place and version, how long each step is watched, how many errors end it, which stages pull."""

    place: Place
    version: str
    soak_s: int = 180
    most_errors: int = 5
    workers: Collection[str] = ()
    shell: Shell = field(default_factory=Shell)

    def run(self) -> None:
        """All of it. Raises :class:`ReleaseError`, after taking back what had moved."""
        self._all("# the images are there", commands.images_exist(self.place, self.version))
        self._all("# the schemas first", commands.migrate(self.place, self.version))
        _say("# what serves now, to go back to")
        steps = [step for service in ORDER for step in self._steps(service)]
        _say("# new revisions, without traffic")
        for service in ORDER:
            if not self.shell.succeeds(commands.revision_exists(self.place, service, self.version)):
                self.shell.run(commands.start(self.place, service, self.version))
        self._move(steps)

    def _steps(self, service: str) -> list[_Step]:
        """How one service moves. One that pulls gets no requests: its shares would be watched in vain."""
        new, old = commands.revision(service, self.version), self._serving(service)
        before = commands.send(self.place, service, old, 100)
        if service not in self.workers:
            # What an earlier run of this release brought there does not begin again with less.
            return [
                _Step(f"{share} % of {service}", (commands.send(self.place, service, new, share),), (before,))
                for share in (commands.SHARES if old != new else commands.SHARES[-1:])
            ]
        workers = [
            commands.update_workers(self.place, service, image)
            for image in (self.place.image(service, self.version), self._working(service))
        ]
        forth = (commands.send(self.place, service, new, 100), workers[0])
        return [_Step(f"{service} and its workers", forth, (workers[1], before))]

    def _move(self, steps: Sequence[_Step]) -> None:
        begun: list[_Step] = []
        try:
            for step in steps:
                begun.append(step)
                self._all(f"# {step.title}", step.forth)
                self._watch(step.title)
        except ReleaseError as failure:
            _say(f"# {failure}")
            # A service's shares share one way back.
            self._all("# taking back", dict.fromkeys(command for step in reversed(begun) for command in step.back))
            raise

    def _watch(self, title: str) -> None:
        self.shell.wait(self.soak_s)
        minutes = -(-self.soak_s // 60)
        found = self.shell.run(commands.errors(self.place, self.version, max(minutes, 1), self.most_errors))
        if len(found.split()) > self.most_errors:
            raise ReleaseError(f"more than {self.most_errors} errors at {title}")

    def _serving(self, service: str) -> str:
        """The revision of a service that has most of the traffic."""
        answer = self.shell.run(commands.serving(self.place, service))
        traffic = json.loads(answer)["status"]["traffic"] if answer.strip() else []
        busiest = max(traffic, key=lambda entry: entry.get("percent", 0), default={})
        return busiest.get("revisionName", f"{service}-PREVIOUS")

    def _working(self, stage: str) -> str:
        """The image that a stage's worker pool runs."""
        answer = self.shell.run(commands.working(self.place, stage))
        images = _images(json.loads(answer)) if answer.strip() else {}
        return images.get("service", self.place.image(stage, "PREVIOUS"))

    def _all(self, title: str, wanted: Iterable[Command]) -> None:
        _say(title)
        for command in wanted:
            self.shell.run(command)


def take_back(place: Place, version: str, shell: Shell, workers: Collection[str]) -> None:
    """Sends all traffic to the revisions of an earlier version, producers first; the schema stays as it is."""
    _say(f"# all traffic to {version}")
    for service in reversed(ORDER):
        if service in workers:
            shell.run(commands.update_workers(place, service, place.image(service, version)))
        shell.run(commands.send(place, service, commands.revision(service, version), 100))


def _images(pool: dict[str, Any]) -> dict[str, str]:
    """Container to image of a worker pool, as either version of Cloud Run's API describes it."""
    template = pool.get("spec", pool)["template"]
    return {container["name"]: container["image"] for container in template.get("spec", template)["containers"]}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
