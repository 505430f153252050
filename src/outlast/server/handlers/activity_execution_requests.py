"""RequestCancelActivityExecution, TerminateActivityExecution, DeleteActivityExecution."""

from __future__ import annotations

import uuid

from outlast.api.workflowservice.v1 import (
    DeleteActivityExecutionRequest,
    DeleteActivityExecutionResponse,
    RequestCancelActivityExecutionRequest,
    RequestCancelActivityExecutionResponse,
    TerminateActivityExecutionRequest,
    TerminateActivityExecutionResponse,
)
from outlast.engine.activity_execution import requests
from outlast.engine.execution import advance, retention

from ..context import CallContext
from ..node import Node
from . import lookup


async def request_cancel(
    node: Node, request: RequestCancelActivityExecutionRequest, context: CallContext
) -> RequestCancelActivityExecutionResponse:
    """Ask the activity to cancel itself; one that no worker has is cancelled on return."""
    requests.check(request)
    run = await lookup.activity_run(node, request)
    request.request_id = request.request_id or str(uuid.uuid4())
    draft = node.runs.draft(run)
    draft.apply(requests.request_cancel(draft.state, request, draft.now))
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return RequestCancelActivityExecutionResponse()


async def terminate(
    node: Node, request: TerminateActivityExecutionRequest, context: CallContext
) -> TerminateActivityExecutionResponse:
    """End the activity without asking its worker."""
    requests.check(request)
    run = await lookup.activity_run(node, request)
    request.request_id = request.request_id or str(uuid.uuid4())
    draft = node.runs.draft(run)
    requests.terminate(draft, request)
    if draft.changed:
        await node.runs.commit(run, draft)
    await run.settled()
    return TerminateActivityExecutionResponse()


async def delete(
    node: Node, request: DeleteActivityExecutionRequest, context: CallContext
) -> DeleteActivityExecutionResponse:
    """Delete a run with its result and its row in the lists; an open one is terminated first."""
    run = await lookup.activity_run(node, request)
    draft = node.runs.draft(run)
    if draft.state.running:
        advance.terminate(draft, reason="Delete activity execution")
    draft.apply(retention.give_up(draft.state, draft.now))
    await node.runs.commit(run, draft)
    await node.runs.delete_if_over(run)
    return DeleteActivityExecutionResponse()
