"""UpdateWorkflowExecution and PollWorkflowExecutionUpdate."""

from __future__ import annotations

import asyncio
import uuid

from outlast.api.common.v1 import WorkflowExecution
from outlast.api.update.v1 import Outcome, Request, UpdateRef
from outlast.api.workflowservice.v1 import (
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowExecutionUpdateResponse,
    UpdateWorkflowExecutionRequest,
    UpdateWorkflowExecutionResponse,
)
from outlast.engine.execution import update as engine
from outlast.vocab import limits
from outlast.vocab.errors import DeadlineExceeded, NotFound, ServiceError

from .. import updates
from ..context import CallContext
from ..node import Node, required
from ..runs import Run
from ..updates import Left, PendingUpdate
from . import lookup


async def update(
    node: Node, request: UpdateWorkflowExecutionRequest, context: CallContext
) -> UpdateWorkflowExecutionResponse:
    """Ask the workflow, and wait for the stage; after 20 s the answer is the stage reached by then."""
    engine.validate(request)
    asked = with_id(request.request)
    limit = until(node, context)
    while True:
        run = await lookup.run(
            node, request.namespace, request.workflow_execution, first_run_id=request.first_execution_run_id
        )
        updates.admit(run, asked)
        updates.dispatch(node.runs, run)
        response = await reply(node, run, asked.meta.update_id, stage_of(request), limit, context)
        if response is not None:
            return response


def with_id(request: Request) -> Request:
    """The request as the run keeps it: with an update id."""
    kept = Request()
    kept.CopyFrom(request)
    kept.meta.update_id = kept.meta.update_id or str(uuid.uuid4())
    return kept


def stage_of(request: UpdateWorkflowExecutionRequest) -> int:
    """The stage that the request waits for: ACCEPTED unless it says COMPLETED."""
    return max(request.wait_policy.lifecycle_stage, engine.ACCEPTED)


async def reply(
    node: Node, run: Run, update_id: str, stage: int, until: int, context: CallContext
) -> UpdateWorkflowExecutionResponse | None:
    """Wait for the stage; None when the run was followed by another, to which the update has to be sent again."""
    found = await _reached(node, run, update_id, stage, until)
    if found is None:
        return None
    if found.stage < stage:
        _require_time(node, context, update_id)
    return UpdateWorkflowExecutionResponse(
        update_ref=_reference(run, update_id), stage=found.stage, outcome=await _outcome(node, run, found)
    )


async def poll(
    node: Node, request: PollWorkflowExecutionUpdateRequest, context: CallContext
) -> PollWorkflowExecutionUpdateResponse:
    """Wait for a stage of an update that was sent before; without a wait policy the answer comes at once."""
    reference = request.update_ref
    required(
        "PollWorkflowExecutionUpdate",
        workflow_id=reference.workflow_execution.workflow_id,
        update_id=reference.update_id,
    )
    run = await lookup.run(node, request.namespace, reference.workflow_execution)
    stage = request.wait_policy.lifecycle_stage
    found = await _reached(node, run, reference.update_id, stage, until(node, context))
    if found is None:
        raise engine.aborted(run.state, reference.update_id)
    if found.stage < stage:
        _require_time(node, context, reference.update_id)
    return PollWorkflowExecutionUpdateResponse(
        update_ref=_reference(run, reference.update_id),
        stage=found.stage,
        outcome=await _outcome(node, run, found),
    )


async def _reached(node: Node, run: Run, update_id: str, stage: int, until: int) -> engine.Reached | None:
    """How far the update has come, once it has come to ``stage`` or time is up; None when the next run has to be asked.

    Raises:
        NotFound: the run does not know the update.
        ServiceError: the update was refused.
    """
    pending = run.updates.get(update_id)
    if pending is not None:
        if stage <= engine.ADMITTED or not await _ended(node, pending, until):
            return engine.Reached(engine.ADMITTED)
        end = pending.end.result()
        if isinstance(end, ServiceError):
            raise end
        if not isinstance(end, Left):
            await run.settled()
            return engine.Reached(engine.COMPLETED, outcome=end)
        if end is Left.MOVED:
            await run.settled()
            return None
    while True:
        found = engine.reached(run.state, update_id)
        if found is None:
            raise NotFound(
                f"update {update_id!r} of workflow {run.key.workflow_id!r} run {run.key.run_id} is not known: it was "
                "never sent to this run, was rejected, or was lost before it was accepted; send it"
            )
        if found.stage >= stage or node.closing or not await node.runs.changed(run, until):
            await run.settled()
            return found


async def _ended(node: Node, pending: PendingUpdate, until: int) -> bool:
    """Wait for the end of the waiting; False when the instant came first."""
    timeout: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    alarm = node.wall.call_at(until, lambda: None if timeout.done() else timeout.set_result(None))
    try:
        await asyncio.wait((pending.end, timeout), return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
        timeout.cancel()
    return pending.end.done()


async def _outcome(node: Node, run: Run, found: engine.Reached) -> Outcome | None:
    if not found.completed_event_id:
        return found.outcome
    event = await node.runs.event(run, found.completed_event_id)
    return event.workflow_execution_update_completed_event_attributes.outcome


def _reference(run: Run, update_id: str) -> UpdateRef:
    execution = WorkflowExecution(workflow_id=run.key.workflow_id, run_id=run.key.run_id)
    return UpdateRef(workflow_execution=execution, update_id=update_id)


def until(node: Node, context: CallContext) -> int:
    """When to stop waiting: with the stage reached, unless the caller's own deadline is what has come."""
    longest = node.wall.now() + limits.UPDATE_WAIT_NS
    return longest if context.deadline_at is None else min(longest, context.deadline_at)


def _require_time(node: Node, context: CallContext, update_id: str) -> None:
    if context.deadline_at is not None and context.deadline_at <= node.wall.now():
        raise DeadlineExceeded(f"update {update_id!r} did not come so far before the caller's deadline; it goes on")
