"""``outlast activity cancel``, ``terminate`` and ``delete``: activities without a workflow."""

from __future__ import annotations

from typing import Any

import click

from outlast.api.batch.v1 import (
    BatchOperationCancelActivities,
    BatchOperationDeleteActivities,
    BatchOperationTerminateActivities,
)
from outlast.api.workflowservice.v1 import (
    CountActivityExecutionsRequest,
    DeleteActivityExecutionRequest,
    RequestCancelActivityExecutionRequest,
    TerminateActivityExecutionRequest,
)

from .. import selection
from ..connection import Session, connected
from ..reference import fresh_id
from ..start_options import titled
from . import target


@click.command()
@target.REFERENCE_OR_MANY
@connected
async def cancel(session: Session, **options: Any) -> None:
    """Ask an activity to stop, or with --query many; it may clean up, or go on."""
    if not target.is_one(options):
        operation = BatchOperationCancelActivities(identity=session.identity, reason=selection.why(session, options))
        await _many(session, options, cancel_activities_operation=operation)
        return
    request = RequestCancelActivityExecutionRequest(
        **target.aim(session, options),
        identity=session.identity,
        request_id=fresh_id(),
        reason=selection.why(session, options),
    )
    await session.service.request_cancel_activity_execution(request, retry=True)
    target.done(session, "Cancellation requested", options["activity_id"])


@click.command()
@target.REFERENCE_OR_MANY
@connected
async def terminate(session: Session, **options: Any) -> None:
    """End an activity at once, or with --query many; a running attempt is not asked."""
    if not target.is_one(options):
        operation = BatchOperationTerminateActivities(identity=session.identity, reason=selection.why(session, options))
        await _many(session, options, terminate_activities_operation=operation)
        return
    request = TerminateActivityExecutionRequest(
        **target.aim(session, options),
        identity=session.identity,
        request_id=fresh_id(),
        reason=selection.why(session, options),
    )
    await session.service.terminate_activity_execution(request, retry=True)
    target.done(session, "Activity terminated", options["activity_id"])


@click.command()
@target.REFERENCE_OR_MANY
@connected
async def delete(session: Session, **options: Any) -> None:
    """Delete an activity with all that is known of it, or with --query many; an open one is terminated first."""
    if not target.is_one(options):
        await _many(session, options, delete_activities_operation=BatchOperationDeleteActivities())
        return
    if options["reason"]:
        raise click.UsageError("--reason goes with --query: nothing is left of an activity to keep it with")
    request = DeleteActivityExecutionRequest(**target.aim(session, options))
    await session.service.delete_activity_execution(request, retry=True)
    data = {"activityId": request.activity_id, "runId": request.run_id, "namespace": session.namespace}
    session.printer.record("Deleted execution:", titled(data), data)


async def _many(session: Session, options: dict[str, Any], **operation: Any) -> None:
    request = CountActivityExecutionsRequest(namespace=session.namespace, query=options["query"])
    response = await session.service.count_activity_executions(request, retry=True)
    await selection.start_batch(session, options, response.count, ("activity", "activities"), **operation)
