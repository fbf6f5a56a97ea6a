"""Failures on request, for tests: ``POST /_faults`` arms how often the next chunks answer 503 and the next
answers are lost after the work is done."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import first_reason
from localcloud.storage.routing import Call, Route

PATH = "/_faults"


class ArmedFaults(BaseModel):
    """How many requests still fail in each way."""

    model_config = ConfigDict(extra="forbid")

    put_chunk_503: int = Field(default=0, ge=0)
    drop_response: int = Field(default=0, ge=0)


class Faults:
    """Counts armed failures down."""

    def __init__(self) -> None:
        self._armed = ArmedFaults()

    def routes(self) -> list[Route]:
        """What it answers."""
        return [Route("POST", PATH, self.arm)]

    async def arm(self, call: Call) -> Response:
        """Replace what is armed."""
        try:
            self._armed = ArmedFaults.model_validate(await call.json())
        except ValidationError as error:
            raise invalid(first_reason(error)) from None
        return call.reply(self._armed.model_dump())

    def before(self, request: Request) -> None:
        """Raise 503 for a chunk of a session while armed."""
        if self._armed.put_chunk_503 and request.method == "PUT" and "upload_id" in request.query_params:
            self._armed.put_chunk_503 -= 1
            raise StorageError(503, "backendError", "Injected failure.")

    def loses_answer(self, request: Request) -> bool:
        """Whether the answer to this request is to be lost."""
        if not self._armed.drop_response or request.url.path in (PATH, "/healthz"):
            return False
        self._armed.drop_response -= 1
        return True
