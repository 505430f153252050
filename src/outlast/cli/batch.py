"""``outlast batch``: operations over many workflows, and how far they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    DescribeBatchOperationResponse,
    ListBatchOperationsRequest,
    StopBatchOperationRequest,
)

from . import values
from .connection import Session, connected
from .paging import paged
from .printing import Row

_REFRESH_S: Final = 0.2
_PAGE: Final = 100


@click.group()
def batch() -> None:
    """Operations over many workflows; `workflow signal --query FILTER` and others start them."""


async def _described(session: Session, job_id: str) -> DescribeBatchOperationResponse:
    request = DescribeBatchOperationRequest(namespace=session.namespace, job_id=job_id)
    response: DescribeBatchOperationResponse = await session.service.describe_batch_operation(request, retry=True)
    return response


async def follow_job(session: Session, job_id: str, plural: str) -> None:
    """Say that a job has started; on a terminal, or where it runs in this very process, also how it goes to its end.

    Args:
        plural: what it works through, "workflows".
    """
    printer = session.printer
    printer.line(f"Started batch for job ID: {job_id}")
    if not session.embedded and not printer.on_terminal:
        printer.data({"batchJobId": job_id})
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=printer.console, disable=not printer.on_terminal) as progress:
        bar = progress.add_task(plural.capitalize(), total=None)
        while True:
            job = await _described(session, job_id)
            done = job.complete_operation_count + job.failure_operation_count
            progress.update(bar, completed=done, total=job.total_operation_count or None)
            if job.state != _e.BATCH_OPERATION_STATE_RUNNING:
                break
            await asyncio.sleep(_REFRESH_S)
    printer.line(
        f"{values.enum_name(_e.BatchOperationState, job.state)}:"
        f" {job.complete_operation_count} of {job.total_operation_count} done, {job.failure_operation_count} failed"
    )
    printer.data({"batchJobId": job_id})
    if job.state != _e.BATCH_OPERATION_STATE_COMPLETED or job.failure_operation_count:
        raise SystemExit(1)


@batch.command()
@click.option("--job-id", required=True, help="Id of the job.")
@connected
async def describe(session: Session, *, job_id: str) -> None:
    """Show how far a batch operation is."""
    job = await _described(session, job_id)
    time = session.printer.time
    session.printer.record(
        "Batch operation:",
        {
            "State": values.enum_name(_e.BatchOperationState, job.state),
            "Type": values.enum_name(_e.BatchOperationType, job.operation_type),
            "JobId": job.job_id,
            "Query": job.query,
            "StartTime": time(job.start_time),
            "CloseTime": time(job.close_time),
            "CompletedCount": f"{job.complete_operation_count}/{job.total_operation_count}",
            "FailureCount": f"{job.failure_operation_count}/{job.total_operation_count}",
            "Reason": job.reason,
            "Identity": job.identity,
        },
        job,
    )


@batch.command("list")
@click.option("--limit", type=click.IntRange(0), default=0, help="At most so many.")
@connected
async def list_all(session: Session, *, limit: int) -> None:
    """List batch operations."""
    await session.printer.pages(("State", "JobId", "StartTime", "CloseTime"), _pages(session, limit))


async def _pages(session: Session, limit: int) -> AsyncIterator[list[Row]]:
    request = ListBatchOperationsRequest(namespace=session.namespace, page_size=min(_PAGE, limit or _PAGE))
    time = session.printer.time
    async for found in paged(session.service.list_batch_operations, request, "operation_info", limit=limit):
        yield [
            (
                (
                    values.enum_name(_e.BatchOperationState, job.state),
                    job.job_id,
                    time(job.start_time),
                    time(job.close_time),
                ),
                job,
            )
            for job in found
        ]


@batch.command()
@click.option("--job-id", required=True, help="Id of the job.")
@click.option("--reason", required=True, help="Why.")
@connected
async def terminate(session: Session, *, job_id: str, reason: str) -> None:
    """Stop a batch operation; what it has done stays done."""
    request = StopBatchOperationRequest(
        namespace=session.namespace, job_id=job_id, reason=reason, identity=session.identity
    )
    await session.service.stop_batch_operation(request, retry=True)
    session.printer.line(f"Terminated batch job {job_id}")
    session.printer.data({"batchJobId": job_id})
