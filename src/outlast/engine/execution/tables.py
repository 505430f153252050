"""The tables of the machine: which function decides a command, which folds an event, which events wait.

Exhaustiveness is asserted at import: a command type or an event type that Temporal's API knows is in a table here or in
a list of those that this version does not build.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import COMMAND_FIELD, EVENT_FIELD

from ..command import CommandContext
from ..transition import Transition
from . import (
    activity,
    cancellation,
    child_workflow,
    close,
    external_workflow,
    marker,
    options,
    pause,
    properties,
    reset_point,
    signal,
    standalone,
    start,
    state,
    timer,
    update,
    workflow_task,
)

ON_COMMAND: Mapping[int, Callable[[state.ExecutionState, Any, CommandContext], Transition]] = {
    _e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: activity.schedule,
    _e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: activity.request_cancel,
    _e.COMMAND_TYPE_START_TIMER: timer.start,
    _e.COMMAND_TYPE_CANCEL_TIMER: timer.cancel,
    _e.COMMAND_TYPE_RECORD_MARKER: marker.record,
    _e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: child_workflow.initiate,
    _e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: external_workflow.initiate_signal,
    _e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: external_workflow.initiate_cancel,
    _e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: properties.upsert_search_attributes,
    _e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: properties.modify,
    _e.COMMAND_TYPE_PROTOCOL_MESSAGE: update.answer,
    _e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: close.complete,
    _e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: close.fail,
    _e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: close.cancel,
    _e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: close.continue_as_new,
}
"""Command type -> decision(state, attributes, context)."""

UNBUILT_COMMANDS = frozenset(
    {
        _e.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION,
        _e.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION,
    }
)
"""Commands that this version refuses by name."""

CLOSING_COMMANDS = frozenset(
    {
        _e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        _e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        _e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
        _e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    }
)


def _unfolded(run: state.ExecutionState, event: HistoryEvent) -> None:
    """The event is history only; no state follows from it."""


def _on_closed(run: state.ExecutionState, event: HistoryEvent) -> None:
    """The close of the run, noun by noun."""
    standalone.on_closed(run)
    child_workflow.on_parent_closed(run, event)
    external_workflow.on_sender_closed(run)
    close.on_closed(run, event)


def _on_activity_closed(run: state.ExecutionState, event: HistoryEvent) -> None:
    """The end of an activity, which a standalone one's run remembers."""
    standalone.on_activity_closed(run, event)
    activity.on_closed(run, event)


ON_EVENT: Mapping[int, Callable[[state.ExecutionState, HistoryEvent], None]] = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: start.on_started,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: options.on_updated,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: pause.on_paused,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: pause.on_unpaused,
    **dict.fromkeys(close.STATUS, _on_closed),
    _e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: workflow_task.on_scheduled,
    _e.EVENT_TYPE_WORKFLOW_TASK_STARTED: workflow_task.on_started,
    _e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: workflow_task.on_completed,
    _e.EVENT_TYPE_WORKFLOW_TASK_FAILED: reset_point.on_task_failed,
    _e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: workflow_task.on_ended,
    _e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: activity.on_scheduled,
    _e.EVENT_TYPE_ACTIVITY_TASK_STARTED: _unfolded,
    _e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: activity.on_cancel_requested,
    **dict.fromkeys(activity.CLOSING_SCHEDULED_ID, _on_activity_closed),
    _e.EVENT_TYPE_TIMER_STARTED: timer.on_started,
    _e.EVENT_TYPE_TIMER_FIRED: timer.on_fired,
    _e.EVENT_TYPE_TIMER_CANCELED: timer.on_canceled,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: signal.on_signaled,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: cancellation.on_requested,
    _e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: child_workflow.on_initiated,
    _e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: child_workflow.on_start_failed,
    _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: child_workflow.on_started,
    **dict.fromkeys(child_workflow.CLOSING_INITIATED_ID, child_workflow.on_closed),
    _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: external_workflow.on_signal_initiated,
    _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: external_workflow.on_signal_ended,
    _e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: external_workflow.on_signal_ended,
    _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: external_workflow.on_cancel_initiated,
    _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: external_workflow.on_cancel_ended,
    _e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: external_workflow.on_cancel_ended,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: update.on_admitted,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: update.on_accepted,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: update.on_completed,
    _e.EVENT_TYPE_MARKER_RECORDED: _unfolded,
    _e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: properties.on_search_attributes,
    _e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: properties.on_memo,
}
"""Event type -> fold(state, event)."""

BUFFERED = frozenset(
    {
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
        _e.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        *activity.CLOSING_SCHEDULED_ID,
        _e.EVENT_TYPE_TIMER_FIRED,
        _e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
        _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
        *child_workflow.CLOSING_INITIATED_ID,
        _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
        _e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
        _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
        _e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    }
)
"""Events from outside: they wait while the workflow task is started (rule 3.4.6)."""

STARTED_EVENTS: Mapping[int, Callable[[HistoryEvent], Any]] = {
    _e.EVENT_TYPE_ACTIVITY_TASK_STARTED: lambda e: e.activity_task_started_event_attributes.scheduled_event_id,
    _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: (
        lambda e: e.child_workflow_execution_started_event_attributes.initiated_event_id
    ),
}
"""Started events -> the key that their terminal event shares."""

TERMINAL: Mapping[int, Callable[[Any], Any]] = {
    **dict.fromkeys(activity.CLOSING_SCHEDULED_ID, lambda attributes: attributes.scheduled_event_id),
    **dict.fromkeys(child_workflow.CLOSING_INITIATED_ID, lambda attributes: attributes.initiated_event_id),
}
"""Terminal events of activities and children -> the key of their started event, from the attributes."""

ON_NUMBERED: Mapping[int, Callable[[state.ExecutionState, HistoryEvent], None]] = {
    _e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: child_workflow.on_started,
}
"""Event type -> fold of a buffered event that has just got its id, where the state keeps that id."""


def _check() -> None:
    commands = set(COMMAND_FIELD)
    assert commands == set(ON_COMMAND) | UNBUILT_COMMANDS, commands ^ (set(ON_COMMAND) | UNBUILT_COMMANDS)
    assert set(ON_COMMAND).isdisjoint(UNBUILT_COMMANDS)
    assert set(ON_COMMAND) >= CLOSING_COMMANDS
    assert set(ON_EVENT) <= set(EVENT_FIELD)
    assert set(ON_EVENT) >= BUFFERED
    assert state.RUNNING == _e.WORKFLOW_EXECUTION_STATUS_RUNNING
    assert state.PAUSED == _e.WORKFLOW_EXECUTION_STATUS_PAUSED


_check()
