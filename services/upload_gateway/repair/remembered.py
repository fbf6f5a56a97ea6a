"""Reads in the bucket what no row says any more: which original an artifact was derived from, and what was told of it.

The stages' manifests hold every event they announced, and these name their object. Only where no manifest is left are
the user's objects looked through.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from contracts.artifacts import Manifest, StoredEvent, UploadRef
from contracts.events import EVENTS
from contracts.identifiers import ownership
from eventing import codec
from eventing.errors import Poison
from objectstore.store import ObjectNotFoundError, ObjectStore, ObjectUndecodableError
from upload_gateway.repair.findings import Derived

_PAGE = 100
"""Names asked for at once: most uploads have less than twenty derived files."""
_OBJECTS = 1000
_BY_TOPIC = {event.topic(): event for event in EVENTS}


@dataclass(frozen=True)
class Remembered:
    """Both buckets; memory is bounded by a page of names."""

    objects: ObjectStore
    uploads_bucket: str
    artifacts_bucket: str

    async def events(self, user_id: str, upload_id: str, generation: int) -> AsyncIterator[StoredEvent]:
        """All that the stages announced of one generation, as they announced it; what cannot be read says nothing."""
        prefix = after = f"{user_id}/{upload_id}/{generation}/"
        while True:
            page = await self.objects.list_page(self.artifacts_bucket, after, _PAGE)
            below = [item.key for item in page if item.key.startswith(prefix)]
            for key in below:
                if key.endswith("/manifest.json"):
                    for event in await self._announced(key):
                        yield event
            if len(below) < _PAGE:
                return
            after = below[-1]

    async def with_original(self, derived: Iterable[Derived]) -> set[tuple[str, int]]:
        """The keys of those whose original, in that generation, is in the bucket."""
        found: set[tuple[str, int]] = set()
        nameless: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
        for one in {one.key: one for one in derived}.values():
            name = await self._name(one)
            if name is None:
                nameless[one.user_id].add(one.key)
            elif await self._generation(name) == one.generation:
                found.add(one.key)
        for user_id, keys in nameless.items():
            found |= await self._among_objects(user_id, keys)
        return found

    async def _announced(self, key: str) -> Sequence[StoredEvent]:
        try:
            manifest = Manifest.model_validate_json(await self.objects.get(self.artifacts_bucket, key))
        except (ObjectNotFoundError, ObjectUndecodableError, ValidationError):
            return ()
        return [event for event in manifest.events if _upload_of(event)]

    async def _name(self, derived: Derived) -> str | None:
        async for event in self.events(derived.user_id, derived.upload_id, derived.generation):
            upload = _upload_of(event)
            if upload and ownership(self.uploads_bucket, upload.object_name).upload_id == derived.upload_id:
                return upload.object_name
        return None

    async def _generation(self, name: str) -> int:
        try:
            return (await self.objects.stat(self.uploads_bucket, name)).generation
        except ObjectNotFoundError:
            return 0

    async def _among_objects(self, user_id: str, keys: set[tuple[str, int]]) -> set[tuple[str, int]]:
        """Those of the keys that an object of the user has: each name tells its upload's id, but no id its name."""
        prefix = after = f"{user_id}/"
        found: set[tuple[str, int]] = set()
        while found != keys:
            page = await self.objects.list_page(self.uploads_bucket, after, _OBJECTS)
            below = [item for item in page if item.key.startswith(prefix)]
            found |= keys & {(ownership(self.uploads_bucket, i.key).upload_id, i.generation) for i in below}
            if len(below) < _OBJECTS:
                break
            after = below[-1].key
        return found


def _upload_of(event: StoredEvent) -> UploadRef | None:
    if event.topic not in _BY_TOPIC:
        return None
    try:
        heard = codec.decode(_BY_TOPIC[event.topic], event.data.encode(), event.attributes)
    except Poison:
        return None
    return getattr(heard.data, "upload", None)
