"""A stage's memory: artifacts first, then a manifest created only if absent, found again by every redelivery."""

import asyncio
from collections.abc import Sequence

from contracts.artifacts import Manifest
from eventing.handlers import ManifestKey, NewArtifact
from objectstore.store import ObjectExistsError, ObjectNotFoundError, ObjectStore


class StageMemory:
    """Manifests and artifacts of every stage, in the artifacts bucket."""

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store = store
        self.bucket = bucket

    async def recall(self, key: ManifestKey) -> Manifest | None:
        """What the stage already produced from this input, or None."""
        try:
            return Manifest.model_validate_json(await self._store.get(self.bucket, key.manifest))
        except ObjectNotFoundError:
            return None

    async def store_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        """Stores what a stage produced. Names carry the content's hash, so one that is there has the same bytes."""
        await asyncio.gather(*(self._store_artifact(artifact) for artifact in artifacts))

    async def remember(self, key: ManifestKey, manifest: Manifest) -> Manifest:
        """Stores the manifest; returns the one that counts, which may be another worker's.

        Two workers on the same input may both compute; the first manifest wins and both announce its events.
        """
        try:
            await self._store.put(self.bucket, key.manifest, manifest.model_dump_json().encode(), "application/json")
        except ObjectExistsError:
            winner = await self.recall(key)
            return winner or manifest
        return manifest

    async def _store_artifact(self, artifact: NewArtifact) -> None:
        try:
            await self._store.put(artifact.ref.bucket, artifact.ref.key, artifact.content, artifact.ref.media_type)
        except ObjectExistsError:
            return
