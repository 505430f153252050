"""Activities: scheduled by a command, attempted by workers, closed for good once.

    scheduled --start--> started --complete | fail | time out | cancel--> closed
        ^                   |
        +---- backing off <-+  fail or time out with attempts and time left

Attempts leave no events: ActivityTaskStarted is written together with the closing event and carries the last attempt
(rule 3.2.5). The deadlines are in ``activity_timeout``.

Source: ActivityTask* events; rules 3.1, 3.2 and 3.3.1.
"""

from __future__ import annotations

from typing import Any

import msgspec

from outlast.api.command.v1 import RequestCancelActivityTaskCommandAttributes, ScheduleActivityTaskCommandAttributes
from outlast.api.common.v1 import Payloads, RetryPolicy
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import failures, limits, retry
from outlast.vocab.divisions import noun_of
from outlast.vocab.errors import InvalidArgument, NotFound
from outlast.vocab.times import SECOND_NS, from_duration, from_timestamp

from ..command import BadCommand, CommandContext
from ..effects import OfferActivityTask, RunEagerly
from ..transition import Transition
from . import activity_options, pause_info
from .events import new_event
from .state import Activity, ExecutionState

_replace = msgspec.structs.replace
_BAD = _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES
_CANCELED_UNSTARTED = Payloads()
_CANCELED_UNSTARTED.payloads.add(metadata={"encoding": b"json/plain"}, data=b'"ACTIVITY_ID_NOT_STARTED"')


def schedule(
    state: ExecutionState, command: ScheduleActivityTaskCommandAttributes, context: CommandContext
) -> Transition:
    """Schedule an activity, with the timeouts and the retry policy completed by the server's defaults.

    Raises:
        BadCommand: an id, type, queue, timeout or retry policy that cannot be, an id in use, or too many pending.
    """
    _check(state, command)
    options = activity_options.of(command, state.queue, state.run_timeout_ns)
    event = HistoryEvent.FromString(options.event)
    event.event_time.seconds, event.event_time.nanos = divmod(context.now, SECOND_NS)
    attributes = event.activity_task_scheduled_event_attributes
    attributes.activity_id = command.activity_id
    attributes.workflow_task_completed_event_id = context.completed_event_id
    if command.HasField("input"):
        attributes.input.CopyFrom(command.input)
    if command.HasField("header"):
        attributes.header.CopyFrom(command.header)
    scheduled_event_id = state.next_event_id
    eager = command.request_eager_execution and context.eager_activities and options.queue == state.queue
    if eager and not state.paused:
        return Transition(
            (event,),
            (RunEagerly(scheduled_event_id),),
            ((on_attempt_started, scheduled_event_id, (context.now, context.identity, "", context.process)),),
        )
    return Transition((event,), (OfferActivityTask(options.queue, scheduled_event_id, 1, options.priority_key),))


def _check(state: ExecutionState, command: ScheduleActivityTaskCommandAttributes) -> None:
    """The rules about the id and about how many may be pending."""
    subject = f"ScheduleActivityTask {command.activity_id!r}"
    if not command.activity_id or len(command.activity_id.encode()) > limits.ID_BYTES_MAX:
        raise BadCommand(_BAD, f"{subject}: activity_id must have 1 to {limits.ID_BYTES_MAX} bytes")
    if command.activity_id in state.activity_ids:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
            f"{subject}: an activity with this id is pending; give each pending activity its own id",
        )
    if len(state.activities) >= limits.PENDING_ACTIVITIES_MAX:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
            f"{subject}: {len(state.activities)} activities are pending, the most a run may have; "
            "await some before scheduling more",
        )


def offer(activity: Activity) -> OfferActivityTask:
    return OfferActivityTask(activity.queue, activity.scheduled_event_id, activity.attempt, activity.priority_key)


def start(
    state: ExecutionState,
    now: int,
    *,
    scheduled_event_id: int,
    attempt: int,
    identity: str,
    request_id: str,
    process: str,
    queue: str,
) -> Transition | None:
    """Hand an attempt to a poller of ``queue``.

    None when the offer is stale: closed, started, another attempt, backing off, moved to another queue, or paused, by
    itself or with its workflow.
    """
    activity = state.activities.get(scheduled_event_id)
    if activity is None or activity.started or activity.attempt != attempt or activity.attempt_scheduled_at > now:
        return None
    if activity.paused or state.paused or activity.queue != queue:
        return None
    return Transition(folds=((on_attempt_started, scheduled_event_id, (now, identity, request_id, process)),))


def find(state: ExecutionState, scheduled_event_id: int, attempt: int, started_at: int) -> Activity:
    """The started attempt that a task token speaks of.

    Raises:
        NotFound: the run is closed, or the attempt is over (closed, timed out, retried).
    """
    activity = state.activities.get(scheduled_event_id)
    if not state.running or activity is None or (activity.attempt, activity.started_at) != (attempt, started_at):
        raise NotFound(
            f"activity task of {_owner(state)} (scheduled event {scheduled_event_id}, attempt {attempt}) is not "
            "pending: it was completed, timed out, was cancelled, or its run is closed"
        )
    return activity


def _owner(state: ExecutionState) -> str:
    """Whose activities these are."""
    return f"{noun_of(state.namespace_id)} {state.workflow_id!r} run {state.run_id}"


def find_by_id(state: ExecutionState, activity_id: str) -> Activity:
    """The pending activity with this id. Raises NotFound when there is none or the run is closed."""
    scheduled_event_id = state.activity_ids.get(activity_id)
    if not state.running or scheduled_event_id is None:
        raise NotFound(
            f"{_owner(state)} has no pending activity {activity_id!r}: it was completed, timed out, was cancelled, or "
            "its run is closed"
        )
    return state.activities[scheduled_event_id]


def find_started_by_id(state: ExecutionState, activity_id: str) -> Activity:
    """The same, but a worker has to have it: only a completion may come from who never polled for it.

    Raises:
        NotFound: there is none, the run is closed, or the activity waits for a worker.
    """
    activity = find_by_id(state, activity_id)
    if not activity.started:
        raise NotFound(
            f"activity {activity_id!r} of {_owner(state)} is not started: attempt {activity.attempt} waits for a "
            "worker; report when one has it"
        )
    return activity


def complete(activity: Activity, now: int, *, result: Payloads | None, identity: str) -> Transition:
    """Close the activity with its result. One that was not started counts as started now, by who completes it."""
    if not activity.started:
        activity = _replace(activity, started_at=now, identity=identity)
    attributes: dict[str, Any] = {"scheduled_event_id": activity.scheduled_event_id, "identity": identity}
    if result is not None:
        attributes["result"] = result
    closing = new_event(_e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, now, attributes)
    return Transition((*started_events(activity, now), closing), wakes=True)


def fail(activity: Activity, now: int, *, failure: Failure, identity: str) -> Transition:
    """End an attempt that failed: back off for the next one, or close the activity with the failure."""
    policy = RetryPolicy.FromString(activity.retry_policy)
    verdict = decide_retry(activity, policy, failure, now)
    if verdict.delay_ns is not None:
        return retry_after(activity, verdict.delay_ns, failure, now)
    closing = new_event(
        _e.EVENT_TYPE_ACTIVITY_TASK_FAILED,
        now,
        {
            "failure": failure,
            "scheduled_event_id": activity.scheduled_event_id,
            "identity": identity,
            "retry_state": verdict.retry_state,
        },
    )
    return Transition((*started_events(activity, now), closing), wakes=True)


def decide_retry(activity: Activity, policy: RetryPolicy, failure: Failure, now: int) -> retry.Verdict:
    """Whether there is a next attempt. One that was paused or reset goes on at once: its attempts do not count.

    A standalone activity does so only when it was reset, and then whatever its failure.
    """
    operations = activity.operations
    again = operations is not None and operations.restarts_attempts
    if again and activity.alone and not activity.cancel_requested_event_id:
        return retry.Verdict(0, _e.RETRY_STATE_IN_PROGRESS)
    if operations is not None and (again or (operations.paused_at and not activity.alone)):
        verdict = retry.decide(
            retry.complete(RetryPolicy(non_retryable_error_types=policy.non_retryable_error_types)),
            attempt=1,
            failure=failure,
            now=now,
            expires_at=None,
            cancel_requested=bool(activity.cancel_requested_event_id),
            is_workflow=False,
        )
        return verdict if verdict.delay_ns is None else verdict._replace(delay_ns=0)
    expires_at = activity.expires_from + activity.schedule_to_close_ns if activity.schedule_to_close_ns else None
    return retry.decide(
        policy,
        attempt=activity.attempt,
        failure=failure,
        now=now,
        expires_at=expires_at,
        cancel_requested=bool(activity.cancel_requested_event_id),
        is_workflow=False,
    )


def retry_after(activity: Activity, delay_ns: int, failure: Failure, now: int) -> Transition:
    """Back off: the next attempt is offered after the delay. Heartbeat details stay (rule 3.2.7)."""
    kept = failures.truncated(failure, limits.ACTIVITY_FAILURE_BYTES_MAX).SerializeToString()
    return Transition(folds=((on_backing_off, activity.scheduled_event_id, (now + delay_ns, kept, now)),))


def cancel(activity: Activity, now: int, *, details: Payloads | None, identity: str) -> Transition:
    """Close the activity as cancelled, which the worker acknowledges.

    Raises:
        InvalidArgument: nobody has asked for the cancellation.
    """
    if not activity.cancel_requested_event_id:
        raise InvalidArgument(
            f"activity {activity.activity_id!r} cannot be reported as cancelled: no cancellation was requested; report "
            "a completion or a failure"
        )
    return canceled(activity, now, activity.cancel_requested_event_id, details, identity)


def canceled(
    activity: Activity, now: int, cancel_requested_event_id: int, details: Payloads | None, identity: str
) -> Transition:
    """Close the activity as cancelled, by the request that the event tells of."""
    attributes: dict[str, Any] = {
        "latest_cancel_requested_event_id": cancel_requested_event_id,
        "scheduled_event_id": activity.scheduled_event_id,
        "identity": identity,
    }
    if details is not None:
        attributes["details"] = details
    closing = new_event(_e.EVENT_TYPE_ACTIVITY_TASK_CANCELED, now, attributes)
    return Transition((*started_events(activity, now), closing), wakes=True)


def request_cancel(
    state: ExecutionState, command: RequestCancelActivityTaskCommandAttributes, context: CommandContext
) -> Transition:
    """Ask a running attempt to cancel itself; an activity that no worker has is cancelled at once (rule 3.3.1).

    An activity whose closing event waits in the buffer may still be asked: the request is recorded and changes nothing.
    """
    scheduled_event_id = command.scheduled_event_id
    activity = state.activities.get(scheduled_event_id)
    if activity is None and not _closing_waits(state, scheduled_event_id):
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
            f"RequestCancelActivityTask: no activity is pending that event {scheduled_event_id} scheduled",
        )
    if activity is not None and activity.cancel_requested_event_id:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
            f"RequestCancelActivityTask: the cancellation of activity {activity.activity_id!r} was requested before",
        )
    requested = new_event(
        _e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        context.now,
        {"scheduled_event_id": scheduled_event_id, "workflow_task_completed_event_id": context.completed_event_id},
    )
    if activity is None or activity.started:
        return Transition((requested,))
    ended = canceled(activity, context.now, state.next_event_id, _CANCELED_UNSTARTED, context.identity)
    return Transition((requested, *ended.events), wakes=True)


def _closing_waits(state: ExecutionState, scheduled_event_id: int) -> bool:
    for data in state.buffered:
        event = HistoryEvent.FromString(data)
        closed = CLOSING_SCHEDULED_ID.get(event.event_type)
        if closed is not None and closed(event) == scheduled_event_id:
            return True
    return False


def heartbeat(activity: Activity, now: int, details: Payloads | None) -> Transition:
    """Record that the attempt lives, and its details for the next one."""
    data = activity.heartbeat_details if details is None else details.SerializeToString()
    return Transition(folds=((on_heartbeat, activity.scheduled_event_id, (now, data)),))


def started_events(activity: Activity, now: int) -> tuple[HistoryEvent, ...]:
    """The ActivityTaskStarted event of the last attempt, if there was one."""
    if not activity.started:
        return ()
    attributes: dict[str, Any] = {
        "scheduled_event_id": activity.scheduled_event_id,
        "identity": activity.identity,
        "request_id": activity.request_id,
        "attempt": activity.attempt,
    }
    if activity.last_failure:
        attributes["last_failure"] = Failure.FromString(activity.last_failure)
    return (new_event(_e.EVENT_TYPE_ACTIVITY_TASK_STARTED, activity.started_at, attributes),)


def on_scheduled(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.activity_task_scheduled_event_attributes
    at = from_timestamp(event.event_time)
    state.activities[event.event_id] = Activity(
        scheduled_event_id=event.event_id,
        activity_id=attributes.activity_id,
        type_name=attributes.activity_type.name,
        queue=attributes.task_queue.name,
        first_scheduled_at=at,
        schedule_to_close_ns=from_duration(attributes.schedule_to_close_timeout),
        schedule_to_start_ns=from_duration(attributes.schedule_to_start_timeout),
        start_to_close_ns=from_duration(attributes.start_to_close_timeout),
        heartbeat_ns=from_duration(attributes.heartbeat_timeout),
        retry_policy=attributes.retry_policy.SerializeToString(),
        priority_key=attributes.priority.priority_key,
        attempt_scheduled_at=at,
    )
    state.activity_ids[attributes.activity_id] = event.event_id


def on_cancel_requested(state: ExecutionState, event: HistoryEvent) -> None:
    scheduled_event_id = event.activity_task_cancel_requested_event_attributes.scheduled_event_id
    activity = state.activities.get(scheduled_event_id)
    if activity is not None:
        state.activities[scheduled_event_id] = _replace(activity, cancel_requested_event_id=event.event_id)


def on_closed(state: ExecutionState, event: HistoryEvent) -> None:
    scheduled_event_id = CLOSING_SCHEDULED_ID[event.event_type](event)
    activity = state.activities.pop(scheduled_event_id, None)
    # A closing event that waited in the buffer stands behind the events of an activity that has taken over the id.
    if activity is not None and state.activity_ids.get(activity.activity_id) == scheduled_event_id:
        del state.activity_ids[activity.activity_id]
    if activity is not None and activity.paused:
        pause_info.show(state)


def on_attempt_started(state: ExecutionState, scheduled_event_id: int, how: tuple[int, str, str, str]) -> None:
    now, identity, request_id, process = how
    state.activities[scheduled_event_id] = _replace(
        state.activities[scheduled_event_id],
        started_at=now,
        last_started_at=now,
        identity=identity,
        request_id=request_id,
        process=process,
        last_heartbeat_at=0,
    )


def on_backing_off(state: ExecutionState, scheduled_event_id: int, how: tuple[int, bytes, int]) -> None:
    at, last_failure, now = how
    activity = state.activities[scheduled_event_id]
    operations = activity.operations
    again = operations is not None and operations.restarts_attempts
    if operations is not None:
        if operations.forgets_heartbeat:
            activity = _replace(activity, heartbeat_details=b"", last_heartbeat_at=0)
        if operations.restores_options:
            activity = activity_options.restored(activity)
            operations = activity.operations or operations
        operations = _replace(
            operations,
            reset_requested=False,
            restarts_attempts=False,
            forgets_heartbeat=False,
            restores_options=False,
        )
    state.activities[scheduled_event_id] = _replace(
        activity,
        operations=operations,
        attempt=1 if again else activity.attempt + 1,
        attempt_scheduled_at=at,
        started_at=0,
        backing_off=True,
        last_failure=last_failure,
        last_attempt_completed_at=now,
    )


def on_backoff_over(state: ExecutionState, scheduled_event_id: int, _: None) -> None:
    activity = state.activities[scheduled_event_id]
    state.activities[scheduled_event_id] = _replace(activity, backing_off=False)


def on_heartbeat(state: ExecutionState, scheduled_event_id: int, beat: tuple[int, bytes]) -> None:
    now, details = beat
    activity = state.activities[scheduled_event_id]
    state.activities[scheduled_event_id] = _replace(activity, last_heartbeat_at=now, heartbeat_details=details)


CLOSING_SCHEDULED_ID = {
    _e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: lambda e: e.activity_task_completed_event_attributes.scheduled_event_id,
    _e.EVENT_TYPE_ACTIVITY_TASK_FAILED: lambda e: e.activity_task_failed_event_attributes.scheduled_event_id,
    _e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: lambda e: e.activity_task_timed_out_event_attributes.scheduled_event_id,
    _e.EVENT_TYPE_ACTIVITY_TASK_CANCELED: lambda e: e.activity_task_canceled_event_attributes.scheduled_event_id,
}
"""The scheduled event id that a closing event speaks of, by event type."""
