"""Exceptions to failure messages and back.

Rule: one table per direction; a failure that was read from the wire is written back unchanged. The chain of causes is
Python's: ``__cause__``, or ``__context__`` unless it was suppressed.

Source: temporal.api.failure.v1.Failure, with the shapes that Temporal's Python SDK gives it.
"""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from outlast.api.failure.v1 import Failure
from outlast.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    NexusOperationError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)

from . import _nexus_failures
from ._frames import from_users_code
from ._payload_converter import PayloadConverter


class FailureConverter(ABC):
    """Turns exceptions into failures and back.

    Of the exceptions of workflow code it only sees those that fail the workflow: subclasses of ``FailureError`` and
    the types declared in ``failure_exception_types``.
    """

    default: ClassVar[FailureConverter]
    """The converter of ``DataConverter.default``."""

    @abstractmethod
    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write an exception into a failure.

        Args:
            exception: not to be changed.
            payload_converter: for details.
            failure: an empty message to fill.
        """

    @abstractmethod
    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """The exception that a failure stands for, causes included.

        Args:
            failure: not to be changed.
            payload_converter: for details.
        """


class DefaultFailureConverter(FailureConverter):
    """The conversion that every Temporal SDK understands."""

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        """``encode_common_attributes`` moves message and stack trace into a payload, so that a codec covers them."""
        super().__init__()
        self._encode_common_attributes = encode_common_attributes

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write an exception; one that is no ``FailureError`` becomes an application error named after its class."""
        if isinstance(exception, FailureError):
            self._write(exception, payload_converter, failure)
        elif _nexus_failures.is_handler_error(exception):
            _nexus_failures.write_handler_error(self, exception, payload_converter, failure)
        else:
            error = ApplicationError(str(exception), type=type(exception).__name__)
            error.__traceback__ = exception.__traceback__
            error.__cause__ = exception.__cause__
            self._write(error, payload_converter, failure)
        if self._encode_common_attributes:
            hidden = {"message": failure.message, "stack_trace": failure.stack_trace}
            failure.encoded_attributes.CopyFrom(payload_converter.to_payload(hidden))
            failure.message = "Encoded failure"
            failure.stack_trace = ""

    def _write(self, error: FailureError, payload_converter: PayloadConverter, failure: Failure) -> None:
        if error.failure is not None:
            failure.CopyFrom(error.failure)
            return
        failure.message = error.message
        if error.__traceback__:
            shown = from_users_code(error.__traceback__) or error.__traceback__
            failure.stack_trace = "\n".join(traceback.format_tb(shown))
        if error.__cause__:
            self.to_failure(error.__cause__, payload_converter, failure.cause)
        elif not error.__suppress_context__ and error.__context__:
            self.to_failure(error.__context__, payload_converter, failure.cause)
        for kind, write in _WRITERS.items():
            if isinstance(error, kind):
                write(error, payload_converter, failure)
                return

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """Read a failure. Encoded attributes that cannot be read leave message and stack trace as they are."""
        if failure.HasField("encoded_attributes"):
            failure = _with_decoded_attributes(failure, payload_converter)
        kind = failure.WhichOneof("failure_info") or ""
        read = _READERS.get(kind)
        error = FailureError(failure.message or "Failure error") if read is None else read(failure, payload_converter)
        if isinstance(error, FailureError):
            error._failure = failure
        if failure.HasField("cause"):
            error.__cause__ = self.from_failure(failure.cause, payload_converter)
        return error


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """The default conversion with message and stack trace in a payload."""

    def __init__(self) -> None:
        """Nothing to choose."""
        super().__init__(encode_common_attributes=True)


def _with_decoded_attributes(failure: Failure, payload_converter: PayloadConverter) -> Failure:
    copy = Failure()
    copy.CopyFrom(failure)
    try:
        attributes = payload_converter.from_payload(failure.encoded_attributes)
    except Exception:
        return copy  # written by an SDK with another converter, or still encrypted: the rest is readable
    if isinstance(attributes, dict):
        if isinstance(attributes.get("message"), str):
            copy.message = attributes["message"]
        if isinstance(attributes.get("stack_trace"), str):
            copy.stack_trace = attributes["stack_trace"]
    return copy


# --- exception -> failure


def _write_application(error: ApplicationError, converter: PayloadConverter, failure: Failure) -> None:
    info = failure.application_failure_info
    info.SetInParent()
    if error.type:
        info.type = error.type
    info.non_retryable = error.non_retryable
    if error.details:
        info.details.CopyFrom(converter.to_payloads_wrapper(error.details))
    if error.next_retry_delay:
        info.next_retry_delay.FromTimedelta(error.next_retry_delay)
    if error.category:
        info.category = int(error.category)


def _write_timeout(error: TimeoutError, converter: PayloadConverter, failure: Failure) -> None:
    info = failure.timeout_failure_info
    info.SetInParent()
    info.timeout_type = int(error.type or 0)
    if error.last_heartbeat_details:
        info.last_heartbeat_details.CopyFrom(converter.to_payloads_wrapper(error.last_heartbeat_details))


def _write_cancelled(error: CancelledError, converter: PayloadConverter, failure: Failure) -> None:
    failure.canceled_failure_info.SetInParent()
    if error.details:
        failure.canceled_failure_info.details.CopyFrom(converter.to_payloads_wrapper(error.details))


def _write_terminated(error: TerminatedError, converter: PayloadConverter, failure: Failure) -> None:
    failure.terminated_failure_info.SetInParent()


def _write_server(error: ServerError, converter: PayloadConverter, failure: Failure) -> None:
    failure.server_failure_info.SetInParent()
    failure.server_failure_info.non_retryable = error.non_retryable


def _write_activity(error: ActivityError, converter: PayloadConverter, failure: Failure) -> None:
    info = failure.activity_failure_info
    info.SetInParent()
    info.scheduled_event_id = error.scheduled_event_id
    info.started_event_id = error.started_event_id
    info.identity = error.identity
    info.activity_type.name = error.activity_type
    info.activity_id = error.activity_id
    info.retry_state = int(error.retry_state or 0)


def _write_child(error: ChildWorkflowError, converter: PayloadConverter, failure: Failure) -> None:
    info = failure.child_workflow_execution_failure_info
    info.SetInParent()
    info.namespace = error.namespace
    info.workflow_execution.workflow_id = error.workflow_id
    info.workflow_execution.run_id = error.run_id
    info.workflow_type.name = error.workflow_type
    info.initiated_event_id = error.initiated_event_id
    info.started_event_id = error.started_event_id
    info.retry_state = int(error.retry_state or 0)


def _write_nexus_operation(error: NexusOperationError, converter: PayloadConverter, failure: Failure) -> None:
    info = failure.nexus_operation_execution_failure_info
    info.SetInParent()
    info.scheduled_event_id = error.scheduled_event_id
    info.endpoint = error.endpoint
    info.service = error.service
    info.operation = error.operation
    info.operation_token = error.operation_token


_WRITERS: Mapping[type[FailureError], Callable[[Any, PayloadConverter, Failure], None]] = {
    ApplicationError: _write_application,
    TimeoutError: _write_timeout,
    CancelledError: _write_cancelled,
    TerminatedError: _write_terminated,
    ServerError: _write_server,
    ActivityError: _write_activity,
    ChildWorkflowError: _write_child,
    NexusOperationError: _write_nexus_operation,
}


# --- failure -> exception


def _read_application(failure: Failure, converter: PayloadConverter) -> BaseException:
    info = failure.application_failure_info
    return ApplicationError(
        failure.message or "Application error",
        *converter.from_payloads_wrapper(info.details),
        type=info.type or None,
        non_retryable=info.non_retryable,
        next_retry_delay=info.next_retry_delay.ToTimedelta() if info.HasField("next_retry_delay") else None,
        category=ApplicationErrorCategory(int(info.category)),
    )


def _read_timeout(failure: Failure, converter: PayloadConverter) -> BaseException:
    info = failure.timeout_failure_info
    return TimeoutError(
        failure.message or "Timeout",
        type=TimeoutType(int(info.timeout_type)) if info.timeout_type else None,
        last_heartbeat_details=converter.from_payloads_wrapper(info.last_heartbeat_details),
    )


def _read_cancelled(failure: Failure, converter: PayloadConverter) -> BaseException:
    details = converter.from_payloads_wrapper(failure.canceled_failure_info.details)
    return CancelledError(failure.message or "Cancelled", *details)


def _read_terminated(failure: Failure, converter: PayloadConverter) -> BaseException:
    return TerminatedError(failure.message or "Terminated")


def _read_server(failure: Failure, converter: PayloadConverter) -> BaseException:
    return ServerError(failure.message or "Server error", non_retryable=failure.server_failure_info.non_retryable)


def _read_activity(failure: Failure, converter: PayloadConverter) -> BaseException:
    info = failure.activity_failure_info
    return ActivityError(
        failure.message or "Activity error",
        scheduled_event_id=info.scheduled_event_id,
        started_event_id=info.started_event_id,
        identity=info.identity,
        activity_type=info.activity_type.name,
        activity_id=info.activity_id,
        retry_state=RetryState(int(info.retry_state)) if info.retry_state else None,
    )


def _read_child(failure: Failure, converter: PayloadConverter) -> BaseException:
    info = failure.child_workflow_execution_failure_info
    return ChildWorkflowError(
        failure.message or "Child workflow error",
        namespace=info.namespace,
        workflow_id=info.workflow_execution.workflow_id,
        run_id=info.workflow_execution.run_id,
        workflow_type=info.workflow_type.name,
        initiated_event_id=info.initiated_event_id,
        started_event_id=info.started_event_id,
        retry_state=RetryState(int(info.retry_state)) if info.retry_state else None,
    )


def _read_nexus_operation(failure: Failure, converter: PayloadConverter) -> BaseException:
    info = failure.nexus_operation_execution_failure_info
    return NexusOperationError(
        failure.message or "Nexus operation error",
        scheduled_event_id=info.scheduled_event_id,
        endpoint=info.endpoint,
        service=info.service,
        operation=info.operation,
        operation_token=info.operation_token,
    )


_READERS: Mapping[str, Callable[[Failure, PayloadConverter], BaseException]] = {
    "application_failure_info": _read_application,
    "timeout_failure_info": _read_timeout,
    "canceled_failure_info": _read_cancelled,
    "terminated_failure_info": _read_terminated,
    "server_failure_info": _read_server,
    "activity_failure_info": _read_activity,
    "child_workflow_execution_failure_info": _read_child,
    "nexus_operation_execution_failure_info": _read_nexus_operation,
    "nexus_handler_failure_info": lambda failure, _: _nexus_failures.read_handler_error(failure),
}
