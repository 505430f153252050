"""Signals and cancel requests to other workflows of the namespace, children included.

    (none) --initiate--> pending --deliver | refuse--> (gone)

The target's event and the sender's answer are one commit; what the target does is in ``delivery``. A sender that closes
first sends nothing more.

Source: SignalExternalWorkflowExecution, RequestCancelExternalWorkflowExecution; rules 3.3.3, 3.4.10, 3.5.10.
"""

from __future__ import annotations

from typing import Any

from outlast.api.command.v1 import (
    RequestCancelExternalWorkflowExecutionCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
)
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import ids, limits
from outlast.vocab.attributes import event_attributes

from ..command import BadCommand, CommandContext
from ..effects import RequestCancelExternal, SignalExternal
from ..transition import NOTHING, Transition
from .events import new_event
from .state import ExecutionState, ExternalRequest

_BAD_SIGNAL = _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES
_BAD_CANCEL = _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES

# -- the sender asks --------------------------------------------------------------------------------------------------


def initiate_signal(
    state: ExecutionState, command: SignalExternalWorkflowExecutionCommandAttributes, context: CommandContext
) -> Transition:
    """Ask for a signal to another workflow.

    Raises:
        BadCommand: no target, no name, a run id that is none, another namespace, or too many signals pending.
    """
    subject = f"SignalExternalWorkflowExecution of workflow {command.execution.workflow_id!r}"
    _check_target(command.execution.workflow_id, command.execution.run_id, subject, _BAD_SIGNAL)
    if not command.signal_name:
        raise BadCommand(_BAD_SIGNAL, f"{subject}: signal_name is empty; name the signal to deliver")
    context.refuse_other_namespace(command.namespace, state.namespace_id, subject, _BAD_SIGNAL)
    if len(state.external_signals) >= limits.PENDING_SIGNALS_MAX:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
            f"{subject}: {len(state.external_signals)} signals are on their way, the most a run may have; await some",
        )
    attributes: dict[str, Any] = {
        **_initiated(state, command, context),
        "workflow_execution": command.execution,
        "signal_name": command.signal_name,
    }
    for name in ("input", "header"):
        if command.HasField(name):
            attributes[name] = getattr(command, name)
    event = new_event(_e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, context.now, attributes)
    return Transition((event,), (SignalExternal(state.next_event_id),))


def initiate_cancel(
    state: ExecutionState, command: RequestCancelExternalWorkflowExecutionCommandAttributes, context: CommandContext
) -> Transition:
    """Ask for another workflow to cancel itself.

    Raises:
        BadCommand: no target, a run id that is none, another namespace, too many pending, or a child that the same
            workflow task starts (rule 3.3.3).
    """
    subject = f"RequestCancelExternalWorkflowExecution of workflow {command.workflow_id!r}"
    _check_target(command.workflow_id, command.run_id, subject, _BAD_CANCEL)
    context.refuse_other_namespace(command.namespace, state.namespace_id, subject, _BAD_CANCEL)
    for child in reversed(state.children.values()):
        if child.initiated_event_id < context.completed_event_id:
            break
        if child.workflow_id == command.workflow_id:
            raise BadCommand(_BAD_CANCEL, f"{subject}: the same workflow task starts this child; send neither command")
    if len(state.external_cancels) >= limits.PENDING_CANCEL_REQUESTS_MAX:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
            f"{subject}: {len(state.external_cancels)} cancel requests are on their way, the most a run may have; "
            "await some",
        )
    attributes = {
        **_initiated(state, command, context),
        "workflow_execution": {"workflow_id": command.workflow_id, "run_id": command.run_id},
        "reason": command.reason,
    }
    event = new_event(_e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, context.now, attributes)
    return Transition((event,), (RequestCancelExternal(state.next_event_id),))


def _check_target(workflow_id: str, run_id: str, subject: str, cause: int) -> None:
    if not workflow_id or len(workflow_id.encode()) > limits.ID_BYTES_MAX:
        raise BadCommand(cause, f"{subject}: workflow_id must have 1 to {limits.ID_BYTES_MAX} bytes")
    if run_id and not ids.is_run_id(run_id):
        raise BadCommand(cause, f"{subject}: run_id {run_id!r} is not a UUID; leave it out for the latest run")


def _initiated(state: ExecutionState, command: Any, context: CommandContext) -> dict[str, Any]:
    namespace = command.namespace or context.namespace
    return {
        "workflow_task_completed_event_id": context.completed_event_id,
        "namespace": namespace,
        "namespace_id": state.namespace_id if namespace == context.namespace else "",
        "control": command.control,
        "child_workflow_only": command.child_workflow_only,
    }


# -- the sender is answered -------------------------------------------------------------------------------------------

_DELIVERED = {
    _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
    _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: (
        _e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    ),
}
_REFUSED = {
    _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: (
        _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
    ),
    _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: (
        _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
    ),
}


def record_delivery(state: ExecutionState, initiated: HistoryEvent, now: int) -> Transition:
    """Tell the sender that the target has its request. Nothing when it does not wait for that."""
    if not _pends(state, initiated.event_id):
        return NOTHING
    asked: Any = event_attributes(initiated)
    attributes = _answer(initiated, asked)
    if initiated.event_type == _e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        attributes["control"] = asked.control
    return Transition((new_event(_DELIVERED[initiated.event_type], now, attributes),), wakes=True)


def record_refusal(state: ExecutionState, initiated: HistoryEvent, cause: int, now: int) -> Transition:
    """Tell the sender that the target does not get its request. Nothing when it does not wait for that."""
    if not _pends(state, initiated.event_id):
        return NOTHING
    asked: Any = event_attributes(initiated)
    attributes = {
        **_answer(initiated, asked),
        "control": asked.control,
        "cause": cause,
        "workflow_task_completed_event_id": asked.workflow_task_completed_event_id,
    }
    return Transition((new_event(_REFUSED[initiated.event_type], now, attributes),), wakes=True)


def _pends(state: ExecutionState, initiated_event_id: int) -> bool:
    return initiated_event_id in state.external_signals or initiated_event_id in state.external_cancels


def _answer(initiated: HistoryEvent, asked: Any) -> dict[str, Any]:
    return {
        "initiated_event_id": initiated.event_id,
        "namespace": asked.namespace,
        "namespace_id": asked.namespace_id,
        "workflow_execution": asked.workflow_execution,
    }


# -- folds ------------------------------------------------------------------------------------------------------------


def on_signal_initiated(state: ExecutionState, event: HistoryEvent) -> None:
    state.external_signals[event.event_id] = _pending(event)


def on_cancel_initiated(state: ExecutionState, event: HistoryEvent) -> None:
    state.external_cancels[event.event_id] = _pending(event)


def on_signal_ended(state: ExecutionState, event: HistoryEvent) -> None:
    attributes: Any = event_attributes(event)
    state.external_signals.pop(attributes.initiated_event_id, None)


def on_cancel_ended(state: ExecutionState, event: HistoryEvent) -> None:
    attributes: Any = event_attributes(event)
    state.external_cancels.pop(attributes.initiated_event_id, None)


def on_sender_closed(state: ExecutionState) -> None:
    """A closed run sends nothing more."""
    state.external_signals = {}
    state.external_cancels = {}


def _pending(event: HistoryEvent) -> ExternalRequest:
    attributes: Any = event_attributes(event)
    return ExternalRequest(
        initiated_event_id=event.event_id,
        namespace=attributes.namespace,
        workflow_id=attributes.workflow_execution.workflow_id,
        run_id=attributes.workflow_execution.run_id,
        child_only=attributes.child_workflow_only,
    )
