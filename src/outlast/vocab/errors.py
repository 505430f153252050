"""The caller's faults and the server's refusals: one tree, and its places in gRPC, HTTP and google.rpc.Status.

Rule: what an error knows beside its message stands in one details message of temporal.api.errordetails.v1 and nowhere
else; properties read it from there, so an error that crossed the wire answers like the original.
Source: temporal.api.errordetails.v1, and go.temporal.io/api/serviceerror for which code goes with which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final, Self, cast

from google.protobuf.message import DecodeError, Message

import outlast.api.errordetails.v1 as _details
from outlast.api import rpc
from outlast.api.failure.v1 import Failure, MultiOperationExecutionAborted
from outlast.api.rpc import Status

# Source: google/rpc/code.proto, which names the HTTP status beside every code.
_HTTP: Final = {
    rpc.CANCELLED: 499,
    rpc.UNKNOWN: 500,
    rpc.INVALID_ARGUMENT: 400,
    rpc.DEADLINE_EXCEEDED: 504,
    rpc.NOT_FOUND: 404,
    rpc.ALREADY_EXISTS: 409,
    rpc.PERMISSION_DENIED: 403,
    rpc.RESOURCE_EXHAUSTED: 429,
    rpc.FAILED_PRECONDITION: 400,
    rpc.ABORTED: 409,
    rpc.OUT_OF_RANGE: 400,
    rpc.UNIMPLEMENTED: 501,
    rpc.INTERNAL: 500,
    rpc.UNAVAILABLE: 503,
    rpc.DATA_LOSS: 500,
    rpc.UNAUTHENTICATED: 401,
}


class ServiceError(Exception):
    """What a request is answered with instead of a reply.

    Args:
        message: names the object, the rule and the cure.
        details: a message of temporal.api.errordetails.v1; left out, an empty one of the class's own type.
    """

    code: int = rpc.UNKNOWN
    """gRPC status code number."""
    details_type: ClassVar[type[Message] | None] = None

    def __init__(self, message: str, *, details: Message | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details if details is not None or self.details_type is None else self.details_type()

    @property
    def code_name(self) -> str:
        """gRPC's name of the code, "NOT_FOUND"."""
        return rpc.Code.Name(self.code)

    @property
    def http_status(self) -> int:
        """The HTTP status that goes with the code."""
        return _HTTP[self.code]

    def to_status(self) -> Status:
        """The error as it travels: in gRPC's trailer grpc-status-details-bin, or as the JSON body of an HTTP answer."""
        status = Status(code=self.code, message=self.message)
        if self.details is not None:
            status.details.add().Pack(self.details)
        return status

    @classmethod
    def _restored(cls, code: int, message: str, details: Message | None) -> Self:
        # Subclasses take their details apart as arguments; here they are whole already.
        error = cls.__new__(cls)
        ServiceError.__init__(error, message, details=details)
        if code != cls.code:
            error.code = code
        return error

    def _detail(self, name: str) -> Any:
        return getattr(self.details, name)


class Cancelled(ServiceError):
    """The caller gave the call up."""

    code = rpc.CANCELLED


class InvalidArgument(ServiceError):
    """The request can never be served as it is."""

    code = rpc.INVALID_ARGUMENT


class QueryFailed(InvalidArgument):
    """The workflow answered a query with a failure."""

    details_type = _details.QueryFailedFailure

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        super().__init__(message, details=_details.QueryFailedFailure(failure=failure))

    @property
    def failure(self) -> Failure:
        """How the query failed; empty when the worker sent none."""
        return cast(Failure, self._detail("failure"))


class DeadlineExceeded(ServiceError):
    """The answer was not there in time."""

    code = rpc.DEADLINE_EXCEEDED


class NotFound(ServiceError):
    """What the request names does not exist, or no longer."""

    code = rpc.NOT_FOUND
    details_type: ClassVar[type[Message] | None] = _details.NotFoundFailure


class NamespaceNotFound(NotFound):
    """The request names a namespace that is not there."""

    details_type = _details.NamespaceNotFoundFailure

    def __init__(self, message: str, namespace: str = "") -> None:
        super().__init__(message, details=_details.NamespaceNotFoundFailure(namespace=namespace))

    @property
    def namespace(self) -> str:
        """The name that was asked for."""
        return cast(str, self._detail("namespace"))


class AlreadyExists(ServiceError):
    """What the request would create is there already."""

    code = rpc.ALREADY_EXISTS


class NamespaceAlreadyExists(AlreadyExists):
    """A namespace of that name is registered."""

    details_type = _details.NamespaceAlreadyExistsFailure


class CancellationAlreadyRequested(AlreadyExists):
    """Somebody asked before."""

    details_type = _details.CancellationAlreadyRequestedFailure


class _AlreadyStarted(AlreadyExists):
    @property
    def start_request_id(self) -> str:
        """The request id of the start that came first."""
        return cast(str, self._detail("start_request_id"))

    @property
    def run_id(self) -> str:
        """The run that is in the way."""
        return cast(str, self._detail("run_id"))


class WorkflowExecutionAlreadyStarted(_AlreadyStarted):
    """The workflow id is taken, by the rules that the request chose."""

    details_type = _details.WorkflowExecutionAlreadyStartedFailure

    def __init__(
        self, message: str, start_request_id: str = "", run_id: str = "", first_execution_run_id: str = ""
    ) -> None:
        details = _details.WorkflowExecutionAlreadyStartedFailure(
            start_request_id=start_request_id, run_id=run_id, first_execution_run_id=first_execution_run_id
        )
        super().__init__(message, details=details)

    @property
    def first_execution_run_id(self) -> str:
        """The first run of the chain that is in the way."""
        return cast(str, self._detail("first_execution_run_id"))


class ActivityExecutionAlreadyStarted(_AlreadyStarted):
    """The id of a standalone activity is taken."""

    details_type = _details.ActivityExecutionAlreadyStartedFailure

    def __init__(self, message: str, start_request_id: str = "", run_id: str = "") -> None:
        details = _details.ActivityExecutionAlreadyStartedFailure(start_request_id=start_request_id, run_id=run_id)
        super().__init__(message, details=details)


class PermissionDenied(ServiceError):
    """The caller may not do this."""

    code = rpc.PERMISSION_DENIED
    details_type = _details.PermissionDeniedFailure

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message, details=_details.PermissionDeniedFailure(reason=reason))


class Unauthenticated(ServiceError):
    """The caller did not say, or could not prove, who it is."""

    code = rpc.UNAUTHENTICATED


class ResourceExhausted(ServiceError):
    """A limit is reached; the same request may be served later.

    Args:
        cause: a ResourceExhaustedCause.
        scope: a ResourceExhaustedScope.
    """

    code = rpc.RESOURCE_EXHAUSTED
    details_type = _details.ResourceExhaustedFailure

    def __init__(self, message: str, cause: int = 0, scope: int = 0) -> None:
        super().__init__(message, details=_details.ResourceExhaustedFailure(cause=cause, scope=scope))

    @property
    def cause(self) -> int:
        """A ResourceExhaustedCause."""
        return cast(int, self._detail("cause"))


class FailedPrecondition(ServiceError):
    """The request does not fit the state that things are in."""

    code = rpc.FAILED_PRECONDITION


class WorkflowNotReady(FailedPrecondition):
    """The workflow has not got so far yet."""

    details_type = _details.WorkflowNotReadyFailure


class NamespaceInvalidState(FailedPrecondition):
    """The namespace is being deleted, or is in another state that forbids the request."""

    details_type = _details.NamespaceInvalidStateFailure

    def __init__(self, message: str, namespace: str, state: int, allowed_states: Sequence[int]) -> None:
        details = _details.NamespaceInvalidStateFailure(namespace=namespace, state=state, allowed_states=allowed_states)
        super().__init__(message, details=details)


class NamespaceNotActive(FailedPrecondition):
    """The namespace is served by another cluster."""

    details_type = _details.NamespaceNotActiveFailure


class ClientVersionNotSupported(FailedPrecondition):
    """The SDK of the caller is too old or too new."""

    details_type = _details.ClientVersionNotSupportedFailure


class ServerVersionNotSupported(FailedPrecondition):
    """The caller demands another server version."""

    details_type = _details.ServerVersionNotSupportedFailure


class NewerBuildExists(FailedPrecondition):
    """A worker with a newer build id took over the task queue."""

    details_type = _details.NewerBuildExistsFailure


class Aborted(ServiceError):
    """Something else changed meanwhile what the request is about; repeat it."""

    code = rpc.ABORTED


class MultiOperationAborted(Aborted):
    """One operation of several was not tried because another one failed."""

    details_type = MultiOperationExecutionAborted


class MultiOperationExecution(ServiceError):
    """One of several operations in one request failed; its code is the code of the first that failed by itself.

    Args:
        errors: one for each operation in the order of the request; None for one that succeeded.
    """

    code = rpc.ABORTED
    details_type = _details.MultiOperationExecutionFailure

    def __init__(self, message: str, errors: Sequence[ServiceError | None]) -> None:
        details = _details.MultiOperationExecutionFailure()
        for error in errors:
            status = error.to_status() if error is not None else Status()
            details.statuses.add(code=status.code, message=status.message, details=status.details)
        super().__init__(message, details=details)
        failed = (e.code for e in errors if e is not None and not isinstance(e, MultiOperationAborted))
        self.code = next(failed, rpc.ABORTED)

    @property
    def errors(self) -> list[ServiceError | None]:
        """One for each operation; None for one that succeeded."""
        statuses = cast(_details.MultiOperationExecutionFailure, self.details).statuses
        as_status = (Status(code=s.code, message=s.message, details=s.details) for s in statuses)
        return [from_status(status) if status.code else None for status in as_status]


class OutOfRange(ServiceError):
    """The request asks for something past an end."""

    code = rpc.OUT_OF_RANGE


class Unimplemented(ServiceError):
    """Not built here."""

    code = rpc.UNIMPLEMENTED


class Internal(ServiceError):
    """Our fault, not the caller's."""

    code = rpc.INTERNAL


class SystemWorkflow(Internal):
    """A workflow of the server itself failed."""

    details_type = _details.SystemWorkflowFailure


class Unavailable(ServiceError):
    """The server cannot be reached or cannot serve now; repeat the request."""

    code = rpc.UNAVAILABLE


class NamespaceUnavailable(Unavailable):
    """The namespace cannot be served now."""

    details_type = _details.NamespaceUnavailableFailure


class DataLoss(ServiceError):
    """Stored data is damaged."""

    code = rpc.DATA_LOSS


def from_status(status: Status) -> ServiceError:
    """The error that `to_status` was asked for. Details of unknown type are left out; the code still decides.

    Args:
        status: any but OK.
    """
    assert status.code != rpc.OK, "a call that succeeded has no error"
    for packed in status.details:
        error = _BY_DETAILS.get(packed.TypeName())
        if error is None or error.details_type is None:
            continue
        try:
            details = error.details_type.FromString(packed.value)
        except DecodeError:
            continue
        return error._restored(status.code, status.message, details)
    return _BY_CODE.get(status.code, ServiceError)._restored(status.code, status.message, None)


def from_code(code: int, message: str, details_bytes: bytes | None = None) -> ServiceError:
    """The error for the end of a gRPC call.

    Args:
        code: gRPC status code number, not 0.
        message: gRPC's status message.
        details_bytes: the trailer grpc-status-details-bin, a serialized google.rpc.Status; empty or None without one.
            One that cannot be read is left out, because any proxy on the way may have written it.
    """
    status = Status()
    try:
        status.ParseFromString(details_bytes or b"")
    except DecodeError:
        status.Clear()
    status.code, status.message = code, message
    return from_status(status)


def _tree(error: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield error
    for child in error.__subclasses__():
        yield from _tree(child)


_CLASSES: Final = tuple(_tree(ServiceError))
_BY_DETAILS: Final = {e.details_type.DESCRIPTOR.full_name: e for e in _CLASSES if e.details_type is not None}
# The class for a bare code is the one that defines it, directly below ServiceError.
_BY_CODE: Final = {e.code: e for e in ServiceError.__subclasses__() if e is not MultiOperationExecution}
