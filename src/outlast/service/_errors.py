"""What a call to a server fails with, in Temporal's form."""

from __future__ import annotations

from enum import IntEnum

from outlast.api.rpc import Status
from outlast.exceptions import TemporalError
from outlast.vocab.errors import ServiceError


class RPCStatusCode(IntEnum):
    """The status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(TemporalError):
    """A call to a server failed."""

    def __init__(self, message: str, status: RPCStatusCode, raw_grpc_status: bytes) -> None:
        """``raw_grpc_status`` is a serialized ``google.rpc.Status``, or empty."""
        super().__init__(message)
        self._message = message
        self._status = status
        self._raw_grpc_status = raw_grpc_status
        self._grpc_status: Status | None = None

    @property
    def message(self) -> str:
        """What the server said."""
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        """The status code."""
        return self._status

    @property
    def raw_grpc_status(self) -> bytes:
        """The status with its details, serialized."""
        return self._raw_grpc_status

    @property
    def grpc_status(self) -> Status:
        """The status with its details; the fields of ``temporal.api.common.v1.GrpcStatus``."""
        if self._grpc_status is None:
            self._grpc_status = Status.FromString(self._raw_grpc_status)
        return self._grpc_status


def rpc_error(error: ServiceError) -> RPCError:
    """The error for users that an error of a transport stands for."""
    return RPCError(str(error), RPCStatusCode(error.code), error.to_status().SerializeToString())
