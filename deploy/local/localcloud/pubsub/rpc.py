"""Plain coroutines become gRPC methods: typed requests in, typed answers or status codes out.

The client package ships no server stubs, so methods are registered generically under their names.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import grpc
import proto
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from localcloud.pubsub.errors import InvalidAckIdsError, PubSubError

# Generic only for the type checker.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Method: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

Request = TypeVar("Request", bound=proto.Message)

_Answer = proto.Message | bytes | None

INVALID_ACK_ID = "PERMANENT_FAILURE_INVALID_ACK_ID"

_log = logging.getLogger(__name__)


def unary(handler: Callable[[Request], Awaitable[_Answer]], request: type[Request]) -> Method:
    """A method with one request and one answer; None answers google.protobuf.Empty."""

    async def call(message: Request, context: Context) -> _Answer:
        return await _answered(handler(message), context)

    return _unary(call, request)


def polling(handler: Callable[[Request, float | None], Awaitable[_Answer]], request: type[Request]) -> Method:
    """Like ``unary``, for an answer that may take as many seconds as the caller waits."""

    async def call(message: Request, context: Context) -> _Answer:
        return await _answered(handler(message, context.time_remaining()), context)

    return _unary(call, request)


def bidirectional(
    handler: Callable[[AsyncIterator[Request], Context], Awaitable[None]], request: type[Request]
) -> Method:
    """A method with a stream each way; the handler writes serialized answers to the context."""

    async def call(messages: AsyncIterator[Request], context: Context) -> None:
        await _answered(handler(messages, context), context)

    return grpc.stream_stream_rpc_method_handler(call, request_deserializer=request.deserialize)


def service(name: str, methods: Mapping[str, Method]) -> grpc.GenericRpcHandler:
    """The methods under a fully qualified service name."""
    return grpc.method_handlers_generic_handler(name, dict(methods))


def _unary(call: Callable[[Request, Context], Awaitable[_Answer]], request: type[Request]) -> Method:
    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request.deserialize, response_serializer=_serialize
    )


def _serialize(answer: _Answer) -> bytes:
    if answer is None:
        return b""
    return answer if isinstance(answer, bytes) else type(answer).serialize(answer)


async def _answered(answer: Awaitable[Any], context: Context) -> Any:
    try:
        return await answer
    except PubSubError as refusal:
        await context.abort(refusal.code, str(refusal), _details(refusal))
    except (asyncio.CancelledError, grpc.aio.AbortError):
        raise
    except Exception:
        _log.exception("a request failed")
        await context.abort(grpc.StatusCode.INTERNAL, "The embedded Pub/Sub failed; see its log.")


def _details(refusal: PubSubError) -> tuple[tuple[str, bytes], ...]:
    if not isinstance(refusal, InvalidAckIdsError):
        return ()
    info = error_details_pb2.ErrorInfo(
        reason=INVALID_ACK_ID,
        domain="pubsub.googleapis.com",
        metadata=dict.fromkeys(refusal.ack_ids, INVALID_ACK_ID),
    )
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=refusal.code.value[0], message=str(refusal), details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)
