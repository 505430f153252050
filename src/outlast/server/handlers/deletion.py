"""DeleteWorkflowExecution."""

from __future__ import annotations

from outlast.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, DeleteWorkflowExecutionResponse
from outlast.engine.execution import advance, retention

from ..context import CallContext
from ..node import Node, required
from . import lookup


async def delete(
    node: Node, request: DeleteWorkflowExecutionRequest, context: CallContext
) -> DeleteWorkflowExecutionResponse:
    """Delete a run with its history and its row in the lists; an open one is terminated first.

    Only the run that is named goes, the latest without a run id; other runs of its chain stay. What the run still owes
    to its children and its parent is done before it is gone, after the reply where that takes long.
    """
    required("DeleteWorkflowExecution", workflow_id=request.workflow_execution.workflow_id)
    run = await lookup.run(node, request.namespace, request.workflow_execution)
    draft = node.runs.draft(run)
    if draft.state.running:
        advance.terminate(draft, reason="Delete workflow execution", identity="history-service")
    draft.apply(retention.give_up(draft.state, draft.now))
    await node.runs.commit(run, draft)
    await node.runs.delete_if_over(run)
    return DeleteWorkflowExecutionResponse()
