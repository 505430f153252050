"""Updates: requests that the workflow's code accepts and answers, or rejects without a trace.

    (waiting at the server) --Acceptance--> accepted --Response--> completed
             |
             +--Rejection--> (gone)

Rule: an update that waits to be accepted is not part of the state. The server keeps it in memory and shows it to the
worker as a protocol message; it becomes part of history with its acceptance, request included. A reset alone makes one
durable earlier, as an admitted update. The worker's answers are protocol messages, and its ProtocolMessage commands fix
their place among the other commands; those that no command names come last.

Source: UpdateWorkflowExecution; WorkflowExecutionUpdate{Admitted,Accepted,Completed} events; rules 3.9.1-3.9.8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from outlast.api.command.v1 import Command, ProtocolMessageCommandAttributes
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response
from outlast.api.workflowservice.v1 import UpdateWorkflowExecutionRequest
from outlast.vocab import failures, limits
from outlast.vocab.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    WorkflowNotReady,
)

from ..command import BadCommand, CommandContext
from ..transition import NOTHING, Transition
from . import workflow_task
from .events import new_event
from .state import ExecutionState, Update, WorkflowTask

ADMITTED = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
ACCEPTED = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED = _e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED


# -- requests ------------------------------------------------------------------------------------------------------


def validate(request: UpdateWorkflowExecutionRequest) -> None:
    """Refuse what no workflow could be asked.

    Raises:
        InvalidArgument: with the field, the rule and the cure.
        PermissionDenied: the caller wants to wait for ADMITTED, which is never durable.
    """
    subject = f"update of workflow {request.workflow_execution.workflow_id!r}"
    if not request.workflow_execution.workflow_id:
        raise InvalidArgument("UpdateWorkflowExecution: workflow_id is empty; it is required")
    if not request.request.input.name:
        raise InvalidArgument(f"{subject}: request.input.name is empty; name the update handler")
    if len(request.request.meta.update_id.encode()) > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: update_id is longer than {limits.ID_BYTES_MAX} bytes")
    if request.wait_policy.lifecycle_stage == ADMITTED:
        raise PermissionDenied(f"{subject}: an update cannot be waited for until ADMITTED; wait for ACCEPTED")


def admit(state: ExecutionState, request: Request, waiting: Collection[int]) -> None:
    """Whether another update may wait on this run, which does not know it yet.

    Args:
        waiting: sizes in bytes of the requests that wait to be accepted.

    Raises:
        NotFound: the run is closed.
        WorkflowNotReady: the workflow task keeps failing.
        ResourceExhausted: too many are in flight, or the workflow is closing.
        FailedPrecondition: the run has had its 2000 updates.
    """
    subject = f"workflow {state.workflow_id!r} run {state.run_id}"
    if not state.running:
        raise NotFound(f"workflow execution already completed: {subject} takes no update any more")
    if state.paused:
        raise FailedPrecondition(f"Workflow is paused. Cannot update the workflow: unpause {subject} first")
    require_healthy(state)
    if workflow_task.close_attempted(state):
        raise _busy(f"workflow is closing: {subject}; send the update again in a moment", _BUSY)
    in_flight = len(waiting) + sum(not update.completed_event_id for update in state.updates.values())
    if in_flight >= limits.UPDATES_IN_FLIGHT_MAX:
        raise _busy(
            f"{subject} has {in_flight} updates in flight, the most it may have; send again when some are completed",
            _CONCURRENT,
        )
    if sum(waiting) + request.ByteSize() > limits.UPDATES_IN_FLIGHT_BYTES_MAX:
        raise _busy(
            f"the updates that wait on {subject} would be larger than {limits.UPDATES_IN_FLIGHT_BYTES_MAX} bytes "
            "together; send again when some are accepted",
            _CONCURRENT,
        )
    if len(state.updates) + len(waiting) >= limits.UPDATES_PER_RUN_MAX:
        raise FailedPrecondition(
            f"{subject} has had {limits.UPDATES_PER_RUN_MAX} distinct updates, the most a run may have; let the "
            "workflow continue as new, or give repeated updates one update id"
        )


_BUSY = _e.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
_CONCURRENT = _e.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT


def _busy(message: str, cause: int) -> ResourceExhausted:
    return ResourceExhausted(message, cause=cause, scope=_e.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE)


def require_healthy(state: ExecutionState) -> None:
    """Refuse updates while the workflow task keeps failing.

    Raises:
        WorkflowNotReady: it has failed twice in a row.
    """
    if state.running and state.task_attempt >= limits.UPDATE_TASK_ATTEMPTS_MAX:
        raise WorkflowNotReady(
            f"workflow {state.workflow_id!r} run {state.run_id} cannot be updated: its workflow task has failed "
            f"{state.task_attempt - 1} times in a row; see the failure in its description and mend the workflow code"
        )


def task_failed(state: ExecutionState, update_id: str) -> WorkflowNotReady:
    """What an update ends with whose worker answered with commands that cannot be."""
    return WorkflowNotReady(
        f"update {update_id!r} of workflow {state.workflow_id!r} run {state.run_id}: its workflow task "
        "failed, for the server could not take what the worker answered; see the failure in the history"
    )


class Reached(NamedTuple):
    """How far an update has come. A completed one's outcome is here, or in the event with ``completed_event_id``."""

    stage: int
    completed_event_id: int = 0
    outcome: Outcome | None = None


def reached(state: ExecutionState, update_id: str) -> Reached | None:
    """How far history says that an update has come; None when history does not know it.

    Raises:
        NotFound: the run was closed before it accepted the update.
    """
    update = state.updates.get(update_id)
    if update is None:
        return None
    if update.completed_event_id:
        return Reached(COMPLETED, update.completed_event_id)
    if not update.accepted_event_id:
        if not state.running:
            raise aborted(state, update_id)
        return Reached(ADMITTED)
    if state.running:
        return Reached(ACCEPTED)
    return Reached(COMPLETED, outcome=Outcome(failure=_lost()))


def aborted(state: ExecutionState, update_id: str) -> NotFound:
    """The error for an update that the run did not accept before it closed."""
    return NotFound(
        f"workflow update was aborted by closing workflow: update {update_id!r} of workflow {state.workflow_id!r} run "
        f"{state.run_id}"
    )


def _lost() -> Failure:
    failure = failures.application(
        "Workflow Update failed because the Workflow completed before the Update completed.",
        "AcceptedUpdateCompletedWorkflow",
        non_retryable=True,
    )
    failure.source = failures.SERVER
    return failure


def request_message(request: Request, task: WorkflowTask) -> ProtocolMessage:
    """The update as a started workflow task carries it: to be handled after all events before the started one."""
    update_id = request.meta.update_id
    message = ProtocolMessage(
        id=f"{update_id}/request", protocol_instance_id=update_id, event_id=task.started_event_id - 1
    )
    message.body.Pack(request)
    return message


# -- answers -------------------------------------------------------------------------------------------------------


def answer(state: ExecutionState, command: ProtocolMessageCommandAttributes, context: CommandContext) -> Transition:
    """The place of one protocol message among the commands has come."""
    message = context.messages.get(command.message_id)
    if message is None:
        raise _bad(f"ProtocolMessage: message_id {command.message_id!r} names no message of this completion")
    return take(state, message, context)


def take(state: ExecutionState, message: ProtocolMessage, context: CommandContext) -> Transition:
    """Record what a protocol message says; a rejection leaves no event."""
    decide = _ON_MESSAGE.get(message.body.TypeName())
    if decide is None:
        raise _bad(f"protocol message {message.id!r} has a body of type {message.body.type_url!r}, which is no answer")
    return decide(state, message, context)


def _accept(state: ExecutionState, message: ProtocolMessage, context: CommandContext) -> Transition:
    update_id = message.protocol_instance_id
    body = _body(message, Acceptance())
    known = state.updates.get(update_id)
    if known is not None and known.accepted_event_id:
        raise _bad(f"update {update_id!r} is accepted a second time")
    attributes: dict[str, Any] = {
        "protocol_instance_id": update_id,
        "accepted_request_message_id": body.accepted_request_message_id,
        "accepted_request_sequencing_event_id": body.accepted_request_sequencing_event_id,
    }
    if known is None:
        request = body.accepted_request if body.HasField("accepted_request") else context.requests.get(update_id)
        if request is None:
            raise _bad(f"update {update_id!r} is accepted, but nobody sent it and the acceptance lacks its request")
        attributes["accepted_request"] = request
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, context.now, attributes),))


def _respond(state: ExecutionState, message: ProtocolMessage, context: CommandContext) -> Transition:
    update_id = message.protocol_instance_id
    body = _body(message, Response())
    known = state.updates.get(update_id)
    if known is None or not known.accepted_event_id or known.completed_event_id:
        raise _bad(f"update {update_id!r} is answered, but it is not accepted or was answered before")
    if body.outcome.WhichOneof("value") is None:
        raise _bad(f"update {update_id!r} is answered without an outcome")
    meta = {"update_id": update_id, "identity": body.meta.identity}
    attributes = {"meta": meta, "accepted_event_id": known.accepted_event_id, "outcome": body.outcome}
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, context.now, attributes),))


def _reject(state: ExecutionState, message: ProtocolMessage, context: CommandContext) -> Transition:
    known = state.updates.get(message.protocol_instance_id)
    if known is None:
        return NOTHING
    if known.accepted_event_id:
        raise _bad(f"update {message.protocol_instance_id!r} is rejected after it was accepted")
    return Transition(folds=((on_rejected, message.protocol_instance_id, None),))


_ON_MESSAGE: Mapping[str, Callable[[ExecutionState, ProtocolMessage, CommandContext], Transition]] = {
    Acceptance.DESCRIPTOR.full_name: _accept,
    Response.DESCRIPTOR.full_name: _respond,
    Rejection.DESCRIPTOR.full_name: _reject,
}
"""Body of a protocol message -> decision(state, message, context)."""


def _body(message: ProtocolMessage, body: Any) -> Any:
    if not message.body.Unpack(body):
        raise _bad(f"protocol message {message.id!r} cannot be read as {body.DESCRIPTOR.full_name}")
    return body


def _bad(message: str) -> BadCommand:
    return BadCommand(_e.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE, message)


def unordered(messages: Iterable[ProtocolMessage], commands: Iterable[Command]) -> Iterator[ProtocolMessage]:
    """The messages that no command names."""
    named = {command.protocol_message_command_attributes.message_id for command in commands}
    return (message for message in messages if message.id not in named)


def rejections(messages: Iterable[ProtocolMessage]) -> Iterator[tuple[str, Failure]]:
    """The updates that a completion rejects, with the reason."""
    for message in messages:
        if message.body.Is(Rejection.DESCRIPTOR):
            yield message.protocol_instance_id, _body(message, Rejection()).failure


def unprocessed() -> Failure:
    """The reason for rejecting an update that the worker was shown and did not answer: its SDK knows no updates."""
    failure = failures.application(
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported "
        "by the worker.",
        "UnprocessedUpdate",
        non_retryable=True,
    )
    failure.source = failures.SERVER
    return failure


# -- folds ---------------------------------------------------------------------------------------------------------


def on_admitted(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_update_admitted_event_attributes
    state.updates[attributes.request.meta.update_id] = Update()


def on_rejected(state: ExecutionState, update_id: str, _: None) -> None:
    """An update that a reset had brought is refused by the new code, which leaves no event."""
    del state.updates[update_id]


def on_accepted(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_update_accepted_event_attributes
    state.updates[attributes.protocol_instance_id] = Update(event.event_id)


def on_completed(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_update_completed_event_attributes
    state.updates[attributes.meta.update_id] = Update(attributes.accepted_event_id, event.event_id)
