"""What one run does to another: it signals it, asks it to cancel itself, and at its close ends it.

A workflow cannot send to itself. A request that only a child may take is refused by everybody else.

Source: WorkflowExecutionSignaled, WorkflowExecutionCancelRequested; rules 3.3.4, 3.5.10, 3.6.5.
"""

from __future__ import annotations

from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import RequestCancelWorkflowExecutionRequest
from outlast.vocab import ids, limits
from outlast.vocab.attributes import event_attributes

from ..transition import Transition
from . import advance, cancellation, signal
from .draft import Draft
from .state import Child, ExecutionState

NOT_FOUND = _e.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
NAMESPACE_NOT_FOUND = _e.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
TOO_MANY_SIGNALS = _e.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED
assert NOT_FOUND == _e.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
assert NAMESPACE_NOT_FOUND == _e.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND

_IDENTITY = "history-service"
_BY_POLICY = "by parent close policy"


class Undeliverable(Exception):
    """The target does not take the request, for ``cause``; the sender's workflow is told."""

    def __init__(self, cause: int) -> None:
        super().__init__(cause)
        self.cause = cause


def deliver(sender: ExecutionState, initiated: HistoryEvent, target: ExecutionState, now: int) -> Transition:
    """What the request does to the target.

    Raises:
        Undeliverable: the target is no child of the sender's where only a child will do, it is the sender itself, it is
            closed, or it takes no more signals.
    """
    if target.workflow_id == sender.workflow_id:
        raise Undeliverable(NOT_FOUND)
    attributes: Any = event_attributes(initiated)
    parent = (target.parent_workflow_id, target.parent_run_id)
    if attributes.child_workflow_only and parent != (sender.workflow_id, sender.run_id):
        raise Undeliverable(NOT_FOUND)
    source = {"workflow_id": sender.workflow_id, "run_id": sender.run_id}
    if initiated.event_type == _e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        return cancellation.request(
            target,
            RequestCancelWorkflowExecutionRequest(reason=attributes.reason, identity=_IDENTITY),
            now,
            external_initiated_event_id=initiated.event_id,
            external_workflow_execution=source,
        )
    if not target.running:
        raise Undeliverable(NOT_FOUND)
    if target.signal_count >= limits.SIGNALS_PER_RUN_MAX:
        raise Undeliverable(TOO_MANY_SIGNALS)
    fields = {name: getattr(attributes, name) for name in ("input", "header") if attributes.HasField(name)}
    return signal.signal(
        target,
        now,
        name=attributes.signal_name,
        request_id=ids.request_id(sender.run_id, initiated.event_id),
        identity=_IDENTITY,
        external_workflow_execution=source,
        **fields,
    )


def close_child(draft: Draft, parent: ExecutionState, child: Child) -> None:
    """Apply the parent's close policy to the child's current run, unless that is closed or of another chain."""
    state = draft.state
    if not state.running or state.first_run_id != child.run_id:
        return
    if child.parent_close_policy == _e.PARENT_CLOSE_POLICY_TERMINATE:
        advance.terminate(draft, reason=_BY_POLICY, identity=_IDENTITY)
        return
    request = RequestCancelWorkflowExecutionRequest(reason=_BY_POLICY, identity=_IDENTITY)
    source = {"workflow_id": parent.workflow_id, "run_id": parent.run_id}
    draft.apply(cancellation.request(state, request, draft.now, external_workflow_execution=source))
