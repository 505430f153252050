"""``outlast workflow list`` and ``count``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import click

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import CountWorkflowExecutionsRequest, ListWorkflowExecutionsRequest

from .. import values
from ..connection import Session, connected
from ..counts import show_count
from ..options import refused
from ..paging import paged
from ..printing import Row

_COLUMNS = ("Status", "WorkflowId", "Type", "StartTime")
_PAGE = 100


@click.command("list")
@click.option("--query", "-q", default="", help="List filter.")
@click.option("--limit", type=click.IntRange(0), default=0, help="At most so many.")
@click.option("--page-size", type=click.IntRange(1), default=_PAGE, show_default=True, help="So many a call.")
@refused("--archived", "there is no archive; deleted workflows are gone", switch=True)
@connected
async def list_all(session: Session, *, query: str, limit: int, page_size: int) -> None:
    """List workflows."""
    await session.printer.pages(_COLUMNS, _pages(session, query, limit, page_size))


async def _pages(session: Session, query: str, limit: int, page_size: int) -> AsyncIterator[list[Row]]:
    request = ListWorkflowExecutionsRequest(
        namespace=session.namespace, query=query, page_size=min(page_size, limit or page_size)
    )
    async for found in paged(session.service.list_workflow_executions, request, "executions", limit=limit):
        yield [
            (
                (
                    values.enum_name(_e.WorkflowExecutionStatus, one.status),
                    one.execution.workflow_id,
                    one.type.name,
                    session.printer.time(one.start_time),
                ),
                one,
            )
            for one in found
        ]


@click.command()
@click.option("--query", "-q", default="", help="List filter, which may end with GROUP BY.")
@connected
async def count(session: Session, *, query: str) -> None:
    """Count workflows."""
    response = await session.service.count_workflow_executions(
        CountWorkflowExecutionsRequest(namespace=session.namespace, query=query), retry=True
    )
    show_count(session.printer, response)
