"""QueryWorkflow and RespondQueryTaskCompleted."""

from __future__ import annotations

import asyncio
import uuid

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import (
    QueryWorkflowRequest,
    QueryWorkflowResponse,
    RespondQueryTaskCompletedRequest,
    RespondQueryTaskCompletedResponse,
)
from outlast.engine import tokens
from outlast.engine.execution import query as engine
from outlast.storage.port import RunKey
from outlast.vocab import limits
from outlast.vocab.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    NotFound,
    ResourceExhausted,
    WorkflowNotReady,
)

from ..context import CallContext
from ..node import Node, required
from ..queries import PendingQuery, rejected
from ..runs import Run
from ..task_queues import QueueId
from . import lookup


async def query(node: Node, request: QueryWorkflowRequest, context: CallContext) -> QueryWorkflowResponse:
    """Ask the workflow through its worker; the answer sees everything recorded before the question."""
    required("QueryWorkflow", workflow_id=request.execution.workflow_id, query_type=request.query.query_type)
    run = await lookup.run(node, request.namespace, request.execution)
    if engine.rejected(run.state, request.query_reject_condition):
        await run.settled()
        return rejected(run.state.status)
    if len(run.queries) >= limits.QUERIES_PENDING_MAX:
        raise ResourceExhausted(
            f"workflow {run.key.workflow_id!r} has {len(run.queries)} queries waiting, the most it may have; ask again "
            "when some are answered",
            cause=_e.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
            scope=_e.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
        )
    engine.require_answerable(run.state)
    pending = PendingQuery(uuid.uuid4().hex, request.query)
    run.queries[pending.query_id] = pending
    try:
        node.dispatch_queries(run)
        await _answered(node, run, pending, node.until(context, limits.QUERY_WAIT_NS))
        answer = pending.answer.result()
    finally:
        run.queries.pop(pending.query_id, None)
    await run.settled()
    return answer


async def _answered(node: Node, run: Run, pending: PendingQuery, until: int) -> None:
    """Wait for the answer until an instant; a sticky queue that keeps silent loses the query to the normal one."""
    if pending.sticky:
        patience = node.wall.now() + (run.state.sticky_timeout_ns or limits.STICKY_QUERY_NS)
        if patience < until and not await _wait(node, pending, patience):
            node.dispatch_directly(run, pending, sticky=False)
    if pending.answer.done() or await _wait(node, pending, until):
        return
    name = run.key.workflow_id
    if not engine.ready(run.state):
        raise WorkflowNotReady(
            f"workflow {name!r} has not run its first workflow task yet, so there is nothing to ask; is a worker "
            f"polling task queue {run.state.queue!r}?"
        )
    if not pending.shown and not node.queues.served(QueueId(run.key.namespace_id, run.state.queue, "workflow")):
        raise FailedPrecondition(f"no worker polls task queue {run.state.queue!r} of workflow {name!r}; start one")
    raise DeadlineExceeded(f"the worker did not answer the query {pending.query.query_type!r} of workflow {name!r}")


async def _wait(node: Node, pending: PendingQuery, until: int) -> bool:
    """Wait for the answer; False when the instant came first."""
    timeout: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    alarm = node.wall.call_at(until, lambda: None if timeout.done() else timeout.set_result(None))
    try:
        await asyncio.wait((pending.answer, timeout), return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
        timeout.cancel()
    return pending.answer.done()


async def respond(
    node: Node, request: RespondQueryTaskCompletedRequest, context: CallContext
) -> RespondQueryTaskCompletedResponse:
    """A worker's answer to a query that was a task of its own."""
    token = tokens.decode(tokens.QueryTaskToken, request.task_token)
    run = await node.runs.get(RunKey(token.namespace_id, token.workflow_id, token.run_id))
    pending = run.queries.get(token.query_id)
    if pending is None:
        raise NotFound(f"nobody waits for query {token.query_id} of workflow {token.workflow_id!r} any longer")
    pending.resolve(request)
    return RespondQueryTaskCompletedResponse()
