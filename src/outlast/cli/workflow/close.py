"""``outlast workflow cancel``, ``terminate`` and ``delete``."""

from __future__ import annotations

from typing import Any

import click

from outlast.api.batch.v1 import BatchOperationCancellation, BatchOperationDeletion, BatchOperationTermination
from outlast.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    RequestCancelWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from .. import selection
from ..connection import Session, connected
from ..reference import fresh_id


@click.command()
@selection.ONE_OR_MANY
@selection.NO_HEADERS
@connected
async def cancel(session: Session, **options: Any) -> None:
    """Ask a workflow to stop, or with --query many; it may clean up, or go on."""
    target = selection.one(options)
    if target is None:
        operation = BatchOperationCancellation(identity=session.identity)
        await selection.many(session, options, cancellation_operation=operation)
        return
    request = RequestCancelWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_execution=target,
        identity=session.identity,
        request_id=fresh_id(),
        reason=selection.why(session, options),
    )
    await session.service.request_cancel_workflow_execution(request, retry=True)
    session.printer.line("Canceled workflow")
    session.printer.data({"workflowId": target.workflow_id})


@click.command()
@selection.ONE_OR_MANY
@selection.NO_HEADERS
@connected
async def terminate(session: Session, **options: Any) -> None:
    """End a workflow at once, or with --query many; its code does not run again."""
    target = selection.one(options)
    if target is None:
        operation = BatchOperationTermination(identity=session.identity)
        await selection.many(session, options, termination_operation=operation)
        return
    request = TerminateWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_execution=target,
        identity=session.identity,
        reason=selection.why(session, options),
    )
    await session.service.terminate_workflow_execution(request, retry=True)
    session.printer.line("Workflow terminated")
    session.printer.data({"workflowId": target.workflow_id})


@click.command()
@selection.ONE_OR_MANY
@selection.NO_HEADERS
@connected
async def delete(session: Session, **options: Any) -> None:
    """Delete a run with its history, or with --query many; an open one is terminated first."""
    target = selection.one(options)
    if target is None:
        operation = BatchOperationDeletion(identity=session.identity)
        await selection.many(session, options, deletion_operation=operation)
        return
    request = DeleteWorkflowExecutionRequest(namespace=session.namespace, workflow_execution=target)
    await session.service.delete_workflow_execution(request, retry=True)
    session.printer.line("Delete workflow succeeded")
    session.printer.data({"workflowId": target.workflow_id})
