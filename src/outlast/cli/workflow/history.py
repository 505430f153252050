"""``outlast workflow show`` and ``result``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import click

from outlast.api.history.v1 import History, HistoryEvent

from ..connection import Session, connected
from ..printing import Row
from ..reference import REFERENCE
from .following import CLOSING, COLUMNS, cells, details, follow_progress, next_run, pages, pages_back
from .outcome import show_outcome


@click.command()
@REFERENCE
@click.option("--follow", "-f", is_flag=True, help="Go on until the workflow has ended.")
@click.option("--detailed", is_flag=True, help="All fields of the events.")
@click.option("--reverse", is_flag=True, help="The last event first.")
@connected
async def show(session: Session, *, workflow_id: str, run_id: str, follow: bool, detailed: bool, reverse: bool) -> None:
    """Show the history of a run; as JSON it can be replayed."""
    if reverse and follow:
        raise click.UsageError("--reverse and --follow exclude each other")
    if not session.printer.is_text:
        await _data(session, pages_back(session, workflow_id, run_id) if reverse else
                    pages(session, workflow_id, run_id, wait=follow))  # fmt: skip
        return
    if reverse:
        await _show_back(session, workflow_id, run_id, detailed)
        return
    events = await follow_progress(session, workflow_id, run_id, detailed=detailed, wait=follow, continues=follow)
    if events and events[-1].event_type in CLOSING and not detailed:
        try:
            show_outcome(session, events, {})
        except SystemExit:
            # It was the history that was asked for, and here it is.
            return


async def _data(session: Session, found: AsyncIterator[list[HistoryEvent]]) -> None:
    if session.printer.output == "jsonl":
        async for page in found:
            for event in page:
                session.printer.data(event, shorthand=False)
        return
    session.printer.data(History(events=[event async for page in found for event in page]), shorthand=False)


async def _show_back(session: Session, workflow_id: str, run_id: str, detailed: bool) -> None:
    if detailed:
        async for page in pages_back(session, workflow_id, run_id):
            details(session, page)
        return

    async def rows() -> AsyncIterator[list[Row]]:
        async for page in pages_back(session, workflow_id, run_id):
            yield [(cells(session, event), event) for event in page]

    await session.printer.pages(COLUMNS, rows())


@click.command()
@REFERENCE
@connected
async def result(session: Session, *, workflow_id: str, run_id: str) -> None:
    """Wait for a workflow to end and print its result; exit status 1 if it does not complete."""
    run = run_id
    while True:
        events = [
            event async for page in pages(session, workflow_id, run, wait=True, close_only=True) for event in page
        ]
        run = next_run(events[-1])
        if not run:
            break
    show_outcome(session, events, {"workflowId": workflow_id})
