"""What the calls of a client fail with, beside ``RPCError``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast.exceptions import TemporalError

if TYPE_CHECKING:
    from outlast.activity import ActivityCancellationDetails

    from ._workflow_execution import WorkflowExecutionStatus


class WorkflowFailureError(TemporalError):
    """The workflow failed, timed out, or was cancelled or terminated; ``cause`` says which."""

    def __init__(self, *, cause: BaseException) -> None:
        """``cause`` is the workflow's failure."""
        super().__init__("Workflow execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """The workflow's failure."""
        assert self.__cause__
        return self.__cause__


class ScheduleAlreadyRunningError(TemporalError):
    """There is a schedule with this id."""

    def __init__(self) -> None:
        super().__init__("Schedule already running")


class ActivityFailureError(TemporalError):
    """The standalone activity failed, timed out, or was cancelled or terminated; ``cause`` says which."""

    def __init__(self, *, cause: BaseException) -> None:
        """``cause`` is the activity's failure."""
        super().__init__("Activity execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """The activity's failure."""
        assert self.__cause__
        return self.__cause__


class WorkflowContinuedAsNewError(TemporalError):
    """The run ended by continuing as a new one, which was not to be followed."""

    def __init__(self, new_execution_run_id: str) -> None:
        """The run that goes on."""
        super().__init__("Workflow continued as new")
        self._new_execution_run_id = new_execution_run_id

    @property
    def new_execution_run_id(self) -> str:
        """The run that goes on."""
        return self._new_execution_run_id


class WorkflowQueryRejectedError(TemporalError):
    """The workflow is in a state in which the caller did not want an answer."""

    def __init__(self, status: WorkflowExecutionStatus | None) -> None:
        """The state it is in."""
        super().__init__(f"Query rejected, status: {status}")
        self._status = status

    @property
    def status(self) -> WorkflowExecutionStatus | None:
        """The state it is in."""
        return self._status


class WorkflowQueryFailedError(TemporalError):
    """The query handler raised, or there is no such query."""

    def __init__(self, message: str) -> None:
        """What the worker said."""
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        """What the worker said."""
        return self._message


class WorkflowUpdateFailedError(TemporalError):
    """The update was rejected or failed; ``cause`` says how."""

    def __init__(self, cause: BaseException) -> None:
        """``cause`` is the update's failure."""
        super().__init__("Workflow update failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """The update's failure."""
        assert self.__cause__
        return self.__cause__


class RPCTimeoutOrCancelledError(TemporalError):
    """The call itself, not what it asked for, timed out or was cancelled."""


class WorkflowUpdateRPCTimeoutOrCancelledError(RPCTimeoutOrCancelledError):
    """Waiting for an update timed out or was cancelled; the update goes on."""

    def __init__(self) -> None:
        """Has nothing to say but its message."""
        super().__init__("Timeout or cancellation waiting for update")


class AsyncActivityCancelledError(TemporalError):
    """The heartbeat of an activity was answered with a wish: stop, pause or start over."""

    def __init__(self, details: ActivityCancellationDetails | None = None) -> None:
        """Which wish."""
        super().__init__("Activity cancelled")
        self.details = details
