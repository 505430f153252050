"""What operators do to pending activities: pause, unpause, reset, other options.

    pause    an attempt that nobody has is not handed out; one that runs may finish, and is told by its heartbeat
    unpause  the attempt is handed out now, or after the jitter
    reset    the attempts begin at 1 and schedule-to-close anew; an attempt that runs goes on and is told
    options  timeouts, retry policy, queue and priority from now on; the original ones can be restored

A paused activity has no deadlines. An attempt that fails while it is paused leaves the next one waiting. Nothing of
this is in history: it stands in ``Activity.operations`` until the activity closes.

Source: PauseActivity and its kin; rules 3.1.5, 3.2.2 and 3.2.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.command.v1 import ScheduleActivityTaskCommandAttributes
from outlast.api.common.v1 import ActivityType, RetryPolicy
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protobuf import FieldMask
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.vocab import retry
from outlast.vocab.errors import InvalidArgument, NotFound
from outlast.vocab.times import duration

from ..command import BadCommand
from ..transition import NOTHING, Transition
from . import activity as activities
from . import activity_options, pause_info
from .state import Activity, ExecutionState, Operations

_replace = msgspec.structs.replace
_NONE = Operations()


def select(state: ExecutionState, *, activity_id: str, type_name: str, every: bool) -> Sequence[int]:
    """The scheduled event ids of the pending activities that a request names, in the order of their scheduling.

    Raises:
        InvalidArgument: it names none.
        NotFound: no pending activity is so named.
    """
    if not (activity_id or type_name or every):
        raise InvalidArgument(
            f"workflow {state.workflow_id!r} run {state.run_id}: no activity is named; give its id, its type, or all"
        )
    if activity_id:
        return (activities.find_by_id(state, activity_id).scheduled_event_id,)
    found = [key for key, activity in state.activities.items() if every or activity.type_name == type_name]
    if not found:
        which = "pending activity" if every else f"pending activity of type {type_name!r}"
        raise NotFound(f"workflow {state.workflow_id!r} run {state.run_id} has no {which}")
    return found


def pause(activity: Activity, now: int, *, identity: str, reason: str) -> Transition:
    """Hand out no further attempt; one that was paused before stays as it is."""
    if activity.paused:
        return NOTHING
    operations = _replace(_of(activity), paused_at=now, pause_identity=identity, pause_reason=reason)
    return _changed(_replace(activity, operations=operations))


def unpause(activity: Activity, now: int, *, delay_ns: int, reset_attempts: bool, reset_heartbeat: bool) -> Transition:
    """Let a paused activity go on after ``delay_ns``; nothing for one that is not paused."""
    if not activity.paused:
        return NOTHING
    activity = _unpaused(activity)
    if reset_attempts:
        activity = _first_attempt(activity)
    if reset_heartbeat:
        activity = _without_heartbeat(activity)
    return _dispatched(activity, now, delay_ns)


def reset(
    activity: Activity, now: int, *, delay_ns: int, reset_heartbeat: bool, keep_paused: bool, restore: bool
) -> Transition:
    """Begin anew, as if the activity were scheduled now; a running attempt goes on and is told.

    The schedule-to-close timeout of a standalone activity goes on, too, and so do the options of its running attempt.
    """
    if restore and activity.alone and activity.started:
        activity = _replace(activity, operations=_replace(_of(activity), restores_options=True))
    elif restore:
        activity = activity_options.restored(activity)
    if activity.paused and not keep_paused:
        activity = _unpaused(activity)
    if not activity.alone:
        activity = _replace(activity, operations=_replace(_of(activity), restarted_at=now))
    activity = _first_attempt(activity)
    if reset_heartbeat:
        activity = _without_heartbeat(activity)
    if activity.started:
        return _changed(_replace(activity, operations=_replace(_of(activity), reset_requested=True)))
    return _dispatched(activity, now, delay_ns)


def delay(activity: Activity, now: int, until: int) -> Transition:
    """Do not hand out the first attempt before ``until``, from when all clocks of the activity count."""
    operations = _replace(_of(activity), restarted_at=until)
    return _dispatched(_replace(activity, operations=operations), now, max(until - now, 0))


def update_options(
    state: ExecutionState, activity: Activity, options: ActivityOptions, mask: FieldMask, now: int
) -> Transition:
    """Change the options that the mask names.

    Raises:
        InvalidArgument: the mask names what there is not, or the outcome is not what an activity may have.
    """
    subject = f"options of activity {activity.activity_id!r}"
    if not mask.paths:
        raise InvalidArgument(f"{subject}: update_mask is empty; name the fields to change")
    if not mask.IsValidForDescriptor(ActivityOptions.DESCRIPTOR) or "start_delay" in mask.paths:
        raise InvalidArgument(
            f"{subject}: update_mask {', '.join(mask.paths)} names a field that cannot be changed; there are "
            "task_queue, the four timeouts, retry_policy and priority, and the fields within them"
        )
    wanted = options_of(activity)
    mask.MergeMessage(options, wanted, True, True)
    return _with_options(activity, _checked(state, activity, wanted, subject), now)


def restore_options(activity: Activity, now: int) -> Transition:
    """The options that the activity was scheduled with."""
    restored = activity_options.restored(activity)
    return _moved(activity, restored, now) if restored is not activity else NOTHING


def options_of(activity: Activity) -> ActivityOptions:
    """The options in force."""
    operations = activity.operations
    if operations is not None and operations.options:
        return ActivityOptions.FromString(operations.options)
    fields: dict[str, Any] = {ours: duration(getattr(activity, theirs)) for ours, theirs in activity_options.TIMEOUTS}
    retry_policy = RetryPolicy.FromString(activity.retry_policy)
    options = ActivityOptions(task_queue=TaskQueue(name=activity.queue), retry_policy=retry_policy, **fields)
    if activity.priority_key:
        options.priority.priority_key = activity.priority_key
    return options


# -- parts -------------------------------------------------------------------------------------------------------


def _of(activity: Activity) -> Operations:
    return activity.operations or _NONE


def _unpaused(activity: Activity) -> Activity:
    return _replace(activity, operations=_replace(_of(activity), paused_at=0, pause_identity="", pause_reason=""))


def _first_attempt(activity: Activity) -> Activity:
    if activity.started:
        return _replace(activity, operations=_replace(_of(activity), restarts_attempts=True))
    return _replace(activity, attempt=1)


def _without_heartbeat(activity: Activity) -> Activity:
    if activity.started:
        return _replace(activity, operations=_replace(_of(activity), forgets_heartbeat=True))
    return _replace(activity, heartbeat_details=b"", last_heartbeat_at=0)


def _dispatched(activity: Activity, now: int, delay_ns: int) -> Transition:
    """Offer the next attempt now or after a delay, unless one is running or the activity is paused."""
    if activity.started:
        return _changed(activity)
    activity = _replace(activity, attempt_scheduled_at=now + delay_ns, backing_off=delay_ns > 0)
    return _changed(activity, offered=activity.on_offer)


def _changed(activity: Activity, *, offered: bool = False) -> Transition:
    effects = (activities.offer(activity),) if offered else ()
    return Transition(effects=effects, folds=((on_operated, activity.scheduled_event_id, activity),))


def on_operated(state: ExecutionState, scheduled_event_id: int, activity: Activity) -> None:
    """An operator has changed a pending activity."""
    paused = state.activities[scheduled_event_id].paused
    state.activities[scheduled_event_id] = activity
    if activity.paused or paused:
        pause_info.show(state)


# -- options -----------------------------------------------------------------------------------------------------


def _checked(state: ExecutionState, activity: Activity, options: ActivityOptions, subject: str) -> ActivityOptions:
    """The options as a command with them would have come out."""
    command = ScheduleActivityTaskCommandAttributes(activity_type=ActivityType(name=activity.type_name))
    _copy(options, command)
    try:
        event = activity_options.of(command, activity.queue, state.run_timeout_ns).event
    except BadCommand as error:
        raise InvalidArgument(f"{subject}: {error}") from error
    scheduled = HistoryEvent.FromString(event).activity_task_scheduled_event_attributes
    checked = ActivityOptions()
    _copy(scheduled, checked)
    return checked


def _copy(source: Any, target: Any) -> None:
    """Copy the options that are set from one message that has them to another."""
    for name in ("retry_policy", "priority", *(name for name, _ in activity_options.TIMEOUTS)):
        if source.HasField(name):
            getattr(target, name).CopyFrom(getattr(source, name))
    target.task_queue.name = source.task_queue.name


def _with_options(activity: Activity, options: ActivityOptions, now: int) -> Transition:
    operations = _of(activity)
    changed = activity_options.applied(
        activity,
        options,
        _replace(
            operations,
            options=options.SerializeToString(),
            original=operations.original or options_of(activity).SerializeToString(),
        ),
    )
    return _moved(activity, changed, now)


def _moved(before: Activity, after: Activity, now: int) -> Transition:
    """The activity with other options: a backoff has another length, and an offer stands in another queue."""
    if after.started or after.paused:
        return _changed(after)
    if after.backing_off:
        policy = RetryPolicy.FromString(after.retry_policy)
        if policy != RetryPolicy.FromString(before.retry_policy) and after.last_attempt_completed_at:
            at = after.last_attempt_completed_at + retry.interval_ns(policy, max(after.attempt - 1, 1))
            return _dispatched(after, now, max(at - now, 0))
        return _changed(after)
    moved = (after.queue, after.priority_key) != (before.queue, before.priority_key)
    return _changed(after, offered=moved)
