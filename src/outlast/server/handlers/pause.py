"""PauseWorkflowExecution and UnpauseWorkflowExecution."""

from __future__ import annotations

from collections.abc import Callable

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.workflowservice.v1 import (
    PauseWorkflowExecutionRequest,
    PauseWorkflowExecutionResponse,
    UnpauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionResponse,
)
from outlast.engine.execution import advance
from outlast.engine.execution import pause as engine
from outlast.engine.transition import Transition

from .. import queries
from ..context import CallContext
from ..node import Node, required
from ..runs import Run
from . import lookup


async def pause(
    node: Node, request: PauseWorkflowExecutionRequest, context: CallContext
) -> PauseWorkflowExecutionResponse:
    """Hand out nothing of the open run any more. Queries that no worker has seen are answered with the status."""
    run = await _changed(node, request, engine.pause)
    queries.reject_unseen(run)
    await run.settled()
    return PauseWorkflowExecutionResponse()


async def unpause(
    node: Node, request: UnpauseWorkflowExecutionRequest, context: CallContext
) -> UnpauseWorkflowExecutionResponse:
    """Let the paused run go on, beginning with a workflow task."""
    run = await _changed(node, request, engine.unpause)
    await run.settled()
    return UnpauseWorkflowExecutionResponse()


async def _changed(
    node: Node,
    request: PauseWorkflowExecutionRequest | UnpauseWorkflowExecutionRequest,
    decide: Callable[..., Transition],
) -> Run:
    name = request.DESCRIPTOR.name.removesuffix("Request")
    required(name, workflow_id=request.workflow_id)
    words = {"reason": request.reason, "request_id": request.request_id, "identity": request.identity}
    engine.check(f"{name} of workflow {request.workflow_id!r}", **words)
    execution = WorkflowExecution(workflow_id=request.workflow_id, run_id=request.run_id)
    run = await lookup.open_run(node, request.namespace, execution)
    draft = node.runs.draft(run)
    draft.apply(decide(draft.state, draft.now, **words))
    advance.settle(draft)
    if draft.changed:
        await node.runs.commit(run, draft)
    return run
