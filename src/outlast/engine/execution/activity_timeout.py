"""The deadlines of activities: what passes when, and what an expired one does.

Clocks (rule 3.2.2): schedule-to-start runs from the attempt's scheduling, after its backoff; schedule-to-close from the
first scheduling, across attempts; start-to-close from the attempt's start; heartbeat from the start or the last beat.
A paused activity has none of them; a paused one without a workflow only does not wait for a start.
The earliest expired deadline counts. An attempt whose process is known to be gone ends at once, as a start-to-close
timeout would end it later.

Source: ActivityTaskTimedOut event; rules 3.2.2-3.2.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from outlast.api.common.v1 import Payloads, RetryPolicy
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.vocab import failures

from ..transition import NOTHING, Transition
from . import activity as activities
from .events import new_event
from .state import Activity, ExecutionState

_NAMES = {
    _e.TIMEOUT_TYPE_START_TO_CLOSE: "StartToClose",
    _e.TIMEOUT_TYPE_SCHEDULE_TO_START: "ScheduleToStart",
    _e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "ScheduleToClose",
    _e.TIMEOUT_TYPE_HEARTBEAT: "Heartbeat",
}
_RETRIABLE = (_e.TIMEOUT_TYPE_START_TO_CLOSE, _e.TIMEOUT_TYPE_HEARTBEAT)
_NO_TIME = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"


def deadlines(activity: Activity) -> Iterator[tuple[int, int]]:
    """The activity's running clocks as (instant, timeout type), in no order."""
    if activity.paused and not activity.alone:
        return
    if activity.schedule_to_close_ns:
        yield activity.expires_from + activity.schedule_to_close_ns, _e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    if not activity.started:
        if activity.schedule_to_start_ns and not activity.paused:
            yield activity.attempt_scheduled_at + activity.schedule_to_start_ns, _e.TIMEOUT_TYPE_SCHEDULE_TO_START
        return
    yield activity.started_at + activity.start_to_close_ns, _e.TIMEOUT_TYPE_START_TO_CLOSE
    if activity.heartbeat_ns:
        beat = max(activity.started_at, activity.last_heartbeat_at)
        yield beat + activity.heartbeat_ns, _e.TIMEOUT_TYPE_HEARTBEAT


def deadline(state: ExecutionState) -> int:
    """When ``expire`` or ``end_backoffs`` next has something to do; 0 for never."""
    earliest = 0
    for activity in state.activities.values():
        if activity.backing_off and not activity.paused and (not earliest or activity.attempt_scheduled_at < earliest):
            earliest = activity.attempt_scheduled_at
        for at, _ in deadlines(activity):
            if not earliest or at < earliest:
                earliest = at
    return earliest


def end_backoffs(state: ExecutionState, now: int) -> Transition:
    """Offer the attempts whose backoff is over."""
    due = [a for a in state.activities.values() if a.backing_off and not a.paused and a.attempt_scheduled_at <= now]
    if not due:
        return NOTHING
    return Transition(
        effects=tuple(activities.offer(activity) for activity in due),
        folds=tuple((activities.on_backoff_over, activity.scheduled_event_id, None) for activity in due),
    )


def expire(activity: Activity, now: int) -> Transition:
    """End the attempt or the activity if a deadline has passed by ``now``."""
    passed = [clock for clock in deadlines(activity) if clock[0] <= now]
    return _time_out(activity, min(passed)[1], now) if passed else NOTHING


def lose(activity: Activity, now: int) -> Transition:
    """End a started attempt whose process is known to have died, as its start-to-close timeout would."""
    return _time_out(activity, _e.TIMEOUT_TYPE_START_TO_CLOSE, now, lost_process=activity.process)


def _time_out(activity: Activity, timeout_type: int, now: int, lost_process: str = "") -> Transition:
    message = f"activity {_NAMES[timeout_type]} timeout"
    if lost_process:
        message += f": process {lost_process} that ran the attempt has ended"
    failure = _failure(activity, timeout_type, message)
    verdict = activities.decide_retry(activity, RetryPolicy.FromString(activity.retry_policy), failure, now)
    if verdict.delay_ns is not None:
        delay_ns = 0 if lost_process else verdict.delay_ns
        return activities.retry_after(activity, delay_ns, failure, now)
    if timeout_type in _RETRIABLE and verdict.retry_state == _e.RETRY_STATE_TIMEOUT:
        cause = failure
        failure = _failure(activity, _e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, _NO_TIME)
        failure.cause.CopyFrom(cause)
    elif activity.last_failure:
        failure.cause.CopyFrom(Failure.FromString(activity.last_failure))
    closing = new_event(
        _e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        now,
        {
            "failure": failure,
            "scheduled_event_id": activity.scheduled_event_id,
            "retry_state": verdict.retry_state,
        },
    )
    return Transition((*activities.started_events(activity, now), closing), wakes=True)


def _failure(activity: Activity, timeout_type: int, message: str) -> Failure:
    details = Payloads.FromString(activity.heartbeat_details) if activity.heartbeat_details else None
    return failures.timeout(timeout_type, message, last_heartbeat_details=details)
