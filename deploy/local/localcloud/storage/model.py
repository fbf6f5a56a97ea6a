"""What the service keeps: buckets, object versions, notification configurations and upload sessions as
typed rows, and the part of an object resource a client may set."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from localcloud.storage.errors import invalid

_MAX_CUSTOM_METADATA_BYTES = 8 * 1024
# What Pub/Sub takes, in bytes; a message it refuses would hold up its topic for ever.
_AttributeKey = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\x20-\x7e]+$")]
_AttributeValue = Annotated[str, Field(max_length=1024, pattern=r"^[\x20-\x7e]*$")]


def now_rfc3339() -> str:
    """The present in UTC with milliseconds, as Google writes times."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def first_reason(error: ValidationError) -> str:
    """The first complaint of a validation as ``field: reason``."""
    cause = error.errors()[0]
    return f"{'.'.join(str(part) for part in cause['loc'])}: {cause['msg']}"


class ObjectAttributes(BaseModel):
    """The members of an object resource a client may write."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    content_type: str | None = None
    content_encoding: str | None = None
    content_disposition: str | None = None
    content_language: str | None = None
    cache_control: str | None = None
    custom_time: datetime | None = None
    storage_class: str = "STANDARD"
    metadata: dict[str, str] | None = None

    @classmethod
    def parse(cls, resource: dict[str, Any]) -> Self:
        """Of a JSON object resource; 400 on a wrong type or more than 8 KiB of custom metadata."""
        present = {key: value for key, value in resource.items() if value is not None}
        try:
            attributes = cls.model_validate(present)
        except ValidationError as error:
            raise invalid(first_reason(error)) from None
        size = sum(len(key.encode()) + len(text.encode()) for key, text in (attributes.metadata or {}).items())
        if size > _MAX_CUSTOM_METADATA_BYTES:
            raise invalid(f"The metadata of the object is {size} bytes; the maximum is {_MAX_CUSTOM_METADATA_BYTES}.")
        return attributes

    def patched(self, change: dict[str, Any]) -> Self:
        """These with a JSON merge patch applied: null removes, inside ``metadata`` too."""
        return self.parse(merge_patch(self.resource(), change))

    def resource(self) -> dict[str, Any]:
        """As members of a JSON resource, those without value left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def merge_patch(target: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396 on JSON objects."""
    merged = dict(target)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            inner = merged.get(key)
            merged[key] = merge_patch(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value
    return merged


@dataclass(frozen=True)
class Body:
    """Bytes on disk: the file's random id, its length, and its checksums in base64 (no MD5 when composed)."""

    body_id: str
    size: int
    crc32c: str
    md5: str | None
    component_count: int | None = None


@dataclass(frozen=True)
class StoredObject:
    """One generation of an object; `deleted` is the time it stopped being the live one."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    body: Body
    created: str
    updated: str
    deleted: str | None
    attributes: ObjectAttributes


@dataclass(frozen=True)
class Bucket:
    """A bucket; `config` is everything of its resource a client may set (cors, labels, versioning, …)."""

    name: str
    project: str
    metageneration: int
    created: str
    updated: str
    config: dict[str, Any]

    @property
    def versioned(self) -> bool:
        """Whether replaced and deleted objects are kept as noncurrent versions."""
        versioning = self.config.get("versioning")
        return isinstance(versioning, dict) and versioning.get("enabled") is True


class NotificationConfig(BaseModel):
    """Where and when a bucket announces changes of its objects (names as on the wire)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    topic: str = Field(pattern=r"^(//pubsub\.googleapis\.com/)?projects/[^/]+/topics/[^/]+$")
    event_types: list[str] | None = None
    payload_format: str = Field(default="JSON_API_V1", pattern="^(JSON_API_V1|NONE)$")
    object_name_prefix: str = ""
    custom_attributes: dict[_AttributeKey, _AttributeValue] = Field(default_factory=dict, max_length=80)

    @property
    def topic_path(self) -> str:
        """``projects/P/topics/T``."""
        return self.topic.removeprefix("//pubsub.googleapis.com/")

    def wants(self, event_type: str, name: str) -> bool:
        """Whether this change of this object is announced."""
        return name.startswith(self.object_name_prefix) and (not self.event_types or event_type in self.event_types)
