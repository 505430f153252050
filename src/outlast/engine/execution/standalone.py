"""Standalone activities: a run that is one activity and never has a workflow task.

    scheduled --attempts as those of any activity--> closed, and the run with it
              --terminate----------------------------^

History is the usual: the run's start, the activity's events, the run's end. Nobody sees it but us. The event that ends
the run says no more than how; the result or the failure stands in the activity's closing event before it. What is asked
of a standalone activity is in ``engine/activity_execution``.

Source: temporal.api.activity.v1; rule 3.2.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import EVENT_FIELD
from outlast.vocab.times import from_timestamp

from .events import new_event
from .state import Activity, ExecutionState, Standalone

_replace = msgspec.structs.replace

_ENDS: Final[Mapping[int, int]] = {
    _e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    _e.EVENT_TYPE_ACTIVITY_TASK_FAILED: _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    _e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    _e.EVENT_TYPE_ACTIVITY_TASK_CANCELED: _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
}
"""How the activity closed -> how its run does."""

_STATUS: Final[Mapping[int, int]] = {
    _e.WORKFLOW_EXECUTION_STATUS_RUNNING: _e.ACTIVITY_EXECUTION_STATUS_RUNNING,
    _e.WORKFLOW_EXECUTION_STATUS_COMPLETED: _e.ACTIVITY_EXECUTION_STATUS_COMPLETED,
    _e.WORKFLOW_EXECUTION_STATUS_FAILED: _e.ACTIVITY_EXECUTION_STATUS_FAILED,
    _e.WORKFLOW_EXECUTION_STATUS_CANCELED: _e.ACTIVITY_EXECUTION_STATUS_CANCELED,
    _e.WORKFLOW_EXECUTION_STATUS_TERMINATED: _e.ACTIVITY_EXECUTION_STATUS_TERMINATED,
    _e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: _e.ACTIVITY_EXECUTION_STATUS_TIMED_OUT,
}


def close(closing: HistoryEvent) -> HistoryEvent:
    """The end of the run whose activity the event has just closed."""
    attributes: dict[str, Any] = {}
    if closing.event_type in (_e.EVENT_TYPE_ACTIVITY_TASK_FAILED, _e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT):
        attributes["retry_state"] = getattr(closing, EVENT_FIELD[closing.event_type]).retry_state
    return new_event(_ENDS[closing.event_type], from_timestamp(closing.event_time), attributes)


def own(state: ExecutionState) -> Standalone:
    """What only a standalone activity has."""
    assert state.standalone is not None
    return state.standalone


def activity(state: ExecutionState) -> Activity:
    """The activity, as it is or as it was when it closed."""
    for pending in state.activities.values():
        return pending
    last = own(state).last
    assert last is not None
    return last


def status(state: ExecutionState) -> int:
    """ACTIVITY_EXECUTION_STATUS_*: paused is one that waits for an operator and that no worker has."""
    if state.running:
        pending = activity(state)
        if pending.paused and not pending.started:
            return _e.ACTIVITY_EXECUTION_STATUS_PAUSED
    return _STATUS[state.status]


def on_begun(state: ExecutionState, own: Standalone, _: None) -> None:
    """The run has been started. A delay is a backoff of its activity, not of a workflow task that never comes."""
    state.standalone = own
    state.first_task_pending = False
    for key, pending in state.activities.items():
        state.activities[key] = _replace(pending, alone=True, backing_off=own.start_delay_ns > 0)


def on_attempt_started(state: ExecutionState, sdk_name: str, sdk_version: str) -> None:
    """A worker has taken the attempt, and has said by what SDK it was made."""
    state.standalone = _replace(own(state), sdk_name=sdk_name, sdk_version=sdk_version)


def on_beat(state: ExecutionState, _: None, __: None) -> None:
    """One more heartbeat has come."""
    state.standalone = _replace(own(state), heartbeats=own(state).heartbeats + 1)


def on_activity_closed(state: ExecutionState, event: HistoryEvent) -> None:
    """The activity is about to close: keep what is known of it, and how its last attempt ended."""
    if state.standalone is None or not state.activities:
        return
    last = activity(state)
    at = from_timestamp(event.event_time)
    attributes = getattr(event, EVENT_FIELD[event.event_type])
    if event.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        started_at = last.last_started_at if last.started else at
        last = _replace(last, last_started_at=started_at, last_attempt_completed_at=at, identity=attributes.identity)
    elif event.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_FAILED:
        last = _replace(last, last_attempt_completed_at=at, identity=attributes.identity)
        last = _replace(last, last_failure=attributes.failure.SerializeToString())
    elif event.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT and last.started:
        last = _replace(last, last_attempt_completed_at=at, last_failure=attributes.failure.SerializeToString())
    state.standalone = _replace(state.standalone, last=last)


def on_closed(state: ExecutionState) -> None:
    """The run is about to close; where its activity has not, it is terminated."""
    if state.standalone is not None and state.activities:
        state.standalone = _replace(state.standalone, last=activity(state))


def on_cancel_requested(state: ExecutionState, who: tuple[str, str, str], _: None) -> None:
    """Somebody has asked for the cancellation."""
    request_id, identity, reason = who
    state.standalone = _replace(
        own(state), cancel_request_id=request_id, cancel_identity=identity, cancel_reason=reason
    )


def on_terminated(state: ExecutionState, request_id: str, _: None) -> None:
    """Somebody has ended it."""
    state.standalone = _replace(own(state), terminate_request_id=request_id)


def on_operated(state: ExecutionState, operation: str, request_id: str) -> None:
    """An operator's request was carried out."""
    seen = {**own(state).operation_request_ids, operation: request_id}
    state.standalone = _replace(own(state), operation_request_ids=seen)


def on_delayed(state: ExecutionState, start_delay_ns: int, _: None) -> None:
    """The first attempt has another delay."""
    state.standalone = _replace(own(state), start_delay_ns=start_delay_ns)


def on_linked(state: ExecutionState, links: int, _: None) -> None:
    """More links were attached; now there are so many."""
    state.standalone = _replace(own(state), links=links)
