"""Workflow tasks: scheduling, starting, failing, timing out. Completion with its commands is in ``completion``.

    (none) --schedule--> scheduled --start--> started --complete | fail | time out--> (none)

Three rules shape this file.

* The start is not written down: it lives in ``state.task`` until the task ends, and then the started event is recorded
  just before the event that ends the task. Workflow code has no side effects, so a lost start costs nothing.
* Only attempt 1 writes its failure. Later attempts are *transient*: their scheduled and started events exist in the
  poll response alone until the task completes (rule 3.4.2). A new event from outside makes the next attempt real again.
* A failure clears stickiness; when stickiness was set, the attempt stays 1, for the cache may have been at fault.

Source: WorkflowTask* history events; rules 3.4.1-3.4.7 of the behaviour reference.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import failures, limits
from outlast.vocab.times import SECOND_NS, from_duration, from_timestamp, parts

from ..effects import OfferWorkflowTask
from ..transition import NOTHING, Transition
from . import builds, problems
from .events import new_event
from .state import ExecutionState, TaskFailure, WorkflowTask

_TIMEOUT_GROWTH_FROM_ATTEMPT = 3


def schedule(state: ExecutionState, now: int, original_scheduled_at: int = 0) -> Transition:
    """Make a workflow task pending. There must be none, and the run must be open.

    Args:
        original_scheduled_at: of the first task of a chain of heartbeats; 0 for a task of its own.
    """
    task = pending(state, now)
    if original_scheduled_at:
        task = msgspec.structs.replace(task, original_scheduled_at=original_scheduled_at)
    return Transition(
        (scheduled_event(state, task),) if task.written else (),
        (offer(state, task),),
        ((on_set, task, None),),
    )


def pending(state: ExecutionState, now: int) -> WorkflowTask:
    """The workflow task that comes next."""
    assert state.task is None and state.running
    sticky = state.sticky_queue if state.task_attempt == 1 else ""
    return WorkflowTask(
        scheduled_event_id=state.next_event_id,
        attempt=state.task_attempt,
        scheduled_at=now,
        original_scheduled_at=now,
        timeout_ns=_timeout(state.task_timeout_ns, state.task_attempt),
        written=state.task_attempt == 1,
        queue=sticky or state.queue,
        schedule_to_start_at=now + state.sticky_timeout_ns if sticky else 0,
    )


def _timeout(timeout_ns: int, attempt: int) -> int:
    """Later attempts get more time, which is what spaces them out (rule 3.4.4)."""
    if attempt <= _TIMEOUT_GROWTH_FROM_ATTEMPT:
        return timeout_ns
    doublings = min(attempt - _TIMEOUT_GROWTH_FROM_ATTEMPT - 1, 30)
    return timeout_ns + min(limits.WORKFLOW_TASK_RETRY_INITIAL_NS << doublings, limits.WORKFLOW_TASK_RETRY_MAX_NS)


def offer(state: ExecutionState, task: WorkflowTask) -> OfferWorkflowTask:
    return OfferWorkflowTask(task.queue, state.queue, task.scheduled_event_id, task.attempt)


def scheduled_event(state: ExecutionState, task: WorkflowTask) -> HistoryEvent:
    """The WorkflowTaskScheduled event of a task, recorded now or only shown to the poller of a transient attempt."""
    event = HistoryEvent.FromString(_scheduled(task.queue, state.queue, task.timeout_ns, task.attempt))
    event.event_time.seconds, event.event_time.nanos = divmod(task.scheduled_at, SECOND_NS)
    return event


@functools.lru_cache(maxsize=1024)
def _scheduled(queue: str, normal_queue: str, timeout_ns: int, attempt: int) -> bytes:
    """A serialized WorkflowTaskScheduled event without its time: equal for most tasks of a run, and parsed faster."""
    if queue == normal_queue:
        task_queue: dict[str, Any] = {"name": queue, "kind": _e.TASK_QUEUE_KIND_NORMAL}
    else:
        task_queue = {"name": queue, "kind": _e.TASK_QUEUE_KIND_STICKY, "normal_name": normal_queue}
    attributes = {"task_queue": task_queue, "start_to_close_timeout": parts(timeout_ns), "attempt": attempt}
    return new_event(_e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, 0, attributes).SerializeToString()


def started_event(task: WorkflowTask) -> HistoryEvent:
    """The WorkflowTaskStarted event of a started task, the same whenever it is built."""
    return new_event(
        _e.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        task.started_at,
        {
            "scheduled_event_id": task.scheduled_event_id,
            "identity": task.identity,
            "request_id": task.request_id,
            "suggest_continue_as_new": task.suggest_continue_as_new,
            "suggest_continue_as_new_reasons": task.suggest_reasons,
            "history_size_bytes": task.history_size,
        },
    )


def unwritten_events(state: ExecutionState) -> list[HistoryEvent]:
    """The events of the started task that history does not hold yet, with the ids that they will have.

    A poll response and a history read end with them. Empty when no task is started.
    """
    task = state.task
    if task is None or not task.started:
        return []
    started = started_event(task)
    started.event_id = task.started_event_id
    if task.written:
        return [started]
    scheduled = scheduled_event(state, task)
    scheduled.event_id = task.scheduled_event_id
    return [scheduled, started]


def closing_events(state: ExecutionState, task: WorkflowTask) -> tuple[HistoryEvent, ...]:
    """What is recorded before the event that ends a started task."""
    return (started_event(task),) if task.written else (scheduled_event(state, task), started_event(task))


def start(
    state: ExecutionState, now: int, *, scheduled_event_id: int, attempt: int, identity: str, request_id: str
) -> Transition | None:
    """Hand the task to a poller. None when the offer is stale: the task ended, was replaced or is started already."""
    task = state.task
    if task is None or task.started or (task.scheduled_event_id, task.attempt) != (scheduled_event_id, attempt):
        return None
    reasons = _suggest_reasons(state)
    started = msgspec.structs.replace(
        task,
        started_at=now,
        started_event_id=state.next_event_id if task.written else state.next_event_id + 1,
        identity=identity,
        request_id=request_id,
        suggest_continue_as_new=bool(reasons),
        history_size=state.history_size,
        suggest_reasons=reasons,
    )
    return Transition(folds=((on_set, started, None),))


def _suggest_reasons(state: ExecutionState) -> tuple[int, ...]:
    """Why the workflow had better continue as new; empty while it need not (rule 3.6.4)."""
    reasons = (
        (state.history_size >= limits.HISTORY_BYTES_SUGGEST, _e.SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE),
        (
            state.next_event_id > limits.HISTORY_EVENTS_SUGGEST,
            _e.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS,
        ),
        (len(state.updates) >= limits.UPDATES_SUGGEST, _e.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES),
    )
    return tuple(reason for applies, reason in reasons if applies)


def fail(state: ExecutionState, now: int, *, cause: int, failure: Failure, identity: str) -> Transition:
    """End the started task as failed. The caller flushes the buffer and schedules the next attempt."""
    task = state.task
    assert task is not None and task.started
    record = TaskFailure(cause, failure.SerializeToString(), identity, now, task.attempt)
    if task.transient:
        return Transition(folds=((on_attempt_over, True, None), (on_failure, record, None)))
    event = new_event(
        _e.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        now,
        {
            "scheduled_event_id": task.scheduled_event_id,
            "started_event_id": task.started_event_id,
            "cause": cause,
            "failure": failure,
            "identity": identity,
        },
    )
    return Transition(
        (*closing_events(state, task), event), folds=((on_attempt_over, True, None), (on_failure, record, None))
    )


def time_out(state: ExecutionState, now: int) -> Transition:
    """End the task if one of its deadlines has passed: start-to-close when started, else schedule-to-start.

    Only a task in a sticky queue and a speculative one give up waiting for a start.
    """
    task = state.task
    if task is None:
        return NOTHING
    if task.started:
        if now < task.started_at + task.timeout_ns:
            return NOTHING
        message = f"the worker {task.identity!r} did not complete the workflow task in {task.timeout_ns / 1e9:g} s"
        return _timed_out(state, task, now, message)
    if not task.schedule_to_start_at or now < task.schedule_to_start_at:
        return NOTHING
    event = _timed_out_event(task, now, 0, _e.TIMEOUT_TYPE_SCHEDULE_TO_START)
    events = (event,) if task.written else (scheduled_event(state, task), event)
    return Transition(events, folds=((on_attempt_over, False, None),))


def give_up(state: ExecutionState, task: WorkflowTask, now: int) -> Transition:
    """End a started task that heartbeats have kept alive for too long (rule 3.2.11)."""
    limit = limits.WORKFLOW_TASK_HEARTBEAT_NS / 1e9
    return _timed_out(
        state, task, now, f"local activities kept the workflow task for more than {limit:g} s without progress"
    )


def _timed_out(state: ExecutionState, task: WorkflowTask, now: int, message: str) -> Transition:
    failure = failures.timeout(_e.TIMEOUT_TYPE_START_TO_CLOSE, message)
    record = TaskFailure(0, failure.SerializeToString(), task.identity, now, task.attempt)
    folds = ((on_attempt_over, True, None), (on_failure, record, None))
    if task.transient:
        return Transition(folds=folds)
    event = _timed_out_event(task, now, task.started_event_id, _e.TIMEOUT_TYPE_START_TO_CLOSE)
    return Transition((*closing_events(state, task), event), folds=folds)


def _timed_out_event(task: WorkflowTask, now: int, started_event_id: int, timeout_type: int) -> HistoryEvent:
    return new_event(
        _e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        now,
        {
            "scheduled_event_id": task.scheduled_event_id,
            "started_event_id": started_event_id,
            "timeout_type": timeout_type,
        },
    )


def unstick(state: ExecutionState, *, reoffer: bool = True) -> Transition:
    """Forget the sticky queue; a task that waits in it moves to the normal queue, without an event."""
    task = state.task
    if task is None or task.started or task.queue == state.queue:
        return Transition(folds=((on_sticky, "", 0),)) if state.sticky_queue else NOTHING
    gives_up_at = task.schedule_to_start_at if task.speculative else 0
    moved = msgspec.structs.replace(task, queue=state.queue, schedule_to_start_at=gives_up_at)
    return Transition(
        effects=(offer(state, moved),) if reoffer else (), folds=((on_sticky, "", 0), (on_set, moved, None))
    )


def withdraw(state: ExecutionState, now: int) -> Transition:
    """Take back a task that no worker has, because the run is being paused. The next one is a first attempt."""
    task = state.task
    if task is None or task.started:
        return NOTHING
    folds = ((on_withdrawn, None, None),)
    if task.transient:
        return Transition(folds=folds)
    event = new_event(
        _e.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        now,
        {
            "scheduled_event_id": task.scheduled_event_id,
            "cause": _e.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED,
            "identity": "history-service",
        },
    )
    return Transition((event,), folds=folds)


def close_attempted(state: ExecutionState) -> bool:
    """Whether the workflow wanted to close, was shown what had arrived meanwhile, and is at it again (rule 3.4.8)."""
    task, failure = state.task, state.task_failure
    return (
        task is not None
        and task.started
        and failure is not None
        and failure.cause == _e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    )


def deadline(state: ExecutionState) -> int:
    """When ``time_out`` has something to do; 0 for never."""
    task = state.task
    if task is None:
        return 0
    return task.started_at + task.timeout_ns if task.started else task.schedule_to_start_at


def on_set(state: ExecutionState, task: WorkflowTask | None, _: None) -> None:
    state.task = task


def on_dropped(state: ExecutionState) -> None:
    """A transient attempt gives way to a real task."""
    state.task = None
    state.task_attempt = 1


def on_withdrawn(state: ExecutionState, _: None, __: None) -> None:
    """The task gives way to a pause, and so does what the worker's cache was good for."""
    on_dropped(state)
    on_sticky(state, "", 0)


def on_sticky(state: ExecutionState, queue: str, timeout_ns: int) -> None:
    state.sticky_queue = queue
    state.sticky_timeout_ns = timeout_ns


def on_failure(state: ExecutionState, record: TaskFailure, _: None) -> None:
    state.task_failure = record
    problems.note(state, record)


def on_attempt_over(state: ExecutionState, counts: bool, _: None) -> None:
    """The task failed or timed out: clear it and stickiness; the attempt grows unless stickiness may be to blame."""
    state.task = None
    if counts and not state.sticky_queue:
        state.task_attempt += 1
    on_sticky(state, "", 0)


def on_scheduled(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_task_scheduled_event_attributes
    at = from_timestamp(event.event_time)
    state.task = WorkflowTask(
        scheduled_event_id=event.event_id,
        attempt=attributes.attempt,
        scheduled_at=at,
        original_scheduled_at=at,
        timeout_ns=from_duration(attributes.start_to_close_timeout),
        written=True,
        queue=attributes.task_queue.name,
    )


def on_started(state: ExecutionState, event: HistoryEvent) -> None:
    """Nothing in a live run, where the start came first; a rebuilt one learns of it here."""
    task = state.task
    if task is not None and not task.started:
        attributes = event.workflow_task_started_event_attributes
        state.task = msgspec.structs.replace(
            task,
            started_at=from_timestamp(event.event_time),
            started_event_id=event.event_id,
            identity=attributes.identity,
            request_id=attributes.request_id,
            suggest_continue_as_new=attributes.suggest_continue_as_new,
            history_size=attributes.history_size_bytes,
            suggest_reasons=tuple(attributes.suggest_continue_as_new_reasons),
        )


def on_completed(state: ExecutionState, event: HistoryEvent) -> None:
    state.task = None
    state.task_attempt = 1
    state.task_failure = None
    attributes = event.workflow_task_completed_event_attributes
    state.previous_started_event_id = attributes.started_event_id
    builds.note(state, event)
    problems.solve(state)


def on_ended(state: ExecutionState, event: HistoryEvent) -> None:
    state.task = None
