"""TerminateWorkflowExecution."""

from __future__ import annotations

from outlast.api.workflowservice.v1 import TerminateWorkflowExecutionRequest, TerminateWorkflowExecutionResponse
from outlast.engine.execution import advance

from ..context import CallContext
from ..node import Node, required
from . import lookup


async def terminate(
    node: Node, request: TerminateWorkflowExecutionRequest, context: CallContext
) -> TerminateWorkflowExecutionResponse:
    """Close the open run without asking the workflow."""
    required("TerminateWorkflowExecution", workflow_id=request.workflow_execution.workflow_id)
    run = await lookup.open_run(node, request.namespace, request.workflow_execution, request.first_execution_run_id)
    draft = node.runs.draft(run)
    details = request.details if request.HasField("details") else None
    advance.terminate(draft, reason=request.reason, details=details, identity=request.identity)
    await node.runs.commit(run, draft)
    return TerminateWorkflowExecutionResponse()
