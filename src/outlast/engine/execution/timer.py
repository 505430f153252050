"""User timers: started and cancelled by commands, fired by time.

    (none) --start--> running --fire | cancel--> (none)

Rule 3.3.6: cancelling a timer whose TimerFired still waits in the buffer takes that event back and records
TimerCanceled instead, so that the history never says both.

Source: TimerStarted, TimerFired, TimerCanceled events; rules 3.3.6 and 3.4.13.
"""

from __future__ import annotations

from outlast.api.command.v1 import CancelTimerCommandAttributes, StartTimerCommandAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import limits
from outlast.vocab.times import from_duration, from_timestamp, parts

from ..command import BadCommand, CommandContext
from ..transition import Transition
from .events import new_event
from .state import ExecutionState, Timer


def start(state: ExecutionState, command: StartTimerCommandAttributes, context: CommandContext) -> Transition:
    """Start a timer; its id must be free. A timer without length fires at once."""
    if not command.timer_id or len(command.timer_id.encode()) > limits.ID_BYTES_MAX:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
            f"StartTimer {command.timer_id!r}: timer_id must have 1 to {limits.ID_BYTES_MAX} bytes",
        )
    if from_duration(command.start_to_fire_timeout) < 0:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
            f"StartTimer {command.timer_id!r}: start_to_fire_timeout must not be negative",
        )
    if command.timer_id in state.timers:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
            f"StartTimer: timer {command.timer_id!r} is already running; give each running timer its own id",
        )
    event = new_event(
        _e.EVENT_TYPE_TIMER_STARTED,
        context.now,
        {
            "timer_id": command.timer_id,
            "start_to_fire_timeout": parts(from_duration(command.start_to_fire_timeout)),
            "workflow_task_completed_event_id": context.completed_event_id,
        },
    )
    return Transition((event,))


def cancel(state: ExecutionState, command: CancelTimerCommandAttributes, context: CommandContext) -> Transition:
    """Cancel a running timer, or one that has fired behind the worker's back while its task was running."""
    timer = state.timers.get(command.timer_id)
    folds: tuple[tuple[object, ...], ...] = ()
    if timer is not None:
        started_event_id = timer.started_event_id
    else:
        waiting = _buffered_fire(state, command.timer_id)
        if waiting is None:
            raise BadCommand(
                _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
                f"CancelTimer: there is no running timer {command.timer_id!r}",
            )
        index, started_event_id = waiting
        folds = ((on_fire_taken_back, index, None),)
    event = new_event(
        _e.EVENT_TYPE_TIMER_CANCELED,
        context.now,
        {
            "timer_id": command.timer_id,
            "started_event_id": started_event_id,
            "workflow_task_completed_event_id": context.completed_event_id,
            "identity": context.identity,
        },
    )
    return Transition((event,), folds=folds)  # type: ignore[arg-type]


def _buffered_fire(state: ExecutionState, timer_id: str) -> tuple[int, int] | None:
    """Index in the buffer and started event id of the timer's waiting TimerFired event."""
    for index, data in enumerate(state.buffered):
        event = HistoryEvent.FromString(data)
        if event.event_type == _e.EVENT_TYPE_TIMER_FIRED and event.timer_fired_event_attributes.timer_id == timer_id:
            return index, event.timer_fired_event_attributes.started_event_id
    return None


def fire(state: ExecutionState, now: int) -> Transition:
    """Fire every timer whose time has come, earliest first and then in the order of starting."""
    due = [timer for timer in state.timers.values() if timer.fires_at <= now]
    if not due:
        return Transition()
    due.sort(key=lambda timer: (timer.fires_at, timer.started_event_id))
    events = tuple(
        new_event(
            _e.EVENT_TYPE_TIMER_FIRED,
            now,
            {"timer_id": timer.timer_id, "started_event_id": timer.started_event_id},
        )
        for timer in due
    )
    return Transition(events, wakes=True)


def deadline(state: ExecutionState) -> int:
    """When ``fire`` has something to do; 0 for never."""
    return min((timer.fires_at for timer in state.timers.values()), default=0)


def on_started(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.timer_started_event_attributes
    fires_at = from_timestamp(event.event_time) + from_duration(attributes.start_to_fire_timeout)
    state.timers[attributes.timer_id] = Timer(attributes.timer_id, event.event_id, fires_at)


def on_fired(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.timer_fired_event_attributes
    _drop(state, attributes.timer_id, attributes.started_event_id)


def on_canceled(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.timer_canceled_event_attributes
    _drop(state, attributes.timer_id, attributes.started_event_id)


def _drop(state: ExecutionState, timer_id: str, started_event_id: int) -> None:
    """Forget a timer, but not one that took over its id while the event of its end waited in the buffer."""
    timer = state.timers.get(timer_id)
    if timer is not None and timer.started_event_id == started_event_id:
        del state.timers[timer_id]


def on_fire_taken_back(state: ExecutionState, index: int, _: None) -> None:
    del state.buffered[index]
