"""The end of a started workflow task: completed with commands, failed, timed out, or cut short by the run's end.

All or nothing: the commands are applied to a fork, and a bad one drops the fork and fails the task instead, with
Temporal's cause. A command that closes the run while events wait in the buffer fails the task as UNHANDLED_COMMAND, so
that the workflow sees them first (rule 3.4.8). Updates that wait do not keep a run from closing.

A speculative task that brought nothing but rejections of updates is dropped: nothing is recorded (rule 3.9.3).

Source: RespondWorkflowTaskCompleted, RespondWorkflowTaskFailed; rules 3.4.1-3.4.11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest
from outlast.vocab import failures, limits
from outlast.vocab.attributes import COMMAND_FIELD, COMMAND_NAMES
from outlast.vocab.errors import FailedPrecondition, InvalidArgument, NotFound
from outlast.vocab.times import from_duration

from ..command import BadCommand, CommandContext
from ..transition import Transition
from . import builds, close, size, speculative, tables, update, workflow_task
from .draft import Draft
from .events import new_event
from .state import ExecutionState, WorkflowTask

_NEEDS_FIRST_EVENT = (
    _e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    _e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
)


class Completed(NamedTuple):
    """How a completion went.

    Attributes:
        failure: None when the commands stand, else the cause and message of the failure.
        rejections: the updates that the workflow refused.
        reset_to: set when the task was dropped: the id of the started event that the worker has to go back to; the
            draft then holds no events.
        expired: the task was kept alive by heartbeats for too long, and was timed out instead.
    """

    draft: Draft
    failure: BadCommand | None
    rejections: Mapping[str, Failure] = MappingProxyType({})
    reset_to: int | None = None
    expired: bool = False


def find(state: ExecutionState, scheduled_event_id: int, attempt: int, started_at: int) -> WorkflowTask:
    """The started task that a token speaks of.

    Raises:
        NotFound: the task has ended, was timed out, or was started again (rule 3.4.11).
    """
    task = state.task
    if (
        task is None
        or not state.running
        or (task.scheduled_event_id, task.attempt, task.started_at) != (scheduled_event_id, attempt, started_at)
    ):
        raise NotFound(
            f"workflow task {scheduled_event_id} (attempt {attempt}) of workflow {state.workflow_id!r} run "
            f"{state.run_id} is not pending: it timed out, was superseded, or the run is closed"
        )
    return task


def needs_first_event(state: ExecutionState, commands: Sequence[Command]) -> bool:
    """Whether one of the commands may start a next run, for which the run's first event has to be at hand."""
    return any(
        command.command_type in _NEEDS_FIRST_EVENT
        or (state.cron_schedule and command.command_type == _e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
        for command in commands
    )


def complete(state: ExecutionState, request: RespondWorkflowTaskCompletedRequest, context: CommandContext) -> Completed:
    """Complete the started task with its commands, or fail it where a command is bad.

    Raises:
        InvalidArgument: a bad command at a later attempt (nothing is written then, rule 3.4.9), or commands after the
            one that closes the run.
        FailedPrecondition: another task is asked for, and the run is paused.
    """
    task = state.task
    assert task is not None and task.started
    if state.paused and request.force_create_new_workflow_task:
        raise FailedPrecondition(
            f"workflow {state.workflow_id!r} run {state.run_id} is paused, so no workflow task follows this one; "
            "complete it without force_create_new_workflow_task"
        )
    if is_heartbeat(request) and context.now - task.original_scheduled_at > limits.WORKFLOW_TASK_HEARTBEAT_NS:
        draft = Draft(state, context.now)
        draft.apply(workflow_task.give_up(state, task, context.now))
        try_again(draft)
        return Completed(draft, None, expired=True)
    try:
        rejections = dict(update.rejections(request.messages))
        if speculative.droppable(state, task, request):
            draft = Draft(state, context.now)
            draft.apply(_dropped(request))
            return Completed(draft, None, rejections, state.previous_started_event_id)
        return Completed(_completed(state, task, request, context), None, rejections)
    except size.TooLarge as error:
        return Completed(_ended(state, context.now, error, request.identity), error)
    except BadCommand as error:
        if task.attempt > 1 and error.cause != _e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND:
            raise InvalidArgument(error.message) from error
        failure = failures.server(error.message, non_retryable=False)
        return Completed(failed(state, context.now, error.cause, failure, request.identity), error)


def _dropped(request: RespondWorkflowTaskCompletedRequest) -> Transition:
    return Transition(folds=((workflow_task.on_set, None, None), _stuck_to(request)))


def _stuck_to(request: RespondWorkflowTaskCompletedRequest) -> tuple[Callable[..., None], str, int]:
    sticky = request.sticky_attributes
    timeout_ns = from_duration(sticky.schedule_to_start_timeout)
    return workflow_task.on_sticky, sticky.worker_task_queue.name, timeout_ns


def is_heartbeat(request: RespondWorkflowTaskCompletedRequest) -> bool:
    """Whether a completion does nothing but ask for more time: local activities run (rule 3.2.11)."""
    return request.force_create_new_workflow_task and not request.commands and not request.messages


def _completed(
    state: ExecutionState,
    task: WorkflowTask,
    request: RespondWorkflowTaskCompletedRequest,
    context: CommandContext,
) -> Draft:
    draft = Draft(state, context.now)
    draft.apply(Transition((*workflow_task.closing_events(state, task), _completed_event(task, request, context.now))))
    for message in request.messages:
        size.check_message(message)
    context = msgspec.structs.replace(
        context,
        completed_event_id=draft.state.next_event_id - 1,
        messages={message.id: message for message in request.messages},
    )
    closed = False
    for command in request.commands:
        if closed:
            raise InvalidArgument(
                f"workflow {state.workflow_id!r}: {COMMAND_NAMES[command.command_type]} follows the command that "
                "closes the workflow; that one must be the last"
            )
        closed = command.command_type in tables.CLOSING_COMMANDS
        if closed and draft.state.buffered:
            raise BadCommand(
                _e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
                f"{len(draft.state.buffered)} events arrived while the workflow task ran; the workflow has to see them "
                "before it closes",
            )
        _apply(draft, command, context)
    draft.apply(Transition(folds=(_stuck_to(request),)))
    if not closed:
        for message in update.unordered(request.messages, request.commands):
            draft.apply(update.take(draft.state, message, context))
        arrived = draft.flush()
        if (arrived or request.force_create_new_workflow_task) and draft.state.task is None:
            draft.schedule_task(task.original_scheduled_at if is_heartbeat(request) else 0)
    size.check_transaction(request.ByteSize() + sum(map(len, state.buffered)), draft.events)
    return draft


def _apply(draft: Draft, command: Command, context: CommandContext) -> None:
    decide = tables.ON_COMMAND.get(command.command_type)
    if decide is None:
        name = COMMAND_NAMES.get(command.command_type, str(command.command_type))
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
            f"the command {name} is not built in this version of outlast",
        )
    size.check_command(command)
    transition = decide(draft.state, getattr(command, COMMAND_FIELD[command.command_type]), context)
    if transition.events and (command.user_metadata.ByteSize() or command.event_group_markers):
        event = transition.events[0]
        event.user_metadata.CopyFrom(command.user_metadata)
        event.event_group_markers.extend(command.event_group_markers)
    draft.apply(transition)


def _completed_event(task: WorkflowTask, request: RespondWorkflowTaskCompletedRequest, now: int) -> HistoryEvent:
    attributes: dict[str, Any] = {
        "scheduled_event_id": task.scheduled_event_id,
        "started_event_id": task.started_event_id,
        "identity": request.identity,
        "binary_checksum": request.binary_checksum,
    }
    attributes |= builds.declared(request)
    if request.HasField("sdk_metadata"):
        attributes["sdk_metadata"] = request.sdk_metadata
    if request.HasField("metering_metadata"):
        attributes["metering_metadata"] = request.metering_metadata
    return new_event(_e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, now, attributes)


def failed(state: ExecutionState, now: int, cause: int, failure: Failure, identity: str) -> Draft:
    """Fail the started task: the buffer is delivered and the next attempt is scheduled."""
    draft = Draft(state, now)
    draft.apply(workflow_task.fail(draft.state, now, cause=cause, failure=failure, identity=identity))
    try_again(draft)
    return draft


def reported(state: ExecutionState, now: int, cause: int, failure: Failure, identity: str) -> Draft:
    """What a worker reports as failed. A completion that no connection carries would be made again: the run ends."""
    kept = failures.truncated(failure, limits.WORKFLOW_TASK_FAILURE_BYTES_MAX)
    if cause == _e.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE:
        return _ended(state, now, size.TooLarge(cause, kept.message), identity, kept)
    return failed(state, now, cause, kept, identity)


def _ended(
    state: ExecutionState, now: int, error: size.TooLarge, identity: str, failure: Failure | None = None
) -> Draft:
    """Fail the started task, deliver what waited, and terminate the run (rule 3.4.10)."""
    draft = Draft(state, now)
    failure = failure or failures.server(error.message, non_retryable=True)
    draft.apply(workflow_task.fail(draft.state, now, cause=error.cause, failure=failure, identity=identity))
    draft.flush()
    draft.apply(close.terminate(now, reason=error.reason, details=None, identity="history-service"))
    return draft


def try_again(draft: Draft) -> None:
    """After a failed or timed-out task: deliver what waited, then schedule the next attempt."""
    if draft.flush():
        draft.state.task_attempt = 1
    draft.schedule_task()


def end_for_close(draft: Draft) -> None:
    """The run is about to be closed from outside: a started task fails as FORCE_CLOSE_COMMAND, and the buffer lands."""
    task = draft.state.task
    if task is not None and task.started:
        draft.apply(
            workflow_task.fail(
                draft.state,
                draft.now,
                cause=_e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
                failure=Failure(),
                identity=task.identity,
            )
        )
    elif task is not None and task.speculative:
        draft.apply(Transition(folds=((workflow_task.on_set, None, None),)))
    draft.flush()


def overflowing(state: ExecutionState) -> bool:
    """Whether the buffer has outgrown its limits, so that the started task has to be failed (rule 3.4.7)."""
    return len(state.buffered) > limits.BUFFERED_EVENTS_MAX or (
        len(state.buffered) > 1 and sum(map(len, state.buffered)) > limits.BUFFERED_BYTES_MAX
    )
