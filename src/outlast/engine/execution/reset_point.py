"""The point at which a reset run parts from its base: the event that marks it, and what it does to the state.

A reset run begins with a copy of its base's history up to an open workflow task. That task fails with the cause
RESET_WORKFLOW, and from this event on the run has a life of its own: its deadlines are counted anew, its unstarted
activities are scheduled afresh, and the SDK draws other random numbers (rules 3.7.2, 3.7.4).

Source: WorkflowTaskFailedEventAttributes.new_run_id; service/history/ndc/workflow_resetter.go of Temporal's server.
"""

from __future__ import annotations

import msgspec

from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure, ResetWorkflowFailureInfo
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.times import from_timestamp

from ..transition import Transition
from . import activity, workflow_task
from .events import new_event
from .state import ExecutionState, on_delay_over

SERVER = "history-service"


def fail_task(state: ExecutionState, now: int, *, base_run_id: str, reason: str, identity: str) -> Transition:
    """End the open workflow task of the copied history, started or not."""
    task = state.task
    assert task is not None
    events: list[HistoryEvent] = []
    started_event_id = task.started_event_id
    if not task.started:
        task = msgspec.structs.replace(task, started_at=now, identity=SERVER)
        events.append(workflow_task.started_event(task))
        started_event_id = state.next_event_id
    attributes = {
        "scheduled_event_id": task.scheduled_event_id,
        "started_event_id": started_event_id,
        "cause": _e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
        "failure": _failure(reason),
        "identity": identity,
        "base_run_id": base_run_id,
        "new_run_id": state.run_id,
    }
    events.append(new_event(_e.EVENT_TYPE_WORKFLOW_TASK_FAILED, now, attributes))
    return Transition(tuple(events), folds=((on_delay_over, None, None),))


def end_activities(state: ExecutionState, started: frozenset[int], now: int, *, reason: str) -> Transition:
    """Fail the pending activities that the history shows as started, and offer the others again.

    Args:
        started: scheduled event ids of the activities with an ActivityTaskStarted event.
    """
    failed = tuple(
        new_event(
            _e.EVENT_TYPE_ACTIVITY_TASK_FAILED,
            now,
            {
                "scheduled_event_id": pending.scheduled_event_id,
                "failure": _failure(reason),
                "retry_state": _e.RETRY_STATE_NON_RETRYABLE_FAILURE,
                "identity": SERVER,
            },
        )
        for pending in state.activities.values()
        if pending.scheduled_event_id in started
    )
    waiting = [pending for pending in state.activities.values() if pending.scheduled_event_id not in started]
    return Transition(failed, effects=tuple(activity.offer(pending) for pending in waiting))


def _failure(reason: str) -> Failure:
    return Failure(message=reason, reset_workflow_failure_info=ResetWorkflowFailureInfo())


def on_task_failed(state: ExecutionState, event: HistoryEvent) -> None:
    """A failed workflow task; one that fails because of a reset starts the clocks of the run again."""
    workflow_task.on_ended(state, event)
    attributes = event.workflow_task_failed_event_attributes
    if attributes.cause != _e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
        return
    at = from_timestamp(event.event_time)
    state.started_at = state.first_task_at = at
    if state.execution_timeout_ns:
        state.execution_expires_at = at + state.execution_timeout_ns
    if state.run_timeout_ns:
        expires_at = at + state.run_timeout_ns
        state.run_expires_at = min(expires_at, state.execution_expires_at or expires_at)
    state.activities = {
        key: msgspec.structs.replace(pending, first_scheduled_at=at, attempt_scheduled_at=at)
        for key, pending in state.activities.items()
    }


def hand_over(run_id: str, children: frozenset[int]) -> Transition:
    """The run was closed by its own reset to ``run_id``, which answers for ``children`` and to the parent instead."""
    return Transition(folds=((on_reset_to, run_id, None), (on_handed_over, children, None)))


def on_reset_to(state: ExecutionState, run_id: str, _: None) -> None:
    """The run was reset: ``run_id`` goes on in its place."""
    state.reset_run_id = run_id


def on_handed_over(state: ExecutionState, children: frozenset[int], _: None) -> None:
    state.owes_report = False
    state.owed_children = {key: child for key, child in state.owed_children.items() if key not in children}
