"""Closing a run: complete, fail, cancel and continue-as-new by command; terminate by request; time out by deadline.

    running --complete | fail | cancel | continue as new | terminate | time out--> closed

A failure or a run timeout asks the workflow's retry policy for another attempt first, then the cron schedule for the
next turn (rules 3.6.1, 3.6.2); an execution timeout never does. A cancellation or a termination ends the chain.
Everything pending ends with the run.

Source: WorkflowExecution{Completed,Failed,Canceled,ContinuedAsNew,Terminated,TimedOut} events; rules 3.4.8, 3.6.
"""

from __future__ import annotations

from typing import Any

from outlast.api.command.v1 import (
    CancelWorkflowExecutionCommandAttributes,
    CompleteWorkflowExecutionCommandAttributes,
    ContinueAsNewWorkflowExecutionCommandAttributes,
    FailWorkflowExecutionCommandAttributes,
)
from outlast.api.common.v1 import Payloads
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import failures
from outlast.vocab.times import from_timestamp

from ..command import BadCommand, CommandContext
from ..transition import NOTHING, Successor, Transition
from . import chain
from .events import new_event
from .state import ExecutionState


def complete(
    state: ExecutionState, command: CompleteWorkflowExecutionCommandAttributes, context: CommandContext
) -> Transition:
    """Close the run with its result; a cron goes on with its next run."""
    attributes: dict[str, Any] = {"workflow_task_completed_event_id": context.completed_event_id}
    result = command.result if command.HasField("result") else None
    if result is not None:
        attributes["result"] = result
    successor = chain.after_success(state, context.first_event, result, context.now)
    if successor is not None:
        attributes["new_execution_run_id"] = successor.run_id
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, context.now, attributes)
    return Transition((event,), successor=successor)


def fail(state: ExecutionState, command: FailWorkflowExecutionCommandAttributes, context: CommandContext) -> Transition:
    """Close the run with its failure, and start the next run where the retry policy or the cron schedule says so."""
    if not command.HasField("failure"):
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES,
            "FailWorkflowExecution: failure is not set",
        )
    retry_state, successor = chain.after_failure(state, context.first_event, command.failure, context.now)
    attributes: dict[str, Any] = {
        "failure": command.failure,
        "retry_state": retry_state,
        "workflow_task_completed_event_id": context.completed_event_id,
    }
    if successor is not None:
        attributes["new_execution_run_id"] = successor.run_id
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, context.now, attributes)
    return Transition((event,), successor=successor)


def cancel(
    state: ExecutionState, command: CancelWorkflowExecutionCommandAttributes, context: CommandContext
) -> Transition:
    """Close the run as cancelled."""
    attributes: dict[str, Any] = {"workflow_task_completed_event_id": context.completed_event_id}
    if command.HasField("details"):
        attributes["details"] = command.details
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, context.now, attributes),))


def continue_as_new(
    state: ExecutionState, command: ContinueAsNewWorkflowExecutionCommandAttributes, context: CommandContext
) -> Transition:
    """Close the run and start the next one of the chain in the same commit."""
    assert context.first_event is not None
    if command.HasField("search_attributes"):
        attributes_typed = context.typed(command.search_attributes, "ContinueAsNewWorkflowExecution")
        given, command = command, ContinueAsNewWorkflowExecutionCommandAttributes()
        command.CopyFrom(given)
        command.search_attributes.CopyFrom(attributes_typed)
    successor = chain.continued(state, context.first_event, command, context.now)
    started = successor.started_event.workflow_execution_started_event_attributes
    attributes: dict[str, Any] = {
        "new_execution_run_id": successor.run_id,
        "workflow_type": started.workflow_type,
        "task_queue": started.task_queue,
        "workflow_run_timeout": started.workflow_run_timeout,
        "workflow_task_timeout": started.workflow_task_timeout,
        "initiator": command.initiator,
        "workflow_task_completed_event_id": context.completed_event_id,
        "inherit_build_id": command.inherit_build_id,
        "initial_versioning_behavior": command.initial_versioning_behavior,
    }
    for name in ("input", "header", "memo", "search_attributes", "last_completion_result"):
        if started.HasField(name):
            attributes[name] = getattr(started, name)
    if command.HasField("failure"):
        attributes["failure"] = command.failure
    if command.HasField("backoff_start_interval"):
        attributes["backoff_start_interval"] = command.backoff_start_interval
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, context.now, attributes)
    return Transition((event,), successor=successor)


def terminate(now: int, *, reason: str, details: Payloads | None, identity: str) -> Transition:
    """Close the run without asking the workflow."""
    attributes: dict[str, Any] = {"reason": reason, "identity": identity}
    if details is not None:
        attributes["details"] = details
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, now, attributes),))


def timed_out(state: ExecutionState, now: int) -> bool:
    """Whether the run or the execution has used up its time."""
    at = deadline(state)
    return bool(at) and at <= now


def time_out(state: ExecutionState, now: int, first: HistoryEvent | None) -> Transition:
    """Close the run whose time is up; a run timeout may lead to another run."""
    if not timed_out(state, now):
        return NOTHING
    attributes: dict[str, Any] = {"retry_state": _e.RETRY_STATE_TIMEOUT}
    successor: Successor | None = None
    if not state.execution_expires_at or state.execution_expires_at > now:
        failure = failures.timeout(_e.TIMEOUT_TYPE_START_TO_CLOSE, "workflow run timeout")
        attributes["retry_state"], successor = chain.after_failure(state, first, failure, now)
        if successor is not None:
            attributes["new_execution_run_id"] = successor.run_id
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, now, attributes)
    return Transition((event,), successor=successor)


def deadline(state: ExecutionState) -> int:
    """When the run's time is up; 0 for never."""
    run, execution = state.run_expires_at, state.execution_expires_at
    return min(run, execution) if run and execution else run or execution


STATUS = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _e.WORKFLOW_EXECUTION_STATUS_COMPLETED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _e.WORKFLOW_EXECUTION_STATUS_FAILED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: _e.WORKFLOW_EXECUTION_STATUS_CANCELED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: _e.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: _e.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: _e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
}
"""The status that each closing event leaves a run in."""


def on_closed(state: ExecutionState, event: HistoryEvent) -> None:
    state.status = STATUS[event.event_type]
    state.closed_at = from_timestamp(event.event_time)
    state.close_event_id = event.event_id
    state.task = None
    state.activities = {}
    state.activity_ids = {}
    state.timers = {}
    state.first_task_pending = False
