"""What a handler may read: the original and upstream artifacts, hash checked, in a directory of its own."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from contracts.artifacts import ArtifactRef, FailureCode, UploadRef
from eventing.errors import Discard, Poison, Reject
from eventing.handlers import NewArtifact
from hosting.sizes import in_mebibytes
from objectstore.store import ObjectNotFoundError, ObjectStore, ObjectTooLargeError, ObjectUndecodableError
from telemetry import spans

ModelT = TypeVar("ModelT", bound=BaseModel)
_JSON = "application/json"


class StoreInputs:
    """:class:`eventing.handlers.StageInputs` over an object store. ``prefix`` is where new artifacts will lie."""

    def __init__(self, store: ObjectStore, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._directory: TemporaryDirectory[str] | None = None

    @property
    def workdir(self) -> Path:
        """See :class:`StageInputs`; made when first asked for."""
        if self._directory is None:
            self._directory = TemporaryDirectory(prefix="mmsearch-", ignore_cleanup_errors=True)
        return Path(self._directory.name)

    async def aclose(self) -> None:
        """Removes the workdir, if there is one."""
        if self._directory is not None:
            await asyncio.to_thread(self._directory.cleanup)

    async def download_source(self, upload: UploadRef, max_bytes: int) -> Path:
        """See :class:`StageInputs`."""
        path = self.workdir / "source"
        try:
            with spans.internal("download source"):
                await self._store.download(upload.bucket, upload.object_name, path, max_bytes, upload.generation)
        except ObjectNotFoundError as error:
            raise Discard("this version of the object is gone") from error
        except ObjectTooLargeError as error:
            message = f"Unpacked, the file has more than the {in_mebibytes(max_bytes)} that are allowed."
            raise Reject(FailureCode.FILE_SIZE, message) from error
        except ObjectUndecodableError as error:
            message = "The file cannot be unpacked: it is not stored in the encoding it is said to have."
            raise Reject(FailureCode.CORRUPT, message) from error
        return path

    async def read(self, ref: ArtifactRef) -> bytes:
        """See :class:`StageInputs`."""
        try:
            data = await self._store.get(ref.bucket, ref.key)
        except ObjectNotFoundError as error:
            raise Poison(f"artifact {ref.key} is not there") from error
        if await asyncio.to_thread(_sha256, data) != ref.sha256:
            raise Poison(f"artifact {ref.key} is not what was announced")
        return data

    async def read_model(self, ref: ArtifactRef, model: type[ModelT]) -> ModelT:
        """See :class:`StageInputs`."""
        data = await self.read(ref)
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            raise Poison(f"artifact {ref.key} is not a {model.__name__}") from error

    def artifact(self, name: str, media_type: str, content: bytes | Path) -> NewArtifact:
        """See :class:`StageInputs`."""
        if isinstance(content, bytes):
            sha256, size = _sha256(content), len(content)
        else:
            sha256, size = _file_sha256(content), content.stat().st_size
        # The hash in the name lets a second computation with other bytes never be taken for the first one's.
        key = f"{self._prefix}{sha256[:16]}/{name}"
        ref = ArtifactRef(bucket=self._bucket, key=key, sha256=sha256, media_type=media_type, size_bytes=size)
        return NewArtifact(ref, content)

    def model_artifact(self, name: str, model: BaseModel) -> NewArtifact:
        """See :class:`StageInputs`."""
        return self.artifact(name, _JSON, model.model_dump_json(exclude_none=True).encode())


@asynccontextmanager
async def opened_inputs(store: ObjectStore, bucket: str, prefix: str) -> AsyncGenerator[StoreInputs, None]:
    """Inputs whose workdir is gone afterwards."""
    inputs = StoreInputs(store, bucket, prefix)
    try:
        yield inputs
    finally:
        await inputs.aclose()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
