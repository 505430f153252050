"""Cancellation of the workflow: a request is an event, and the workflow decides what it means.

Source: WorkflowExecutionCancelRequested event; rules 3.3.4 and 3.5.8.
"""

from __future__ import annotations

from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import RequestCancelWorkflowExecutionRequest

from ..transition import NOTHING, Transition
from .events import new_event
from .state import ExecutionState, on_delay_over


def request(
    state: ExecutionState, message: RequestCancelWorkflowExecutionRequest, now: int, **source: Any
) -> Transition:
    """Ask an open run to cancel itself. A run that was asked before, or is closed, stays as it is: success.

    Args:
        source: ``external_workflow_execution`` and ``external_initiated_event_id`` where another workflow asks.
    """
    if not state.running or state.cancel_requested:
        return NOTHING
    event = new_event(
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        now,
        {"cause": message.reason, "identity": message.identity, **source},
    )
    return Transition((event,), folds=((on_delay_over, None, None),) if state.first_task_pending else (), wakes=True)


def on_requested(state: ExecutionState, event: HistoryEvent) -> None:
    state.cancel_requested = True
