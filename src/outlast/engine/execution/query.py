"""Queries: which way one goes to the workflow code. They never write history.

A query sees everything that was recorded before it: while a workflow task is pending it rides on it, else it is
dispatched by itself. A run that has not finished its first workflow task is waited for (rules 3.8.1-3.8.4).
"""

from __future__ import annotations

from enum import Enum

from outlast.api.enums import v1 as _e
from outlast.vocab import limits
from outlast.vocab.errors import FailedPrecondition, WorkflowNotReady

from .state import ExecutionState


class Way(Enum):
    """How a query reaches the workflow."""

    ATTACHED = "with the next workflow task"
    DIRECT = "as a task of its own"


def rejected(state: ExecutionState, condition: int) -> bool:
    """Whether the reject condition of the request holds for the run's status. That of a paused run always does."""
    if state.paused:
        return True
    if condition == _e.QUERY_REJECT_CONDITION_NOT_OPEN:
        return not state.running
    if condition == _e.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY:
        return state.status in (
            _e.WORKFLOW_EXECUTION_STATUS_FAILED,
            _e.WORKFLOW_EXECUTION_STATUS_CANCELED,
            _e.WORKFLOW_EXECUTION_STATUS_TERMINATED,
            _e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
        )
    return False


def ready(state: ExecutionState) -> bool:
    """Whether workflow code has run at all, so that there is something to ask."""
    return state.previous_started_event_id > 0


def route(state: ExecutionState) -> Way:
    """The way of a query to a ready run."""
    return Way.ATTACHED if state.running and state.task is not None else Way.DIRECT


def require_answerable(state: ExecutionState) -> None:
    """Refuse a query that no worker is going to answer, whether or not the run is ready.

    Raises:
        FailedPrecondition: the workflow task keeps failing.
        WorkflowNotReady: the run was closed before its code ran.
    """
    if not state.running and not ready(state):
        raise WorkflowNotReady(
            f"workflow {state.workflow_id!r} run {state.run_id} was closed before its first workflow task, so there is "
            "nothing to ask"
        )
    if state.running and state.task_attempt >= limits.QUERY_TASK_FAILURES_MAX:
        raise FailedPrecondition(
            f"workflow {state.workflow_id!r} run {state.run_id} cannot be queried: its workflow task has failed "
            f"{state.task_attempt - 1} times in a row; see the failure in its description and mend the workflow code"
        )
