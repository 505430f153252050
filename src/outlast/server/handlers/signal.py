"""SignalWorkflowExecution."""

from __future__ import annotations

from typing import Any

from outlast.api.workflowservice.v1 import SignalWorkflowExecutionRequest, SignalWorkflowExecutionResponse
from outlast.engine.execution import advance
from outlast.engine.execution import signal as signals

from ..context import CallContext
from ..node import Node, required
from . import lookup


async def signal(
    node: Node, request: SignalWorkflowExecutionRequest, context: CallContext
) -> SignalWorkflowExecutionResponse:
    """Record a signal on the open run."""
    required(
        "SignalWorkflowExecution",
        workflow_id=request.workflow_execution.workflow_id,
        signal_name=request.signal_name,
    )
    run = await lookup.open_run(node, request.namespace, request.workflow_execution)
    fields: dict[str, Any] = {name: getattr(request, name) for name in ("input", "header") if request.HasField(name)}
    if request.links:
        fields["links"] = request.links
    signals.require_not_closing(run.state)
    draft = node.runs.draft(run)
    draft.apply(
        signals.signal(
            draft.state,
            draft.now,
            name=request.signal_name,
            request_id=request.request_id,
            identity=request.identity,
            **fields,
        )
    )
    advance.settle(draft)
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return SignalWorkflowExecutionResponse()
