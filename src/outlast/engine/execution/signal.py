"""Signals from outside: recorded in order of arrival, once per request id, at most 10,000 per run.

Source: WorkflowExecutionSignaled event; rules 3.5.5, 3.5.8, 3.5.9.
"""

from __future__ import annotations

from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, ResourceExhausted

from ..transition import NOTHING, Transition
from . import size, workflow_task
from .events import new_event
from .state import ExecutionState, on_delay_over


def signal(
    state: ExecutionState, now: int, *, name: str, request_id: str, identity: str, starts: bool = False, **fields: Any
) -> Transition:
    """Record a signal on an open run.

    Args:
        request_id: a request seen before is answered without a second event; "" is never deduplicated.
        starts: the signal belongs to a signal-with-start, which wakes a run that waits for its start delay.
        fields: ``input``, ``header`` and ``links`` messages, and ``external_workflow_execution``, where present.

    Raises:
        InvalidArgument: the name is empty, it or the request id is too long, or the run has had its 10,000 signals.
    """
    if not name:
        raise InvalidArgument("SignalWorkflowExecution: signal_name is empty; name the signal to deliver")
    for field, value in (("signal_name", name), ("request_id", request_id)):
        if len(value.encode()) > limits.ID_BYTES_MAX:
            raise InvalidArgument(f"SignalWorkflowExecution: {field} is longer than {limits.ID_BYTES_MAX} bytes")
    if request_id and request_id in state.request_ids:
        return NOTHING
    if state.signal_count >= limits.SIGNALS_PER_RUN_MAX:
        raise InvalidArgument(
            f"workflow {state.workflow_id!r} run {state.run_id} has received {state.signal_count} signals, the most a "
            "run may have; let the workflow continue as new"
        )
    links = fields.pop("links", None)
    size.check_links(len(links or ()), f"signal {name!r} to workflow {state.workflow_id!r}")
    attributes = {"signal_name": name, "identity": identity, "request_id": request_id, **fields}
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, now, attributes, **({"links": links} if links else {}))
    skip_delay = ((on_delay_over, None, None),) if starts and state.first_task_pending else ()
    return Transition((event,), folds=skip_delay, wakes=True)


def require_not_closing(state: ExecutionState) -> None:
    """Keep callers from outside back while the workflow tries to close once more (rule 3.4.8).

    Raises:
        ResourceExhausted: a close was held up by what came in meanwhile, and the workflow is at it again.
    """
    if workflow_task.close_attempted(state):
        raise ResourceExhausted(
            f"workflow is closing: workflow {state.workflow_id!r} run {state.run_id}; send it again in a moment",
            cause=_e.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
            scope=_e.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
        )


def on_signaled(state: ExecutionState, event: HistoryEvent) -> None:
    state.signal_count += 1
    request_id = event.workflow_execution_signaled_event_attributes.request_id
    if request_id:
        state.request_ids[request_id] = event.event_type
        if len(state.request_ids) > limits.REQUEST_IDS_MAX:
            del state.request_ids[next(iter(state.request_ids))]
