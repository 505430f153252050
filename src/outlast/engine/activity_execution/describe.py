"""A standalone activity as the messages that describe it.

Source: temporal.api.activity.v1; DescribeActivityExecution, PollActivityExecution, ListActivityExecutions.
"""

from __future__ import annotations

from typing import Any

from outlast.api.activity.v1 import ActivityExecutionInfo, ActivityExecutionOutcome
from outlast.api.common.v1 import Payloads, RetryPolicy
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.times import duration, timestamp

from ..execution import activity_operations, standalone
from ..execution.state import Activity, ExecutionState

_NO_FAILURE = "the attempt failed and its worker did not say how"


def info(
    state: ExecutionState,
    now: int,
    history: list[HistoryEvent],
    *,
    state_size: int,
    heartbeat_details: bool,
    last_failure: bool,
) -> ActivityExecutionInfo:
    """The activity as its own page shows it.

    Args:
        now: an attempt that is due is not shown as one to come.
        history: all of it; links and header stand there only.
        state_size: what is kept of it, in bytes.
        heartbeat_details: whether to show them.
        last_failure: the same for the failure of the latest attempt.
    """
    own, activity = standalone.own(state), standalone.activity(state)
    options = activity_operations.options_of(activity)
    scheduled = next(
        event.activity_task_scheduled_event_attributes
        for event in history
        if event.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )
    fields: dict[str, Any] = {
        "activity_id": state.workflow_id,
        "run_id": state.run_id,
        "activity_type": {"name": state.workflow_type},
        "status": standalone.status(state),
        "run_state": _run_state(state, activity),
        "task_queue": activity.queue,
        "schedule_to_close_timeout": duration(activity.schedule_to_close_ns),
        "schedule_to_start_timeout": duration(activity.schedule_to_start_ns),
        "start_to_close_timeout": duration(activity.start_to_close_ns),
        "heartbeat_timeout": duration(activity.heartbeat_ns),
        "retry_policy": RetryPolicy.FromString(activity.retry_policy),
        "attempt": activity.attempt,
        "schedule_time": timestamp(state.started_at),
        "execution_time": timestamp(state.started_at + own.start_delay_ns),
        "last_worker_identity": activity.identity,
        "state_transition_count": state.transitions,
        "state_size_bytes": state_size,
        "canceled_reason": own.cancel_reason,
        "total_heartbeat_count": own.heartbeats,
        "sdk_name": own.sdk_name,
        "sdk_version": own.sdk_version,
        "links": [link for event in history for link in event.links],
        **_times(state, activity, now),
    }
    if scheduled.HasField("header"):
        fields["header"] = scheduled.header
    told = options if _replaced(activity) else scheduled
    if told.HasField("priority"):
        fields["priority"] = told.priority
    message = ActivityExecutionInfo(**fields)
    message.search_attributes.MergeFromString(state.search_attributes)
    if state.user_metadata:
        message.user_metadata.MergeFromString(state.user_metadata)
    if heartbeat_details and activity.heartbeat_details:
        message.heartbeat_details.MergeFromString(activity.heartbeat_details)
    if last_failure and activity.last_failure:
        message.last_failure.MergeFromString(activity.last_failure)
    return message


def _times(state: ExecutionState, activity: Activity, now: int) -> dict[str, Any]:
    """The instants and lengths of time that there are."""
    fields: dict[str, Any] = {}
    for name, at in (
        ("last_heartbeat_time", activity.last_heartbeat_at),
        ("last_started_time", activity.last_started_at),
        ("last_attempt_complete_time", activity.last_attempt_completed_at),
        ("close_time", state.closed_at),
    ):
        if at:
            fields[name] = timestamp(at)
    if state.closed_at:
        fields["execution_duration"] = duration(state.closed_at - state.started_at)
    if activity.schedule_to_close_ns:
        fields["expiration_time"] = timestamp(activity.expires_from + activity.schedule_to_close_ns)
    if standalone.own(state).start_delay_ns:
        fields["start_delay"] = duration(standalone.own(state).start_delay_ns)
    if state.running and activity.attempt_scheduled_at > now and not activity.started and not activity.paused:
        fields["next_attempt_schedule_time"] = timestamp(activity.attempt_scheduled_at)
        if activity.last_attempt_completed_at:
            fields["current_retry_interval"] = duration(
                activity.attempt_scheduled_at - activity.last_attempt_completed_at
            )
    return fields


def _replaced(activity: Activity) -> bool:
    """Whether an operator has given it other options."""
    return activity.operations is not None and bool(activity.operations.options)


def _run_state(state: ExecutionState, activity: Activity) -> int:
    """PENDING_ACTIVITY_STATE_*; unspecified for a closed one."""
    if not state.running:
        return _e.PENDING_ACTIVITY_STATE_UNSPECIFIED
    if activity.cancel_requested_event_id:
        return _e.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    if activity.started:
        return _e.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED if activity.paused else _e.PENDING_ACTIVITY_STATE_STARTED
    return _e.PENDING_ACTIVITY_STATE_PAUSED if activity.paused else _e.PENDING_ACTIVITY_STATE_SCHEDULED


def input_of(history: list[HistoryEvent]) -> Payloads | None:
    """The arguments that it was started with; None when there were none."""
    for event in history:
        if event.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            attributes = event.activity_task_scheduled_event_attributes
            return attributes.input if attributes.HasField("input") else None
    return None


def outcome(state: ExecutionState, history: list[HistoryEvent]) -> ActivityExecutionOutcome | None:
    """What came of it; None while it is open.

    Args:
        history: its last two events at least.
    """
    if state.running:
        return None
    end = history[-1]
    if end.event_type == _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        attributes = end.workflow_execution_terminated_event_attributes
        failure = Failure(message=attributes.reason)
        failure.terminated_failure_info.identity = attributes.identity
        return ActivityExecutionOutcome(failure=failure)
    closing = history[-2]
    if closing.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        return ActivityExecutionOutcome(result=closing.activity_task_completed_event_attributes.result)
    if closing.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
        failure = Failure(message="Activity canceled")
        failure.canceled_failure_info.details.CopyFrom(closing.activity_task_canceled_event_attributes.details)
        failure.canceled_failure_info.identity = standalone.own(state).cancel_identity
        return ActivityExecutionOutcome(failure=failure)
    ended: Any = (
        closing.activity_task_failed_event_attributes
        if closing.event_type == _e.EVENT_TYPE_ACTIVITY_TASK_FAILED
        else closing.activity_task_timed_out_event_attributes
    )
    failure = ended.failure if ended.failure.ByteSize() else Failure(message=_NO_FAILURE)
    return ActivityExecutionOutcome(failure=failure, retry_state=ended.retry_state)
