"""Everything the emulator may refuse, as one exception that carries its gRPC status code.

Services raise these; ``rpc`` turns them into the answer the official clients understand.
"""

import grpc


class PubSubError(Exception):
    """A refusal: the status code and text the caller sees."""

    code = grpc.StatusCode.INTERNAL


class InvalidArgumentError(PubSubError):
    """The request itself is malformed or out of limits."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFoundError(PubSubError):
    """A topic or subscription does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(PubSubError):
    """A topic or subscription of that name exists."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPreconditionError(PubSubError):
    """The resource is in a state that forbids the call."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UnsupportedError(PubSubError):
    """A feature of the service that this emulator does not have."""

    code = grpc.StatusCode.UNIMPLEMENTED


class OverloadedError(PubSubError):
    """More is waiting for the disk than may be held in memory; publishers retry by themselves."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class UnavailableError(PubSubError):
    """The emulator is stopping or its disk refused a write; clients reconnect and retry."""

    code = grpc.StatusCode.UNAVAILABLE


class InvalidAckIdsError(PubSubError):
    """Exactly-once only: these ack ids no longer hold a lease."""

    code = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self, ack_ids: list[str]) -> None:
        super().__init__("Some acknowledgement ids in the request were invalid or expired.")
        self.ack_ids = ack_ids
