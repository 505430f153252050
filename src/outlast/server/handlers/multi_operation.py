"""ExecuteMultiOperation: a start and an update of one workflow id, the update-with-start.

Rule: both or neither. The update waits before the run that it starts is committed, so the first workflow task carries
it. Where one operation fails by itself, the error holds one status for each, "aborted" for the one not tried.

Source: ExecuteMultiOperationRequest; MultiOperationExecutionFailure; rule 3.9.9.
"""

from __future__ import annotations

from typing import NamedTuple

from outlast.api.update.v1 import Request
from outlast.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    ExecuteMultiOperationResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    UpdateWorkflowExecutionRequest,
)
from outlast.engine.execution import start as starting
from outlast.engine.execution import update as engine
from outlast.vocab.errors import (
    InvalidArgument,
    MultiOperationAborted,
    MultiOperationExecution,
    ServiceError,
)

from .. import updates
from ..context import CallContext
from ..node import Node
from ..runs import Run
from . import start as starts
from . import update as waiting


class _Led(NamedTuple):
    """The run that both operations are about, and whether it was started here."""

    run: Run
    started: bool


async def execute(
    node: Node, request: ExecuteMultiOperationRequest, context: CallContext
) -> ExecuteMultiOperationResponse:
    """Start the workflow or find it, and send it the update; then wait as the update asks.

    Raises:
        InvalidArgument: the operations are not a start and an update of the same workflow.
        MultiOperationExecution: one of them failed.
    """
    start, update = _operations(request)
    _validate(start, update)
    asked = waiting.with_id(update.request)
    limit = waiting.until(node, context)
    while True:
        led = await _lead(node, start, asked)
        started = StartWorkflowExecutionResponse(
            run_id=led.run.key.run_id,
            first_execution_run_id=led.run.state.first_run_id,
            started=led.started,
            status=led.run.state.status,
        )
        try:
            stage = waiting.stage_of(update)
            updated = await waiting.reply(node, led.run, asked.meta.update_id, stage, limit, context)
        except ServiceError as error:
            raise _failed([None, error]) from error
        if updated is not None:
            response = ExecuteMultiOperationResponse()
            response.responses.add().start_workflow.CopyFrom(started)
            response.responses.add().update_workflow.CopyFrom(updated)
            return response


def _operations(
    request: ExecuteMultiOperationRequest,
) -> tuple[StartWorkflowExecutionRequest, UpdateWorkflowExecutionRequest]:
    kinds = [operation.WhichOneof("operation") for operation in request.operations]
    if kinds != ["start_workflow", "update_workflow"]:
        raise InvalidArgument(
            f"ExecuteMultiOperation: the operations are {kinds}; they have to be exactly one start_workflow and then "
            "one update_workflow"
        )
    start, update = StartWorkflowExecutionRequest(), UpdateWorkflowExecutionRequest()
    start.CopyFrom(request.operations[0].start_workflow)
    update.CopyFrom(request.operations[1].update_workflow)
    start.namespace = update.namespace = request.namespace
    return start, update


def _validate(start: StartWorkflowExecutionRequest, update: UpdateWorkflowExecutionRequest) -> None:
    """Refuse what cannot be done together.

    Raises:
        MultiOperationExecution: around the InvalidArgument of the operation that is at fault.
    """
    try:
        starting.validate(start)
        subject = f"update-with-start of workflow {start.workflow_id!r}"
        for field, wrong in (
            ("cron_schedule", bool(start.cron_schedule)),
            ("request_eager_execution", start.request_eager_execution),
            ("workflow_start_delay", start.HasField("workflow_start_delay")),
        ):
            if wrong:
                raise InvalidArgument(f"{subject}: the start cannot have {field}; leave it out")
    except ServiceError as error:
        raise _failed([error, _aborted()]) from error
    try:
        engine.validate(update)
        if update.workflow_execution.workflow_id != start.workflow_id:
            raise InvalidArgument(f"{subject}: the update names workflow {update.workflow_execution.workflow_id!r}")
        if update.workflow_execution.run_id or update.first_execution_run_id:
            raise InvalidArgument(f"{subject}: the update cannot name a run, as the start decides on it; leave it out")
    except ServiceError as error:
        raise _failed([_aborted(), error]) from error


async def _lead(node: Node, start: StartWorkflowExecutionRequest, asked: Request) -> _Led:
    """The run that takes the update; the update waits there."""
    namespace_id = node.namespaces.id_of(start.namespace, starting=True)
    current = await starts.current_run(node, namespace_id, start.workflow_id)
    if current is not None and _done_before(current, asked):
        return _Led(current, started=False)
    try:
        way = starting.route(current.state if current else None, start)
    except ServiceError as error:
        raise _failed([error, _aborted()]) from error
    if way in (starting.Way.NEW, starting.Way.REPLACE):
        run, draft = starts.begin(node, namespace_id, start, current)
        updates.wait(run, asked)
        await starts.commit(node, run, draft, current if way is starting.Way.REPLACE else None)
        return _Led(run, started=True)
    assert current is not None
    try:
        updates.admit(current, asked)
    except ServiceError as error:
        raise _failed([_aborted(), error]) from error
    updates.dispatch(node.runs, current)
    if way is starting.Way.EXISTING:
        await starts.attach(node, current, start)
    return _Led(current, started=way is starting.Way.SAME_REQUEST)


def _done_before(run: Run, asked: Request) -> bool:
    """Whether the closed run has an answer to this very update, so that nothing is started for it."""
    known = run.state.updates.get(asked.meta.update_id)
    return not run.state.running and known is not None and known.accepted_event_id > 0


def _aborted() -> MultiOperationAborted:
    return MultiOperationAborted("Operation was aborted.")


def _failed(errors: list[ServiceError | None]) -> MultiOperationExecution:
    return MultiOperationExecution("Update-with-Start could not be executed.", errors)
