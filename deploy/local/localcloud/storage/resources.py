"""Stored rows into the JSON resources clients read, with absolute links under the address they used."""

import base64
from dataclasses import dataclass
from typing import Any

from localcloud.storage.model import Bucket, NotificationConfig, StoredObject
from localcloud.storage.names import segment


def etag(generation: int, metageneration: int) -> str:
    """Changes with the object's bytes and with its metadata."""
    return base64.b64encode(f"{generation}/{metageneration}".encode()).decode()


@dataclass(frozen=True)
class Resources:
    """Renders resources with links that start at `base` (scheme and host, no slash at the end)."""

    base: str

    def object(self, stored: StoredObject) -> dict[str, Any]:
        """``storage#object``; 64-bit numbers are strings, as everywhere in the JSON API."""
        path = f"/storage/v1/b/{stored.bucket}/o/{segment(stored.name)}"
        body = stored.body
        resource: dict[str, Any] = {
            "kind": "storage#object",
            "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
            "selfLink": f"{self.base}{path}",
            "mediaLink": f"{self.base}/download{path}?generation={stored.generation}&alt=media",
            "name": stored.name,
            "bucket": stored.bucket,
            "generation": str(stored.generation),
            "metageneration": str(stored.metageneration),
            "size": str(body.size),
            "crc32c": body.crc32c,
            "md5Hash": body.md5,
            "componentCount": body.component_count,
            "etag": etag(stored.generation, stored.metageneration),
            "timeCreated": stored.created,
            "updated": stored.updated,
            "timeFinalized": stored.created,
            "timeStorageClassUpdated": stored.created,
            "timeDeleted": stored.deleted,
            **stored.attributes.resource(),
        }
        return {key: value for key, value in resource.items() if value is not None}

    def bucket(self, bucket: Bucket) -> dict[str, Any]:
        """``storage#bucket``."""
        return {
            "location": "US",
            "locationType": "multi-region",
            "storageClass": "STANDARD",
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "inherited",
            },
            **bucket.config,
            "kind": "storage#bucket",
            "id": bucket.name,
            "name": bucket.name,
            "projectNumber": "1",
            "selfLink": f"{self.base}/storage/v1/b/{bucket.name}",
            "metageneration": str(bucket.metageneration),
            "etag": etag(0, bucket.metageneration),
            "timeCreated": bucket.created,
            "updated": bucket.updated,
        }

    def notification(self, bucket: str, number: int, config: NotificationConfig) -> dict[str, Any]:
        """``storage#notification``; the topic always in the long form the official client insists on."""
        return {
            **config.model_dump(exclude_none=True),
            "kind": "storage#notification",
            "id": str(number),
            "topic": f"//pubsub.googleapis.com/{config.topic_path}",
            "etag": str(number),
            "selfLink": f"{self.base}/storage/v1/b/{bucket}/notificationConfigs/{number}",
        }
