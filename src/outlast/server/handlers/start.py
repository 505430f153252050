"""StartWorkflowExecution and SignalWithStartWorkflowExecution."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import msgspec

from outlast.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
)
from outlast.engine.execution import advance
from outlast.engine.execution import signal as signals
from outlast.engine.execution import start as starting
from outlast.engine.execution.draft import Draft
from outlast.storage.port import RunKey
from outlast.vocab.errors import NotFound

from .. import tasks
from ..context import CallContext
from ..node import Node
from ..runs import Run


class _Led(NamedTuple):
    """Where a start request led."""

    run: Run
    started: bool


async def start(
    node: Node, request: StartWorkflowExecutionRequest, context: CallContext
) -> StartWorkflowExecutionResponse:
    """Start a run, or answer with the one that the request id or the policies lead to."""
    starting.validate(request)
    namespace_id = node.namespaces.id_of(request.namespace, starting=True)
    current = await current_run(node, namespace_id, request.workflow_id)
    way = starting.route(current.state if current else None, request)
    if way in (starting.Way.NEW, starting.Way.REPLACE):
        waits = request.cron_schedule or request.HasField("workflow_start_delay")
        eager = request.request_eager_execution and not waits
        run, draft = begin(node, namespace_id, request, current, eager=eager)
        response = StartWorkflowExecutionResponse(started=True, status=run.state.status)
        if eager:
            tasks.start_inline(node, draft, identity=request.identity)
        await commit(node, run, draft, current if way is starting.Way.REPLACE else None)
        if eager:
            response.eager_workflow_task.CopyFrom(await tasks.workflow_task(node, run, request.namespace))
    else:
        assert current is not None
        run = current
        if way is starting.Way.EXISTING:
            await attach(node, run, request)
        await run.settled()
        response = StartWorkflowExecutionResponse(started=way is starting.Way.SAME_REQUEST, status=run.state.status)
    response.run_id = run.key.run_id
    response.first_execution_run_id = run.state.first_run_id
    return response


async def signal_with_start(
    node: Node, request: SignalWithStartWorkflowExecutionRequest, context: CallContext
) -> SignalWithStartWorkflowExecutionResponse:
    """Signal the open run, or start one whose first events are its start and the signal."""
    starting.validate(request)
    namespace_id = node.namespaces.id_of(request.namespace, starting=True)
    current = await current_run(node, namespace_id, request.workflow_id)
    way = starting.route(current.state if current else None, request)
    replaced = None
    if way in (starting.Way.NEW, starting.Way.REPLACE):
        run, draft = begin(node, namespace_id, request, current, wakes=False)
        replaced = current if way is starting.Way.REPLACE else None
    else:
        assert current is not None
        run, draft = current, node.runs.draft(current)
    fields: dict[str, Any] = {"input": request.signal_input} if request.HasField("signal_input") else {}
    if request.HasField("header"):
        fields["header"] = request.header
    if run.state.running:
        signals.require_not_closing(run.state)
        draft.apply(
            signals.signal(
                draft.state,
                draft.now,
                name=request.signal_name,
                request_id=request.request_id,
                identity=request.identity,
                starts=True,
                **fields,
            )
        )
        advance.settle(draft)
    if draft.changed:
        await commit(node, run, draft, replaced)
    await run.settled()
    return SignalWithStartWorkflowExecutionResponse(
        run_id=run.key.run_id,
        first_execution_run_id=run.state.first_run_id,
        started=way in (starting.Way.NEW, starting.Way.REPLACE, starting.Way.SAME_REQUEST),
    )


async def attach(node: Node, run: Run, request: StartWorkflowExecutionRequest) -> None:
    """Let the open run know of a start request that led to it, where the request wants that."""
    draft = node.runs.draft(run)
    draft.apply(starting.attach(draft.state, request, draft.now))
    advance.settle(draft)
    if draft.changed:
        await node.runs.commit(run, draft)


async def current_run(node: Node, namespace_id: str, workflow_id: str) -> Run | None:
    """The latest run of a workflow id; None when there never was one."""
    try:
        return await node.runs.find(namespace_id, workflow_id)
    except NotFound:
        return None


def begin(
    node: Node,
    namespace_id: str,
    request: starting.StartRequest,
    current: Run | None,
    *,
    eager: bool = False,
    wakes: bool = True,
) -> tuple[Run, Draft]:
    """A new run with its first event; ``wakes`` is False where what follows at once schedules the workflow task."""
    key = RunKey(namespace_id, request.workflow_id, str(uuid.uuid4()))
    run = node.runs.create(key, current.key.run_id if current else None)
    draft = node.runs.draft(run)
    attributes = node.namespaces.typed(
        namespace_id, request.search_attributes, f"start of workflow {request.workflow_id!r}"
    )
    started = starting.begin(request, draft.now, run_id=key.run_id, eager=eager, search_attributes=attributes)
    draft.apply(started if wakes else msgspec.structs.replace(started, wakes=False))
    return run, draft


async def commit(node: Node, run: Run, draft: Draft, replaced: Run | None) -> None:
    """Make a new run durable, in one commit with the end of the open run that it replaces."""
    if replaced is None:
        await node.runs.commit(run, draft)
        return
    ended = node.runs.draft(replaced)
    advance.supersede(ended, run.key.run_id)
    await node.runs.commit(run, draft, replaced=(replaced, ended))
