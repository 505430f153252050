"""RequestCancelWorkflowExecution."""

from __future__ import annotations

from outlast.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    RequestCancelWorkflowExecutionResponse,
)
from outlast.engine.execution import advance, cancellation

from ..context import CallContext
from ..node import Node, required
from . import lookup


async def request(
    node: Node, request: RequestCancelWorkflowExecutionRequest, context: CallContext
) -> RequestCancelWorkflowExecutionResponse:
    """Ask the run to cancel itself; success, too, where it is closed or was asked before."""
    required("RequestCancelWorkflowExecution", workflow_id=request.workflow_execution.workflow_id)
    run = await lookup.run(node, request.namespace, request.workflow_execution, request.first_execution_run_id)
    draft = node.runs.draft(run)
    draft.apply(cancellation.request(draft.state, request, draft.now))
    advance.settle(draft)
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return RequestCancelWorkflowExecutionResponse()
