"""A place and a version into the commands that build, migrate, start, send traffic to and take back a release."""

import re
from dataclasses import dataclass

ORDER = ("search", "upload-gateway", "embedder", "analyzer", "media-processor")
"""Consumers before producers: what a stage says in a new way is said when everybody who hears it understands.

upload-gateway hears every stage, so it comes before them; its page and search's API make search the first
(docs/decisions/0039).
"""

MIGRATED = ("upload-gateway", "search")
SHARES = (10, 50, 100)
CAN_PULL = ("embedder", "analyzer", "media-processor")
"""Stages that may have a worker pool (docs/decisions/0022)."""

_VERSION = re.compile(r"^v\d+\.\d+\.\d+(-[a-z0-9][a-z0-9.]*)?$")
_LONGEST_REVISION = 63

Command = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where the services run and their images lie; ``image_root`` is ``REGION-docker.pkg.dev/PROJECT/mmsearch``."""

    project: str
    region: str
    image_root: str

    def gcloud(self, *words: str) -> Command:
        """A gcloud command in this place."""
        return ("gcloud", *words, f"--project={self.project}", "--quiet")

    def run(self, *words: str) -> Command:
        """A command of Cloud Run in this place."""
        return self.gcloud("run", *words, f"--region={self.region}")

    def image(self, service: str, version: str) -> str:
        """The image of a service."""
        return f"{self.image_root}/{service}:{version}"


def checked_version(version: str) -> str:
    """The version, if it can be a tag and part of a revision's name; raises ``ValueError``."""
    longest = max(len(revision(service, version)) for service in ORDER)
    if not _VERSION.match(version) or longest > _LONGEST_REVISION:
        raise ValueError(f"{version!r} is no version like v1.2.3 or v1.2.3-rc1")
    return version


def checked_stages(names: str) -> tuple[str, ...]:
    """``analyzer,embedder`` as a tuple, nothing as an empty one; raises ``ValueError`` for what cannot pull."""
    stages = tuple(name for name in names.split(",") if name)
    if unknown := set(stages) - set(CAN_PULL):
        raise ValueError(f"no worker pool can be of {', '.join(sorted(unknown))}")
    return stages


def revision(service: str, version: str) -> str:
    """The name of the revision that runs a version: known before it exists, so that taking back needs no search."""
    return f"{service}-{_suffix(version)}"


def build(place: Place, version: str, commit: str) -> list[Command]:
    """Builds and pushes the five images; to be run in the repository."""
    arguments = [f"VERSION={version}", f"REVISION={commit}"]
    return [
        (
            "docker", "buildx", "build", "--platform=linux/amd64", "--file=deploy/docker/Dockerfile",
            *(f"--build-arg={argument}" for argument in (f"SERVICE={service}", *arguments)),
            f"--tag={place.image(service, version)}", "--provenance=true", "--sbom=true", "--push", ".",
        )
        for service in ORDER
    ]  # fmt: skip


def images_exist(place: Place, version: str) -> list[Command]:
    """Fails unless all five images are in the registry."""
    return [
        place.gcloud("artifacts", "docker", "images", "describe", place.image(service, version), "--format=none")
        for service in ORDER
    ]


def migrate(place: Place, version: str) -> list[Command]:
    """Brings the schemas up to date with the new code, which the old code must be able to bear (docs/deploy.md)."""
    return [
        command
        for service in MIGRATED
        for command in (
            place.run("jobs", "update", f"migrate-{service}", f"--image={place.image(service, version)}"),
            place.run("jobs", "execute", f"migrate-{service}", "--wait"),
        )
    ]


def revision_exists(place: Place, service: str, version: str) -> Command:
    """Succeeds when the revision is there already: a release may be run again."""
    return place.run("revisions", "describe", revision(service, version), "--format=none")


def start(place: Place, service: str, version: str) -> Command:
    """Makes the new revision and waits until it is well; it gets no traffic."""
    return place.run(
        "services", "update", service, "--container=service", f"--image={place.image(service, version)}",
        f"--revision-suffix={_suffix(version)}", "--no-traffic",
    )  # fmt: skip


def serving(place: Place, service: str) -> Command:
    """Says in JSON which revisions get traffic now."""
    return place.run("services", "describe", service, "--format=json(status.traffic)")


def send(place: Place, service: str, to: str, share: int) -> Command:
    """Gives ``share`` percent of the traffic to a revision; the others keep the rest in their proportions."""
    return place.run("services", "update-traffic", service, f"--to-revisions={to}={share}")


def errors(place: Place, version: str, minutes: int, most: int) -> Command:
    """Lists answers of the new revisions that are errors of ours. 503 is not one: it hands a message back."""
    revisions = " OR ".join(f'"{revision(service, version)}"' for service in ORDER)
    return place.gcloud(
        "logging", "read",
        f'resource.type="cloud_run_revision" AND resource.labels.revision_name=({revisions})'
        " AND httpRequest.status>=500 AND httpRequest.status!=503",
        f"--freshness={minutes}m", f"--limit={most + 1}", "--format=value(insertId)",
    )  # fmt: skip


def working(place: Place, stage: str) -> Command:
    """Says in JSON what a stage's worker pool runs now."""
    return place.run("worker-pools", "describe", _pool(stage), "--format=json")


def update_workers(place: Place, stage: str, image: str) -> Command:
    """Gives a stage's worker pool an image; its instances finish or hand back what they hold."""
    return place.run("worker-pools", "update", _pool(stage), "--container=service", f"--image={image}")


def _pool(stage: str) -> str:
    return f"{stage}-pull"


def _suffix(version: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", version)
