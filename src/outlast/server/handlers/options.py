"""UpdateWorkflowExecutionOptions."""

from __future__ import annotations

from outlast.api.workflowservice.v1 import (
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
)
from outlast.engine.execution import advance, options

from ..context import CallContext
from ..node import Node, required
from . import lookup


async def update(
    node: Node, request: UpdateWorkflowExecutionOptionsRequest, context: CallContext
) -> UpdateWorkflowExecutionOptionsResponse:
    """Change the options of the open run that the mask names, from its next task on; answers all of them."""
    required("UpdateWorkflowExecutionOptions", workflow_id=request.workflow_execution.workflow_id)
    run = await lookup.open_run(node, request.namespace, request.workflow_execution)
    draft = node.runs.draft(run)
    changes = request.workflow_execution_options
    draft.apply(options.update(draft.state, changes, request.update_mask, draft.now, request.identity))
    advance.settle(draft)
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return UpdateWorkflowExecutionOptionsResponse(workflow_execution_options=options.of(draft.state))
