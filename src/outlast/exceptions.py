"""Every exception that a workflow, an activity or a client can meet, and the failures they stand for.

Rule: names and constructors are those of ``temporalio.exceptions``. A ``FailureError`` is the only kind that fails a
workflow; everything else fails the workflow task, which is then tried again. ``cause`` is ``__cause__``, so the chain
workflow -> activity -> application error reads as ordinary Python exception chaining.

    TemporalError
      PayloadSizeError
      FailureError
        ApplicationError  CancelledError  TerminatedError  TimeoutError  ServerError
        ActivityError  ChildWorkflowError  NexusOperationError
        WorkflowAlreadyStartedError  ActivityAlreadyStartedError  NexusOperationAlreadyStartedError
        InvalidVersioningOverrideError
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import outlast.api.enums.v1 as enums

if TYPE_CHECKING:
    from outlast.api.failure.v1 import Failure


class TemporalError(Exception):
    """Root of the tree."""

    @property
    def cause(self) -> BaseException | None:
        """The same as ``__cause__``."""
        return self.__cause__


class PayloadSizeError(TemporalError, ValueError):
    """An argument or a result is larger than a server accepts; raised before anything is sent.

    Not a ``FailureError``: raised in workflow code it fails the workflow task, so a fix and a new deployment let the
    workflow go on.
    """

    def __init__(self, message: str, *, size: int, limit: int) -> None:
        """Both numbers are bytes."""
        super().__init__(message)
        self.size = size
        self.limit = limit


class FailureError(TemporalError):
    """Something that a workflow or an activity can fail with."""

    def __init__(
        self, message: str, *, failure: Failure | None = None, exc_args: tuple[Any, ...] | None = None
    ) -> None:
        """``exc_args`` replaces the exception's ``args``, which are the message by default."""
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure = failure

    @property
    def message(self) -> str:
        """The message alone; ``str()`` may put the error type before it."""
        return self._message

    @property
    def failure(self) -> Failure | None:
        """The API message that this error was read from; None when it was raised in this process."""
        return self._failure


class WorkflowAlreadyStartedError(FailureError):
    """A workflow of this id is running, or the reuse policy forbids another one."""

    def __init__(
        self, workflow_id: str, workflow_type: str, *, run_id: str | None = None, first_run_id: str | None = None
    ) -> None:
        """The run ids are those of the workflow that is in the way; only a client is told them."""
        super().__init__(
            f"Workflow execution already started: {workflow_id!r} of type {workflow_type!r} is running, or its id may"
            " not be used again; id_conflict_policy and id_reuse_policy decide, or take the handle of its id"
        )
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id
        self.first_run_id = first_run_id


class InvalidVersioningOverrideError(FailureError):
    """A child workflow could not start because its versioning override is not possible."""

    def __init__(self) -> None:
        """Has nothing to say but its message."""
        super().__init__("Invalid versioning override")


class ActivityAlreadyStartedError(FailureError):
    """A standalone activity of this id is running, or the reuse policy forbids another one."""

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        """``run_id`` is that of the activity that is in the way."""
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


class NexusOperationAlreadyStartedError(FailureError):
    """A standalone Nexus operation of this id is running, or the reuse policy forbids another one."""

    def __init__(self, operation_id: str, *, run_id: str | None = None) -> None:
        """``run_id`` is that of the operation that is in the way, when the server names it."""
        super().__init__("Nexus operation execution already started")
        self.operation_id = operation_id
        self.run_id = run_id


class ApplicationErrorCategory(IntEnum):
    """How serious an application error is."""

    UNSPECIFIED = enums.APPLICATION_ERROR_CATEGORY_UNSPECIFIED

    BENIGN = enums.APPLICATION_ERROR_CATEGORY_BENIGN
    """Expected: logged at DEBUG, not counted as a failure."""


class ApplicationError(FailureError):
    """The error for user code to raise, and what any other exception of user code becomes."""

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        """Make the error.

        Args:
            message: what went wrong.
            details: any serialisable values; they come back in ``details``.
            type: name that retry policies match against; the class name for foreign exceptions.
            non_retryable: stop retrying whatever the policy says.
            next_retry_delay: wait this long instead of the policy's interval.
            category: whether the error counts as a failure in logs and metrics.
        """
        super().__init__(message, exc_args=(f"{type}: {message}" if type else message,))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category

    @property
    def details(self) -> Sequence[Any]:
        """The values given with the error."""
        return self._details

    @property
    def type(self) -> str | None:
        """Name that retry policies match against."""
        return self._type

    @property
    def non_retryable(self) -> bool:
        """Whether the raiser forbade a retry; a policy may forbid it even when this is False."""
        return self._non_retryable

    @property
    def next_retry_delay(self) -> timedelta | None:
        """Wait that replaces the policy's next interval."""
        return self._next_retry_delay

    @property
    def category(self) -> ApplicationErrorCategory:
        """How serious the error is."""
        return self._category


class CancelledError(FailureError):
    """The workflow or activity was cancelled."""

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        """``details`` are any serialisable values."""
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """The values given with the cancellation."""
        return self._details


class TerminatedError(FailureError):
    """The workflow was terminated."""

    def __init__(self, message: str, *details: Any) -> None:
        """``details`` are what the terminator gave."""
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """The values given with the termination."""
        return self._details


class TimeoutType(IntEnum):
    """Which timeout expired."""

    START_TO_CLOSE = enums.TIMEOUT_TYPE_START_TO_CLOSE
    SCHEDULE_TO_START = enums.TIMEOUT_TYPE_SCHEDULE_TO_START
    SCHEDULE_TO_CLOSE = enums.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    HEARTBEAT = enums.TIMEOUT_TYPE_HEARTBEAT


class TimeoutError(FailureError):
    """A workflow or activity took too long."""

    def __init__(self, message: str, *, type: TimeoutType | None, last_heartbeat_details: Sequence[Any]) -> None:
        """``last_heartbeat_details`` is empty unless an activity recorded some."""
        super().__init__(message)
        self._type = type
        self._last_heartbeat_details = last_heartbeat_details

    @property
    def type(self) -> TimeoutType | None:
        """Which timeout expired."""
        return self._type

    @property
    def last_heartbeat_details(self) -> Sequence[Any]:
        """What the activity said in its last heartbeat."""
        return self._last_heartbeat_details


class ServerError(FailureError):
    """The server failed the execution for a reason of its own."""

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        """``non_retryable`` as the server decided."""
        super().__init__(message)
        self._non_retryable = non_retryable

    @property
    def non_retryable(self) -> bool:
        """Whether the server forbids a retry."""
        return self._non_retryable


class RetryState(IntEnum):
    """Why there was no further attempt."""

    IN_PROGRESS = enums.RETRY_STATE_IN_PROGRESS
    NON_RETRYABLE_FAILURE = enums.RETRY_STATE_NON_RETRYABLE_FAILURE
    TIMEOUT = enums.RETRY_STATE_TIMEOUT
    MAXIMUM_ATTEMPTS_REACHED = enums.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    RETRY_POLICY_NOT_SET = enums.RETRY_STATE_RETRY_POLICY_NOT_SET
    INTERNAL_SERVER_ERROR = enums.RETRY_STATE_INTERNAL_SERVER_ERROR
    CANCEL_REQUESTED = enums.RETRY_STATE_CANCEL_REQUESTED


class ActivityError(FailureError):
    """An activity failed for good; ``cause`` says how."""

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        """The event ids point into the workflow's history; ``identity`` is the worker's."""
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._started_event_id = started_event_id
        self._identity = identity
        self._activity_type = activity_type
        self._activity_id = activity_id
        self._retry_state = retry_state

    @property
    def scheduled_event_id(self) -> int:
        """Id of the event that scheduled the activity."""
        return self._scheduled_event_id

    @property
    def started_event_id(self) -> int:
        """Id of the event that started its last attempt; 0 when it never started."""
        return self._started_event_id

    @property
    def identity(self) -> str:
        """The worker of the last attempt."""
        return self._identity

    @property
    def activity_type(self) -> str:
        """Name of the activity."""
        return self._activity_type

    @property
    def activity_id(self) -> str:
        """Id of the activity within its workflow."""
        return self._activity_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why there was no further attempt."""
        return self._retry_state


class ChildWorkflowError(FailureError):
    """A child workflow did not complete; ``cause`` says how it ended."""

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        """The event ids point into the parent's history."""
        super().__init__(message)
        self._namespace = namespace
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._workflow_type = workflow_type
        self._initiated_event_id = initiated_event_id
        self._started_event_id = started_event_id
        self._retry_state = retry_state

    @property
    def namespace(self) -> str:
        """Namespace of the child."""
        return self._namespace

    @property
    def workflow_id(self) -> str:
        """Workflow id of the child."""
        return self._workflow_id

    @property
    def run_id(self) -> str:
        """Run id of the child."""
        return self._run_id

    @property
    def workflow_type(self) -> str:
        """Workflow type of the child."""
        return self._workflow_type

    @property
    def initiated_event_id(self) -> int:
        """Id of the event that asked for the child."""
        return self._initiated_event_id

    @property
    def started_event_id(self) -> int:
        """Id of the event that says it started."""
        return self._started_event_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why there was no further attempt."""
        return self._retry_state


class NexusOperationError(FailureError):
    """A Nexus operation failed; ``cause`` says how."""

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        endpoint: str,
        service: str,
        operation: str,
        operation_token: str,
    ) -> None:
        """The event id points into the calling workflow's history."""
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._endpoint = endpoint
        self._service = service
        self._operation = operation
        self._operation_token = operation_token

    @property
    def scheduled_event_id(self) -> int:
        """Id of the event that scheduled the operation."""
        return self._scheduled_event_id

    @property
    def endpoint(self) -> str:
        """Endpoint that was called."""
        return self._endpoint

    @property
    def service(self) -> str:
        """Service that was called."""
        return self._service

    @property
    def operation(self) -> str:
        """Operation that was called."""
        return self._operation

    @property
    def operation_token(self) -> str:
        """Token of an asynchronous operation; empty for a synchronous one."""
        return self._operation_token


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether an exception means "cancelled".

    True for ``asyncio.CancelledError``, for :class:`CancelledError`, and for an activity, child workflow or Nexus
    operation error whose cause is a :class:`CancelledError`.
    """
    if isinstance(exception, (asyncio.CancelledError, CancelledError)):
        return True
    return isinstance(exception, (ActivityError, ChildWorkflowError, NexusOperationError)) and isinstance(
        exception.cause, CancelledError
    )
