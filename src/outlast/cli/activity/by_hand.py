"""``outlast activity complete`` and ``fail``: activities that are ended from outside."""

from __future__ import annotations

import click

from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import ApplicationFailureInfo, Failure
from outlast.api.workflowservice.v1 import (
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)

from ..connection import Session, connected
from ..inputs import json_payload
from .target import ANY_REFERENCE, done


@click.command()
@ANY_REFERENCE
@click.option("--result", required=True, help="JSON of the result.")
@connected
async def complete(session: Session, *, activity_id: str, workflow_id: str, run_id: str, result: str) -> None:
    """Complete an activity with a result."""
    request = RespondActivityTaskCompletedByIdRequest(
        namespace=session.namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        activity_id=activity_id,
        result=Payloads(payloads=[json_payload(result, "--result")]),
        identity=session.identity,
    )
    await session.service.respond_activity_task_completed_by_id(request, retry=True)
    done(session, f"Activity {activity_id} completed", activity_id)


@click.command()
@ANY_REFERENCE
@click.option("--detail", help="JSON of details.")
@click.option("--reason", default="", help="Message of the failure.")
@connected
async def fail(
    session: Session, *, activity_id: str, workflow_id: str, run_id: str, detail: str | None, reason: str
) -> None:
    """Fail an activity for good."""
    info = ApplicationFailureInfo(non_retryable=True)
    if detail is not None:
        info.details.payloads.append(json_payload(detail, "--detail"))
    request = RespondActivityTaskFailedByIdRequest(
        namespace=session.namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        activity_id=activity_id,
        failure=Failure(message=reason, source="CLI", application_failure_info=info),
        identity=session.identity,
    )
    await session.service.respond_activity_task_failed_by_id(request, retry=True)
    done(session, f"Activity {activity_id} failed", activity_id)
