"""``outlast worker``: the workers that a namespace has heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import click

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import CountWorkersRequest, DescribeWorkerRequest, ListWorkersRequest

from . import values
from .connection import Session, connected
from .paging import paged
from .printing import Row

_PAGE: Final = 100
_COLUMNS: Final = ("Status", "WorkerInstanceKey", "Identity", "TaskQueue", "SDK", "StartTime")


@click.group()
def worker() -> None:
    """The workers that a namespace has heard of."""


@worker.command("list")
@click.option("--query", "-q", default="", help="Filter.")
@click.option("--limit", type=click.IntRange(0), default=0, help="At most so many.")
@click.option("--include-system-workers", is_flag=True, help="Also those of the server itself.")
@connected
async def list_all(session: Session, *, query: str, limit: int, include_system_workers: bool) -> None:
    """List workers."""
    request = ListWorkersRequest(
        namespace=session.namespace,
        page_size=min(_PAGE, limit or _PAGE),
        query=query,
        include_system_workers=include_system_workers,
    )
    await session.printer.pages(_COLUMNS, _pages(session, request, limit))


async def _pages(session: Session, request: ListWorkersRequest, limit: int) -> AsyncIterator[list[Row]]:
    async for found in paged(session.service.list_workers, request, "workers", limit=limit):
        yield [
            (
                (
                    values.enum_name(_e.WorkerStatus, one.status),
                    one.worker_instance_key,
                    one.worker_identity,
                    one.task_queue,
                    f"{one.sdk_name} {one.sdk_version}",
                    session.printer.time(one.start_time),
                ),
                one,
            )
            for one in found
        ]


@worker.command()
@click.option("--query", "-q", default="", help="Filter.")
@click.option("--include-system-workers", is_flag=True, help="Also those of the server itself.")
@connected
async def count(session: Session, *, query: str, include_system_workers: bool) -> None:
    """Count workers."""
    request = CountWorkersRequest(
        namespace=session.namespace, query=query, include_system_workers=include_system_workers
    )
    response = await session.service.count_workers(request, retry=True)
    session.printer.line(f"Total: {response.count}")
    session.printer.data({"count": response.count})


@worker.command()
@click.option("--worker-instance-key", "key", required=True, help="Key of the worker, as `worker list` shows it.")
@connected
async def describe(session: Session, *, key: str) -> None:
    """Show the last heartbeat of a worker."""
    request = DescribeWorkerRequest(namespace=session.namespace, worker_instance_key=key)
    response = await session.service.describe_worker(request, retry=True)
    heartbeat = response.worker_info.worker_heartbeat
    session.printer.record("Worker:", dict(values.flattened(heartbeat)), response.worker_info)
