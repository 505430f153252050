"""``outlast activity list`` and ``count``: activities without a workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import click

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import CountActivityExecutionsRequest, ListActivityExecutionsRequest

from .. import values
from ..connection import Session, connected
from ..counts import show_count
from ..paging import paged
from ..printing import Row

_COLUMNS = ("Status", "ActivityId", "Type", "StartTime")
_PAGE = 100


@click.command("list")
@click.option("--query", "-q", default="", help="List filter.")
@click.option("--limit", type=click.IntRange(0), default=0, help="At most so many.")
@click.option("--page-size", type=click.IntRange(1), default=_PAGE, show_default=True, help="So many a call.")
@connected
async def list_all(session: Session, *, query: str, limit: int, page_size: int) -> None:
    """List activities that were started without a workflow."""
    await session.printer.pages(_COLUMNS, _pages(session, query, limit, page_size))


async def _pages(session: Session, query: str, limit: int, page_size: int) -> AsyncIterator[list[Row]]:
    request = ListActivityExecutionsRequest(
        namespace=session.namespace, query=query, page_size=min(page_size, limit or page_size)
    )
    async for found in paged(session.service.list_activity_executions, request, "executions", limit=limit):
        yield [
            (
                (
                    values.enum_name(_e.ActivityExecutionStatus, one.status),
                    one.activity_id,
                    one.activity_type.name,
                    session.printer.time(one.schedule_time),
                ),
                one,
            )
            for one in found
        ]


@click.command()
@click.option("--query", "-q", default="", help="List filter, which may end with GROUP BY.")
@connected
async def count(session: Session, *, query: str) -> None:
    """Count activities that were started without a workflow."""
    request = CountActivityExecutionsRequest(namespace=session.namespace, query=query)
    show_count(session.printer, await session.service.count_activity_executions(request, retry=True))
